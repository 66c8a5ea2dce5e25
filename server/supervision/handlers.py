"""Addresses of supervision: level by level 省→村, what to press today, the table as .xlsx."""
import asyncio
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import audit, forms
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import transaction
from server.core.dates import moment, on_paper
from server.core.deadline_words import day_text
from server.core.handed_in import workbook
from server.core.page import page, see_other
from server.core.workdays import last_day
from server.organisations.rules import CODE_LENGTH, Level, OrganisationKind
from server.permissions import Can
from server.supervision import pressing, show
from server.supervision.rules import in_short, worst_first
from server.supervision.tables import (
    below,
    months,
    of_village,
    overdue_of,
    reviews_to_press,
    to_press,
    total,
)
from server.villages.tables import unit

CODE_MOST = 12
CODES = tuple(forms.Field(name, label, lambda typed: [
    one for one in typed if one.isascii() and one.isdecimal() and len(one) <= CODE_MOST], many=True)
              for name, label in (("villages", "要催的村"), ("townships", "要催的镇街")))


async def seen_unit(actor: Actor, code: str) -> Any:
    """A unit at or below the actor's own; NotFoundException else, and for a committee that stands in a unit of others
    (机关党委)."""
    found = await unit(code) if code.startswith(actor.unit_code) else None
    guest = actor.organisation_kind == OrganisationKind.COMMITTEE and len(actor.unit_code) < CODE_LENGTH[Level.TOWNSHIP]
    if found is None or guest:
        raise NotFoundException
    return found


@get("/supervision", can=Can.DISCLOSURE_OVERSEE)
async def index(request: Request, span: FromQuery[str] = "") -> Response[Any]:
    return await level(request, request.user.unit_code, span)


@get("/supervision/{code:str}", can=Can.DISCLOSURE_OVERSEE)
async def below_it(request: Request, code: FromPath[str], span: FromQuery[str] = "") -> Response[Any]:
    return await level(request, code, span)


async def level(request: Request, code: str, span: str) -> Response[Any]:
    """A level with the units below it; a village with what it has let lapse."""
    place = await seen_unit(request.user, code)
    name, first, last = show.span_of(span, today())
    drawn, address = show.pictured(last), f"/supervision/{code}"
    spans = [{"label": label, "href": f"{address}?span={one}", "current": one == name}
             for one, (label, _) in show.SPANS.items()]
    back = "/to-dos" if code == request.user.unit_code else f"/supervision/{place['parent_code']}?span={name}"
    village = place["level"] == Level.VILLAGE
    parts = [] if village else await below(code, first, last)
    whole = await of_village(code, place["name"], first, last) if village else total(code, place["name"], parts)
    context: dict[str, Any] = {
        "name": place["name"], "back": back, "spans": spans, "tally": show.tally(whole), "counts": show.counts(whole),
        "bars": show.picture(await months(code, drawn[0], last), drawn), "villages": whole.villages,
        "opened": whole.opened, "here": f"{address}?span={name}", "village": village,
        "export": None if village else f"{address}/export?span={name}",
        "units": [show.line_of(one, f"/supervision/{one.code}?span={name}") for one in worst_first(parts)]}
    if village:
        context["overdue"] = [show.overdue_line(one) for one in await overdue_of(code)]
        context["published"] = f"/disclosures?village={code}"
    return await page(request, "supervision/level.html", **context)


@get("/supervision/{code:str}/export", can=Can.DISCLOSURE_OVERSEE)
async def export(request: Request, code: FromPath[str], span: FromQuery[str] = "") -> Response[bytes]:
    """The table as .xlsx, with who took it written all over it; the taking is evidence."""
    from server.supervision import export as sheet  # here: few processes ever write one
    place = await seen_unit(request.user, code)
    name, first, last = show.span_of(span, today())
    parts = await below(code, first, last)
    with on_paper():
        mark = f"{request.user.organisation_name} {request.user.name} {moment(now(), now())} 导出，仅供工作使用"
    body = await asyncio.to_thread(
        sheet.workbook, f"{place['name']} 三务公开督查（{show.SPANS[name][0]}）", mark, parts,
        total(code, "合计", parts))
    async with transaction():
        await audit.record(request.user, "export_supervision", "organisation", request.user.organisation_id,
                           after={"place": place["name"], "since": first, "until": last, "rows": len(parts)})
    return workbook(body, f"supervision-{code}.xlsx")


# What to press today --------------------------------------------------------------------------------------------------

@get("/pressing", can=Can.DISCLOSURE_OVERSEE)
async def to_be_pressed(request: Request) -> Response[Any]:
    path = request.user.organisation_path
    villages, townships = await to_press(path, today(), now()), await reviews_to_press(path, today())
    groups = [("townships", "镇街审核逾期", [lapsed(one, "") for one in townships]),
              ("villages", "村里到期未办", [lapsed(one, f"{one['township']} · ") for one in villages])]
    return await page(
        request, "supervision/pressing.html", here="/pressing", groups=[one for one in groups if one[2]],
        unpressed=any(not one["pressed"] for one in (*villages, *townships)))


def lapsed(one: Record, where: str) -> dict[str, Any]:
    """One to be pressed, as the page lists it."""
    by = f" · {one['pressed']}今天已提醒" if one["pressed"] else ""
    return {"code": one["code"], "name": one["name"], "things": one["things"], "pressed": bool(one["pressed"]),
            "what": in_short(one["named"], one["things"]),
            "line": f"{where}最早应于{day_text(last_day(one['oldest']), now())}完成{by}"}


@post("/pressing", can=Can.DISCLOSURE_OVERSEE, status_code=200)
async def press(request: Request) -> Response[Any]:
    filled = await forms.pressed(request, CODES)
    await pressing.press(request.user, [*filled["villages"], *filled["townships"]])
    return see_other("/pressing")


ROUTES = [index, below_it, export, to_be_pressed, press]
