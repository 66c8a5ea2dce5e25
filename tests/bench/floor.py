"""The floor: what a page costs at the least behind the same server, and a check-in.

A page of the floor looks up the session, asks for 30 rows once and renders what the application rendered: the first
request lets the application's own handler find out what that is, and every later one shows the same again. It has the
application's middleware, compression and pool, and is served by the Procfile's own line. A bare insert has no session,
one statement and a short answer."""
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from server.app import make_app
from server.core.database import rows
from server.core.page import answer
from server.disclosure import handlers as disclosure
from server.meetings import handlers as meetings
from server.permissions import Can
from server.threads import handlers as threads

THIRTY = """SELECT id, at, person_id, who, text, card_kind, subject_id, html, superseded_at FROM entry
            WHERE thread_id = $1 ORDER BY id DESC LIMIT 30"""
BARE = "INSERT INTO bench_bare (person_id, meeting_id, mark, at) VALUES ($1, $2, '参加', now())"
COMPUTED = frozenset({"viewer", "status", "large", "demo"})  # what `answer` itself adds to a context

Shown = tuple[str, dict[str, Any]]
_shown: dict[str, Shown] = {}  # what the application showed at an address: in this process, until it ends


async def same(request: Request, handle: Callable[[], Awaitable[Response[Any]]]) -> Template:
    """The page the application's handler answered the first time, after one query of 30 rows."""
    path = request.url.path
    if path not in _shown:
        first = await handle()
        assert isinstance(first, Template)
        assert first.template_name
        _shown[path] = first.template_name, {
            name: value for name, value in first.context.items() if name not in COMPUTED}
    await rows(THIRTY, 1)
    template, context = _shown[path]
    return answer(request, template, **context)


@get("/threads", can=Can.THREAD_READ)
async def thread_list(request: Request) -> Template:
    return await same(request, lambda: threads.index.fn(request))


@get("/threads/{thread_id:int}", can=Can.THREAD_READ)
async def thread(request: Request, thread_id: FromPath[int]) -> Template:
    return await same(request, lambda: threads.show.fn(request, thread_id))


@get("/meetings/{meeting_id:int}", can=Can.MEETING_READ)
async def meeting(request: Request, meeting_id: FromPath[int]) -> Template:
    return await same(request, lambda: meetings.show.fn(request, meeting_id))


@get("/disclosures", can=Can.DISCLOSURE_READ)
async def village_list(request: Request) -> Template:
    return await same(request, lambda: disclosure.index.fn(request))


@get("/disclosures/{matter_id:int}", can=Can.DISCLOSURE_READ)
async def matter(request: Request, matter_id: FromPath[int]) -> Template:
    return await same(request, lambda: disclosure.show.fn(request, matter_id))


@post("/bare", can=Can.PUBLIC, status_code=200, media_type=MediaType.TEXT)
async def bare() -> str:
    await rows(BARE, 1, 1)
    return "ok"


@get("/somebody", can=Can.SIGNED_IN, media_type=MediaType.TEXT)
async def somebody() -> str:
    return "ok"


@get("/nobody", can=Can.PUBLIC, media_type=MediaType.TEXT)
async def nobody() -> str:
    return "ok"


app = make_app([thread_list, thread, meeting, village_list, matter, bare, somebody, nobody])
