"""Addresses of nominations (上报): for those from below, and for the safety officer who answers them."""
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from server.core import forms
from server.core.clock import now
from server.core.dates import moment
from server.core.forms import Refused
from server.core.page import page, see_other
from server.core.sight import find
from server.officers import nominations
from server.officers.actions import Officer
from server.officers.fields import POST, ROLE, WHO, WHY
from server.officers.lists import nominations_listed
from server.officers.places import find_place, offered, roles_among
from server.officers.rules import NOMINATES_BELOW, TONES, WHY_MAX, NominationState
from server.officers.tables import Nomination, number_of, phone_of, safety_officers_of
from server.organisations.tables import names_of
from server.people import fields
from server.people.rules import masked_id_number, masked_phone
from server.permissions import Can

REASON = (fields.reason("reason", "退回原因", most=WHY_MAX),)


@get("/accounts/nominations", can=Can.NOMINATION_READ)
async def index(request: Request, status: FromQuery[str] = "", before: FromQuery[int | None] = None) -> Response[Any]:
    wanted = NominationState(status) if status in set(NominationState) else None
    found, mark = await nominations_listed(request.user, wanted, before)
    chips = [{"label": "全部", "href": "/accounts/nominations", "current": wanted is None}] + [
        {"label": str(one), "href": f"/accounts/nominations?status={one}", "current": one == wanted}
        for one in NominationState]
    return await page(request, "officers/nominations.html", nominations=found, chips=chips,
                      may_nominate=request.user.may(Can.OFFICER_NOMINATE),
                      more=f"/accounts/nominations?status={wanted or ''}&before={mark}" if mark else None)


@get("/accounts/nominations/new", can=Can.OFFICER_NOMINATE)
async def new(request: Request) -> Response[Any]:
    return await nomination_page(request, forms.Filled())


async def nomination_page(request: Request, filled: forms.Filled) -> Response[Any]:
    """The form; who nominates for the own organisation alone need not name it."""
    places = await offered(request.user)
    return await page(request, "officers/nominate.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      places=places if request.user.role in NOMINATES_BELOW else [],
                      roles=[{"value": str(role), "label": str(role)} for role in roles_among(places)])


@post("/accounts/nominations", can=Can.OFFICER_NOMINATE, status_code=200)
async def nominate(request: Request) -> Response[Any]:
    below = request.user.role in NOMINATES_BELOW
    filled = await forms.fill(request, (*WHO, *(POST if below else ROLE), *WHY))
    if not filled.errors:
        try:
            place = await find_place(request.user, filled["organisation"]) if below else request.user.organisation_id
            made = await nominations.nominate(request.user, Officer(
                filled["name"], filled["id_number"], filled["phone"], filled["role"], place, filled["why"]))
            return see_other(f"/accounts/nominations/{made}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await nomination_page(request, filled)


@get("/accounts/nominations/{nomination_id:int}", can=Can.NOMINATION_READ)
async def show(request: Request, nomination_id: FromPath[int]) -> Response[Any]:
    return await shown(request, await find(Nomination, request.user, nomination_id), {})


async def shown(request: Request, nomination: dict[str, Any], errors: dict[str, str], typed: Any = None,
                status: int = 200) -> Response[Any]:
    """A nomination with its story. errors: open (why it can't be opened), reason (of the return)."""
    names: dict[int, Any] = await names_of({nomination["organisation_id"], nomination["nominated_at_id"]})
    waiting = nomination["state"] == NominationState.WAITING
    facts = [["党组织", names[nomination["organisation_id"]]], ["身份", nomination["role"]],
             ["身份证号", masked_id_number(number_of(nomination))], ["手机号码", masked_phone(phone_of(nomination))],
             ["事由", nomination["reason"]],
             ["上报", f"{names[nomination['nominated_at_id']]} {nomination['who']}，"
                      f"{moment(nomination['nominated_at'], now())}"]]
    if not waiting:
        facts.append([nomination["state"].removeprefix("已"),
                      f"{nomination['answered_who']}，{moment(nomination['answered_at'], now())}"])
    keeps = request.user.may(Can.ACCOUNT_KEEP)
    return await page(
        request, "officers/nomination.html", status=422 if errors and status == 200 else status, errors=errors,
        typed=typed or {}, facts=facts, nomination=nomination | {"tone": TONES[nomination["state"]]},
        may_answer=keeps and waiting, may_withdraw=waiting and not keeps,
        waits_for=await safety_officers_of(nomination["organisation_id"]) if waiting and not keeps else None,
        may_again=nomination["state"] == NominationState.RETURNED and request.user.may(Can.OFFICER_NOMINATE),
        account=f"/accounts/{nomination['account_id']}" if keeps and nomination["account_id"] else None)


@post("/accounts/nominations/{nomination_id:int}/opening", can=Can.ACCOUNT_KEEP, status_code=200)
async def opening(request: Request, nomination_id: FromPath[int]) -> Response[Any]:
    nomination = await find(Nomination, request.user, nomination_id)
    await forms.nothing(request)
    try:
        opened = await nominations.open_nominated(request.user, nomination)
    except Refused as refused:
        return await shown(request, nomination, {"open": str(refused)})
    return see_other(f"/accounts/{opened.account_id}")


@post("/accounts/nominations/{nomination_id:int}/return", can=Can.ACCOUNT_KEEP, status_code=200)
async def send_back(request: Request, nomination_id: FromPath[int]) -> Response[Any]:
    nomination = await find(Nomination, request.user, nomination_id)
    filled = await forms.fill(request, REASON)
    if filled.errors:
        return await shown(request, nomination, filled.errors, filled.typed)
    await nominations.return_nomination(request.user, nomination, filled["reason"])
    return see_other(f"/accounts/nominations/{nomination_id}")


@post("/accounts/nominations/{nomination_id:int}/withdrawal", can=Can.OFFICER_NOMINATE, status_code=303)
async def withdraw(request: Request, nomination_id: FromPath[int]) -> Response[Any]:
    nomination = await find(Nomination, request.user, nomination_id)
    await forms.nothing(request)
    await nominations.withdraw_nomination(request.user, nomination)
    return see_other(f"/accounts/nominations/{nomination_id}")


ROUTES = [index, new, nominate, show, opening, send_back, withdraw]
