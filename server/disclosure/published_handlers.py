"""Addresses for changing what is published: 更正, and 撤下, which a village asks of its township."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from server.core import forms
from server.core.clock import now
from server.core.dates import moment
from server.core.forms import Filled
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure import editing, fields, withdrawing
from server.disclosure.rules import REASON_MAX
from server.disclosure.sight import the_matter
from server.permissions import Can

DECIDE = (forms.flag("agreed", "同意撤下"), forms.text("answer", "意见", most=REASON_MAX, required=False))


@get("/disclosures/{matter_id:int}/corrections", can=Can.DISCLOSURE_KEEP)
async def correction_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能更正")
    return await why_page(request, matter, Filled(), withdraws=False)


async def why_page(request: Request, matter: Record, filled: Filled, *, withdraws: bool) -> Response[Any]:
    """Asks for the reason of a correction, or of taking down."""
    return await page(request, "disclosure/correction.html", status=filled.status, form=filled.typed,
                      errors=filled.errors, withdraws=withdraws, asks=request.user.may(Can.DISCLOSURE_KEEP),
                      matter={"id": matter["id"], "title": matter["title"]})


@post("/disclosures/{matter_id:int}/corrections", can=Can.DISCLOSURE_KEEP, status_code=200)
async def correct(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    filled = await forms.fill(request, (fields.WHY,))
    if filled.errors:
        return await why_page(request, matter, filled, withdraws=False)
    await editing.correct(request.user, matter, filled["why"])
    return see_other(f"/disclosures/{matter_id}/edit")


# Taking down ----------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/withdrawal", can=Can.DISCLOSURE_WITHDRAW)
async def withdrawal_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    if matter["edition_id"] is None or matter["withdrawn_at"]:
        raise WrongState("只有公开着的事项才能撤下")
    if not request.user.may(Can.DISCLOSURE_REVIEW) and await withdrawing.asked(matter_id):
        raise WrongState("已经申请过撤下，在等镇里办理")
    return await withdrawal_page(request, matter, Filled())


async def withdrawal_page(request: Request, matter: Record, filled: Filled) -> Response[Any]:
    waits = await withdrawing.asked(matter["id"])
    if waits and request.user.may(Can.DISCLOSURE_REVIEW):
        return await page(request, "disclosure/withdrawal.html", status=filled.status, form=filled.typed,
                          errors=filled.errors, asked={"who": waits["who"], "reason": waits["reason"],
                                                       "at": moment(waits["at"], now())},
                          matter={"id": matter["id"], "title": matter["title"]}, page=Markup(matter["page"]))
    return await why_page(request, matter, filled, withdraws=True)


@post("/disclosures/{matter_id:int}/withdrawal", can=Can.DISCLOSURE_WITHDRAW, status_code=200)
async def withdraw(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    filled = await forms.fill(request, (fields.WHY,))
    if filled.errors:
        return await withdrawal_page(request, matter, filled)
    await withdrawing.ask(request.user, matter, filled["why"])
    return see_other(f"/disclosures/{matter_id}")


@post("/disclosures/{matter_id:int}/withdrawal/decision", can=Can.DISCLOSURE_REVIEW, status_code=200)
async def decide(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    waits = await withdrawing.asked(matter_id)
    if waits is None:
        raise WrongState("这件申请刚才已经办了")
    filled = await forms.fill(request, DECIDE)
    if not filled.errors and not filled["agreed"] and not filled["answer"]:
        filled.errors["answer"] = "不同意要写明原因"
    if filled.errors:
        return await withdrawal_page(request, matter, filled)
    await withdrawing.decide(request.user, matter, waits, filled["agreed"], filled["answer"])
    return see_other(f"/disclosures/{matter_id}")


ROUTES = [correction_form, correct, withdrawal_form, withdraw, decide]
