"""An .xlsx of query accounts, row by row: opened, known already, or wrong and why. A batch is a transaction: a killed
worker begins again at the row after the last one that was done, and each SMS leaves once."""
from collections.abc import Sequence
from typing import Any

from asyncpg import PostgresError, Record

from server.accounts.tables import actor_under
from server.core import audit, effects, live
from server.core.actor import Actor
from server.core.answers import REFUSALS
from server.core.clock import now
from server.core.database import row, rows, savepoint, the_row, transaction
from server.core.forms import Refused
from server.core.masking import without_numbers
from server.core.sheets import Layout, Sheet, whole
from server.core.turns import Turns
from server.core.workdays import beijing_date
from server.people.rules import read_id_number, read_name, read_phone
from server.permissions import Can
from server.query_accounts.opening import Wanted, open_reader
from server.query_accounts.rules import NAME_MAX, RowState, Standing
from server.query_accounts.tables import content_of, kept
from server.villages.tables import by_every_name, opened_below, the_one_called

BATCH = 50  # rows
TURNS = Turns("reader_import", "reader_import")
COLUMNS = {"name": "姓名", "id_number": "身份证号", "phone": "手机号码", "standing": "身份"}
OWN = Layout(COLUMNS, first="name", optional=frozenset({"standing"}), version=1)
HEADS = {"village": "村"} | COLUMNS
OF_MANY = Layout(HEADS, first="village", optional=frozenset({"standing"}), version=1)
TITLE = "三务公开查询账号 · 模板第 1 版"


def layout_of(actor: Actor) -> Layout:
    """The sheet somebody fills in: a township's names the village in each row."""
    return OF_MANY if actor.may(Can.DISCLOSURE_OVERSEE) else OWN


async def take_in(actor: Actor, file_name: str, digest: bytes, sheet: Sheet) -> int:
    """Keeps the rows, encrypted, and begins to work them off; the import's id, of the one under way where this very
    file was handed in before."""
    async with transaction():
        begun = await row("""
            INSERT INTO reader_import (organisation_id, grant_id, account_id, who, source, file_name, sha256, total, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id""",
                          actor.organisation_id, actor.grant_id, actor.account_id, actor.signature, actor.source,
                          file_name, digest, len(sheet.rows), now())
        if begun is None:
            return (await the_row("""SELECT id FROM reader_import WHERE organisation_id = $1 AND sha256 = $2
                                     ORDER BY id DESC LIMIT 1""", actor.organisation_id, digest))["id"]
        made = begun["id"]
        ids = [one["id"] for one in await rows(
            "SELECT nextval('reader_import_row_id_seq') AS id FROM generate_series(1, $1::int)", len(sheet.rows))]
        await rows("""
            INSERT INTO reader_import_row (id, import_id, number, content) OVERRIDING SYSTEM VALUE
            SELECT id, $1, number, content FROM unnest($2::bigint[], $3::int[], $4::bytea[]) AS r (id, number, content)
            """, made, ids, [number for number, _ in sheet.rows],
                   [kept("reader_import_row", row_id, cells)
                    for row_id, (_, cells) in zip(ids, sheet.rows, strict=True)])
        await audit.record(actor, "begin_import", "reader_import", made, after={"rows": len(sheet.rows)})
        await TURNS.begin(made)
    return made


@effects.carries(TURNS.effect)
async def work_off(payload: dict[str, Any]) -> None:
    """The next batch of an import, in the sweep's transaction; then asks for the one after it."""
    held = await TURNS.hold(payload)
    if held is None:
        return
    actor = await actor_under(held["grant_id"], held["source"])
    if actor is None or not actor.may(Can.READER_KEEP):
        await TURNS.stop(held)
        return
    waiting = await rows("""SELECT id, number, content FROM reader_import_row
                            WHERE import_id = $1 AND state = '待导入' ORDER BY number LIMIT $2""", held["id"], BATCH)
    villages = await villages_of(actor)
    done = [await work_off_row(actor, one, villages) for one in waiting]
    await rows("""
        UPDATE reader_import_row r SET state = d.state, reason = d.reason,
            content = CASE WHEN d.state = '有误' THEN r.content END
        FROM unnest($1::bigint[], $2::text[], $3::text[]) AS d (id, state, reason) WHERE r.id = d.id""",
               *map(list, zip(*done, strict=True)) if done else ([], [], []))
    states = [state for _, state, _ in done]
    await rows("UPDATE reader_import SET opened = opened + $2, known = known + $3, wrong = wrong + $4 WHERE id = $1",
               held["id"], states.count(RowState.OPENED), states.count(RowState.KNOWN), states.count(RowState.WRONG))
    await TURNS.turned(held, over=len(waiting) < BATCH)
    live.changed(actor.organisation_path, f"reader-import-{held['id']}", "readers")


async def villages_of(actor: Actor) -> dict[str, list[Record]]:
    """The opened villages a sheet may speak of, by what they are called; a village's own is called nothing."""
    found = await opened_below(actor.organisation_path)
    if not actor.may(Can.DISCLOSURE_OVERSEE):
        return {"": found}
    return by_every_name(found)


async def work_off_row(actor: Actor, one: Record, villages: dict[str, list[Record]]) -> tuple[int, RowState, str]:
    """One row: its id, what became of it, and why not."""
    try:
        async with savepoint():
            village, wanted = read(content_of("reader_import_row", one), villages)
            opened = await open_reader(actor, village, wanted, "导入")
    except Refused as refused:
        return one["id"], RowState.WRONG, without_numbers(str(refused))
    except PostgresError as fault:
        if fault.sqlstate not in REFUSALS:
            raise
        return one["id"], RowState.WRONG, REFUSALS[fault.sqlstate][1]
    if opened.known:
        return one["id"], RowState.KNOWN, "已经有查询账号，没有重复开通"
    return one["id"], RowState.OPENED, ""


def read(cells: dict[str, str], villages: dict[str, list[Record]]) -> tuple[Record, Wanted]:
    """What a row says; Refused with everything that is wrong with its cells."""
    faults: list[str] = []

    def tried(reading: Any, name: str) -> Any:
        cell = cells.get(name, "")
        try:
            if cell.startswith("="):
                raise ValueError(f"{HEADS[name]}是公式，请复制后“粘贴为数值”")
            return reading(whole(cell, HEADS[name]))
        except ValueError as fault:
            faults.append(str(fault))
            return None

    village = tried(lambda cell: the_one_called(villages, cell), "village")
    name = tried(lambda cell: read_name(cell, NAME_MAX), "name")
    number = tried(lambda cell: read_id_number(cell, beijing_date(now())), "id_number")
    phone = tried(read_phone, "phone")
    standing = tried(read_standing, "standing")
    if faults or village is None:
        raise Refused("row", "；".join(faults))
    return village, Wanted(name, number, phone, standing)


def read_standing(typed: str) -> Standing:
    """Nothing is an ordinary villager."""
    said = "".join(typed.split())
    if not said or said in ("村民", "居民"):
        return Standing.VILLAGER
    try:
        return Standing(said)
    except ValueError:
        raise ValueError(f"没有“{said[:12]}”这种身份，可填：{'、'.join(Standing)}") from None


def rows_kept(found: Sequence[Record]) -> list[tuple[int, dict[str, str], str]]:
    """Wrong rows as they were handed in, each with its reason."""
    return [(one["number"], content_of("reader_import_row", one), one["reason"]) for one in found]
