"""Answering: the whole page for a browser, the block for htmx. Decided here and nowhere else."""
from collections.abc import Awaitable, Callable
from typing import Any

from jinja2_fragments.litestar import HTMXBlockTemplate
from litestar import Request
from litestar.response import Redirect, Template

from server.settings import settings
from server.tabs import tabs_for

Badge = Callable[[Any], Awaitable[int]]
BADGES: dict[str, Badge] = {}  # a tab's address → how many new things the viewer has there; domains add theirs


def is_swap(request: Request) -> bool:
    """Whether htmx asks for a piece of the page to swap in."""
    return "hx-request" in request.headers


async def tabs_of(request: Request, path: str, given: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """The viewer's tabs with their counts, the one that `path` lies under marked.

    given: counts by a tab's address that the handler knows already."""
    viewer = request.user
    known = given or {}
    counted = {href: await count(viewer) for href, count in BADGES.items() if href not in known}
    return tabs_for(viewer.role, path, counted | known, community=viewer.community)


async def page(
    request: Request, template: str, *, block: str | None = "content", status: int = 200,
    badges: dict[str, int] | None = None, **context: Any,
) -> Template:
    """`template` in full, or only its `block` when htmx asks.

    badges: counts for the tabs, by address, that the handler knows already; context: what the template shows."""
    if request.scope.get("user") is not None and not is_swap(request):
        context["tabs"] = await tabs_of(request, request.url.path, badges)
    return answer(request, template, block=block, status=status, **context)


def answer(
    request: Request, template: str, *, block: str | None = "content", status: int = 200, **context: Any,
) -> Template:
    """As `page`, but asks the database nothing: tabs without counts, unless the context or the request has them."""
    viewer = request.scope.get("user")
    swap = is_swap(request)
    context |= {"viewer": viewer, "status": status, "large": bool(viewer and viewer.large), "demo": settings.demo}
    if viewer is not None and not swap:
        known = request.scope["state"].get("badges", {})
        context.setdefault("tabs", tabs_for(viewer.role, request.url.path, known, community=viewer.community))
    return HTMXBlockTemplate(
        template_name=template, block_name=block if swap else None, context=context, status_code=status,
        headers={"Vary": "HX-Request", "Cache-Control": "no-store"},
    )


def see_other(path: str) -> Redirect:
    """After a change: the browser fetches `path`, so that a reload repeats nothing."""
    return Redirect(path, status_code=303)
