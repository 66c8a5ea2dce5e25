"""Addresses of the safety officer's SMS: what did not arrive, what they cost, sending one again. Never their words."""
from datetime import date, datetime, time
from typing import Annotated, Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter

from server.accounts import messages
from server.accounts.message_lists import PAGE, message, months, open_messages
from server.accounts.message_lists import messages as listed
from server.core import forms, sms
from server.core.actor import Actor
from server.core.clock import BEIJING, today
from server.core.keyset import NEWEST
from server.core.page import page, see_other
from server.core.periods import month_after
from server.people import fields
from server.people.rules import masked_phone
from server.permissions import Can

MONTHS_SHOWN = 12
REASON = (fields.reason("why", "重发原因", most=200),)
TONES = {"waiting": "grey", "sending": "blue", "sent": "green", "failed": "red", "unknown": "amber"}


def beginning(of: date) -> datetime:
    """The first moment of a day in Beijing."""
    return datetime.combine(of, time(), BEIJING)


def yuan(li: int) -> str:
    """0.045, 12.30: an SMS costs a fraction of a 分."""
    whole, rest = divmod(li, 1000)
    return f"{whole:,}.{rest:03}".removesuffix("0")


def shown(found: Record) -> dict[str, Any]:
    """One SMS as its row and its page show it."""
    return {
        "id": found["id"], "href": f"/accounts/messages/{found['id']}",
        "state": sms.STATES[found["state"]], "tone": TONES[found["state"]],
        "kind": sms.KINDS[found["kind"]], "who": found["names"] or "不在册的手机号",
        "phone": masked_phone(sms.phone_of(found)), "at": found["created_at"], "fault": found["fault"],
        "brief_fault": (found["fault"] or "").partition("（")[0],  # without the gateway's own word for it
        "again": found["again"], "cost": yuan(found["cost_li"]) if found["cost_li"] else None,
        "open": found["state"] in ("failed", "unknown") and not found["again"],
    }


def facts(found: Record, one: dict[str, Any]) -> list[list[Any]]:
    """What is known of one SMS; its words and the code in it are for its receiver alone."""
    tries = f"{found['tries']} 次" if found["tries"] else "还没有发送"
    return [["收件人", f"{one['who']} {one['phone']}"], ["类别", one["kind"]], ["发送", tries],
            *([["费用", f"{one['cost']} 元（计 {found['segments']} 条）"]] if one["cost"] else []),
            *([["原因", found["fault"]]] if found["fault"] else [])]


def by_month(found: list[Record]) -> list[dict[str, Any]]:
    return [{"label": f"{one['month'].year}年{one['month'].month}月", "messages": one["messages"], "sent": one["sent"],
             "failed": one["failed"], "unknown": one["unknown"], "segments": one["segments"],
             "cost": yuan(one["cost_li"])} for one in found]


@get("/accounts/messages", can=Can.MESSAGE_READ)
async def index(request: Request, after: Annotated[str | None, QueryParameter()] = None) -> Response[Any]:
    actor: Actor = request.user
    before = int(after) if after and after.isascii() and after.isdecimal() and len(after) < 19 else NEWEST
    since = beginning(month_after(today(), 1 - MONTHS_SHOWN))
    found = await listed(actor, before)
    first = before == NEWEST
    undecided = await open_messages(actor, since) if first else []
    above = {one["id"] for one in undecided}
    return await page(
        request, "accounts/messages.html", place=actor.organisation_name, off=await sms.held_back(),
        open=[shown(one) for one in undecided], months=by_month(await months(actor, since)) if first else [],
        items=[shown(one) for one in found[:PAGE] if one["id"] not in above],
        older=f"/accounts/messages?after={found[PAGE - 1]['id']}" if len(found) > PAGE else None)


@get("/accounts/messages/{sms_id:int}", can=Can.MESSAGE_READ)
async def show(request: Request, sms_id: FromPath[int]) -> Response[Any]:
    return await message_page(request, sms_id, forms.Filled())


async def message_page(request: Request, sms_id: int, filled: forms.Filled) -> Response[Any]:
    found = await message(request.user, sms_id)
    if found is None:
        raise NotFoundException
    one = shown(found)
    return await page(request, "accounts/message.html", message=one | {"facts": facts(found, one)},
                      refusal=messages.why_not(found) if one["open"] else None, form=filled.typed,
                      errors=filled.errors, status=filled.status)


@post("/accounts/messages/{sms_id:int}/resending", can=Can.MESSAGE_RESEND, status_code=303)
async def resend(request: Request, sms_id: FromPath[int]) -> Response[Any]:
    filled = await forms.fill(request, REASON)
    if filled.errors:
        return await message_page(request, sms_id, filled)
    return see_other(f"/accounts/messages/{await messages.resend(request.user, sms_id, filled['why'])}")


ROUTES = [index, show, resend]
