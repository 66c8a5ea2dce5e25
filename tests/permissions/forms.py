"""What a sensible person would send to each address, so that whoever may is not stopped by an empty form."""
import secrets
from collections.abc import Callable
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from server.core import picture_code
from server.core.clock import now
from server.core.forms import wall_time
from server.core.keys import key
from server.meetings import tokens
from server.meetings.check_in import KEY_PURPOSE
from tests.cast import MEMBER, VILLAGER
from tests.passwords import PASSWORD
from tests.permissions import officers, village_forms
from tests.permissions.world import DAY, HOUR, Thing

Form = Callable[[Thing], dict[str, Any]]


def gathering(begins: datetime) -> Form:
    return lambda thing: {"kinds": "主题党日", "topic": "学条例", "begins_at": wall_time(begins), "place": "村委会",
                          "ends_at": wall_time(begins + HOUR), "people": thing.facts["own_people"]}


def amended(thing: Thing) -> dict[str, Any]:
    begins = thing.facts["begins_at"]
    return {"kinds": "党课", "topic": "学条例", "begins_at": wall_time(begins), "ends_at": wall_time(begins + 2 * HOUR),
            "why": "漏记"} | {f"mark-{person}": "参加" for person in thing.facts["people"]}


def code(thing: Thing) -> dict[str, Any]:
    return {"code": tokens.code_at(key(KEY_PURPOSE), thing.ids["meeting_id"], tokens.window_start(now()))}


def in_the_picture() -> dict[str, str]:
    """A picture's token, and what it says."""
    token = picture_code.new()
    return {"picture": token, "picture_code": picture_code.shown(token) or ""}


def forgotten(_: Thing) -> dict[str, Any]:
    """Another phone each time, since each gets a code a minute."""
    return {"phone": f"139{secrets.randbelow(10**8):08}"} | in_the_picture()


def newcomer(**more: str) -> dict[str, str]:
    """Somebody who fills in who he is, but never got a code."""
    return {"phone": MEMBER.phone, "name": MEMBER.name, "id_number": MEMBER.id_number} | more


UNPROVED = {"sms_code": "123456", "sms_token": "", "password": PASSWORD, "password_again": PASSWORD}

UPLOADED = {  # where a file goes, by what it is about
    "": {"place": "log_photos", "about": "/meetings/1/log"},
    "matter": {"place": "matter_files", "about": "/disclosures/1/edit"},
    "ledger": {"place": "voucher_picture", "about": "/disclosures/1/lines/new"},
    "check": {"place": "spot_photos", "about": "/spot-checks/new"},
}
FORMS: dict[str, Form] = {
    "/activation/code": lambda _: {"phone": f"138{secrets.randbelow(10**8):08}"} | in_the_picture(),
    "/activation": lambda _: newcomer(authorisation="ABCDEFGH") | UNPROVED,
    "/activation/request": lambda _: newcomer(sms_code="123456"),
    "/registration/code": lambda _: {"phone": f"138{secrets.randbelow(10**8):08}"} | in_the_picture(),
    "/registration": lambda _: newcomer() | UNPROVED,
    "/registration/request": lambda _: newcomer() | in_the_picture(),
    "/sign-in": lambda _: {"phone": VILLAGER.phone, "password": PASSWORD},  # who is never given a duty meanwhile
    "/sign-out": lambda _: {},
    "/me/roles/{grant_id:int}": lambda _: {},
    "/me/sessions/{session_id:int}/ending": lambda _: {},
    "/step-up": lambda _: {"code": "000000"},
    "/me/password": lambda _: {"old_password": PASSWORD, "password": "short", "password_again": "short"},
    "/password-reset": forgotten,
    "/step-up/code": lambda _: {"next": "/threads"},
    "/settings/large": lambda _: {},
    "/members/search": lambda _: {"wanted": MEMBER.name, "after": ""},
    "/members/{person_id:int}/openings": lambda _: {
        "what": "身份证号", "reason": "核对本人身份", "detail": "换届", "press": token_urlsafe(16)},
    "/members/{person_id:int}/phone": lambda thing: {
        "name": thing.name.partition("'")[0], "phone": "13800000099", "again": "13800000099",
        "proof": "当面核对了居民身份证", "confirmed_by": "赵德山", "why": "旧号停用"},
    "/accounts/messages/{sms_id:int}/resending": lambda _: {"why": "问过本人，没有收到"},
    "/audit": lambda _: {"name": MEMBER.name},
    "/audit/verification": lambda _: {},
    "/threads/{thread_id:int}/entries": lambda _: {"text": "收到"},
    "/threads/{thread_id:int}/entries/{entry_id:int}/withdrawal": lambda _: {"reason": "发错了"},
    "/meetings": lambda thing: gathering(now() + DAY)(thing),
    "/meetings/held": lambda thing: gathering(now() - 2 * HOUR)(thing),
    "/meetings/{meeting_id:int}/move": lambda _: {
        "begins_at": wall_time(now() + 2 * DAY), "ends_at": wall_time(now() + 2 * DAY + HOUR), "reason": "下雨",
        "version": 1},
    "/meetings/{meeting_id:int}/facts": lambda thing: {
        "kinds": "党课", "topic": "学条例", "begins_at": wall_time(thing.facts["begins_at"]), "version": 1,
        "ends_at": wall_time(thing.facts["begins_at"] + HOUR)},
    "/meetings/{meeting_id:int}/cancellation": lambda _: {"reason": "停电"},
    "/meetings/{meeting_id:int}/reply": lambda _: {"reply": "请假", "note": "去县医院"},
    "/c/{token:str}": lambda _: {},
    "/meetings/{meeting_id:int}/check-in": code,
    "/meetings/{meeting_id:int}/attendance": lambda thing: {"person": thing.facts["people"][0], "mark": "请假"},
    "/meetings/{meeting_id:int}/attendance/rest": lambda _: {"everybody": "1"},
    "/meetings/{meeting_id:int}/attendance/people": lambda thing: {"person": thing.facts["people"][0]},
    "/meetings/{meeting_id:int}/log": lambda thing: {"minutes": "议了修路", "version": thing.facts["version"]},
    "/meetings/{meeting_id:int}/log/draft": lambda thing: {"minutes": "议了", "version": thing.facts["version"]},
    "/uploads": lambda thing: UPLOADED[thing.facts.get("about", "")] | {
        "name": "记录.jpg", "size": 3000, "mark": "1-3000"},
    "/uploads/{upload_id:int}/pieces/{number:int}": lambda _: {},
    "/uploads/{upload_id:int}/check": lambda _: {},
    "/uploads/{upload_id:int}/removal": lambda _: {},
    "/meetings/{meeting_id:int}/log/check": lambda _: {"version": 1, "photos": 0, "verdict": "审核通过"},
    "/meetings/{meeting_id:int}/amendments": lambda _: {"explanation": "漏记一人"},
    "/meetings/{meeting_id:int}/amendments/{amendment_id:int}/preview": amended,
    "/meetings/{meeting_id:int}/amendments/{amendment_id:int}/version": amended,
    "/meetings/{meeting_id:int}/amendments/{amendment_id:int}/return": lambda _: {"answer": "没有漏记"},
}
FORMS |= officers.FORMS | village_forms.FORMS
FILES = {officers.IMPORTS: lambda _: officers.workbook()} | village_forms.FILES


def body(path: str, thing: Thing) -> dict[str, Any]:
    """The arguments of a request that posts to `path` about `thing`."""
    if path in FILES:
        return {"data": FORMS[path](thing), "files": {"file": ("名单.xlsx", FILES[path](thing))}}
    return {"data": FORMS[path](thing)}


def address(path: str, thing: Thing) -> str:
    """The route's path with the thing in it."""
    meeting = thing.ids.get("meeting_id", 0)
    make = tokens.wall_token if path.startswith("/wall") else tokens.scan_token
    token = picture_code.new() if path.startswith("/picture") else make(key(KEY_PURPOSE), meeting, now())
    filled = path.replace("{token:str}", token)
    filled = filled.replace("{fingerprint:str}", "0" * 16).replace("/{name:path}", "/app.css")
    filled = filled.replace("{kind:str}", "meeting")
    filled = filled.replace("{key:str}", str(thing.facts.get("key", "x")))
    for name, value in thing.ids.items():
        filled = filled.replace(f"{{{name}:int}}", str(value)).replace(f"{{{name}:str}}", str(value))
    return filled
