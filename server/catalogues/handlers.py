"""Addresses of a county's catalogue: the published one and its versions, the draft, its items, its publication."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.catalogues import actions
from server.catalogues.fields import ITEM, PUBLISH, SHAPE, VERSION
from server.catalogues.rules import (
    Audience,
    Category,
    Form,
    Frequency,
    Item,
    Kind,
    Variant,
    by_category,
    changes,
)
from server.catalogues.show import own_county, seen_county, shown_change
from server.catalogues.tables import draft, items, open_drafts, open_duties, published, versions
from server.core import forms
from server.core.clock import now
from server.core.dates import day, paper_day
from server.core.forms import Filled, Refused
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.permissions import Can


@get("/catalogues/{county:str}", can=Can.DISCLOSURE_READ)
async def show(request: Request, county: FromPath[str]) -> Response[Any]:
    return await catalogue_page(request, county, None)


@get("/catalogues/{county:str}/versions/{number:int}", can=Can.DISCLOSURE_READ)
async def version(request: Request, county: FromPath[str], number: FromPath[int]) -> Response[Any]:
    return await catalogue_page(request, county, number)


async def catalogue_page(request: Request, county: str, number: int | None) -> Response[Any]:
    place = await seen_county(request.user, county)
    found = await published(county, number)
    if found is None and number is not None:
        raise NotFoundException
    listed = await items(found["id"]) if found else []
    every = await versions(county)
    former = next((one for one in every if found and one["number"] < found["number"]), None)
    newer = next((one for one in reversed(every) if found and one["number"] > found["number"]), None)
    changed = changes(await items(former["id"]), listed) if former else []
    keeps = request.user.may(Can.CATALOGUE_KEEP) and county == request.user.unit_code
    return await page(
        request, "catalogues/show.html", county=place["name"], address=f"/catalogues/{county}", keeps=keeps,
        back="/disclosures" if not request.user.may(Can.DISCLOSURE_OVERSEE) else "/to-dos",
        catalogue={"number": found["number"], "day": paper_day(found["published_at"]), "note": found["note"],
                   "who": found["who"]} if found else None,
        replaced=f"第 {newer['number']} 版 {day(newer['published_at'], now())}起替代了它" if newer else "",
        groups=[{"label": str(category), "items": its} for category, its in by_category(listed)],
        changes=[shown_change(one) for one in changed], drafting=keeps and await draft(county) is not None,
        versions=[{"label": f"第 {one['number']} 版", "day": day(one["published_at"], now()), "note": one["note"],
                   "current": found and one["id"] == found["id"],
                   "href": f"/catalogues/{county}/versions/{one['number']}"} for one in every])


# The draft ------------------------------------------------------------------------------------------------------------

@post("/catalogues/{county:str}/draft", can=Can.CATALOGUE_KEEP, status_code=200)
async def begin(request: Request, county: FromPath[str]) -> Response[Any]:
    await own_county(request, county)
    await forms.nothing(request)
    await actions.begin_draft(request.user, county)
    return see_other(f"/catalogues/{county}/draft")


@get("/catalogues/{county:str}/draft", can=Can.CATALOGUE_KEEP)
async def show_draft(request: Request, county: FromPath[str]) -> Response[Any]:
    return await draft_page(request, county, Filled())


async def draft_page(request: Request, county: str, filled: Filled) -> Response[Any]:
    """The draft with its items, how it differs, and what that does to what is open."""
    place, its = await own_county(request, county), await draft(county)
    if its is None:
        return see_other(f"/catalogues/{county}")
    listed, newest = await items(its["id"]), await published(county)
    changed = changes(await items(newest["id"]), listed) if newest else []
    touched = [one.item.item for one in changed if one.kind is not Kind.ADDED]
    owed, drafts = await open_duties(touched), await open_drafts(touched)
    return await page(
        request, "catalogues/draft.html", status=filled.status, county=place["name"], address=f"/catalogues/{county}",
        version=its["version"], form={"note": its["note"]} | filled.typed, errors=filled.errors,
        first=newest is None, changes=[shown_change(one, owed.get(one.item.item, 0), drafts.get(one.item.item, 0))
                                       for one in changed],
        groups=[{"label": str(category), "items": [
            {"id": one.id, "name": one.name, "line": " · ".join(
                filter(None, (one.frequency, one.form, one.audience, one.department,
                              "" if one.variant is Variant.BOTH else f"只适用{one.variant}")))} for one in its_items]}
            for category, its_items in by_category(listed)])


@get("/catalogues/{county:str}/draft/items/new", can=Can.CATALOGUE_KEEP)
async def new_item(request: Request, county: FromPath[str]) -> Response[Any]:
    its = await the_draft(request, county)
    return await item_page(request, county, None, Filled(typed={
        "version": its["version"], "frequency": str(Frequency.QUARTER), SHAPE: str(Form.TEXT),
        "audience": str(Audience.VILLAGERS), "variant": str(Variant.BOTH)}))


@get("/catalogues/{county:str}/draft/items/{item_id:int}", can=Can.CATALOGUE_KEEP)
async def show_item(request: Request, county: FromPath[str], item_id: FromPath[int]) -> Response[Any]:
    its = await the_draft(request, county)
    one = await draft_item(its["id"], item_id)
    typed = {name: str(getattr(one, name)) for name in actions.FIELDS} | {
        "columns": "、".join(one.columns), SHAPE: str(one.form), "version": its["version"]}
    return await item_page(request, county, item_id, Filled(typed=typed))


async def the_draft(request: Request, county: str) -> Any:
    """The draft of the actor's own county; NotFoundException where there is none, WrongState for what was sent from
    the page of one that is gone."""
    await own_county(request, county)
    its = await draft(county)
    if its is None and request.method == "POST":
        raise WrongState("草稿刚才已经发布或作废了，请回到目录看现在的样子")
    if its is None:
        raise NotFoundException
    return its


async def draft_item(catalogue_id: int, item_id: int) -> Item:
    """One item of the draft; NotFoundException for another one's."""
    found = next((one for one in await items(catalogue_id) if one.id == item_id), None)
    if found is None:
        raise NotFoundException
    return found


async def item_page(request: Request, county: str, item_id: int | None, filled: Filled) -> Response[Any]:
    options = {name: forms.options(of) for name, of in (
        ("category", Category), (SHAPE, Form), ("frequency", Frequency), ("audience", Audience), ("variant", Variant))}
    return await page(request, "catalogues/item.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      options=options, address=f"/catalogues/{county}/draft", item=item_id)


@post("/catalogues/{county:str}/draft/items/new", can=Can.CATALOGUE_KEEP, status_code=200)
async def add_item(request: Request, county: FromPath[str]) -> Response[Any]:
    return await write_item(request, county, None)


@post("/catalogues/{county:str}/draft/items/{item_id:int}", can=Can.CATALOGUE_KEEP, status_code=200)
async def change_item(request: Request, county: FromPath[str], item_id: FromPath[int]) -> Response[Any]:
    return await write_item(request, county, item_id)


async def write_item(request: Request, county: str, item_id: int | None) -> Response[Any]:
    its = await the_draft(request, county)
    if item_id is not None:
        await draft_item(its["id"], item_id)
    filled = await forms.fill(request, ITEM)
    if not filled.errors:
        try:
            await actions.write_item(request.user, county, filled["version"], item_id,
                                     filled.values | {"form": filled[SHAPE]})
            return see_other(f"/catalogues/{county}/draft")
        except Refused as refused:
            filled.errors[SHAPE if refused.field == "form" else refused.field] = str(refused)
    return await item_page(request, county, item_id, filled)


@post("/catalogues/{county:str}/draft/items/{item_id:int}/removal", can=Can.CATALOGUE_KEEP, status_code=200)
async def remove_item(request: Request, county: FromPath[str], item_id: FromPath[int]) -> Response[Any]:
    await the_draft(request, county)
    filled = await forms.pressed(request, (VERSION,))
    await actions.remove_item(request.user, county, filled["version"], item_id)
    return see_other(f"/catalogues/{county}/draft")


@post("/catalogues/{county:str}/draft/discarding", can=Can.CATALOGUE_KEEP, status_code=200)
async def discard(request: Request, county: FromPath[str]) -> Response[Any]:
    await own_county(request, county)
    filled = await forms.pressed(request, (VERSION,))
    await actions.discard_draft(request.user, county, filled["version"])
    return see_other(f"/catalogues/{county}")


@post("/catalogues/{county:str}/publication", can=Can.CATALOGUE_KEEP, status_code=200)
async def publish(request: Request, county: FromPath[str]) -> Response[Any]:
    await own_county(request, county)
    filled = await forms.fill(request, PUBLISH)
    if not filled.errors:
        try:
            await actions.publish(request.user, county, filled["version"], filled["note"])
            return see_other(f"/catalogues/{county}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await draft_page(request, county, filled)


ROUTES = [show, version, begin, show_draft, new_item, show_item, add_item, change_item, remove_item, discard, publish]
