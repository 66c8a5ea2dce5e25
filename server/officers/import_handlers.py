"""Addresses of imports: handing in an .xlsx, its progress, pausing and going on, the rows that were wrong."""
import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import forms, handed_in
from server.core.clock import now
from server.core.database import rows
from server.core.dates import moment
from server.core.handed_in import FILE, workbook
from server.core.keyset import below
from server.core.masking import without_numbers
from server.core.page import page, see_other
from server.core.sight import find
from server.core.turns import TONES, Progress
from server.officers import imports
from server.officers.fields import WHY
from server.officers.places import offered, roles_among
from server.officers.sheet import LAYOUT
from server.officers.tables import OfficerImport
from server.people.rules import masked_id_number
from server.permissions import Can

HANDED_IN = (FILE, *WHY)
PAGE = 30
WRONG_SHOWN = 100  # on the page; all of them are in the file to download


@get("/accounts/imports", can=Can.ACCOUNT_KEEP)
async def index(request: Request, before: FromQuery[int | None] = None) -> Response[Any]:
    return await imports_page(request, forms.Filled(), before)


async def imports_page(request: Request, filled: forms.Filled, before: int | None = None) -> Response[Any]:
    found = await OfficerImport.select().where(
        OfficerImport.visible_to(request.user), OfficerImport.id < below(before),
    ).order_by(OfficerImport.id, ascending=False).limit(PAGE + 1)
    return await page(
        request, "officers/imports.html", status=filled.status, form=filled.typed, errors=filled.errors,
        imports=[dict(one) | {"tone": TONES[one["state"]], "when": moment(one["at"], now())} for one in found[:PAGE]],
        more=f"/accounts/imports?before={found[PAGE - 1]['id']}" if len(found) > PAGE else None)


@get("/accounts/imports/template", can=Can.ACCOUNT_KEEP)
async def template(request: Request) -> Response[bytes]:
    from server.officers import books  # here: few processes ever write one

    places = await offered(request.user)
    body = await asyncio.to_thread(books.template, places, [str(role) for role in roles_among(places)])
    return workbook(body, "officers-template.xlsx")


@post("/accounts/imports", can=Can.ACCOUNT_KEEP, status_code=200, request_max_body_size=LAYOUT.most_bytes + 20_000)
async def hand_in(request: Request) -> Response[Any]:
    filled = await forms.fill(request, HANDED_IN)
    file = await handed_in.read(filled, LAYOUT)
    if file is None:
        return await imports_page(request, filled)
    made = await imports.take_in(request.user, file.name, file.digest, filled["why"], file.sheet.rows)
    return see_other(f"/accounts/imports/{made}")


@get("/accounts/imports/{import_id:int}", can=Can.ACCOUNT_KEEP)
async def show(request: Request, import_id: FromPath[int]) -> Response[Any]:
    found = await find(OfficerImport, request.user, import_id)
    wrong = [told(one) for one in await wrong_of(import_id, WRONG_SHOWN)]
    done = found["opened"] + found["known"] + found["wrong"]
    return await page(
        request, "officers/import.html", done=done, wrong=wrong, when=moment(found["at"], now()),
        one=found | {"tone": TONES[found["state"]]}, running=found["state"] == Progress.RUNNING,
        paused=found["state"] == Progress.PAUSED, own=found["begun_by"] == request.user.account_id,
        more_wrong=max(0, found["wrong"] - WRONG_SHOWN))


async def wrong_of(import_id: int, most: int) -> list[Any]:
    """The rows that were not opened, in the order of the sheet."""
    return await rows("""SELECT id, number, content, reason FROM officer_import_row
                         WHERE import_id = $1 AND state = '有误' ORDER BY number LIMIT $2""", import_id, most)


def told(one: Any) -> dict[str, Any]:
    """A wrong row as the page shows it: the ID number masked."""
    cells = imports.cells_of(one)
    number = cells.get("id_number", "")  # in its place may stand why the cell can't be read: the reason says it too
    masked = masked_id_number(number) if number[:1].isdecimal() else ""
    line = " · ".join(filter(None, (cells.get("organisation"), cells.get("role"), masked)))
    return {"number": one["number"], "name": without_numbers(cells.get("name") or "（没有姓名）"),
            "line": without_numbers(line), "reason": one["reason"]}


@get("/accounts/imports/{import_id:int}/wrong-rows", can=Can.ACCOUNT_KEEP)
async def wrong_rows(request: Request, import_id: FromPath[int]) -> Response[bytes]:
    from server.officers import books

    held = await find(OfficerImport, request.user, import_id)
    if held["begun_by"] != request.user.account_id:  # whole numbers go back to whoever handed them in, to nobody else
        raise NotFoundException
    found = [(one["number"], imports.cells_of(one), one["reason"])
             for one in await wrong_of(import_id, LAYOUT.most_rows)]
    return workbook(await asyncio.to_thread(books.wrong_rows, found), f"officers-{import_id}-wrong-rows.xlsx")


@post("/accounts/imports/{import_id:int}/pause", can=Can.ACCOUNT_KEEP, status_code=303)
async def pause(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await find(OfficerImport, request.user, import_id)
    await forms.nothing(request)
    await imports.TURNS.pause(request.user, import_id)
    return see_other(f"/accounts/imports/{import_id}")


@post("/accounts/imports/{import_id:int}/resumption", can=Can.ACCOUNT_KEEP, status_code=303)
async def resume(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await find(OfficerImport, request.user, import_id)
    await forms.nothing(request)
    await imports.TURNS.resume(request.user, import_id)
    return see_other(f"/accounts/imports/{import_id}")


ROUTES = [index, template, hand_in, show, wrong_rows, pause, resume]
