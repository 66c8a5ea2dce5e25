"""Addresses of what a village owes: a duty, choosing what to publish, 本期没有发生 once for all."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.catalogues import duties
from server.catalogues.rules import Category, DutyState, Frequency
from server.catalogues.tables import current_items
from server.catalogues.tables import item as item_of
from server.core import forms
from server.core.clock import now, today
from server.core.database import row
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.disclosure import editing, fields
from server.disclosure.calendar_view import is_for, owed_line, title
from server.disclosure.publication import category_word
from server.disclosure.show import due_of
from server.disclosure.tables import duty_of, owed_now, works_on
from server.permissions import Can
from server.villages.rules import State as VillageState
from server.villages.tables import county_of, village_of


async def own_village(request: Request) -> Record:
    """The opened village whose matters the actor keeps; NotFoundException else."""
    village = await village_of(request.user)
    if village is None or village["state"] != VillageState.OPENED:
        raise NotFoundException
    return village


@get("/disclosures/new", can=Can.DISCLOSURE_KEEP)
async def new(request: Request) -> Response[Any]:
    return await new_page(request, await own_village(request), Filled())


async def new_page(request: Request, village: Record, filled: Filled) -> Response[Any]:
    moment_now = now()
    owed = [owed_line(one, moment_now) | {"id": one["id"]} for one in await owed_now(village["code"], today())]
    items = [(one.item, f"{category_word(one.category, village['community'])} · {one.name}")
             for one in await current_items(county_of(village["code"]))
             if one.frequency is Frequency.AT_ONCE and one.applies_to(village["community"])]
    return await page(request, "disclosure/new.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      owed=[one | {"line": one["text"]} for one in owed], items=items, today=today().isoformat())


@post("/disclosures", can=Can.DISCLOSURE_KEEP, status_code=200)
async def begin(request: Request) -> Response[Any]:
    village = await own_village(request)
    owed = "duty" in await forms.names(request)
    filled = await forms.fill(request, fields.CHOSEN if owed else fields.AT_ONCE)
    if not filled.errors:
        try:
            made = await (editing.begin(request.user, village, filled["duty"]) if owed else
                          editing.begin_at_once(request.user, village, filled["item"], filled["ended_on"]))
            return see_other(f"/disclosures/{made}/edit")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await new_page(request, village, filled)


@get("/disclosures/duties/{duty_id:int}", can=Can.DISCLOSURE_READ)
async def duty(request: Request, duty_id: FromPath[int]) -> Response[Any]:
    if request.user.may(Can.DISCLOSURE_OVERSEE):
        return see_other(f"/disclosures?village={await village_of_duty(request, duty_id)}")
    village = await village_of(request.user)
    found = await duty_of(village["code"], duty_id) if village else None
    if village is None or found is None or not is_for(request.user, found):
        raise NotFoundException
    if found["matter_id"] and (found["published_at"] or (found["edition_state"] and works_on(request.user))):
        return see_other(f"/disclosures/{found['matter_id']}")
    item = await item_of(found["item_id"])
    facts = [["公开时间", found["frequency"]], ["公开形式", found["form"]], ["公开范围", found["audience"]]]
    facts += [[word, text] for word, text in (("内容", item.content), ("业务指导", item.guidance),
                                              ("责任部门", item.department)) if item and text] if item else []
    keeps = request.user.may(Can.DISCLOSURE_KEEP) and found["state"] == DutyState.OWED
    return await page(
        request, "disclosure/duty.html", duty={"id": duty_id, "title": title(found), "facts": facts,
                                               "category": category_word(found["category"], village["community"])},
        due=await due_of({"duty_id": duty_id, "category": found["category"]}), may_keep=keeps,
        may_be_nothing=duties.may_be_nothing(found), errors={},
        nothing_word="本月核对无变化" if found["category"] == Category.CONVENIENCE else "本期没有发生")


async def village_of_duty(request: Request, duty_id: int) -> str:
    """Whose duty it is, for who oversees the village; NotFoundException else."""
    found = await row("SELECT village_code FROM duty WHERE id = $1 AND organisation_path LIKE $2 || '%'", duty_id,
                      request.user.organisation_path)
    if found is None:
        raise NotFoundException
    return found["village_code"]


@get("/disclosures/nothing", can=Can.DISCLOSURE_KEEP)
async def nothing_form(request: Request) -> Response[Any]:
    return await nothing_page(request, Filled())


async def nothing_page(request: Request, filled: Filled) -> Response[Any]:
    village = await own_village(request)
    options = [{"value": one["id"], "label": title(one)} for one in await owed_now(village["code"], today())
               if duties.may_be_nothing(one) and not one["edition_state"]]
    return await page(request, "disclosure/nothing.html", status=filled.status, options=options, errors=filled.errors,
                      form={"duties": filled.several("duties")})


@post("/disclosures/nothing", can=Can.DISCLOSURE_KEEP, status_code=200)
async def nothing(request: Request) -> Response[Any]:
    village = await own_village(request)
    filled = await forms.fill(request, fields.NOTHING)
    if filled.errors:
        return await nothing_page(request, filled)
    await duties.nothing_occurred(request.user, village, filled["duties"])
    return see_other("/disclosures")


ROUTES = [new, begin, duty, nothing_form, nothing]
