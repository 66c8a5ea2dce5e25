"""Addresses for handing a matter on: the preview, submission, signatures, 撤回修改."""
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms
from server.core.clock import now
from server.core.dates import moment
from server.core.forms import Filled
from server.core.moves import WrongState
from server.core.page import page, see_other
from server.disclosure import editing, fields, submission
from server.disclosure.checks import findings
from server.disclosure.parts import part_of
from server.disclosure.publication import category_word
from server.disclosure.rules import OPEN, REASON_MAX, Signed, State, errors
from server.disclosure.show import beside, marks, rendered, told
from server.disclosure.sight import the_matter, to_write
from server.disclosure.tables import open_edition
from server.permissions import Can

SIGN = (fields.VERSION, forms.choice("verdict", "意见", Signed),
        forms.text("reason", "不同意的原因", most=REASON_MAX, required=False))


@get("/disclosures/{matter_id:int}/preview", can=Can.DISCLOSURE_KEEP)
async def preview(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await part_of(matter["form"]).follow(matter, edition)
    return await preview_page(request, matter, edition, {})


async def preview_page(request: Request, matter: Record, edition: Record, faults: dict[str, str],
                       status: int = 200) -> Response[Any]:
    found = await findings(matter, edition)
    return await page(
        request, "disclosure/preview.html", status=status, back=f"/disclosures/{matter['id']}", title=edition["title"],
        matter={"id": matter["id"]}, version=edition["version"], errors=faults, fits=not errors(found),
        page=await rendered(matter, edition),
        signs=await submission.is_signed_first(matter), open=edition["state"] in OPEN,
        findings=told(found), at=edition["publish_at"] and moment(edition["publish_at"], now()))


@post("/disclosures/{matter_id:int}/submission", can=Can.DISCLOSURE_KEEP, status_code=200)
async def submit(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    filled = await forms.pressed(request, (fields.VERSION,))
    try:
        await submission.submit(request.user, matter, edition, filled["version"])
    except submission.NotFit as unfit:
        return await preview_page(request, matter, edition, {"form": str(unfit)}, status=422)
    return see_other(f"/disclosures/{matter_id}")


@post("/disclosures/{matter_id:int}/taking-back", can=Can.DISCLOSURE_KEEP, status_code=200)
async def take_back(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await forms.nothing(request)
    await submission.take_back(request.user, matter, edition)
    return see_other(f"/disclosures/{matter_id}/edit")


@post("/disclosures/{matter_id:int}/dropping", can=Can.DISCLOSURE_KEEP, status_code=200)
async def drop(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, edition = await to_write(request, matter_id)
    await forms.nothing(request)
    await editing.drop(request.user, matter, edition)
    return see_other("/disclosures")


# Signing --------------------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/signature", can=Can.DISCLOSURE_SIGN)
async def sign_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None or edition["state"] != State.SIGNING:
        return see_other(f"/disclosures/{matter_id}")
    if request.user.role not in await submission.seats_of(matter, edition):
        raise NotFoundException
    return await sign_page(request, matter, edition, Filled())


async def sign_page(request: Request, matter: Record, edition: Record, filled: Filled) -> Response[Any]:
    return await page(
        request, "disclosure/signature.html", status=filled.status, back=f"/disclosures/{matter['id']}",
        title=edition["title"], subline=category_word(matter["category"], matter["community"]),
        matter={"id": matter["id"]}, version=edition["version"], page=await rendered(matter, edition),
        findings=told(await findings(matter, edition)), marks=await marks(edition),
        beside=await beside(request.user, matter, edition), form=filled.typed, errors=filled.errors)


@post("/disclosures/{matter_id:int}/signature", can=Can.DISCLOSURE_SIGN, status_code=200)
async def sign(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter = await the_matter(request.user, matter_id)
    edition = await open_edition(matter_id)
    if edition is None or edition["state"] != State.SIGNING:
        raise WrongState("这份内容刚才有了变化，请刷新再看")
    filled = await forms.fill(request, SIGN)
    if filled.values.get("verdict") is Signed.REFUSED and not filled.values.get("reason"):
        filled.errors.setdefault("reason", "不同意要写明原因")
    if filled.errors:
        return await sign_page(request, matter, edition, filled)
    await submission.sign(request.user, matter, edition, filled["version"], filled["verdict"], filled["reason"])
    return see_other(f"/disclosures/{matter_id}")


ROUTES = [preview, submit, take_back, drop, sign_form, sign]
