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
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.database import row
from server.core.dates import moment
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.disclosure import editing, fields
from server.disclosure.calendar_view import is_for, owed_line, title
from server.disclosure.private import without_numbers
from server.disclosure.publication import category_word
from server.disclosure.show import due_of
from server.disclosure.tables import declared_of, duty_of, keepers_of, last_period, owed_now, works_on
from server.permissions import Can
from server.villages.rules import State as VillageState
from server.villages.tables import county_of, village_of, village_seen_by


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
    village, found = await the_duty(request, duty_id)
    if found["matter_id"] and (found["published_at"] or (found["edition_state"] and works_on(request.user))):
        return see_other(f"/disclosures/{found['matter_id']}")
    if request.user.may(Can.DISCLOSURE_OVERSEE) and found["state"] != DutyState.NOTHING:
        return see_other(f"/disclosures?village={village['code']}")
    return await duty_page(request, village, found, Filled())


async def the_duty(request: Request, duty_id: int) -> tuple[Record, Record]:
    """A duty that is the viewer's to know of, after its village; NotFoundException else."""
    actor = request.user
    village = await (overseen(actor, duty_id) if actor.may(Can.DISCLOSURE_OVERSEE) else village_of(actor))
    found = await duty_of(village["code"], duty_id) if village else None
    if village is None or found is None or not is_for(actor, found):
        raise NotFoundException
    return village, found


async def overseen(actor: Actor, duty_id: int) -> Record | None:
    """The village of a duty, to who oversees it."""
    its = await row("SELECT village_code FROM duty WHERE id = $1", duty_id)
    return await village_seen_by(actor, its["village_code"]) if its else None


async def duty_page(request: Request, village: Record, found: Record, filled: Filled) -> Response[Any]:
    duty_id = found["id"]
    item = await item_of(found["item_id"])
    facts = [["公开时间", found["frequency"]], ["公开形式", found["form"]], ["公开范围", found["audience"]]]
    facts += [[word, text] for word, text in (("内容", item.content), ("业务指导", item.guidance),
                                              ("责任部门", item.department)) if item and text] if item else []
    keeps = request.user.may(Can.DISCLOSURE_KEEP) and found["state"] == DutyState.OWED
    if works_on(request.user) and not keeps and found["state"] == DutyState.OWED:
        names = await keepers_of(village["organisation_id"])
        facts.append(["由谁办", "、".join(names) or "还没有村（社区）管理员，请县级管理员开通"])
    said, current = await declared_of(duty_id), None
    if (keeps or said) and found["category"] == Category.CONVENIENCE:
        current = await last_period(found)
    return await page(
        request, "disclosure/duty.html", status=filled.status, form=filled.typed, errors=filled.errors,
        back=f"/disclosures?village={village['code']}" if request.user.may(Can.DISCLOSURE_OVERSEE) else "/disclosures",
        declared=declared_line(found, said) if said and found["state"] != DutyState.PUBLISHED else None,
        may_undo=found["state"] == DutyState.NOTHING and request.user.may(Can.DISCLOSURE_WITHDRAW),
        sends_back=request.user.may(Can.DISCLOSURE_REVIEW), duty={"id": duty_id, "title": title(found), "facts": facts,
                                               "category": category_word(found["category"], village["community"])},
        due=await due_of({"duty_id": duty_id, "category": found["category"]}), may_keep=keeps,
        may_be_nothing=duties.may_be_nothing(found),
        current=f"/disclosures/{current['matter']}" if current else None,
        nothing_word=nothing_word(found))


def nothing_word(duty: Record) -> str:
    """What is said of a duty for which there is nothing new."""
    return "本月核对无变化" if duty["category"] == Category.CONVENIENCE else "本期没有发生"


def declared_line(duty: Record, said: Record) -> dict[str, str]:
    """Who said that nothing occurred, and who found that it did."""
    words = f"{said['who']} {moment(said['at'], now())}声明“{nothing_word(duty)}”"
    if said["undone_at"]:
        return {"tone": "red", "text": f"{words}；{said['undone_who']} {moment(said['undone_at'], now())}更正，"
                                       f"其实有：{without_numbers(said['undone_why'])}"}
    return {"tone": "grey", "text": words}


@post("/disclosures/duties/{duty_id:int}/reopening", can=Can.DISCLOSURE_WITHDRAW, status_code=200)
async def reopen(request: Request, duty_id: FromPath[int]) -> Response[Any]:
    village, found = await the_duty(request, duty_id)
    filled = await forms.fill(request, (fields.WHY,))
    if filled.errors:
        return await duty_page(request, village, found, filled)
    await duties.did_occur(request.user, found, filled["why"])
    return see_other(f"/disclosures?village={village['code']}" if request.user.may(Can.DISCLOSURE_OVERSEE)
                     else f"/disclosures/duties/{duty_id}")


@get("/disclosures/nothing", can=Can.DISCLOSURE_KEEP)
async def nothing_form(request: Request) -> Response[Any]:
    return await nothing_page(request, Filled())


async def nothing_page(request: Request, filled: Filled) -> Response[Any]:
    village = await own_village(request)
    options = [{"value": one["id"],
                "label": title(one) + (" · 核对无变化" if one["category"] == Category.CONVENIENCE else "")}
               for one in await owed_now(village["code"], today())
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


ROUTES = [new, begin, duty, reopen, nothing_form, nothing]
