"""工作台: what waits, sorted by what falls due, and the way to each area."""
from typing import Any

from litestar import Request, Response, get

from server.core.actor import Actor
from server.core.page import BADGES, page
from server.permissions import Can
from server.todos.sources import AREAS, count, grouped


async def badge(actor: Actor) -> int:
    return await count(actor) if actor.may(Can.TODO_READ) else 0


BADGES["/to-dos"] = badge


@get("/to-dos", can=Can.TODO_READ)
async def index(request: Request) -> Response[Any]:
    actor: Actor = request.user
    groups = await grouped(actor)
    areas = [area for find in AREAS if (area := await find(actor)) is not None]
    return await page(request, "todos/index.html", headline="工作台",
                      subline=f"{actor.organisation_name} · {actor.role}", groups=groups, areas=areas,
                      badges={"/to-dos": sum(len(group["items"]) for group in groups)})


ROUTES = [index]
