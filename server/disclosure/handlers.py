"""Addresses of matters for those who read them: a village's list, a matter, its editions, sheet, broadcast, files."""
from datetime import date
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.catalogues.rules import Audience, Category
from server.core import qr, serving
from server.core.actor import Actor
from server.core.clock import today
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure import broadcast, calendar_view, plain, reading  # noqa: F401  (plain: what texts and tables consist of)
from server.disclosure.show import rendered, shown
from server.disclosure.sight import editions_for, readable_editions, the_matter
from server.disclosure.tables import files_of
from server.permissions import Can
from server.settings import settings
from server.villages.rules import State


def month_of(typed: str | None) -> date:
    """The first day of the month an address names, or of the present one."""
    try:
        month = date.fromisoformat(f"{typed}-01") if typed else today()
    except ValueError:
        month = today()
    return min(max(month, date(2019, 1, 1)), today()).replace(day=1)


@get("/disclosures", can=Can.DISCLOSURE_READ)
async def index(request: Request, village: FromQuery[str | None] = None, month: FromQuery[str | None] = None,
                category: FromQuery[str | None] = None, after: FromQuery[str | None] = None) -> Response[Any]:
    actor: Actor = request.user
    if village is None and actor.may(Can.DISCLOSURE_OVERSEE):
        return see_other("/villages")
    its = await reading.opened_village(actor, village or actor.unit_code)
    if its is None and village:
        raise NotFoundException
    if its is None or its["state"] != State.OPENED:
        return await page(request, "disclosure/list.html", headline=actor.unit_name, subline="三务公开", back=None,
                          empty={"title": "还没有开通三务公开",
                                 "text": "开通以后，这里能看到村里该公开什么、公开了什么。村里的公开栏照常公开。"})
    wanted = Category(category) if category in set(Category) else None
    return await page(request, "disclosure/list.html", badges=reading.badges(its),
                      **await calendar_view.shown(actor, its, month_of(month), wanted, after))


@get("/disclosures/{matter_id:int}", can=Can.DISCLOSURE_READ)
async def show(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await reading.opened_matter(request.user, matter_id)
    return await page(request, "disclosure/show.html", badges=reading.badges(matter),
                      **await shown(request.user, matter))


@get("/disclosures/{matter_id:int}/versions/{number:int}", can=Can.DISCLOSURE_READ)
async def version(request: Request, matter_id: FromPath[int], number: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    if not any(one["number"] == number for one in await editions_for(request.user, matter)):
        raise NotFoundException
    return await page(request, "disclosure/show.html", **await shown(request.user, matter, number))


@get("/disclosures/{matter_id:int}/versions/{number:int}/sheet", can=Can.DISCLOSURE_READ)
async def sheet(request: Request, matter_id: FromPath[int], number: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = next((one for one in await editions_for(request.user, matter) if one["number"] == number), None)
    if edition is None or matter["audience"] == Audience.MEMBERS:  # no wall is for members alone
        raise NotFoundException
    if matter["withdrawn_at"]:
        raise WrongState("这件事项已经撤下，不再打印张贴；墙上的请取下来")
    address = f"/disclosures/{matter_id}/versions/{number}"
    return await page(
        request, "disclosure/sheet.html", back=address, page=await rendered(matter, edition, wall=True),
        title=edition["title"],
        village=matter["village"], number=number,
        newer=matter["number"] if matter["number"] != number else None, fingerprint=edition["fingerprint"],
        code=qr.svg(f"{settings.origin}{address}/wall?village={matter['village_code']}", "这一版的网上地址"))


@get("/disclosures/{matter_id:int}/broadcast", can=Can.DISCLOSURE_READ)
async def loudspeaker(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = next(iter(await editions_for(request.user, matter)), None)
    if edition is None or matter["withdrawn_at"] or matter["audience"] == Audience.MEMBERS:
        raise NotFoundException
    text = await broadcast.text(matter, edition)
    return await page(request, "disclosure/broadcast.html", back=f"/disclosures/{matter_id}", title=edition["title"],
                      text=text, minutes=broadcast.minutes(text))


@get("/disclosures/{matter_id:int}/files/{file_id:int}", can=Can.DISCLOSURE_READ)
async def file(request: Request, matter_id: FromPath[int], file_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    for edition in await readable_editions(request.user, matter):
        if file_id in [one["id"] for one in await files_of(edition["id"])]:
            return await serving.serve(request, file_id)
    raise NotFoundException


ROUTES = [index, show, version, sheet, loudspeaker, file]
