"""Addresses of threads: the list, one thread, saying something, taking it down, and what is live."""
from itertools import groupby
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

import server.threads.reminders  # noqa: F401  (what one may do with a day's reminders)
from server.accounts.authentication import may_go_on
from server.core import forms, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import brief, calendar_day, local
from server.core.keyset import below
from server.core.origin import came_from
from server.core.page import BADGES, is_swap, page, see_other, tabs_of
from server.core.sight import find
from server.permissions import Can
from server.threads import actions, cards
from server.threads.rules import KINDS, PAGE, TEXT_MAX, title_of
from server.threads.tables import Thread, thread_list, thread_page, unread

SAY = (forms.text("text", "内容", most=TEXT_MAX),)
TAKE_DOWN = (forms.text("reason", "撤下的原因", most=200),)
TONES = ("red", "blue", "green", "gold", "amber")  # of people's faces
BADGES["/threads"] = unread


def shown_row(thread: Record, current: int | None, actor: Actor) -> dict[str, Any]:
    kind = KINDS[thread["kind"]]
    last = thread["text"] or kind.empty
    if thread["text"] and not thread["card_kind"]:
        last = f"{'我' if thread['person_id'] == actor.person_id else thread['who'].split(' · ')[0]}：{last}"
    return {
        "id": thread["id"], "href": f"/threads/{thread['id']}", "title": title_of(kind, actor.community),
        "icon": kind.icon, "tone": kind.tone, "last": last, "when": brief(thread["at"], now()) if thread["at"] else "",
        "unread": thread["unread"], "current": thread["id"] == current,
    }


async def list_context(actor: Actor, current: int | None = None) -> dict[str, Any]:
    """What the list of threads shows, alone on a phone or beside the open thread on a desk."""
    found = await thread_list(actor)
    threads = [shown_row(thread, current, actor) for thread in found]
    return {
        "headline": actor.place_name,
        "subline": subline(actor, found[0]["members"] if found else 0),
        "threads": threads,
        "badges": {"/threads": sum(thread["unread"] for thread in threads)},
    }


def subline(actor: Actor, members: int) -> str:
    return f"{actor.role} · 党员 {members} 名" if actor.may(Can.MEETING_ATTEND) else str(actor.role)


@get("/threads", can=Can.THREAD_READ)
async def index(request: Request) -> Response[Any]:
    next_up = None
    for find_next in cards.NEXT_UP:
        next_up = next_up or await find_next(request.user)
    return await page(request, "threads/list.html", next_up=next_up, **await list_context(request.user))


@get("/threads/{thread_id:int}", can=Can.THREAD_READ)
async def show(request: Request, thread_id: FromPath[int], before: FromQuery[int | None] = None) -> Response[Any]:
    return await show_page(request, thread_id, before=before)


async def show_page(
    request: Request, thread_id: int, *, before: int | None = None, draft: str = "", error: str = "",
    withdrawal: dict[str, Any] | None = None, status: int = 200,
) -> Response[Any]:
    """One thread. draft, error: what was wrong with a message; withdrawal (entry, reason, error): with taking down."""
    actor: Actor = request.user
    found = await thread_page(actor, thread_id, below(before))
    if not found:
        raise NotFoundException
    kind, entries = KINDS[found[0]["kind"]], [entry for entry in found if entry["id"]][:PAGE]
    if entries and not before and entries[0]["id"] > (entries[0]["seen"] or 0):
        await actions.seen(actor, thread_id, entries[0]["id"])
    states = await cards.own_states(actor, entries)
    beside = {} if is_swap(request) else await list_context(actor, thread_id)
    return await page(
        request, "threads/show.html", status=status,
        thread={"id": thread_id, "title": title_of(kind, actor.community), "subtitle": actor.place_name,
                "empty": kind.empty},
        days=by_day([shown_entry(entry, states, actor) for entry in reversed(entries)]),
        older=f"/threads/{thread_id}?before={entries[-1]['id']}" if len(found) > PAGE else None,
        may_write=bool(kind.write and actor.may(kind.write)) and not before, draft=draft, error=error,
        withdrawal=withdrawal, **beside)


def by_day(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    today = local(now()).date()
    return [{"label": "今天" if day == today else calendar_day(day, today), "entries": list(said)}
            for day, said in groupby(entries, key=lambda entry: local(entry["at"]).date())]


def shown_entry(entry: Record, states: dict[tuple[str, int], cards.CardState], actor: Actor) -> dict[str, Any]:
    mine = entry["person_id"] == actor.person_id
    down = f"{entry['taken_down_by']} 撤下：{entry['take_down_reason']}" if entry["taken_down_by"] else None
    shown = {
        "id": entry["id"], "at": entry["at"], "mine": mine, "who": "我" if mine else entry["who"],
        "face": entry["who"][0], "tone": TONES[(entry["person_id"] or 0) % len(TONES)], "taken_down": down,
        "text": "" if down else entry["text"], "kind": "card" if entry["card_kind"] else "say",
        "may_take_down": actor.may(Can.ENTRY_TAKE_DOWN) and not entry["card_kind"] and not down,
    }
    if entry["card_kind"]:
        over = entry["superseded_at"] is not None
        state = states.get((entry["card_kind"], entry["subject_id"]), {})
        shown["card"] = {"html": cards.shown(entry["html"]), "over": over,
                         "due": None if over else state.get("due"), "note": state.get("note")}
        shown["acts"] = [] if over else state.get("acts", [])
    return shown


@post("/threads/{thread_id:int}/entries", can=Can.THREAD_WRITE, status_code=200, request_max_body_size=2_000_000)
async def say(request: Request, thread_id: FromPath[int]) -> Response[Any]:
    thread = await find(Thread, request.user, thread_id)
    write = KINDS[thread["kind"]].write
    if write is None or not request.user.may(write):
        raise NotFoundException
    filled = await forms.fill(request, SAY)
    if filled.errors:
        return await show_page(request, thread_id, draft=filled.typed["text"], error=filled.errors["text"], status=422)
    await actions.say(request.user, thread, filled["text"])
    return see_other(f"/threads/{thread_id}")


@post("/threads/{thread_id:int}/entries/{entry_id:int}/withdrawal", can=Can.ENTRY_TAKE_DOWN, status_code=200)
async def take_down(request: Request, thread_id: FromPath[int], entry_id: FromPath[int]) -> Response[Any]:
    thread = await find(Thread, request.user, thread_id)
    filled = await forms.fill(request, TAKE_DOWN)
    if filled.errors:
        wrong = {"entry": entry_id, "reason": filled.typed["reason"], "error": filled.errors["reason"]}
        return await show_page(request, thread_id, withdrawal=wrong, status=422)
    await actions.take_down(request.user, thread, entry_id, filled["reason"])
    return see_other(f"/threads/{thread_id}")


@get("/tabs", can=Can.SIGNED_IN)
async def tabs(request: Request) -> Response[Any]:
    return await page(request, "parts/_tabs.html", block=None, tabs=await tabs_of(request, came_from(request)))


@get("/live", can=Can.SIGNED_IN)
async def events(request: Request) -> Stream:
    actor: Actor = request.user
    works_there = actor.may(Can.MEETING_READ) or actor.may(Can.DISCLOSURE_KEEP)
    path = actor.organisation_path if works_there else None
    village = actor.unit_code if actor.may(Can.DISCLOSURE_READ) else None
    heard = live.listen(path, actor.person_id, village=village, allowed=lambda: may_go_on(request))
    return Stream(heard, media_type="text/event-stream",
                  headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


ROUTES = [index, show, say, take_down, tabs, events]
