"""Addresses of ledgers that come as .xlsx: a village's own month, a township's many, progress, what is to be mended."""
import asyncio
import json
from datetime import date
from typing import Any

from asyncpg import Record
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from server.core import forms, handed_in
from server.core.clock import now, today
from server.core.database import row, rows
from server.core.dates import moment
from server.core.handed_in import FILE, LIMIT, workbook
from server.core.page import page, see_other
from server.core.periods import month_after
from server.core.turns import TONES, Progress
from server.ledgers import imports
from server.ledgers.rules import read_month
from server.ledgers.sheet import OF_MANY, OWN
from server.ledgers.sight import to_keep
from server.permissions import Can
from server.villages.tables import opened_below

WRONG_SHOWN = 100
PAGE = 30
VILLAGE_TONES = {"待写入": "grey", "已写入": "green", "没有写入": "red"}


def month_field(name: str, label: str) -> forms.Field:
    """A month as <input type=month> sends it."""
    def read(typed: list[str]) -> date:
        found = read_month(typed[0].strip()) if typed else None
        if found is None or not 2019 <= found.year <= 2039:
            raise ValueError(f"{label}要写成 2026-10 这样")
        if found > today():
            raise ValueError(f"{label}还没有到")
        return found
    return forms.Field(name, label, read)


DELIVERED = (month_field("month", "哪个月的账"), FILE)


# A village's own month ------------------------------------------------------------------------------------------------

@get("/disclosures/{matter_id:int}/sheet", can=Can.DISCLOSURE_KEEP)
async def own_form(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, _, its = await to_keep(request, matter_id)
    return await own_page(request, matter, its, forms.Filled())


async def own_page(request: Request, matter: Record, its: Record, filled: forms.Filled) -> Response[Any]:
    return await page(request, "ledgers/own_import.html", status=filled.status, errors=filled.errors,
                      matter={"id": matter["id"], "title": matter["title"]}, lines=its["lines"],
                      imports=await listed("matter_id = $1", matter["id"]))


@get("/disclosures/{matter_id:int}/sheet/template", can=Can.DISCLOSURE_KEEP)
async def own_template(request: Request, matter_id: FromPath[int]) -> Response[bytes]:
    from server.ledgers import templates  # here: few processes ever write one
    _, _, its = await to_keep(request, matter_id)
    return workbook(await asyncio.to_thread(templates.template, its["month"]), f"ledger-{its['month']:%Y-%m}.xlsx")


@post("/disclosures/{matter_id:int}/sheet", can=Can.DISCLOSURE_KEEP, status_code=200, request_max_body_size=LIMIT)
async def hand_in_own(request: Request, matter_id: FromPath[int]) -> Response[Any]:
    matter, _, its = await to_keep(request, matter_id)
    filled = await forms.fill(request, (FILE,))
    file = await handed_in.read(filled, OWN)
    if file is None:
        return await own_page(request, matter, its, filled)
    made = await imports.take_in(request.user, its["month"], matter_id, file.name, file.digest, file.sheet)
    return see_other(f"/ledger-imports/{made}")


# Many villages' -------------------------------------------------------------------------------------------------------

@get("/ledger-imports", can=Can.LEDGER_DELIVER)
async def index(request: Request) -> Response[Any]:
    return await many_page(request, forms.Filled(typed={"month": f"{month_after(today(), -1):%Y-%m}"}))


async def many_page(request: Request, filled: forms.Filled) -> Response[Any]:
    return await page(request, "ledgers/many_import.html", status=filled.status, form=filled.typed,
                      errors=filled.errors, latest=f"{today():%Y-%m}",
                      imports=await listed("organisation_id = $1 AND matter_id IS NULL", request.user.organisation_id))


@get("/ledger-imports/template", can=Can.LEDGER_DELIVER)
async def many_template(request: Request, month: FromQuery[str] = "") -> Response[bytes]:
    from server.ledgers import templates
    found = await opened_below(request.user.organisation_path)
    wanted = read_month(month) or month_after(today(), -1)
    body = await asyncio.to_thread(templates.template, wanted, [one["name"] for one in found])
    return workbook(body, f"ledgers-{wanted:%Y-%m}.xlsx")


@post("/ledger-imports", can=Can.LEDGER_DELIVER, status_code=200, request_max_body_size=LIMIT)
async def hand_in_many(request: Request) -> Response[Any]:
    filled = await forms.fill(request, DELIVERED)
    file = await handed_in.read(filled, OF_MANY)
    if file is None:
        return await many_page(request, filled)
    made = await imports.take_in(request.user, filled["month"], None, file.name, file.digest, file.sheet)
    return see_other(f"/ledger-imports/{made}")


# Progress -------------------------------------------------------------------------------------------------------------

async def listed(condition: str, value: int) -> list[dict[str, Any]]:
    """The newest imports that fit."""
    return [dict(one) | standing(one["state"], one["written"], one["villages"]) | {"when": moment(one["at"], now())}
            for one in await rows(f"""
                SELECT id, file_name, who, at, state, total, checked, wrong, month,
                    (SELECT count(*) FROM ledger_import_village v WHERE v.import_id = i.id) AS villages,
                    (SELECT count(*) FROM ledger_import_village v
                     WHERE v.import_id = i.id AND v.state = '已写入') AS written
                FROM ledger_import i WHERE {condition} ORDER BY id DESC LIMIT {PAGE}""", value)]


def standing(state: str, written: int, villages: int) -> dict[str, str]:
    """How an import stands, by what was written of it: one that is through has not by that done anything."""
    if state == Progress.DONE and written < max(1, villages):
        return {"state": f"写入 {written} / {villages} 个村" if written else "没有写入",
                "tone": "amber" if written else "red"}
    return {"state": state, "tone": TONES[Progress(state)]}


async def seen(request: Request, import_id: int) -> Record:
    """An import of the actor's own organisation; NotFoundException else."""
    found = await row("SELECT * FROM ledger_import WHERE id = $1 AND organisation_id = $2", import_id,
                      request.user.organisation_id)
    if found is None or (found["matter_id"] is None and not request.user.may(Can.LEDGER_DELIVER)):
        raise NotFoundException
    return found


@get("/ledger-imports/{import_id:int}", can=Can.LEDGER_IMPORT)
async def show(request: Request, import_id: FromPath[int]) -> Response[Any]:
    held = await seen(request, import_id)
    villages = await rows("""
        SELECT x.*, u.name, EXISTS (
            SELECT FROM role_grant g JOIN village v ON v.organisation_id = g.organisation_id
            WHERE v.code = x.village_code AND g.role = '村（社区）管理员' AND g.until IS NULL) AS kept
        FROM ledger_import_village x JOIN unit u ON u.code = x.village_code
        WHERE x.import_id = $1 ORDER BY x.village_code""", import_id)
    wrong = await rows("""SELECT number, village_code, cells::text, faults::text FROM ledger_import_row
                          WHERE import_id = $1 AND faults <> '{}' ORDER BY number LIMIT $2""", import_id, WRONG_SHOWN)
    through = sum(one["state"] != "待写入" for one in villages)
    written = sum(one["state"] == "已写入" for one in villages)
    return await page(
        request, "ledgers/import.html", running=held["state"] == Progress.RUNNING, when=moment(held["at"], now()),
        paused=held["state"] == Progress.PAUSED, one=dict(held) | standing(held["state"], written, len(villages)),
        back=f"/disclosures/{held['matter_id']}/sheet" if held["matter_id"] else "/ledger-imports",
        villages=[dict(one) | {"tone": VILLAGE_TONES[one["state"]]} for one in villages], written=written,
        done=held["checked"] + through, of=held["total"] + max(1, len(villages)),
        wrong=[told(one) for one in wrong], more_wrong=max(0, held["wrong"] - WRONG_SHOWN))


def told(one: Record) -> dict[str, Any]:
    """A row that is to be mended: what it says, and what is wrong with each cell."""
    cells, faults = json.loads(one["cells"]), json.loads(one["faults"])
    line = " · ".join(filter(None, (cells.get("village"), cells.get("day", "")[:10], cells.get("summary"))))
    labels = OF_MANY.columns
    return {"number": one["number"], "line": line or "（空）",
            "faults": [{"cell": labels.get(name, name), "words": words} for name, words in faults.items()]}


@post("/ledger-imports/{import_id:int}/pause", can=Can.LEDGER_IMPORT, status_code=303)
async def pause(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await seen(request, import_id)
    await forms.nothing(request)
    await imports.TURNS.pause(request.user, import_id)
    return see_other(f"/ledger-imports/{import_id}")


@post("/ledger-imports/{import_id:int}/resumption", can=Can.LEDGER_IMPORT, status_code=303)
async def resume(request: Request, import_id: FromPath[int]) -> Response[Any]:
    await seen(request, import_id)
    await forms.nothing(request)
    await imports.TURNS.resume(request.user, import_id)
    return see_other(f"/ledger-imports/{import_id}")


ROUTES = [own_form, own_template, hand_in_own, index, many_template, hand_in_many, show, pause, resume]
