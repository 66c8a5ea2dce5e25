"""A month's lines from an .xlsx: a village's own, or many villages' from the township keeping their books (村账镇代管),
which each village then confirms. First every row is looked at, then each village's month is written, whole or not."""
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from asyncpg import PostgresError, Record

from server.accounts.tables import actor_under
from server.core import audit, effects, live
from server.core.actor import Actor
from server.core.answers import REFUSALS
from server.core.clock import now, today
from server.core.database import row, rows, savepoint, the_row, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.core.sheets import Sheet
from server.core.turns import Turns
from server.disclosure.editing import begun
from server.disclosure.rules import OPEN
from server.disclosure.tables import open_edition
from server.ledgers import writing
from server.ledgers.rules import Line, month_key, yuan
from server.ledgers.sheet import RowRead, is_total, read_row
from server.ledgers.tables import closing_before, ledger
from server.permissions import Can
from server.villages.tables import by_every_name, opened_below, the_one_called, village

NOBODYS = "表里有对不上村名的行，可能是这个村的；改好村名，整张表再导入一次"
BATCH = 500  # rows looked at in one turn
TURNS = Turns("ledger_import", "ledger_import")


async def take_in(actor: Actor, month: date, matter_id: int | None, file_name: str, digest: bytes, sheet: Sheet) -> int:
    """Keeps the rows and begins to look at them; the import's id, of the one under way where this very file was handed
    in before. matter_id: of a village's own month; None for a township's sheet of many."""
    async with transaction():
        begun_now = await row("""
            INSERT INTO ledger_import (organisation_id, matter_id, month, grant_id, account_id, who, source, file_name,
                                       sha256, total, at, edition_version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, (
                SELECT version FROM edition WHERE matter_id = $2 AND state = ANY($12)))
            ON CONFLICT DO NOTHING RETURNING id""",
                              actor.organisation_id, matter_id, month, actor.grant_id, actor.account_id,
                              actor.signature, actor.source, file_name, digest, len(sheet.rows), now(), sorted(OPEN))
        if begun_now is None:
            return (await the_row("""
                SELECT id FROM ledger_import WHERE organisation_id = $1 AND month = $2 AND sha256 = $3
                AND matter_id IS NOT DISTINCT FROM $4 ORDER BY id DESC LIMIT 1""",
                                  actor.organisation_id, month, digest, matter_id))["id"]
        made = begun_now["id"]
        await rows("""INSERT INTO ledger_import_row (import_id, number, cells)
                      SELECT $1, number, cells::jsonb FROM unnest($2::int[], $3::text[]) AS r (number, cells)""",
                   made, [number for number, _ in sheet.rows],
                   [json.dumps(cells | ({"merged": "1"} if number in sheet.merged else {}), ensure_ascii=False)
                    for number, cells in sheet.rows])
        await audit.record(actor, "begin_import", "ledger_import", made,
                           after={"rows": len(sheet.rows), "month": month_key(month)})
        await TURNS.begin(made)
    return made


@effects.carries(TURNS.effect)
async def take_turn(payload: dict[str, Any]) -> None:
    """Looks at the next rows; once all were looked at, writes the next village's month."""
    held = await TURNS.hold(payload)
    if held is None:
        return
    actor = await actor_under(held["grant_id"], held["source"])
    if actor is None or not (actor.may(Can.DISCLOSURE_KEEP) or actor.may(Can.LEDGER_DELIVER)):
        await TURNS.stop(held)
        return
    if held["checked"] < held["total"]:
        over = await look_at(actor, held)
    else:
        over = await write_next(actor, held)
    await TURNS.turned(held, over=over)
    live.changed(actor.organisation_path, f"ledger-import-{held['id']}")


# Looking at rows ------------------------------------------------------------------------------------------------------

async def look_at(actor: Actor, held: Record) -> bool:
    """Looks at the next rows and notes what is wrong with each cell; whether all is over with that. A row of no known
    village may be any village's, unless it sums up others: then none is written, for it would be without that row."""
    waiting = await rows("""SELECT number, cells::text FROM ledger_import_row
                            WHERE import_id = $1 AND faults IS NULL ORDER BY number LIMIT $2""", held["id"], BATCH)
    villages = await villages_of(actor, held)
    looked = [looked_at(held, one, villages) for one in waiting]
    await rows("""UPDATE ledger_import_row r SET village_code = l.village, faults = l.faults::jsonb
                  FROM unnest($2::int[], $3::text[], $4::text[]) AS l (number, village, faults)
                  WHERE r.import_id = $1 AND r.number = l.number""", held["id"], *map(list, zip(*looked, strict=True)))
    wrong = sum(faults != "{}" for _, _, faults in looked)
    await rows("UPDATE ledger_import SET checked = checked + $2, wrong = wrong + $3 WHERE id = $1",
               held["id"], len(waiting), wrong)
    if held["checked"] + len(waiting) < held["total"]:
        return False
    lost = await row("SELECT FROM ledger_import_row WHERE import_id = $1 AND faults ? 'village' LIMIT 1", held["id"])
    await rows("""INSERT INTO ledger_import_village (import_id, village_code, state, words)
                  SELECT DISTINCT import_id, village_code, $2, $3 FROM ledger_import_row
                  WHERE import_id = $1 AND village_code IS NOT NULL ON CONFLICT DO NOTHING""", held["id"],
               *(("没有写入", NOBODYS) if lost is not None else ("待写入", "")))
    there = await row("SELECT FROM ledger_import_village WHERE import_id = $1 AND state = '待写入' LIMIT 1", held["id"])
    return there is None


def looked_at(held: Record, one: Record, villages: dict[str, list[Record]]) -> tuple[int, str | None, str]:
    """A row's number, its village, and its faults as JSON."""
    cells = json.loads(one["cells"])
    code, faults = None, read(held, cells).faults
    try:
        code = the_one_called(villages, "" if held["matter_id"] else cells.get("village", ""))["code"]
    except ValueError as fault:
        if not is_total(cells):
            faults["village"] = str(fault)
    return one["number"], code, json.dumps(faults, ensure_ascii=False)


def read(held: Record, cells: dict[str, str]) -> RowRead:
    """What a row's cells say."""
    return read_row(cells, held["month"], today(), merged=bool(cells.get("merged")))


async def villages_of(actor: Actor, held: Record) -> dict[str, list[Record]]:
    """The villages a sheet may speak of, by what they are called; a village's own has one, called nothing."""
    if held["matter_id"]:
        return {"": await rows("SELECT village_code AS code FROM matter WHERE id = $1", held["matter_id"])}
    return by_every_name(await opened_below(actor.organisation_path))


# Writing a village's month --------------------------------------------------------------------------------------------

async def write_next(actor: Actor, held: Record) -> bool:
    """Writes the next village's month, whole or not at all; whether it was the last one."""
    waiting = await rows("""SELECT village_code FROM ledger_import_village WHERE import_id = $1 AND state = '待写入'
                            ORDER BY village_code LIMIT 2""", held["id"])
    if not waiting:
        return True
    code = waiting[0]["village_code"]
    try:
        async with savepoint():
            matter_id, many, before = await write(actor, held, code)
        words = f"换下了这个月原来的 {before} 笔" if before else ""
        told: tuple[str, str, int, int | None] = ("已写入", words, many, matter_id)
    except (Refused, WrongState) as refused:
        told = ("没有写入", str(getattr(refused, "detail", "") or refused), 0, None)
    except PostgresError as fault:
        if fault.sqlstate not in REFUSALS:
            raise
        told = ("没有写入", REFUSALS[fault.sqlstate][1], 0, None)
    await rows("""UPDATE ledger_import_village SET state = $3, words = $4, lines = $5, matter_id = $6
                  WHERE import_id = $1 AND village_code = $2""", held["id"], code, *told)
    return len(waiting) == 1


async def write(actor: Actor, held: Record, code: str) -> tuple[int, int, int]:
    """Puts a village's month in the place of what its open edition has: the matter's id, how many lines, and how many
    there were.

    Refused, in words, where a row is wrong, the month is no longer the village's to write, or the sums don't meet."""
    its = await village(code)
    if its is None:
        raise Refused("village", "这个村没有开通")
    found = [read(held, json.loads(one["cells"])) for one in await rows(
        "SELECT cells::text FROM ledger_import_row WHERE import_id = $1 AND village_code = $2 ORDER BY number",
        held["id"], code)]
    wrong = sum(bool(one.faults) for one in found)
    if wrong:
        raise Refused("row", f"有 {wrong} 行要改，见下面的清单；改好后整张表再导入一次")
    matter_id = held["matter_id"] or await matter_for(actor, held, its)
    edition = await open_edition(matter_id)
    if edition is None or edition["state"] not in OPEN:
        raise Refused("row", f"{held['month'].month}月的账已经{edition['state'] if edition else '公开'}，不能再导入")
    its_version = await the_row("SELECT version, delivered_version FROM edition WHERE id = $1 FOR NO KEY UPDATE",
                                edition["id"])  # held: nobody adds a line meanwhile
    book = await ledger(edition["id"])
    if book is None or book["month"] != held["month"]:
        raise Refused("row", "这件事项不是这个月的账")
    as_delivered = its_version["delivered_version"] == its_version["version"]
    if held["matter_id"] is None and book["lines"] and not as_delivered:
        raise Refused("row", f"村里已经在记、改这个月的账（{book['lines']} 笔），没有覆盖")
    if held["matter_id"] and its_version["version"] != held["edition_version"]:
        raise Refused("row", f"交表以后，这个月的账又改过（{book['lines']} 笔），没有覆盖；看过再导入一次")
    opening = await opening_of(its["code"], held["month"], found, book["opening"])
    lines = [one.line for one in found if one.line]
    refuse_other_balance(opening, found)
    await writing.replace_all(actor, edition["id"], opening, lines)
    if held["matter_id"] is None:
        await rows("UPDATE edition SET delivered = true, delivered_version = version WHERE id = $1", edition["id"])
    await audit.record(actor, "import_ledger", "matter", matter_id,
                       after={"month": month_key(held["month"]), "rows": len(lines)})
    live.changed(its["organisation_path"], f"matter-{matter_id}", "disclosures", "todos")
    return matter_id, len(lines), book["lines"]


async def matter_for(actor: Actor, held: Record, its: Record) -> int:
    """The matter of a village's month, begun now if it was not yet."""
    duty = await row("""SELECT d.id FROM duty d JOIN catalogue_item i ON i.id = d.item_id
                        WHERE d.village_code = $1 AND i.form = '账目' AND d.period = $2""",
                     its["code"], month_key(held["month"]))
    if duty is None:
        raise Refused("row", f"这个村 {month_key(held['month'])} 没有应公开的账")
    return await begun(actor, its, duty["id"])


async def opening_of(code: str, month: date, found: Sequence[RowRead], present: int) -> int:
    """What the month begins with: where the month before ended; a first month says so itself."""
    openings = [one.opening for one in found if one.opening is not None]
    if len(openings) > 1:
        raise Refused("row", "表里有不止一行“上月结余”，请只留一行")
    said = next(iter(openings), None)
    before = await closing_before(code, month)
    if before is None:
        return present if said is None else said
    if said is not None and said != before["closing"]:
        raise Refused("row", f"上月结余对不上：表里 {yuan(said)}，{before['month'].month}月公开的结余 "
                             f"{yuan(before['closing'])}")
    return before["closing"]


def refuse_other_balance(opening: int, found: Sequence[RowRead]) -> None:
    """Refused where the sheet's own balances are not what its lines lead to, in the order of the sheet."""
    left = opening
    for one in found:
        line: Line | None = one.line
        if line is None:
            continue
        left += line.income - line.expense
        if one.balance is not None and one.balance != left:
            raise Refused("row", f"余额对不上：{line.day.month}月{line.day.day}日“{line.summary}”后表里写 "
                                 f"{yuan(one.balance)}，按收支算应是 {yuan(left)}")
