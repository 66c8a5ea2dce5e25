"""Addresses of query accounts that come as .xlsx: template, handing in, progress, pausing, the rows that were wrong."""
import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.core import forms, handed_in
from server.core.clock import now
from server.core.database import rows
from server.core.dates import moment
from server.core.handed_in import FILE, LIMIT, workbook
from server.core.masking import without_numbers
from server.core.page import page, see_other
from server.core.sight import find
from server.core.turns import TONES, Progress
from server.permissions import Can
from server.query_accounts import imports
from server.query_accounts.tables import ReaderImport

WRONG_SHOWN, PAGE = 100, 30


@get("/query-accounts/imports", can=Can.READER_KEEP)
async def index(request: Request) -> Response[Any]:
    return await imports_page(request, forms.Filled())


async def imports_page(request: Request, filled: forms.Filled) -> Response[Any]:
    found = await ReaderImport.select().where(ReaderImport.visible_to(request.user)).order_by(
        ReaderImport.id, ascending=False).limit(PAGE)
    return await page(
        request, "query_accounts/imports.html", status=filled.status, errors=filled.errors,
        imports=[dict(one) | {"tone": TONES[Progress(one["state"])], "when": moment(one["at"], now())}
                 for one in found])


@get("/query-accounts/imports/template", can=Can.READER_KEEP)
async def template(request: Request) -> Response[bytes]:
    from server.query_accounts import templates  # here: few processes ever write one
    body = await asyncio.to_thread(templates.template, imports.layout_of(request.user))
    return workbook(body, "query-accounts.xlsx")


@post("/query-accounts/imports", can=Can.READER_KEEP, status_code=200, request_max_body_size=LIMIT)
async def hand_in(request: Request) -> Response[Any]:
    filled = await forms.fill(request, (FILE,))
    file = await handed_in.read(filled, imports.layout_of(request.user))
    if file is None:
        return await imports_page(request, filled)
    made = await imports.take_in(request.user, file.name, file.digest, file.sheet)
    return see_other(f"/query-accounts/imports/{made}")


@get("/query-accounts/imports/{import_id:int}", can=Can.READER_KEEP)
async def show(request: Request, import_id: FromPath[int]) -> Response[Any]:
    found = await find(ReaderImport, request.user, import_id)
    wrong = imports.rows_kept(await wrong_of(import_id, WRONG_SHOWN))
    return await page(
        request, "query_accounts/import.html", done=found["opened"] + found["known"] + found["wrong"],
        one=found | {"tone": TONES[Progress(found["state"])]}, when=moment(found["at"], now()),
        running=found["state"] == Progress.RUNNING, paused=found["state"] == Progress.PAUSED,
        wrong=[{"number": number, "name": without_numbers(cells.get("name") or "（没有姓名）"), "reason": reason}
               for number, cells, reason in wrong], more_wrong=max(0, found["wrong"] - WRONG_SHOWN),
        own=found["account_id"] == request.user.account_id)


async def wrong_of(import_id: int, most: int) -> list[Any]:
    """The rows that were not opened, in the order of the sheet."""
    return await rows("""SELECT id, number, content, reason FROM reader_import_row
                         WHERE import_id = $1 AND state = '有误' ORDER BY number LIMIT $2""", import_id, most)


@get("/query-accounts/imports/{import_id:int}/wrong-rows", can=Can.READER_KEEP)
async def wrong_rows(request: Request, import_id: FromPath[int]) -> Response[bytes]:
    from server.query_accounts import templates
    held = await find(ReaderImport, request.user, import_id)
    if held["account_id"] != request.user.account_id:  # whole numbers go back to whoever handed them in
        raise NotFoundException
    found = imports.rows_kept(await wrong_of(import_id, imports.OWN.most_rows))
    body = await asyncio.to_thread(templates.wrong_rows, imports.layout_of(request.user), found)
    return workbook(body, f"query-accounts-{import_id}-wrong-rows.xlsx")


@post("/query-accounts/imports/{import_id:int}/pause", can=Can.READER_KEEP, status_code=303)
async def pause(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await find(ReaderImport, request.user, import_id)
    await forms.nothing(request)
    await imports.TURNS.pause(request.user, import_id)
    return see_other(f"/query-accounts/imports/{import_id}")


@post("/query-accounts/imports/{import_id:int}/resumption", can=Can.READER_KEEP, status_code=303)
async def resume(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await find(ReaderImport, request.user, import_id)
    await forms.nothing(request)
    await imports.TURNS.resume(request.user, import_id)
    return see_other(f"/query-accounts/imports/{import_id}")


ROUTES = [index, template, hand_in, show, wrong_rows, pause, resume]
