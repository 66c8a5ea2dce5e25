"""Writing in a month: a line added, changed or taken out by hand; the whole month from a table; the opening."""
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from asyncpg import Record

from server.core import live, uploads
from server.core.actor import Actor
from server.core.database import row, rows, the_row, transaction
from server.core.forms import Refused
from server.disclosure.editing import BEGUN_LATELY, why_not
from server.disclosure.rules import OPEN
from server.ledgers.rules import MOST_FEN, MOST_LINES, Line, signed
from server.ledgers.tables import FIELDS, closing_before, ledger, line_of, lines_of

INSERT = f"""
INSERT INTO ledger_line (edition_id, {", ".join(FIELDS)})
SELECT $1, CASE WHEN line = 0 THEN nextval('ledger_line_name') ELSE line END, {", ".join(FIELDS[1:])}
FROM unnest($2::bigint[], $3::int[], $4::date[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[]) AS l ({", ".join(FIELDS)})"""
SUM = """
UPDATE ledger SET (income, expense, lines) = (
    SELECT coalesce(sum(income), 0), coalesce(sum(expense), 0), count(*) FROM ledger_line WHERE edition_id = $1)
WHERE edition_id = $1"""
HOLD = """
UPDATE edition SET version = version + 1, saved_who = $2, saved_at = ebranch_now(),
    authors = (SELECT array_agg(DISTINCT a) FROM unnest(authors || $3::bigint) a)
WHERE id = $1 AND state = ANY($4) RETURNING version"""


async def hold(actor: Actor, edition_id: int) -> int:
    """Notes that the actor writes in an edition, and keeps everybody else out until the transaction ends; its new
    version. What the township delivered and somebody else has written in is the village's from then on. WrongState once
    it was handed on."""
    held = await row(HOLD, edition_id, actor.signature, actor.person_id, sorted(OPEN))
    if held is None:
        raise await why_not(edition_id)
    return held["version"]


async def write_line(actor: Actor, matter: Record, edition_id: int, line: Line, handed: uploads.Handed,
                     picture: Sequence[Record], seen: str = "") -> None:
    """Adds a line (its name 0), or puts another in the place of the one of its name; the sums follow.

    handed: the picture of its voucher as the form has it; picture: the one that is there; seen: the
    mark of the line as it was when the form was opened. The newest line sent again within a minute is that line.
    Refused where the month is full, or the line was taken out or changed meanwhile; Unfit for a second picture."""
    async with transaction():
        if not line.line and await just_added(actor, edition_id, line):
            return
        await hold(actor, edition_id)
        if line.line and seen and (there := await line_of(edition_id, line.line)) and mark_of(there) != seen:
            raise Refused("form", f"这一笔刚才被改成：{there.day} {there.summary} {signed(there)}元。核对后再保存")
        kept = await uploads.settle(actor, handed, picture)
        line = replace(line, file_id=next(iter(kept.order), None))
        its = await ledger(edition_id)
        if line.line:
            gone = await row("DELETE FROM ledger_line WHERE edition_id = $1 AND line = $2 RETURNING place",
                             edition_id, line.line)
            if gone is None:
                raise Refused("summary", "这一笔刚才被去掉了")
            line = replace(line, place=gone["place"])
        elif its and its["lines"] >= MOST_LINES:
            raise Refused("summary", f"一个月最多 {MOST_LINES} 笔")
        else:
            last = await row("SELECT coalesce(max(place), 0) AS place FROM ledger_line WHERE edition_id = $1",
                             edition_id)
            line = replace(line, place=(last["place"] if last else 0) + 1)
        await put(edition_id, [line])
        await in_order(edition_id)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}")


async def just_added(actor: Actor, edition_id: int, line: Line) -> bool:
    """Whether the actor has added this very line within the last minute: a second tap adds no second payment. Whoever
    saved last, and when, two taps come one after the other."""
    held = await the_row(f"""
        SELECT saved_who = $2 AND state = ANY($3) AND saved_at > ebranch_now() - {BEGUN_LATELY} AS lately
        FROM edition WHERE id = $1 FOR NO KEY UPDATE""", edition_id, actor.signature, sorted(OPEN))
    newest = await row("SELECT line FROM ledger_line WHERE edition_id = $1 ORDER BY line DESC LIMIT 1", edition_id)
    there = await line_of(edition_id, newest["line"]) if held["lately"] and newest else None
    return there is not None and mark_of(there) == mark_of(line)


def mark_of(line: Line) -> str:
    """Short for what a line says, whatever its place and its picture."""
    said = replace(line, line=0, place=0, file_id=None)
    return sha256(repr([getattr(said, name) for name in FIELDS]).encode()).hexdigest()[:16]


async def put(edition_id: int, lines: Sequence[Line]) -> None:
    """Adds lines, and the sums follow. Within a transaction that holds the edition. Refused where the sums are out of
    reason."""
    await rows(INSERT, edition_id, *([getattr(line, name) for line in lines] for name in FIELDS))
    of = await the_row("""SELECT coalesce(sum(income), 0) AS income, coalesce(sum(expense), 0) AS expense
                          FROM ledger_line WHERE edition_id = $1""", edition_id)
    if max(of["income"], of["expense"]) > MOST_FEN:
        raise Refused("amount", "这个月的合计超过一千亿元，请检查是不是多打了数字")
    await rows(SUM, edition_id)


async def in_order(edition_id: int) -> None:
    """Puts the lines in the order of their days; those of one day stay as they were entered."""
    await rows("""
        UPDATE ledger_line l SET place = o.place FROM (
            SELECT line, row_number() OVER (ORDER BY day, place, line) AS place FROM ledger_line
            WHERE edition_id = $1) o
        WHERE l.edition_id = $1 AND l.line = o.line AND l.place <> o.place""", edition_id)


async def remove_line(actor: Actor, matter: Record, edition_id: int, line: int) -> None:
    """Takes a line out; one that is gone already changes nothing."""
    async with transaction():
        await hold(actor, edition_id)
        await rows("DELETE FROM ledger_line WHERE edition_id = $1 AND line = $2", edition_id, line)
        await rows(SUM, edition_id)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}")


async def set_opening(actor: Actor, matter: Record, edition_id: int, opening: int) -> None:
    """What a village's first month begins with, in 分; every later one begins where the one before ended (Refused)."""
    its = await ledger(edition_id)
    if its and await closing_before(matter["village_code"], its["month"]) is not None:
        raise Refused("opening", "上月结余接上个月公开的本月结余，不能另填")
    async with transaction():
        await hold(actor, edition_id)
        await rows("UPDATE ledger SET opening = $2 WHERE edition_id = $1", edition_id, opening)
        live.changed(matter["organisation_path"], f"matter-{matter['id']}")


async def replace_all(actor: Actor, edition_id: int, opening: int | None, lines: Sequence[Line]) -> None:
    """Puts a whole month in the place of what the edition has. Within a transaction. opening: None leaves it. A line
    that says what one of those there says is that one, with its name and the picture of its voucher: what was asked
    about it stays beside it."""
    await hold(actor, edition_id)
    there: dict[str, list[Line]] = {}
    for one in await lines_of(edition_id, after=0, most=None):
        there.setdefault(mark_of(one), []).append(one)
    await rows("DELETE FROM ledger_line WHERE edition_id = $1", edition_id)
    if opening is not None:
        await rows("UPDATE ledger SET opening = $2 WHERE edition_id = $1", edition_id, opening)
    await put(edition_id, [replace(as_before(line, there), place=place) for place, line in enumerate(lines, 1)])
    await in_order(edition_id)


def as_before(line: Line, there: dict[str, list[Line]]) -> Line:
    """A line under the name, and with the picture, of an equal one that was there; each of those serves once."""
    equal = there.get(mark_of(line))
    former = equal.pop(0) if equal else None
    return replace(line, line=former.line, file_id=former.file_id) if former else line
