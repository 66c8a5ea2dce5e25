"""Addresses of the register: the list of members, the search, a person's page, and what may be done with the numbers.

What is searched for comes by POST: neither a name nor a number ever stands in an address."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.actor import Actor
from server.core.clock import BEIJING, now
from server.core.page import page, see_other
from server.members import actions, register
from server.members.person import person_page
from server.members.rules import PAGE, Number, Proof, Reason
from server.members.searching import SEARCH, search
from server.organisations.tables import Organisation, organisation
from server.people import fields
from server.permissions import Can

TONES = {"书记": "red", "副书记": "gold", "组织委员": "gold"}


OPENING = (
    forms.choice("what", "要看的号码", Number), forms.choice("reason", "理由", Reason),
    fields.reason("detail", "具体事由", required=False), forms.text("press", "页面", most=64, seen=False),
)
PHONE = (
    fields.name("name", "姓名"), *fields.PHONE_TWICE,
    forms.choice("proof", "怎样核实的", Proof), fields.name("confirmed_by", "当面核实人"),
    fields.reason("why", "变更原因"),
)


@get("/members", can=Can.MEMBER_READ)
async def index(request: Request, after: FromQuery[str] = "", at: FromQuery[str] = "") -> Response[Any]:
    place = await place_of(request.user, at)
    last = number_in(after)
    if last is not None and not await register.is_listed(place["path"], last):
        last = None
    found = await register.listed(place["path"], last)
    onwards = f"&at={place['id']}" if at else ""
    return await page(
        request, "members/list.html", place=place["name"], at=place["id"] if at else None, form={}, errors={},
        people=[listed_row(one) for one in found[:PAGE]], found=None, total=await register.count_at(place["path"]),
        more=f"/members?after={found[PAGE - 1]['id']}{onwards}" if len(found) > PAGE else None,
        back=f"/organisations/{place['id']}" if at else "/me", branches=place["kind"] != "党支部")


async def place_of(actor: Actor, at: str) -> Record:
    """The organisation whose register is asked for: the own one, or one below it. NotFoundException for another."""
    wanted = number_in(at) if at else actor.organisation_id
    seen = wanted is not None and await Organisation.exists().where(
        Organisation.visible_to(actor), Organisation.id == wanted)
    found = await organisation(wanted) if seen and wanted is not None else None
    if found is None:
        raise NotFoundException
    return found


def number_in(text: str) -> int | None:
    """An id in an address's query; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def listed_row(one: Record) -> dict[str, Any]:
    return {"href": f"/members/{one['id']}", "name": one["name"], "office": one["office"], "branch": one["branch"],
            "probationary": one["standing"] == "预备党员", "tone": TONES.get(one["office"], "blue")}


@post("/members/search", can=Can.MEMBER_READ, status_code=200, request_max_body_size=20_000)
async def find(request: Request) -> Response[Any]:
    filled = await forms.fill(request, SEARCH)
    actor: Actor = request.user
    result = await search(actor, filled) if not filled.errors else None
    people = result.people[:PAGE] if result else []
    return await page(
        request, "members/list.html", place=actor.organisation_name, at=None, form=filled.typed, errors=filled.errors,
        people=[listed_row(one) for one in people], total=None, found=result, more=None, back="/members",
        next_after=people[-1]["id"] if result and len(result.people) > PAGE else None,
        branches=actor.organisation_kind != "党支部", status=filled.status)


@get("/members/{person_id:int}", can=Can.SIGNED_IN)
async def show(request: Request, person_id: FromPath[int]) -> Response[Any]:
    return await person_page(request, await seen(request.user, person_id))


async def seen(actor: Actor, person_id: int) -> Record:
    """Somebody the actor may know of; NotFoundException for anybody else."""
    found = await register.seen_by(actor, person_id)
    if found is None:
        raise NotFoundException
    return found


@post("/members/{person_id:int}/openings", can=Can.NUMBER_OPEN, status_code=200, request_max_body_size=20_000)
async def open_number(request: Request, person_id: FromPath[int]) -> Response[Any]:
    filled = await forms.fill(request, OPENING)
    found = await seen(request.user, person_id)
    if not filled.errors and filled["reason"] is Reason.OTHER and not filled["detail"]:
        filled.errors["detail"] = "选“其他”时，请写明具体事由"
    if filled.errors:
        return await person_page(request, found, form=filled.typed, errors=filled.errors, status=filled.status)
    why = f"{filled['reason']}：{filled['detail']}" if filled["detail"] else str(filled["reason"])
    number = await actions.open_number(request.user, person_id, filled["what"], why, filled["press"])
    if number is None:
        return see_other(f"/members/{person_id}")
    return await person_page(request, found, opened={filled["what"]: number})


@get("/members/{person_id:int}/phone", can=Can.PHONE_CONFIRM)
async def phone_form(request: Request, person_id: FromPath[int]) -> Response[Any]:
    return await phone_page(request, await seen(request.user, person_id), {}, {})


async def phone_page(
    request: Request, found: Record, form: dict[str, Any], errors: dict[str, str], status: int = 200,
) -> Response[Any]:
    return await page(
        request, "members/phone.html", person={"id": found["id"], "name": found["name"]}, errors=errors, status=status,
        form={"confirmed_by": request.user.name} | form, proofs=forms.options(Proof),
        own=found["id"] == request.user.person_id, today=now().astimezone(BEIJING).date())


@post("/members/{person_id:int}/phone", can=Can.PHONE_CONFIRM, status_code=200, request_max_body_size=20_000)
async def confirm_phone(request: Request, person_id: FromPath[int]) -> Response[Any]:
    filled = await forms.fill(request, PHONE)
    found = await seen(request.user, person_id)
    fields.check_twice(filled)
    if not filled.errors:
        try:
            await actions.confirm_phone(
                request.user, person_id, name=filled["name"], phone=filled["phone"], why=filled["why"],
                confirmed_by=filled["confirmed_by"], proof=filled["proof"])
            return see_other(f"/members/{person_id}?changed=1")
        except actions.Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await phone_page(request, found, filled.typed, filled.errors, filled.status)


ROUTES = [index, find, show, open_number, phone_form, confirm_phone]
