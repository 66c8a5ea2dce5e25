"""Addresses after the lock: the branch explains; its committee sees before and after, then changes, or sends back."""
import json
from datetime import datetime
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms
from server.core.actor import Actor
from server.core.clock import BEIJING, now
from server.core.dates import moment as exactly
from server.core.forms import wall_time
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import amendments, fields, logs
from server.meetings.rules import REASON_MAX, Kind, Mark
from server.meetings.show import head, told
from server.meetings.tables import Meeting, times
from server.members.tables import members_of
from server.permissions import Can

EXPLANATION = (forms.text("explanation", "更改说明", most=REASON_MAX),)
ANSWER = (forms.text("answer", "退回的原因", most=REASON_MAX),)
CHANGE = (*fields.FACTS, *fields.TEXTS, forms.text("why", "更改理由", most=REASON_MAX))
AGAIN = forms.flag("again", "再改改")


@get("/meetings/{meeting_id:int}/amendments", can=Can.MEETING_READ)
async def index(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    explanation = await amendments.open_explanation(meeting_id)
    mode = mode_for(request.user, meeting, explanation)
    if mode != "amend":
        return await show(request, meeting, mode, forms.Filled())
    return await show(request, meeting, mode, forms.Filled(typed=await proposed(meeting, explanation)), explanation)


def mode_for(actor: Actor, meeting: dict[str, Any], explanation: Record | None) -> str:
    """What this viewer does here: explain, wait, amend, or read."""
    if not times(meeting).locked(now()):
        raise WrongState("还没有锁定，支部可以直接更改，不用写更改说明")
    if actor.may(Can.MEETING_KEEP):
        return "waiting" if explanation else "explain"
    return "amend" if explanation and actor.may(Can.LOG_AMEND) else "read"


async def proposed(meeting: dict[str, Any], explanation: Record | None) -> dict[str, Any]:
    """The log as it stands, with what the branch proposes: what the committee's form begins with."""
    content = await amendments.log_content(meeting) | (json.loads(explanation["proposal"]) if explanation else {})
    typed = {name: wall_time(datetime.fromisoformat(content[name])) for name in ("begins_at", "ends_at")}
    return content | typed | {f"mark-{person}": mark or "" for person, _, mark in content["attendance"]}


async def show(request: Request, meeting: dict[str, Any], mode: str, filled: forms.Filled,
               explanation: Record | None = None, **more: Any) -> Response[Any]:
    listed = await attendance_of(meeting, explanation) if mode in ("amend", "preview") else []
    return await page(
        request, "meetings/amendment.html", **await head(meeting), mode=mode, errors=filled.errors,
        form=filled.typed | {"kinds": filled.several("kinds")}, status=filled.status,
        explanation=explanation and {
            "id": explanation["id"], "who": explanation["who"], "text": explanation["explanation"],
            "when": exactly(explanation["explained_at"], now())},
        kinds=forms.options(Kind), marks=forms.options(Mark), amendments=await told(meeting),
        people=[{"id": person, "name": name, "mark": filled.typed.get(f"mark-{person}", mark),
                 "listed": mark is not None} for person, name, mark in listed],
        **more)


async def attendance_of(meeting: dict[str, Any], explanation: Record | None) -> list[list[Any]]:
    """Everybody whose mark the committee may give: who is on the log's list, or on the one that the branch proposes,
    then the other members of the branch, for whom it may have forgotten."""
    content = await amendments.log_content(meeting) | (json.loads(explanation["proposal"]) if explanation else {})
    listed = {person for person, _, _ in content["attendance"]}
    return content["attendance"] + [[member["person_id"], member["name"], None]
                                    for member in await members_of(meeting["branch_id"])
                                    if member["person_id"] not in listed]


@post("/meetings/{meeting_id:int}/amendments", can=Can.MEETING_KEEP, status_code=200)
async def explain(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, EXPLANATION)
    if filled.errors:
        return await show(request, meeting, mode_for(request.user, meeting, None), filled)
    await amendments.explain(request.user, meeting, filled["explanation"])
    return see_other(f"/meetings/{meeting_id}/amendments")


async def open_one(meeting: dict[str, Any], amendment_id: int) -> Record:
    """The explanation that waits; WrongState when it is closed, 404 when it is not this meeting's."""
    explanation = await amendments.open_explanation(meeting["id"])
    if explanation is not None and explanation["id"] == amendment_id:
        return explanation
    if any(one["id"] == amendment_id for one in await told(meeting)):
        raise WrongState("这份更改说明已经处理过了，请刷新后再看")
    raise NotFoundException


async def read_change(
    request: Request, meeting: dict[str, Any], explanation: Record,
) -> tuple[forms.Filled, dict[str, Any]]:
    """The committee's form: what was typed, and the whole log as it shall read."""
    attendance = await attendance_of(meeting, explanation)
    marks = {f"mark-{person}": forms.choice(f"mark-{person}", name, Mark, required=mark is not None)
             for person, name, mark in attendance}
    filled = await forms.fill(request, (*CHANGE, AGAIN, *marks.values()))
    wrong = [filled.errors.pop(name) for name in marks if name in filled.errors]
    if wrong:
        filled.errors["form"] = "；".join(wrong)
    if fields.times_fit(filled) and filled["ends_at"] > now():
        filled.errors["ends_at"] = "还没有结束的不能记为已开展"
    if filled.errors:
        return filled, {}
    given = {int(name.removeprefix("mark-")): filled[name] for name in marks if filled[name]}
    before, values = await amendments.log_content(meeting), filled.values
    after: dict[str, Any] = {name: values[name] for name in ("topic", "place", *logs.FIELDS)}
    listed = {person for person, _, _ in before["attendance"]}
    kinds = [str(kind) for kind in values["kinds"]]
    after |= {"kinds": before["kinds"] if set(kinds) == set(before["kinds"]) else kinds, "attendance": [
        one for one in amendments.merged(attendance, given) if one[0] in listed or one[2]]}
    return filled, after | {name: unless_same(before[name], values[name]) for name in ("begins_at", "ends_at")}


def unless_same(before: str, typed: datetime) -> str:
    """A moment as it is stored: as before when the form, which knows minutes only, shows the same one."""
    same = wall_time(datetime.fromisoformat(before)) == wall_time(typed)
    return before if same else typed.astimezone(BEIJING).isoformat()


@post("/meetings/{meeting_id:int}/amendments/{amendment_id:int}/preview", can=Can.LOG_AMEND, status_code=200)
async def preview(request: Request, meeting_id: FromPath[int], amendment_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    explanation = await open_one(meeting, amendment_id)
    filled, after = await read_change(request, meeting, explanation)
    if filled.errors or filled["again"]:
        return await show(request, meeting, "amend", filled, explanation)
    rows = await amendments.preview(meeting, after)
    if not rows:
        filled.errors["form"] = "还没有改动任何内容"
        return await show(request, meeting, "amend", filled, explanation)
    return await show(request, meeting, "preview", filled, explanation, rows=rows, sent=sent(filled))


def sent(filled: forms.Filled) -> list[tuple[str, str]]:
    """Everything that was typed, to be sent once more with the confirmation."""
    return [(name, value) for name in filled.typed if name != AGAIN.name for value in filled.several(name)]


@post("/meetings/{meeting_id:int}/amendments/{amendment_id:int}/version", can=Can.LOG_AMEND, status_code=200)
async def amend(request: Request, meeting_id: FromPath[int], amendment_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    explanation = await open_one(meeting, amendment_id)
    filled, after = await read_change(request, meeting, explanation)
    if filled.errors:
        return await show(request, meeting, "amend", filled, explanation)
    await amendments.amend(request.user, meeting, after, filled["why"], amendment_id)
    return see_other(f"/meetings/{meeting_id}")


@post("/meetings/{meeting_id:int}/amendments/{amendment_id:int}/return", can=Can.LOG_AMEND, status_code=200)
async def send_back(request: Request, meeting_id: FromPath[int], amendment_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    explanation = await open_one(meeting, amendment_id)
    filled = await forms.fill(request, ANSWER)
    if filled.errors:
        filled.typed = await proposed(meeting, explanation) | filled.typed
        return await show(request, meeting, "amend", filled, explanation)
    await amendments.send_back(request.user, meeting, amendment_id, filled["answer"])
    return see_other(f"/meetings/{meeting_id}")


ROUTES = [index, explain, preview, amend, send_back]
