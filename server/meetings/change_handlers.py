"""Addresses of changing a meeting: another time, other facts, called off, somebody more on its list."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from server.core import forms
from server.core.clock import now
from server.core.forms import wall_time
from server.core.moves import Move
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import actions, corrections, fields
from server.meetings.rules import CANCEL, CORRECT, MOVE, Kind
from server.meetings.show import head
from server.meetings.tables import Meeting, open_times
from server.permissions import Can

MOVED = (*fields.WHEN, fields.REASON, fields.VERSION)
CORRECTED = (*fields.FACTS, fields.VERSION)


def address(move: Move) -> str:
    return f"/meetings/{{meeting_id:int}}/{move.name}"


def as_typed(meeting: dict[str, Any]) -> forms.Filled:
    """The facts of a meeting as its form shows them."""
    times = {name: wall_time(meeting[name]) for name in ("begins_at", "ends_at")}
    return forms.Filled(typed={name: meeting[name] for name in ("kinds", "topic", "place", "version")} | times)


@get(address(MOVE), can=MOVE.can)
async def move_form(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    actions.refuse_moving(meeting)
    return await move_page(request, meeting, as_typed(meeting))


async def move_page(request: Request, meeting: dict[str, Any], filled: forms.Filled) -> Response[Any]:
    return await page(request, "meetings/move.html", **await head(meeting), form=filled.typed,
                      errors=filled.errors, version=filled.typed["version"], status=filled.status)


@post(address(MOVE), can=MOVE.can, status_code=200)
async def move(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, MOVED)
    if fields.times_fit(filled) and filled["ends_at"] <= now():
        filled.errors["ends_at"] = "新的结束时间已经过了"
    if filled.errors:
        return await move_page(request, meeting, filled)
    changed = {name: filled[name] for name in ("begins_at", "ends_at", "place")}
    await actions.move(request.user, meeting, changed, filled["reason"], filled["version"])
    return see_other(f"/meetings/{meeting_id}")


@get(address(CORRECT), can=CORRECT.can)
async def facts_form(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    open_times(meeting)
    return await facts_page(request, meeting, as_typed(meeting))


async def facts_page(request: Request, meeting: dict[str, Any], filled: forms.Filled) -> Response[Any]:
    """The facts, to be put right. The times of a meeting that has not begun are moved on a page of their own."""
    return await page(
        request, "meetings/facts.html", **await head(meeting), errors=filled.errors, status=filled.status,
        form=filled.typed | {"kinds": filled.several("kinds")}, kinds=forms.options(Kind),
        begun=meeting["begins_at"] <= now())


@post(address(CORRECT), can=CORRECT.can, status_code=200)
async def correct(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    open_times(meeting)
    filled = await forms.fill(request, CORRECTED)
    if fields.times_fit(filled) and (wrong := await corrections.wrong_times(meeting, filled.values)):
        filled.errors["ends_at"] = wrong
    if filled.errors:
        return await facts_page(request, meeting, filled)
    changed = {name: filled[name] for name in corrections.FACTS}
    await corrections.correct(request.user, meeting, changed, filled["version"])
    return see_other(f"/meetings/{meeting_id}")


@get(address(CANCEL), can=CANCEL.can)
async def cancel_form(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    actions.refuse_cancelling(meeting)
    return await cancel_page(request, meeting, forms.Filled())


async def cancel_page(request: Request, meeting: dict[str, Any], filled: forms.Filled) -> Response[Any]:
    return await page(request, "meetings/cancel.html", **await head(meeting), form=filled.typed,
                      errors=filled.errors, status=filled.status)


@post(address(CANCEL), can=CANCEL.can, status_code=200)
async def cancel(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.fill(request, (fields.REASON,))
    if filled.errors:
        return await cancel_page(request, meeting, filled)
    await actions.cancel(request.user, meeting, filled["reason"])
    return see_other(f"/meetings/{meeting_id}")


@post("/meetings/{meeting_id:int}/attendance/people", can=Can.MEETING_KEEP, status_code=200)
async def add_person(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.pressed(request, (fields.PERSON,))
    await corrections.add_person(request.user, meeting, filled["person"])
    return see_other(f"/meetings/{meeting_id}/attendance")


ROUTES = [move_form, move, facts_form, correct, cancel_form, cancel, add_person]
