"""Addresses of the directory of villages (M3§6): level by level, one village, opening it, exempting it (M3§4)."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.dates import day, moment
from server.core.forms import Filled, Refused
from server.core.page import page, see_other
from server.core.sight import find
from server.organisations.rules import Level
from server.permissions import Can
from server.villages import actions
from server.villages.rules import (
    EXEMPTION_TONES,
    FILE,
    MOVES,
    OPINION,
    PROLONG,
    REASON_MAX,
    RETURN_COUNTY,
    RETURN_TOWNSHIP,
    TONES,
    Exempting,
    State,
)
from server.villages.tables import Exemption, branches_in, children, exemption_of, unit, village, villages_in

OPEN = (forms.number("branch", "负责的党支部", most=2**63 - 1),)
REASON = (forms.text("reason", "原因", most=REASON_MAX),)
OPINION_FORM = (forms.text("opinion", "镇街意见", most=REASON_MAX),)
REFUSING = (*OPINION_FORM, forms.Field("review_on", "复核日期", lambda _: None))  # the same form files, or refuses
FILING = (forms.text("opinion", "审批意见", most=REASON_MAX, required=False), forms.day("review_on", "复核日期"))


async def seen_unit(actor: Actor, code: str) -> Record:
    """A unit at or below the actor's own; NotFoundException else."""
    found = await unit(code) if code.startswith(actor.unit_code) else None
    if found is None:
        raise NotFoundException
    return found


@get("/villages", can=Can.DISCLOSURE_OVERSEE)
async def index(request: Request) -> Response[Any]:
    return await listed(request, request.user.unit_code)


@get("/villages/{code:str}", can=Can.DISCLOSURE_OVERSEE)
async def show(request: Request, code: FromPath[str]) -> Response[Any]:
    return await listed(request, code)


async def listed(request: Request, code: str) -> Response[Any]:
    """A level of the directory, or one village."""
    actor: Actor = request.user
    place = await seen_unit(actor, code)
    if place["level"] == Level.VILLAGE:
        return await village_page(request, place, Filled())
    top = code == actor.unit_code
    back = "/to-dos" if top else f"/villages/{place['parent_code']}"
    if place["level"] == Level.TOWNSHIP:
        found = await villages_in(code)
        figures = [(str(sum(one["state"] == state for one in found)), str(state), TONES[state]) for state in State]
        return await page(request, "villages/township.html", name=place["name"], back=back, figures=figures,
                          here=f"/villages/{code}", villages=[village_line(one) for one in found])
    found = await children(code)
    totals = [sum(one[name] for one in found) for name in ("villages", "opened", "exempt")]
    return await page(request, "villages/list.html", name=place["name"], back=back, totals=totals, units=[
        {"href": f"/villages/{one['code']}", "name": one["name"], "villages": one["villages"], "opened": one["opened"],
         "exempt": one["exempt"], "waiting": one["villages"] - one["opened"] - one["exempt"]} for one in found])


def village_line(one: Record) -> dict[str, Any]:
    line = one["exemption"] if one["exemption"] and one["exemption"] != Exempting.ON_FILE else (
        f"复核日期 {day(one['review_on'], now())}" if one["review_on"] else
        "还没有党支部，不能开通" if not one["branches"] else
        f"{day(one['opened_at'], now())}开通" if one["opened_at"] else "等待开通")
    return {"href": f"/villages/{one['code']}", "name": one["name"], "state": one["state"], "line": line,
            "tone": TONES[State(one["state"])]}


async def village_page(request: Request, place: Record, filled: Filled) -> Response[Any]:
    """One village of the directory: its state, and what the viewer may do about it."""
    actor: Actor = request.user
    its, asked = await village(place["code"]), await exemption_of(place["code"])
    branches = [one for one in await branches_in(place["code"]) if one["path"].startswith(actor.organisation_path)]
    state = State(its["state"]) if its else State.NOT_YET
    under_way = asked if asked and asked["state"] in (Exempting.ASKED, Exempting.WITH_COUNTY) else None
    may_open = actor.may(Can.VILLAGE_OPEN) and state is not State.OPENED and bool(branches)
    return await page(
        request, "villages/show.html", status=filled.status, form=filled.typed, errors=filled.errors,
        village={"code": place["code"], "name": place["name"], "official": place["official_name"], "state": str(state),
                 "tone": TONES[state], "organisation": its["organisation"] if its else None,
                 "opened": moment(its["opened_at"], now()) if its and its["opened_at"] else None},
        back=f"/villages/{place['parent_code']}",
        branches=[{"id": one["id"], "name": one["name"], "pair": (one["id"], one["name"])} for one in branches],
        may_open=may_open,
        may_ask=may_open and under_way is None and state is not State.EXEMPT,
        exemption=shown_exemption(actor, asked) if asked else None, today=today().isoformat(),
        published=f"/disclosures?village={place['code']}" if state is State.OPENED else None)


def shown_exemption(actor: Actor, asked: Record) -> dict[str, Any]:
    """An exemption, and what the viewer may do with it."""
    state = Exempting(asked["state"])
    facts = [["原因", asked["reason"]], ["提出", f"{asked['who']} {moment(asked['at'], now())}"]]
    if asked["opinion_at"]:
        opinion = "同上，由镇街提出" if asked["opinion"] == asked["reason"] else asked["opinion"]
        facts.append(["镇街意见", f"{opinion}（{asked['opinion_who']} {moment(asked['opinion_at'], now())}）"])
    if asked["answer_at"]:
        answered = f"{asked['answer_who']} {moment(asked['answer_at'], now())}"
        facts.append(["县级审批", f"{asked['answer'] or '同意备案'}（{answered}）"])
    if asked["review_on"]:
        facts.append(["复核日期", day(asked["review_on"], now())])
    moves = [one for one in MOVES if state in one.frm and actor.may(one.can)]
    return {"id": asked["id"], "state": str(state), "tone": EXEMPTION_TONES[state], "facts": facts,
            "moves": {one.name: one.label for one in moves}}


@post("/villages/{code:str}/opening", can=Can.VILLAGE_OPEN, status_code=200)
async def open_village(request: Request, code: FromPath[str]) -> Response[Any]:
    await seen_unit(request.user, code)
    filled = await forms.pressed(request, OPEN)
    await actions.open_village(request.user, code, filled["branch"])
    return see_other(f"/villages/{code}")


@post("/villages/{code:str}/exemption", can=Can.VILLAGE_OPEN, status_code=200)
async def ask_exemption(request: Request, code: FromPath[str]) -> Response[Any]:
    place = await seen_unit(request.user, code)
    filled = await forms.fill(request, REASON)
    if filled.errors:
        return await village_page(request, place, filled)
    await actions.ask_exemption(request.user, code, filled["reason"])
    return see_other(f"/villages/{code}")


@get("/exemptions/new", can=Can.EXEMPTION_ASK)
async def exemption_form(request: Request) -> Response[Any]:
    return await exemption_page(request, Filled())


async def exemption_page(request: Request, filled: Filled) -> Response[Any]:
    """The village's own side: why it can't publish yet, and what became of it."""
    asked = await exemption_of(request.user.unit_code)
    return await page(request, "villages/exemption.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      exemption=shown_exemption(request.user, asked) if asked else None,
                      may_ask=asked is None or asked["state"] in (Exempting.RETURNED, Exempting.ENDED))


@post("/exemptions/new", can=Can.EXEMPTION_ASK, status_code=200)
async def ask_for_own(request: Request) -> Response[Any]:
    filled = await forms.fill(request, REASON)
    if filled.errors:
        return await exemption_page(request, filled)
    await actions.ask_exemption(request.user, request.user.unit_code, filled["reason"])
    return see_other("/exemptions/new")


async def move(request: Request, exemption_id: int, by: Any, fields: tuple[forms.Field, ...]) -> Response[Any]:
    """Carries out one move of an exemption; what was wrong with the form stands on the village's page."""
    exemption = await find(Exemption, request.user, exemption_id)
    filled = await forms.fill(request, fields)
    if not filled.errors:
        try:
            await actions.move(request.user, exemption, by, filled["opinion"], filled.values.get("review_on"))
            return see_other(f"/villages/{exemption['village_code']}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await village_page(request, await seen_unit(request.user, exemption["village_code"]), filled)


@post("/exemptions/{exemption_id:int}/opinion", can=OPINION.can, status_code=200)
async def give_opinion(request: Request, exemption_id: FromPath[int]) -> Response[Any]:
    return await move(request, exemption_id, OPINION, OPINION_FORM)


@post("/exemptions/{exemption_id:int}/return", can=RETURN_TOWNSHIP.can, status_code=200)
async def return_it(request: Request, exemption_id: FromPath[int]) -> Response[Any]:
    return await move(request, exemption_id, RETURN_TOWNSHIP, OPINION_FORM)


@post("/exemptions/{exemption_id:int}/filing", can=FILE.can, status_code=200)
async def file_it(request: Request, exemption_id: FromPath[int]) -> Response[Any]:
    return await move(request, exemption_id, FILE, FILING)


@post("/exemptions/{exemption_id:int}/refusal", can=RETURN_COUNTY.can, status_code=200)
async def refuse_it(request: Request, exemption_id: FromPath[int]) -> Response[Any]:
    return await move(request, exemption_id, RETURN_COUNTY, REFUSING)


@post("/exemptions/{exemption_id:int}/prolonging", can=PROLONG.can, status_code=200)
async def prolong_it(request: Request, exemption_id: FromPath[int]) -> Response[Any]:
    return await move(request, exemption_id, PROLONG, FILING)


ROUTES = [index, show, open_village, ask_exemption, exemption_form, ask_for_own, give_opinion, return_it, file_it,
          refuse_it, prolong_it]
