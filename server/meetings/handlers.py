"""Addresses of meetings: the list, planning one, entering one that was held, its page, answering an invitation."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.clock import now
from server.core.forms import wall_time
from server.core.page import page, see_other
from server.core.sight import find
from server.meetings import actions, amendments, fields
from server.meetings.corrections import FACTS
from server.meetings.lists import listed
from server.meetings.people import choosable, presets
from server.meetings.rules import REASON_MAX, Kind, Reply
from server.meetings.show import shown
from server.meetings.tables import Meeting
from server.members.tables import members_of
from server.permissions import Can

PLAN = (
    *fields.FACTS, forms.numbers("people", "应到党员"),
    forms.text("explanation", "更改说明", most=REASON_MAX, required=False),
)
REPLY = (forms.choice("reply", "回复", Reply), forms.text("note", "说明", most=100, required=False))


@get("/meetings", can=Can.MEETING_READ)
async def index(request: Request, after: FromQuery[str | None] = None) -> Response[Any]:
    return await page(request, "meetings/list.html", **await listed(request.user, after))


@get("/meetings/new", can=Can.MEETING_KEEP)
async def new(request: Request, held: FromQuery[bool] = False) -> Response[Any]:
    begins, ends = actions.default_times(now(), held=held)
    everybody = [str(member["person_id"]) for member in await members_of(request.user.organisation_id)]
    typed = {"kinds": [], "begins_at": wall_time(begins), "ends_at": wall_time(ends), "people": everybody}
    return await plan_page(request, forms.Filled(typed=typed), held=held)


async def plan_page(request: Request, filled: forms.Filled, *, held: bool, late: bool = False) -> Response[Any]:
    """The form of a meeting to come, or of one that was held. late: the branch can only explain it to its committee."""
    return await page(
        request, "meetings/new.html", status=filled.status, errors=filled.errors, held=held, late=late,
        form=filled.typed | {name: filled.several(name) for name in ("kinds", "people")},
        action="/meetings/held" if held else "/meetings", kinds=forms.options(Kind),
        members=await choosable(request.user), presets=await presets(request.user), until=await actions.earliest_held())


def read_plan(filled: forms.Filled, *, held: bool) -> None:
    """What the two moments must be to each other and to the present."""
    if not fields.times_fit(filled):
        return
    over = filled["ends_at"] <= now()
    if held and not over:
        filled.errors["ends_at"] = "还没有结束，不能补记；没开的请用“记组织生活”安排"
    if over and not held:
        filled.errors["ends_at"] = "结束时间已经过了；开过的请用“补记”"


@post("/meetings", can=Can.MEETING_KEEP, status_code=200)
async def plan(request: Request) -> Response[Any]:
    filled = await forms.fill(request, PLAN)
    read_plan(filled, held=False)
    if filled.errors:
        return await plan_page(request, filled, held=False)
    facts = {name: filled[name] for name in FACTS}
    return see_other(f"/meetings/{await actions.plan(request.user, facts, filled['people'])}")


@post("/meetings/held", can=Can.MEETING_KEEP, status_code=200)
async def enter_held(request: Request) -> Response[Any]:
    filled = await forms.fill(request, PLAN)
    read_plan(filled, held=True)
    late = "ends_at" in filled.values and await actions.already_locked(filled["ends_at"])
    if late and not filled.errors and not filled["explanation"]:
        filled.errors["explanation"] = "请写明为什么没有按时记入"
    if filled.errors:
        return await plan_page(request, filled, held=True, late=late)
    facts = {name: filled[name] for name in FACTS}
    if late:
        made = await amendments.explain_late(request.user, facts, filled["people"], filled["explanation"])
        return see_other(f"/meetings/{made}/amendments")
    return see_other(f"/meetings/{await actions.enter_held(request.user, facts, filled['people'])}/attendance")


@get("/meetings/{meeting_id:int}", can=Can.MEETING_READ)
async def show(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    return await page(request, "meetings/show.html", **await shown(request.user, meeting))


@post("/meetings/{meeting_id:int}/reply", can=Can.MEETING_ATTEND, status_code=200)
async def reply(request: Request, meeting_id: FromPath[int]) -> Response[Any]:
    meeting = await find(Meeting, request.user, meeting_id)
    filled = await forms.pressed(request, REPLY)
    await actions.answer(request.user, meeting, filled["reply"], filled["note"])
    return see_other(f"/meetings/{meeting_id}")


ROUTES = [index, new, plan, enter_held, show, reply]
