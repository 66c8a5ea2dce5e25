"""Addresses of officers' accounts, for the safety officer: the list, opening one, its page, the register."""
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.accounts.authorisations import newest_authorisation
from server.core import forms
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import day, local, moment
from server.core.page import BADGES, page, see_other
from server.core.workdays import last_day
from server.officers import actions, directory
from server.officers.fields import BECAUSE, POST, WHO, WHY
from server.officers.lists import nominations_waiting
from server.officers.places import find_place, offered, roles_among
from server.officers.rules import TONES, AccountState
from server.officers.tables import account_in_care
from server.people.fields import PHONE_TWICE, check_twice
from server.people.rules import masked_id_number, masked_phone, read_phone
from server.people.tables import id_number_of, phone_of
from server.permissions import Can
from server.settings import settings

SEARCH = (forms.text("words", "姓名、党组织或手机号码", most=40, required=False),)
AFTER = (forms.number("after", "授权码", most=2**63 - 1),)


async def badge(actor: Actor) -> int:
    """What waits for the safety officer."""
    return await directory.waiting_for(actor.organisation_id) if actor.may(Can.ACCOUNT_KEEP) else 0


BADGES["/accounts"] = badge


@get("/accounts", can=Can.ACCOUNT_KEEP)
async def index(request: Request, q: FromQuery[str] = "", status: FromQuery[str] = "",
                after: FromQuery[str | None] = None) -> Response[Any]:
    words = "".join(character for character in q if character.isprintable())[:40].strip()
    wanted = AccountState(status) if status in set(AccountState) else None
    found, mark = await directory.listed(request.user.organisation_id, words=words, state=wanted, after=after)
    return await list_page(request, found, words=words, state=wanted, mark=mark, first=after is None)


async def list_page(request: Request, found: list[dict[str, Any]], *, words: str = "", typed: str = "",
                    state: AccountState | None = None, mark: str | None = None, first: bool = True,
                    by_phone: bool = False) -> Response[Any]:
    """The list, with what waits on top of it while nothing is looked for."""
    department, looking = request.user.organisation_id, bool(words or state or by_phone or not first)
    counts = await directory.counts(department)
    chips = [{"label": f"全部 {sum(counts.values())}", "href": "/accounts", "current": state is None}] + [
        {"label": f"{one} {counts.get(one, 0)}", "href": f"/accounts?status={one}", "current": one == state}
        for one in AccountState]
    return await page(
        request, "officers/list.html", officers=found, chips=chips, typed=typed or words, looking=looking,
        by_phone=by_phone, nominations=[] if looking else await nominations_waiting(request.user),
        asked=[] if looking else await directory.asked_again(department),
        more=f"/accounts?{urlencode({'q': words, 'status': state or '', 'after': mark})}" if mark else None)


@post("/accounts/search", can=Can.ACCOUNT_KEEP, status_code=200)
async def search(request: Request) -> Response[Any]:
    """A number that was typed is looked for at once and never enters an address."""
    filled = await forms.pressed(request, SEARCH)
    words = filled["words"]
    if not any(character.isdecimal() for character in words):
        found, mark = await directory.listed(request.user.organisation_id, words=words)
        return await list_page(request, found, words=words, mark=mark)
    try:
        found = await directory.with_phone(request.user.organisation_id, read_phone(words))
    except ValueError:
        found = []
    return await list_page(request, found, typed=words, by_phone=True)


@get("/accounts/new", can=Can.ACCOUNT_KEEP)
async def new(request: Request) -> Response[Any]:
    return await opening_page(request, forms.Filled())


async def opening_page(request: Request, filled: forms.Filled) -> Response[Any]:
    places = await offered(request.user)
    return await page(request, "officers/new.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      places=places, roles=[{"value": str(role), "label": str(role)} for role in roles_among(places)])


@post("/accounts", can=Can.ACCOUNT_KEEP, status_code=200)
async def open_one(request: Request) -> Response[Any]:
    filled = await forms.fill(request, (*WHO, *POST, *WHY))
    if not filled.errors:
        try:
            opened = await actions.open_account(request.user, await officer_in(request.user, filled))
            return see_other(f"/accounts/{opened.account_id}")
        except actions.Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await opening_page(request, filled)


async def officer_in(actor: Actor, filled: forms.Filled) -> actions.Officer:
    """Whom a form names; Refused when the organisation can't be found."""
    return actions.Officer(filled["name"], filled["id_number"], filled["phone"], filled["role"],
                           await find_place(actor, filled["organisation"]), filled["why"])


@get("/accounts/{account_id:int}", can=Can.ACCOUNT_KEEP)
async def show(request: Request, account_id: FromPath[int]) -> Response[Any]:
    return await account_page(request, account_id, {})


async def account_page(request: Request, account_id: int, errors: dict[str, str], typed: Any = None) -> Response[Any]:
    """An account: who, its state, its roles with their history, and what can be done.

    errors: by form ("end-7", "close", "reopen")."""
    department = request.user.organisation_id
    account = await account_in_care(department, account_id)
    if account is None:
        raise NotFoundException
    roles = await directory.roles_in_care(department, account_id)
    code = await newest_authorisation(account_id)
    state = AccountState(account["state"])
    return await page(
        request, "officers/show.html", status=422 if errors else 200, errors=errors, typed=typed or {},
        account=who(account, state), code=code,
        code_words=directory.code_words(code).removeprefix("授权码") if code else "没有发过",
        live=[role for role in roles if role["live"]], former=[role for role in roles if not role["live"]],
        sent="sent" in request.query_params, own=account_id == request.user.account_id,
        waiting=state is AccountState.WAITING,
        closed=state is AccountState.CLOSED, demo=settings.demo)


def who(account: Any, state: AccountState) -> dict[str, Any]:
    phone = phone_of(account["person_id"], account["phone"])
    number = id_number_of(account["person_id"], account["id_number"])
    facts = [["手机号码", masked_phone(phone) if phone else "没有登记"],
             ["身份证号", masked_id_number(number) if number else "没有登记"],
             ["开户", day(account["created_at"], now())]]
    if account["closed_at"]:
        facts.append(["停用", f"{moment(account['closed_at'], now())} · {account['switch_why'] or '未写事由'}"])
    return {"id": account["id"], "name": account["name"], "state": str(state), "tone": TONES[state], "facts": facts}


@post("/accounts/{account_id:int}/codes", can=Can.ACCOUNT_KEEP, status_code=303)
async def new_code(request: Request, account_id: FromPath[int]) -> Response[Any]:
    filled = await forms.pressed(request, AFTER)
    await actions.issue_code(request.user, account_id, filled["after"])
    return see_other(f"/accounts/{account_id}?sent=1")


@get("/accounts/{account_id:int}/roles/new", can=Can.ACCOUNT_KEEP)
async def new_role(request: Request, account_id: FromPath[int]) -> Response[Any]:
    return await role_page(request, account_id, forms.Filled())


async def role_page(request: Request, account_id: int, filled: forms.Filled) -> Response[Any]:
    account = await account_in_care(request.user.organisation_id, account_id)
    if account is None:
        raise NotFoundException
    places = await offered(request.user)
    return await page(request, "officers/role.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      account={"id": account_id, "name": account["name"]}, places=places,
                      roles=[{"value": str(role), "label": str(role)} for role in roles_among(places)])


@post("/accounts/{account_id:int}/roles", can=Can.ACCOUNT_KEEP, status_code=200)
async def add_role(request: Request, account_id: FromPath[int]) -> Response[Any]:
    filled = await forms.fill(request, (*POST, *WHY))
    if not filled.errors:
        try:
            place = await find_place(request.user, filled["organisation"])
            await actions.add_role(request.user, account_id, filled["role"], place, filled["why"])
            return see_other(f"/accounts/{account_id}")
        except actions.Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await role_page(request, account_id, filled)


async def because(request: Request, account_id: int, form: str, act: Callable[[str], Awaitable[None]]) -> Response[Any]:
    """Does for a reason what the form of that name asks for (see `account_page`), and shows the account again."""
    filled = await forms.fill(request, BECAUSE)
    if filled.errors:
        return await account_page(request, account_id, {form: filled.errors["why"]}, filled.typed)
    await act(filled["why"])
    return see_other(f"/accounts/{account_id}")


@post("/accounts/{account_id:int}/roles/{grant_id:int}/end", can=Can.ACCOUNT_KEEP, status_code=200)
async def end_role(request: Request, account_id: FromPath[int], grant_id: FromPath[int]) -> Response[Any]:
    return await because(request, account_id, f"end-{grant_id}",
                         lambda why: actions.end_role(request.user, account_id, grant_id, why))


@post("/accounts/{account_id:int}/closure", can=Can.ACCOUNT_KEEP, status_code=200)
async def close(request: Request, account_id: FromPath[int]) -> Response[Any]:
    return await because(request, account_id, "close", lambda why: actions.close_account(request.user, account_id, why))


@post("/accounts/{account_id:int}/reopening", can=Can.ACCOUNT_KEEP, status_code=200)
async def reopen(request: Request, account_id: FromPath[int]) -> Response[Any]:
    return await because(request, account_id, "reopen", lambda why: actions.reopen(request.user, account_id, why))


@get("/accounts/{account_id:int}/phone", can=Can.ACCOUNT_KEEP)
async def phone_form(request: Request, account_id: FromPath[int]) -> Response[Any]:
    return await phone_page(request, account_id, forms.Filled())


async def phone_page(request: Request, account_id: int, filled: forms.Filled) -> Response[Any]:
    account = await account_in_care(request.user.organisation_id, account_id)
    if account is None:
        raise NotFoundException
    return await page(request, "officers/phone.html", status=filled.status, form=filled.typed, errors=filled.errors,
                      account={"id": account_id, "name": account["name"]})


@post("/accounts/{account_id:int}/phone", can=Can.ACCOUNT_KEEP, status_code=200)
async def change_phone(request: Request, account_id: FromPath[int]) -> Response[Any]:
    filled = await forms.fill(request, (*PHONE_TWICE, *WHY))
    check_twice(filled)
    if not filled.errors:
        try:
            await actions.change_officers_phone(request.user, account_id, filled["phone"], filled["why"])
            return see_other(f"/accounts/{account_id}")
        except actions.Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await phone_page(request, account_id, filled)


@get("/accounts/register", can=Can.ACCOUNT_KEEP)
async def register(request: Request, former: FromQuery[bool] = False) -> Response[Any]:
    lines = await directory.register(request.user.organisation_id, former=former)
    return await page(
        request, "officers/register.html", former=former,
        lines=[dict(one) | {"from": f"{local(one['since']):%Y-%m-%d}",
                            "to": str(last_day(one["until"])) if one["until"] else "",
                            "reason": " / ".join(filter(None, (one["why"], one["end_why"])))} for one in lines])


ROUTES = [index, search, new, open_one, show, new_code, new_role, add_role, end_role, close, reopen,
          phone_form, change_phone, register]
