"""Every change leaves one row of evidence, in its own transaction: with the evidence it stands, without it it falls."""
import re
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest

from server.accounts.authentication import HALF_COOKIE, RESET_COOKIE
from server.accounts.passwords import HASHER
from server.core import codes, picture_code
from server.core.clock import now
from server.core.database import row
from server.core.keys import key
from server.core.tokens import token_hash
from server.meetings import tokens
from server.meetings.check_in import KEY_PURPOSE
from server.permissions import Role
from server.threads.actions import open_threads
from tests.cast import (
    AUDITOR,
    BRANCH_ADMIN,
    COMMITTEE,
    IN_QIANCUN,
    MEMBER,
    NEIGHBOUR,
    ORGANISER,
    PROBATIONARY,
    SAFETY,
    SECRETARY,
    enter,
    phone_index,
)
from tests.faults import village_changes
from tests.faults.photographs import photograph
from tests.faults.trail import Trail
from tests.meetings.stories import ids_of
from tests.officers.stories import id_number, messages, opened, somebody
from tests.passwords import PASSWORD
from tests.permissions import officers
from tests.visits import Visitor, session_token

WITHOUT_EVIDENCE = {  # what changes nothing that anybody could want proof of
    "/activation/code",  # a code that is sent has confirmed nothing yet
    "/registration/code",
    "/step-up/code",  # a code that is sent has confirmed nothing yet
    "/settings/large",  # how large one's own letters are
    "/accounts/search",  # changes nothing
    "/audit",
    "/meetings/{meeting_id:int}/log/draft",  # what one officer types, before it is saved
    "/uploads",  # what one officer sends, before its form is saved
    "/uploads/{upload_id:int}/pieces/{number:int}",
    "/uploads/{upload_id:int}/check",
    "/uploads/{upload_id:int}/removal",
    "/meetings/{meeting_id:int}/amendments/{amendment_id:int}/preview",  # changes nothing
} | village_changes.WITHOUT_EVIDENCE


@pytest.fixture
async def trail(owner):
    async with Visitor() as visitor:
        yield await Trail(owner, visitor).breakable()


def gathering(day: str, begins: str, ends: str, people: list[int], **more: Any) -> dict[str, Any]:
    return {"kinds": "主题党日", "topic": "学条例", "place": "村委会", "people": people,
            "begins_at": f"{day}T{begins}", "ends_at": f"{day}T{ends}"} | more


async def number(sql: str, *values: Any) -> int:
    found = await row(sql, *values)
    assert found is not None
    return found["id"]


async def signing(trail: Trail) -> None:
    await trail.owner.execute("UPDATE account SET password_hash = $1", HASHER.hash(PASSWORD))  # none is made anew
    await trail.change("sign_in", None, "/sign-in", data={"phone": MEMBER.phone, "password": PASSWORD}, again=False)
    grant = await number("""
        SELECT g.id FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE p.phone_index = $1 AND g.role = '村民'""", phone_index(PROBATIONARY.phone))
    await trail.change("switch_role", PROBATIONARY, f"/me/roles/{grant}")
    first = await number("""
        SELECT g.id FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE p.phone_index = $1 AND g.role = '预备党员'""", phone_index(PROBATIONARY.phone))
    await trail.change("switch_role", replace(PROBATIONARY, role=Role.VILLAGER), f"/me/roles/{first}")


def forgotten(phone: str) -> dict[str, str]:
    token = picture_code.new()
    return {"phone": phone, "picture": token, "picture_code": str(picture_code.shown(token))}


async def staying(trail: Trail) -> None:
    """What changes a session that goes on."""
    other = token_hash(await session_token(MEMBER))
    there = await number("SELECT id FROM session WHERE token_hash = $1", other)
    await trail.change("sign_out_there", MEMBER, f"/me/sessions/{there}/ending")

    async def code(client: httpx.AsyncClient) -> dict[str, str]:
        await client.post("/step-up/code")
        return {"code": str(codes.shown(client.cookies[HALF_COOKIE]))}

    await trail.change("change_password", MEMBER, "/me/password", data={
        "old_password": PASSWORD, "password": "Xinmima2027", "password_again": "Xinmima2027"})

    async def reset(client: httpx.AsyncClient) -> dict[str, str]:
        await trail.owner.execute("DELETE FROM code_limit")
        await client.post("/password-reset", data=forgotten(NEIGHBOUR.phone))
        return {"code": str(codes.shown(client.cookies[RESET_COOKIE])), "id_tail": NEIGHBOUR.id_number[-6:],
                "password": "Xinmima2026", "password_again": "Xinmima2026"}

    await trail.change("reset_password", None, "/password-reset", each=reset, again=False)
    await trail.change("confirm_by_code", SECRETARY, "/step-up", each=code, again=False)


async def planning(trail: Trail) -> str:
    people = await ids_of(*(person for person in IN_QIANCUN if person is not BRANCH_ADMIN))
    today = "2026-11-22"
    plan = gathering(today, "15:00", "16:00", people)
    meeting = (await trail.change("plan_meeting", SECRETARY, "/meetings", data=plan)).headers["location"]
    await trail.change("reply", MEMBER, f"{meeting}/reply", data={"reply": "请假", "note": "去县医院"})
    moved = {"begins_at": f"{today}T15:30", "ends_at": f"{today}T16:30", "place": "党员活动室", "reason": "下雨"}
    await trail.change("move_meeting", SECRETARY, f"{meeting}/move", data=moved | {"version": 1})
    facts = gathering(today, "15:30", "16:30", [], topic="学条例、议修路", version=2)
    await trail.change("correct_meeting", ORGANISER, f"{meeting}/facts", data=facts)
    other = gathering("2026-11-29", "15:00", "16:00", people)
    other_meeting = (await trail.change("plan_meeting", SECRETARY, "/meetings", data=other)).headers["location"]
    await trail.change("cancel_meeting", SECRETARY, f"{other_meeting}/cancellation", data={"reason": "停电"})
    held = gathering("2026-11-21", "15:00", "16:00", people)
    await trail.change("enter_meeting", SECRETARY, "/meetings/held", data=held)
    return meeting


async def attending(trail: Trail, meeting: str) -> None:
    about = int(meeting.rpartition("/")[2])
    await trail.change("check_in", MEMBER, f"/c/{tokens.scan_token(key(KEY_PURPOSE), about, now())}")
    code = tokens.code_at(key(KEY_PURPOSE), about, tokens.window_start(now()))
    await trail.change("check_in", PROBATIONARY, f"{meeting}/check-in", data={"code": code})
    late, secretary = await ids_of(BRANCH_ADMIN), await ids_of(SECRETARY)
    await trail.change("add_person", ORGANISER, f"{meeting}/attendance/people", data={"person": late[0]})
    await trail.change("mark_attendance", ORGANISER, f"{meeting}/attendance",
                       data={"person": secretary[0], "mark": "请假"})
    await trail.change("mark_rest", SECRETARY, f"{meeting}/attendance/rest", data={"everybody": "1"})


async def recording(trail: Trail, meeting: str) -> None:
    await trail.change("write_log", SECRETARY, f"{meeting}/log", data={"minutes": "议了修路", "version": 0})
    written = {"minutes": "议了修路", "version": 1}
    photo = {"log_photos_file": ("记录.jpg", photograph(), "image/jpeg")}
    await trail.change("write_log", SECRETARY, f"{meeting}/log", data=written, files=photo)
    file = await number("SELECT file_id AS id FROM log_photo")
    off = {"log_photos": f"f{file}", "log_photos_off": f"f{file}"}
    await trail.change("write_log", SECRETARY, f"{meeting}/log", data=written | off)
    await trail.change("check_log", ORGANISER, f"{meeting}/log/check",
                       data={"version": 1, "photos": 2, "verdict": "审核通过"})


async def talking(trail: Trail) -> None:
    thread = await number("""SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id
                             WHERE o.name = '前村支部' AND t.kind = 'forum'""")
    await trail.change("say", MEMBER, f"/threads/{thread}/entries", data={"text": "我下个月去济南务工"})
    entry = await number("SELECT id FROM entry ORDER BY id DESC LIMIT 1")
    withdrawal = f"/threads/{thread}/entries/{entry}/withdrawal"
    await trail.change("take_down", SECRETARY, withdrawal, data={"reason": "含住址"})


async def explained(meeting: str) -> str:
    return f"{meeting}/amendments/{await number('SELECT id FROM amendment ORDER BY id DESC LIMIT 1')}"


async def amending(trail: Trail, meeting: str) -> None:
    people = await ids_of(*IN_QIANCUN)
    late = gathering("2026-10-09", "15:00", "16:00", people, explanation="一直没有网络")
    entered = (await trail.change("explain", SECRETARY, "/meetings/held", data=late)).headers["location"]
    marks = {f"mark-{person}": "参加" for person in people}
    await trail.change("amend_log", COMMITTEE, await explained(entered.removesuffix("/amendments")) + "/version",
                       data=gathering("2026-10-09", "15:00", "16:00", [], why="已核对手写记录") | marks)
    await trail.change("explain", SECRETARY, f"{meeting}/amendments", data={"explanation": "漏记一人"})
    refusal = await explained(meeting) + "/return"
    await trail.change("return_explanation", COMMITTEE, refusal, data={"answer": "没有漏记"})


async def keeping_accounts(trail: Trail) -> None:
    """The safety officer's work, and what is reported to him."""
    new = officers.person(401) | {"organisation": "后村支部", "role": "组织委员"}
    account = (await trail.change("grant_role", SAFETY, "/accounts", data=new)).headers["location"]
    newest = await number("SELECT max(id) AS id FROM authorisation")
    await trail.change("issue_code", SAFETY, f"{account}/codes", data={"after": newest})
    further = {"organisation": "西村支部", "role": "书记", "why": "换届"}
    await trail.change("grant_role", SAFETY, f"{account}/roles", data=further)
    grant = await number("SELECT max(id) AS id FROM role_grant")
    await trail.change("end_role", SAFETY, f"{account}/roles/{grant}/end", data={"why": "离任"})
    phone = {"phone": "13800009990", "again": "13800009990", "why": "换了号码"}
    await trail.change("change_phone", SAFETY, f"{account}/phone", data=phone)
    await trail.change("close_account", SAFETY, f"{account}/closure", data={"why": "手机丢失"})
    await trail.change("reopen_account", SAFETY, f"{account}/reopening", data={"why": "补了卡"})
    for serial, move, verb, data in ((410, "opening", "grant_role", {}), (411, "withdrawal", "withdraw_nomination", {}),
                                     (412, "return", "return_nomination", {"reason": "请核对"})):
        reported = officers.person(serial) | {"role": "e支部管理员"}
        made = (await trail.change("nominate", SECRETARY, "/accounts/nominations", data=reported)).headers["location"]
        person = SECRETARY if move == "withdrawal" else SAFETY
        also = ["open_nomination"] if move == "opening" else []
        await trail.change(verb, person, f"{made}/{move}", data=data, also=also)
    sheet = {"file": ("名单.xlsx", officers.workbook())}
    begun = await trail.change("begin_import", SAFETY, "/accounts/imports", data={"why": "换届"}, files=sheet)
    await trail.change("pause_import", SAFETY, f"{begun.headers['location']}/pause")
    await trail.change("resume_import", SAFETY, f"{begun.headers['location']}/resumption")


async def coming(trail: Trail) -> None:
    """Who activates an account, asks for a new code, registers."""
    officer, other = await somebody(501, at="houcun"), await somebody(502, at="xicun")
    for one in (officer, other):
        await opened(one)

    async def proved(client: httpx.AsyncClient, door: str, phone: str, **more: str) -> dict[str, str]:
        await trail.owner.execute("DELETE FROM code_limit")
        page = (await client.post(f"/{door}/code", data=forgotten(phone))).text
        token = re.search(r'name="sms_token" value="([^"]+)"', page)
        assert token
        return {"phone": phone, "sms_token": token[1], "sms_code": str(codes.shown(token[1]))} | more

    async def asking(client: httpx.AsyncClient) -> dict[str, str]:
        return await proved(client, "activation", other.phone, name=other.name, id_number=other.id_number)

    async def activating(client: httpx.AsyncClient) -> dict[str, str]:
        sent = (await messages(officer.phone))[0].partition("授权码 ")[2][:8]
        return await proved(client, "activation", officer.phone, name=officer.name, id_number=officer.id_number,
                            authorisation=sent, password="Xinmima2027", password_again="Xinmima2027")

    number_ = id_number(503)
    await trail.owner.execute("""INSERT INTO member (person_id, branch_id, standing, since)
                                 SELECT $1, id, '正式党员', '2020-07-01' FROM organisation WHERE name = '前村支部'""",
                              await enter(trail.owner, "新党员", "13800000503", number_))

    async def registering(client: httpx.AsyncClient) -> dict[str, str]:
        return await proved(client, "registration", "13800000503", name="新党员", id_number=number_,
                            password="Xinmima2027", password_again="Xinmima2027")

    async def asking_in_person(client: httpx.AsyncClient) -> dict[str, str]:
        return forgotten("13800000599") | {"name": "新党员", "id_number": number_}

    await trail.change("ask_in_person", None, "/registration/request", each=asking_in_person, again=False,
                       known=False)
    await trail.change("ask_for_authorisation", None, "/activation/request", each=asking, again=False)
    await trail.change("activate", None, "/activation", each=activating, again=False)
    await trail.change("register", None, "/registration", each=registering, again=False)


async def leaving(trail: Trail) -> None:
    """Duties that go to somebody else."""
    grant = await number("SELECT id FROM role_grant WHERE role = 'e支部管理员' AND until IS NULL ORDER BY id LIMIT 1")
    account = await number("SELECT account_id AS id FROM role_grant WHERE id = $1", grant)
    role = f"/accounts/{account}/roles/{grant}"
    today = {"first": "2026-12-10", "last": "2026-12-11", "why": "住院"}
    await trail.change("act_for", SAFETY, f"{role}/substitution", data=today | {"phone": NEIGHBOUR.phone})
    await trail.change("grant_role", SAFETY, f"{role}/hand-over", data={"phone": MEMBER.phone, "why": "换届"},
                       also=["end_role", "end_acting_for", "hand_over"])


async def looking(trail: Trail) -> None:
    """What is opened, and what is looked for by a number."""
    member, = await ids_of(MEMBER)
    await trail.change("search_number", SECRETARY, "/members/search",
                       data={"wanted": MEMBER.id_number, "after": ""}, again=False)
    await trail.change("open_id_number", SECRETARY, f"/members/{member}/openings", data={
        "what": "身份证号", "reason": "核对本人身份", "detail": "换届", "press": token_urlsafe(16)})
    other, = await ids_of(PROBATIONARY)
    await trail.change("confirm_phone", SECRETARY, f"/members/{other}/phone", data={
        "name": PROBATIONARY.name, "phone": "13800000599", "again": "13800000599", "proof": "当面核对了居民身份证",
        "confirmed_by": "赵德山", "why": "旧号停用"})
    sms = await number("SELECT id FROM sms WHERE kind = 'notice' ORDER BY id LIMIT 1")
    await trail.owner.execute("UPDATE sms SET state = 'failed', fault = '空号', tries = 1 WHERE id = $1", sms)
    await trail.change("resend", SAFETY, f"/accounts/messages/{sms}/resending", data={"why": "问过本人，没有收到"})
    await trail.change("verify_audit", AUDITOR, "/audit/verification", again=False)


async def test_every_change_stands_and_falls_with_its_evidence(trail, at, owner):
    await village_changes.walk(trail, at)
    await at("2026-11-22 10:00")
    await trail.forget_clients()
    await open_threads()
    await owner.execute("""INSERT INTO role_grant (account_id, role, organisation_id)
        SELECT g.account_id, '村民', g.organisation_id FROM role_grant g WHERE g.role = '预备党员'""")
    await signing(trail)
    await staying(trail)
    meeting = await planning(trail)
    await at("2026-11-22 15:20")
    await trail.forget_clients()
    await attending(trail, meeting)
    await at("2026-11-22 16:40")
    await trail.forget_clients()
    await recording(trail, meeting)
    await talking(trail)
    await at("2026-12-10 10:00")
    await trail.forget_clients()
    await amending(trail, meeting)
    await keeping_accounts(trail)
    await coming(trail)
    await leaving(trail)
    await looking(trail)
    await trail.change("sign_out", MEMBER, "/sign-out", data={})
    await trail.change("sign_out_everywhere", NEIGHBOUR, "/sign-out", data={"everywhere": "1"})
    assert await addresses_left_out(trail) == WITHOUT_EVIDENCE, "a new address that changes something belongs here"


async def addresses_left_out(trail: Trail) -> set[str]:
    """The routes that post and that the walk above has not been to."""
    posting = {route.path for route in trail.visitor.app.routes for handler in getattr(route, "route_handlers", ())
               if "POST" in handler.http_methods}
    patterns = {path: re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))) for path in posting}
    return {path for path, pattern in patterns.items() if not any(map(pattern.fullmatch, trail.visited))}
