"""Addresses of 交接 and 代理, and of the list that is printed and signed."""
import json
from datetime import date
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms
from server.core.actor import Actor
from server.core.clock import now
from server.core.dates import calendar_day, local
from server.core.forms import Refused
from server.core.page import page, see_other
from server.core.workdays import beijing_date
from server.leaving import actions
from server.leaving.rules import WHY_MAX
from server.leaving.tables import (
    accounts_with_phone,
    grant_in_care,
    hand_over_in_care,
    hand_over_of,
    those_who_could,
)
from server.people import fields
from server.people.tables import people_with_phone
from server.permissions import Can

WHO = (forms.numbers("account", "接替的人", required=False), fields.phone("phone", "手机号码", required=False))
WHY = fields.reason("why", "原因", most=WHY_MAX)
HAND_OVER = (*WHO, WHY)
SUBSTITUTION = (*WHO, forms.day("first", "开始日期"), forms.day("last", "结束日期"), WHY)


async def role_of(actor: Actor, account_id: int, grant_id: int) -> Record:
    """A live officer's role in the actor's care, and the holder's own; 404 else. What somebody has for another ends
    by itself, and is passed on to nobody."""
    found = await grant_in_care(actor.organisation_id, account_id, grant_id)
    if found is None or found["acting_for"]:
        raise NotFoundException
    return found


async def takers(actor: Actor, its: Record, phone: str | None) -> tuple[list[dict[str, str]], list[int]]:
    """Who can be chosen, and who of them the phone number names."""
    named = await accounts_with_phone(phone, actor.organisation_id) if phone else []
    there = await those_who_could(its["organisation_id"], its["account_id"])
    known = {one["id"]: one for one in (*there, *named) if one["id"] != its["account_id"]}
    return ([{"value": str(one["id"]), "label": f"{one['name']}（{one['roles']}）"} for one in known.values()],
            [one["id"] for one in named if one["id"] != its["account_id"]])


async def chosen(actor: Actor, its: Record, filled: forms.Filled) -> tuple[list[dict[str, str]], int]:
    """Who can be chosen, and the account that was; 0, with a message beside the field, when none was."""
    options, named = await takers(actor, its, filled.values.get("phone"))
    picked = filled.values.get("account") or []
    if picked:
        if str(picked[0]) not in {one["value"] for one in options}:
            filled.errors["account"] = "请从名单里选，或填他的手机号码"
        return options, picked[0]
    if len(named) == 1 and len(await people_with_phone(filled["phone"])) == 1:
        return options, named[0]
    if named:
        filled.errors["account"] = "这个手机号有两个人在用，请在名单里选"
    elif filled.values.get("phone"):
        filled.errors["phone"] = "本辖区没有用这个手机号的账号；请先为他开通账号，再回来办理"
    elif "phone" not in filled.errors:
        filled.errors["account"] = "请选一个人，或填他的手机号码"
    return options, 0


async def form_page(request: Request, template: str, its: Record, filled: forms.Filled | None = None,
                    options: list[dict[str, str]] | None = None, **more: Any) -> Response[Any]:
    """The form of a 交接 or 代理: whose role, what is unfinished, who can take it."""
    typed = filled.typed if filled else {}
    return await page(
        request, f"leaving/{template}.html", its=dict(its), back=f"/accounts/{its['account_id']}",
        items=await actions.unfinished(its), form=typed | {"account": filled.several("account") if filled else []},
        options=options if options is not None else (await takers(request.user, its, None))[0],
        errors=filled.errors if filled else {}, status=filled.status if filled else 200, **more)


@get("/accounts/{account_id:int}/roles/{grant_id:int}/hand-over", can=Can.ACCOUNT_KEEP)
async def hand_over_form(request: Request, account_id: FromPath[int], grant_id: FromPath[int]) -> Response[Any]:
    return await form_page(request, "hand_over", await role_of(request.user, account_id, grant_id))


@post("/accounts/{account_id:int}/roles/{grant_id:int}/hand-over", can=Can.ACCOUNT_KEEP, status_code=303)
async def hand_over(request: Request, account_id: FromPath[int], grant_id: FromPath[int]) -> Response[Any]:
    its = await grant_in_care(request.user.organisation_id, account_id, grant_id)
    if its is None and (made := await hand_over_of(request.user.organisation_id, account_id, grant_id)):  # a second tap
        await forms.fill(request, HAND_OVER)
        return see_other(f"/accounts/hand-overs/{made}")
    if its is None or its["acting_for"]:
        raise NotFoundException
    filled = await forms.fill(request, HAND_OVER)
    options, account = await chosen(request.user, its, filled)
    if not filled.errors:
        try:
            made = await actions.hand_over(request.user, its, account, filled["why"])
            return see_other(f"/accounts/hand-overs/{made}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await form_page(request, "hand_over", its, filled, options)


@get("/accounts/hand-overs/{hand_over_id:int}", can=Can.ACCOUNT_KEEP)
async def hand_over_list(request: Request, hand_over_id: FromPath[int]) -> Response[Any]:
    """The list for signatures: on the screen, and to be printed."""
    found = await hand_over_in_care(request.user.organisation_id, hand_over_id)
    if found is None:
        raise NotFoundException
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in json.loads(found["items"]):
        groups.setdefault(item["group"], []).append(item)
    return await page(request, "leaving/list.html", its=dict(found), when=f"{local(found['at']):%Y年%-m月%-d日 %H:%M}",
                      groups=[{"label": label, "items": items} for label, items in groups.items()],
                      today=calendar_day(beijing_date(now()), date.min), back=f"/accounts/{found['from_account']}")


@get("/accounts/{account_id:int}/roles/{grant_id:int}/substitution", can=Can.ACCOUNT_KEEP)
async def substitution_form(request: Request, account_id: FromPath[int], grant_id: FromPath[int]) -> Response[Any]:
    return await form_page(request, "substitution", await role_of(request.user, account_id, grant_id),
                           today=str(beijing_date(now())))


@post("/accounts/{account_id:int}/roles/{grant_id:int}/substitution", can=Can.ACCOUNT_KEEP, status_code=303)
async def substitute(request: Request, account_id: FromPath[int], grant_id: FromPath[int]) -> Response[Any]:
    its = await role_of(request.user, account_id, grant_id)
    filled = await forms.fill(request, SUBSTITUTION)
    options, account = await chosen(request.user, its, filled)
    if not filled.errors:
        try:
            await actions.substitute(
                request.user, its, account, filled["first"], filled["last"], filled["why"])
            return see_other(f"/accounts/{account}")
        except Refused as refused:
            filled.errors[refused.field] = str(refused)
    return await form_page(request, "substitution", its, filled, options, today=str(beijing_date(now())))


ROUTES = [hand_over_form, hand_over, hand_over_list, substitution_form, substitute]
