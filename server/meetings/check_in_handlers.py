"""Addresses of checking in: what the QR opens, the wall it stands on, the six digits, the officer's list."""
from typing import Any
from urllib.parse import quote

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from server.core import forms, live, qr
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row
from server.core.dates import clock_time, span
from server.core.dates import moment as moment_of_day
from server.core.keys import key
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import check_in, corrections, fields, tokens
from server.meetings.check_in import CAME, KEY_PURPOSE, Outcome
from server.meetings.rules import LOCKED, Mark
from server.meetings.show import head, views
from server.meetings.tables import Meeting, own_place, people, tally, times
from server.permissions import Can
from server.settings import settings

CODE = (forms.text("code", "数字码", most=7),)  # people type the gap they see
MARK = (fields.PERSON, forms.choice("mark", "参加情况", Mark))
EVERYBODY = (forms.flag("everybody", "全部到会"),)
STYLES = {Mark.PRESENT: "", Mark.EXCUSED: "off", Mark.ABSENT: "no", Mark.GUEST: "guest"}  # how the pill looks

BAD = Outcome(False, title="这个二维码不能用", text="请扫会场屏幕上最新的签到二维码。")
OVER = Outcome(False, title="二维码已过期", text="签到二维码每 15 秒换一次，请扫屏幕上最新的。")


def secret() -> bytes:
    return key(KEY_PURPOSE)


def read_scan(text: str) -> tokens.Token:
    """The token behind an address that a QR opened; BadToken when it lets nobody check in."""
    token = tokens.read(secret(), text, now())
    if token.what is tokens.What.WALL:
        raise tokens.BadToken
    return token


async def refused(request: Request, fault: tokens.BadToken) -> Response[Any]:
    """Why what was scanned can't be used; who has checked in with it is told that instead."""
    if not isinstance(fault, tokens.Expired):
        return await check_in_page(request, None, BAD, status=404)
    meeting_id = fault.token.meeting_id
    place = await own_place(meeting_id, request.user.person_id) if request.user else None
    if place is None or place["mark"] not in CAME:
        return await check_in_page(request, None, OVER, status=410)
    return await check_in_page(request, await of_meeting(meeting_id), Outcome(True, place["marked_at"]))


def other_role(actor: Actor) -> Outcome:
    """What somebody on the list reads whose active role belongs to no branch."""
    return Outcome(False, title="请先换成党员的身份",
                   text=f"您现在的身份是“{actor.role}”。请到“我的”里换成支部党员的身份，再扫一次。")


async def of_meeting(meeting_id: int) -> dict[str, Any] | None:
    """What who scans may know of the meeting: which it is."""
    found = await row("SELECT m.*, o.name AS branch FROM meeting m JOIN organisation o ON o.id = m.branch_id"
                      " WHERE m.id = $1", meeting_id)
    return dict(found) if found else None


@get("/c/{token:str}", can=Can.PUBLIC)
async def scanned(request: Request, token: FromPath[str]) -> Response[Any]:
    """What the QR opens. It changes nothing (scanners look ahead): one button posts."""
    try:
        scan = read_scan(token)
    except tokens.BadToken as fault:
        return await refused(request, fault)
    grant = token
    if scan.what is tokens.What.SCAN:
        grant = tokens.grant_token(secret(), scan.meeting_id, now())
    if request.user is None:
        return see_other(f"/sign-in?next={quote(f'/c/{grant}')}")
    meeting = await of_meeting(scan.meeting_id)
    if meeting is None:
        return await check_in_page(request, None, BAD, status=404)
    place = await own_place(meeting["id"], request.user.person_id)
    its = times(meeting)
    if place is None:
        return await check_in_page(request, None, await check_in.why_not(request.user, meeting["id"]))
    if not request.user.may(Can.MEETING_ATTEND):
        return await check_in_page(request, meeting, other_role(request.user))
    if place["mark"] in CAME or not its.may_check_in(now()):
        outcome = await check_in.why_not(request.user, meeting["id"])
        return await check_in_page(request, meeting, outcome)
    return await check_in_page(request, meeting, None, action=f"/c/{grant}")


async def check_in_page(
    request: Request, meeting: dict[str, Any] | None, outcome: Outcome | None, *, action: str | None = None,
    status: int = 200, ask_code: bool = False, errors: dict[str, str] | None = None,
) -> Response[Any]:
    """One button, or six digits, or how it went. action: where the button posts."""
    what = meeting and {"title": meeting["topic"], "place": meeting["place"], "branch": meeting["branch"],
                        "when": span(meeting["begins_at"], meeting["ends_at"], now())}
    how = outcome and {"done": outcome.done, "title": outcome.title, "text": outcome.text,
                       "at": moment_of_day(outcome.at, now()) if outcome.at else None}
    return await page(request, "meetings/check_in.html", meeting=what, outcome=how, action=action, ask_code=ask_code,
                      errors=errors or {}, back=f"/meetings/{meeting['id']}" if meeting and ask_code else "/threads",
                      status=status)


@post("/c/{token:str}", can=Can.MEETING_ATTEND, status_code=200)
async def present(request: Request, token: FromPath[str]) -> Response[Any]:
    """The button. Who is in now, or was before, is led to the page that says so."""
    await forms.nothing(request)
    try:
        scan = read_scan(token)
    except tokens.BadToken as fault:
        return await refused(request, fault)
    grant = scan.nonce if scan.what is tokens.What.GRANT else None
    outcome = await check_in.check_in(request.user, scan.meeting_id, "扫码", grant)
    if outcome.done:
        return see_other(f"/c/{token if grant else tokens.grant_token(secret(), scan.meeting_id, now())}")
    meeting = await of_meeting(scan.meeting_id)
    if meeting is None:
        return await check_in_page(request, None, BAD, status=404)
    return await check_in_page(request, meeting, outcome, status=409)


@get("/meetings/{meeting_id:int}/check-in", can=Can.MEETING_ATTEND)
async def code_form(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    place, its = await own_place(meeting_id, request.user.person_id), times(meeting)
    done = place is not None and place["mark"] in CAME
    outcome = None if place is not None and not done and its.may_check_in(now()) else await check_in.why_not(
        request.user, meeting_id)
    return await check_in_page(request, meeting, outcome, ask_code=True, action=f"/meetings/{meeting_id}/check-in")


@post("/meetings/{meeting_id:int}/check-in", can=Can.MEETING_ATTEND, status_code=200)
async def by_code(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, CODE)
    outcome = None if filled.errors else await check_in.by_code(request.user, meeting, filled["code"].replace(" ", ""))
    if outcome and not outcome.done and outcome.title == "数字码不对":
        filled.errors["code"] = outcome.title + "，" + outcome.text
        outcome = None
    status = filled.status if outcome is None else 200 if outcome.done else 409
    return await check_in_page(request, meeting, outcome, ask_code=True, errors=filled.errors, status=status,
                               action=f"/meetings/{meeting_id}/check-in")


async def wall_context(meeting: dict[str, Any]) -> dict[str, Any]:
    """What the wall shows now: the code, its digits, and how many have come."""
    moment, its, counted = now(), times(meeting), await tally(meeting["id"])
    shown = {
        "meeting": {"id": meeting["id"], "title": meeting["topic"], "branch": meeting["branch"]},
        "window": f"{clock_time(its.check_in_opens)} — {clock_time(its.ends_at)} 可签到",
        "present": counted["present"], "expected": counted["expected"], "latest": counted["latest"],
    }
    if not its.may_check_in(moment):
        return shown | {"closed": check_in.closed(its, moment)}
    link = f"{settings.origin}/c/{tokens.scan_token(secret(), meeting['id'], moment)}"
    return shown | {
        "closed": None, "seconds": tokens.seconds_left(moment), "qr": qr.svg(link), "link": link,
        "code": tokens.code_at(secret(), meeting["id"], tokens.window_start(moment)),
    }


@get("/meetings/{meeting_id:int}/check-in-wall", can=Can.MEETING_KEEP)
async def wall(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    is_open = now() < meeting["ends_at"] and meeting["state"] == "open"
    projected = f"/wall/{tokens.wall_token(secret(), meeting_id, now())}" if is_open else None
    return await page(request, "meetings/wall.html", projector=projected, views=views(meeting_id, "check-in-wall"),
                      **await wall_context(meeting))


async def of_wall(token: str) -> dict[str, Any]:
    """The meeting a projected wall belongs to; 404 once it is over, or for any other token."""
    try:
        read = tokens.read(secret(), token, now())
    except tokens.BadToken:
        raise NotFoundException from None
    meeting = await of_meeting(read.meeting_id) if read.what is tokens.What.WALL else None
    if meeting is None or now() >= meeting["ends_at"] or meeting["state"] != "open":
        raise NotFoundException
    return meeting


@get("/wall/{token:str}", can=Can.PUBLIC)
async def projector(request: Request, token: FromPath[str]) -> Response[Any]:
    return await page(request, "meetings/projector.html", here=f"/wall/{token}", stream=f"/wall/{token}/live",
                      **await wall_context(await of_wall(token)))


@get("/wall/{token:str}/live", can=Can.PUBLIC)
async def projector_live(token: FromPath[str]) -> Stream:
    meeting = await of_wall(token)

    async def is_on() -> bool:
        try:
            return bool(await of_wall(token))
        except NotFoundException:
            return False

    return Stream(live.listen(meeting["branch_path"], None, only=f"meeting-{meeting['id']}", allowed=is_on),
                  media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@get("/meetings/{meeting_id:int}/attendance", can=Can.MEETING_KEEP)
async def attendance(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    return await attendance_page(request, await find(Meeting, request.user, meeting_id))


async def attendance_page(request: Request, meeting: dict[str, Any]) -> Response[Any]:
    """The list: one tap a person."""
    context = await head(meeting)
    its, counted, moment = context["its"], await tally(meeting["id"]), now()
    closed = None
    if not its.may_take_attendance(moment):
        outcome = check_in.closed(its, moment)
        closed = LOCKED if its.locked(moment) else f"{outcome.title}。{outcome.text}"
    return await page(
        request, "meetings/attendance.html", **context, views=views(meeting["id"], "attendance"), closed=closed,
        open=closed is None, unmarked=counted["unmarked"], marks=[
            {"value": str(mark), "label": str(mark), "style": STYLES[mark]} for mark in Mark],
        tally=[(counted["expected"], "应到", ""), (counted["present"], "参加", "green"),
               (counted["excused"], "请假", "gold"), (counted["absent"] + counted["unmarked"], "未到", "red")],
        others=await corrections.not_listed(meeting) if closed is None else [],
        people=[{"id": one["person_id"], "name": one["name"], "mark": one["mark"], "note": note_of(one)}
                for one in await people(meeting["id"])])


def note_of(person: Record) -> str | None:
    """The small line under a name: how somebody checked in, or what they answered."""
    if person["mark"] and person["how"] != "名单":
        return f"{person['how']} {clock_time(person['marked_at'])}"
    if person["mark"] is None and person["reply"]:
        return f"已回复{person['reply']}" + (f"：{person['reply_note']}" if person["reply_note"] else "")
    return None


@post("/meetings/{meeting_id:int}/attendance", can=Can.MEETING_KEEP, status_code=200)
async def mark(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.pressed(request, MARK)
    await check_in.mark(request.user, meeting, filled["person"], filled["mark"])
    return see_other(f"/meetings/{meeting_id}/attendance")


@post("/meetings/{meeting_id:int}/attendance/rest", can=Can.MEETING_KEEP, status_code=200)
async def mark_rest(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    everybody = (await forms.pressed(request, EVERYBODY))["everybody"]
    await check_in.mark_rest(request.user, meeting, everybody_came=everybody)
    return see_other(f"/meetings/{meeting_id}/attendance" if everybody else f"/meetings/{meeting_id}")


ROUTES = [scanned, present, code_form, by_code, wall, projector, projector_live, attendance, mark, mark_rest]
