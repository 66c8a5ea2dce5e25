"""A month's lines as an .xlsx, a village's own or a township's of many, and an import of it."""
from datetime import date
from hashlib import sha256
from typing import Any

from openpyxl import Workbook

from server.core import effects, sheets
from server.core.database import rows, the_row
from server.core.workbooks import packed, sheet_of
from server.ledgers import imports
from server.ledgers.sheet import OF_MANY, OWN, TITLE
from tests.cast import COMMITTEE, VILLAGE_ADMIN, Person
from tests.visits import actor_of

SEPTEMBER = date(2026, 9, 1)


def spent(village: str = "前村", **cells: Any) -> dict[str, Any]:
    """A row of a township's sheet as it should be."""
    return {"village": village, "day": "2026-09-09", "voucher": "09-01", "summary": "村内路灯维修 6 盏",
            "category": "农田水利及道路维修", "expense": "3860", "handler": "孙桂兰", "witness": "马主任",
            "approver": "赵德山"} | cells


def earned(village: str = "前村", **cells: Any) -> dict[str, Any]:
    return spent(village, day="2026-09-06", voucher="09-02", summary="机动地承包费", category="发包及上交收入",
                 expense="", income="12000") | cells


def began(village: str = "前村", balance: str = "100.50", **facts: str) -> dict[str, Any]:
    """The row that says what the month begins with."""
    return {"village": village, "summary": "上月结余", "balance": balance} | facts


def sheet(*lines: dict[str, Any], layout: sheets.Layout = OF_MANY, title: str = TITLE, merged: str = "") -> bytes:
    """The file. merged: an area of it whose cells are merged."""
    book = Workbook()
    page = sheet_of(book, "2026年9月", layout.columns.values(), [14], above=title)
    for one in lines:
        page.append([one.get(name) for name in layout.columns])
    if merged:
        page.merge_cells(merged)
    return packed(book)


async def begun(*lines: dict[str, Any], by: Person = COMMITTEE, matter: int | None = None, month: date = SEPTEMBER,
                **more: Any) -> int:
    """An import that has been handed in: a township's, or for a matter its village's own."""
    layout = OF_MANY if matter is None else OWN
    body = sheet(*lines, layout=layout, **more)
    return await imports.take_in(await actor_of(by if matter is None else VILLAGE_ADMIN), month, matter, "账.xlsx",
                                 sha256(body).digest(), await sheets.read(body, layout))


async def done(*lines: dict[str, Any], **more: Any) -> int:
    """An import that has been worked off."""
    made = await begun(*lines, **more)
    await effects.sweep()
    return made


async def import_of(made: int) -> dict[str, Any]:
    return dict(await the_row("SELECT * FROM ledger_import WHERE id = $1", made))


async def outcome(made: int) -> dict[str, tuple[str, int, str]]:
    """What became of each village: by its name the state, the number of lines, the words."""
    return {one["name"]: (one["state"], one["lines"], one["words"]) for one in await rows("""
        SELECT u.name, x.state, x.lines, x.words FROM ledger_import_village x JOIN unit u ON u.code = x.village_code
        WHERE x.import_id = $1""", made)}


async def books() -> list[tuple[str, int, int, int, int, int]]:
    """The months there are: village, opening, income, expense, closing (分), lines."""
    return [tuple(one) for one in await rows("""
        SELECT u.name, l.opening, l.income, l.expense, l.closing, l.lines FROM ledger l
        JOIN unit u ON u.code = l.village_code ORDER BY l.village_code, l.month""")]


async def faults(made: int) -> dict[int, str]:
    """What is wrong, as JSON by cell, of each row that is."""
    return {one["number"]: one["faults"] for one in await rows("""
        SELECT number, faults::text FROM ledger_import_row WHERE import_id = $1 AND faults <> '{}'
        ORDER BY number""", made)}
