"""Ledgers and their lines as they are stored."""
from collections.abc import Sequence
from datetime import date

from asyncpg import Record
from piccolo.columns import BigInt, Date, Integer, Text
from piccolo.table import Table

from server.core.database import row, rows
from server.ledgers.rules import PAGE, Book, Line

HANDED_ON = "('待签字', '待审核', '待公开', '已公开')"  # editions that count: whose balance others begin with
LINE = "line, place, day, voucher, summary, category, income, expense, handler, witness, approver, note, file_id"
FIELDS = tuple(LINE.split(", "))


class Ledger(Table):
    edition_id = BigInt(primary_key=True)
    village_code = Text()
    month = Date()
    opening = BigInt()
    income = BigInt(default=0)
    expense = BigInt(default=0)
    closing = BigInt()  # computed by the database
    lines = Integer(default=0)


class LedgerLine(Table):
    edition_id = BigInt(primary_key=True)
    line = BigInt()
    place = Integer()
    day = Date()
    voucher = Text()
    summary = Text()
    category = Text()
    income = BigInt()
    expense = BigInt()
    handler = Text(default="")
    witness = Text(default="")
    approver = Text(default="")
    note = Text(default="")
    file_id = BigInt(null=True, default=None)


async def ledger(edition_id: int) -> Record | None:
    """The month of an edition: its sums, and how many lines there are."""
    return await row("SELECT * FROM ledger WHERE edition_id = $1", edition_id)


async def book(edition_id: int) -> Book:
    """A whole month, all its lines. LookupError for an edition that has none."""
    its = await ledger(edition_id)
    if its is None:
        raise LookupError(f"edition {edition_id} has no ledger")
    return Book(its["month"], its["opening"], await lines_of(edition_id, after=0, most=None))


async def lines_of(edition_id: int, *, after: int, most: int | None = PAGE) -> list[Line]:
    """The lines after the first `after` ones, at most so many, in the order in which they are read."""
    found = await rows(f"""SELECT {LINE} FROM ledger_line WHERE edition_id = $1 ORDER BY place, line
                           OFFSET $2 LIMIT $3""", edition_id, after, most)
    return [Line(**{name: one[name] for name in FIELDS}) for one in found]


async def line_of(edition_id: int, line: int) -> Line | None:
    """One line of an edition by its name."""
    found = await row(f"SELECT {LINE} FROM ledger_line WHERE edition_id = $1 AND line = $2", edition_id, line)
    return Line(**{name: found[name] for name in FIELDS}) if found else None


async def balance_before(edition_id: int, after: int) -> int:
    """The balance after the first `after` lines."""
    found = await row("""
        SELECT l.opening + coalesce((SELECT sum(income - expense) FROM (
            SELECT income, expense FROM ledger_line WHERE edition_id = $1
            ORDER BY place, line LIMIT $2) f), 0) AS balance
        FROM ledger l WHERE l.edition_id = $1""", edition_id, after)
    return int(found["balance"]) if found else 0


async def sums(edition_id: int) -> list[Record]:
    """The sum of each category of a month."""
    return await rows("""SELECT category, sum(income)::bigint AS income, sum(expense)::bigint AS expense
                         FROM ledger_line WHERE edition_id = $1 GROUP BY category""", edition_id)


async def closing_before(village_code: str, month: date) -> Record | None:
    """The newest ledger before a month that was handed on: its month and closing; None for a village's first."""
    return await row(f"""
        SELECT l.month, l.closing, e.state FROM ledger l JOIN edition e ON e.id = l.edition_id
        JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
        WHERE l.village_code = $1 AND l.month < $2 AND e.state IN {HANDED_ON}
        ORDER BY l.month DESC, e.number DESC LIMIT 1""", village_code, month)


async def owed_before(village_code: str, month: date) -> date | None:
    """The first month before this one whose ledger is owed and not handed on yet."""
    found = await row(f"""
        SELECT min(d.last) AS month FROM duty d JOIN catalogue_item i ON i.id = d.item_id
        WHERE d.village_code = $1 AND i.form = '账目' AND d.state = '应公开' AND d.last < $2 AND NOT EXISTS (
            SELECT FROM ledger l JOIN edition e ON e.id = l.edition_id
            JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
            WHERE l.village_code = $1 AND l.month = date_trunc('month', d.last)::date AND e.state IN {HANDED_ON})""",
                      village_code, month)
    return found["month"] if found else None


async def opening_after(village_code: str, month: date) -> Record | None:
    """The oldest ledger after a month that was handed on: its month and what it begins with."""
    return await row(f"""
        SELECT l.month, l.opening FROM ledger l JOIN edition e ON e.id = l.edition_id
        JOIN matter m ON m.id = e.matter_id AND m.withdrawn_at IS NULL
        WHERE l.village_code = $1 AND l.month > $2 AND e.state IN {HANDED_ON}
        ORDER BY l.month, e.number DESC LIMIT 1""", village_code, month)


async def year_until(village_code: str, month: date) -> list[Record]:
    """Income and expense of the twelve published months that end with this one, the oldest first."""
    return await rows("""
        SELECT l.month, l.income, l.expense, l.closing FROM ledger l
        JOIN matter m ON m.edition_id = l.edition_id AND m.withdrawn_at IS NULL
        WHERE l.village_code = $1 AND l.month > ($2::date - interval '12 months') AND l.month <= $2
        ORDER BY l.month""", village_code, month)


async def matters_that_draw(edition_id: int) -> list[int]:
    """The published matters whose twelve months hold the month of an edition, and end later."""
    return [one["id"] for one in await rows("""
        SELECT m.id FROM ledger l JOIN ledger x ON x.village_code = l.village_code AND x.month > l.month
            AND x.month < l.month + interval '12 months'
        JOIN matter m ON m.edition_id = x.edition_id AND m.withdrawn_at IS NULL
        WHERE l.edition_id = $1 ORDER BY m.id""", edition_id)]


async def matter_of(village_code: str, month: date) -> Record | None:
    """The matter (id) whose ledger of a month is published."""
    return await row("""
        SELECT m.id FROM matter m JOIN ledger l ON l.edition_id = m.edition_id
        WHERE m.village_code = $1 AND l.village_code = $1 AND l.month = $2
        ORDER BY m.withdrawn_at NULLS FIRST, m.id DESC LIMIT 1""", village_code, month)


async def months_of(village_code: str) -> Sequence[Record]:
    """The published months of a village, the newest first: month, matter_id, closing, income, expense."""
    return await rows("""
        SELECT l.month, m.id AS matter_id, l.closing, l.income, l.expense FROM ledger l
        JOIN matter m ON m.edition_id = l.edition_id AND m.withdrawn_at IS NULL
        WHERE l.village_code = $1 ORDER BY l.month DESC LIMIT 60""", village_code)
