"""An .xlsx of officers, row by row: the good ones are opened, each wrong one keeps its reason. A batch is a
transaction, so a worker that is killed begins again at the row after the last one that was done."""
import json
from collections.abc import Sequence
from typing import Any

from asyncpg import PostgresError, Record
from litestar.exceptions import NotFoundException

from server.accounts.tables import actor_under
from server.core import audit, crypto, effects, live
from server.core.actor import Actor
from server.core.answers import REFUSALS
from server.core.clock import now
from server.core.database import row, rows, savepoint, the_row, transaction
from server.core.forms import Refused
from server.core.masking import without_numbers
from server.core.sheets import whole
from server.core.turns import Turns
from server.core.workdays import beijing_date
from server.officers.actions import Officer, Opened, open_at, place_of
from server.officers.places import find_place
from server.officers.rules import APPOINTED, NAME_MAX, WHY_MAX, RowState
from server.officers.sheet import COLUMNS, LAYOUT
from server.people.rules import read_id_number, read_name, read_phone
from server.permissions import Role

BATCH = 40  # rows
TURNS = Turns("officer_import", "officer_import")

Places = dict[tuple[str | None, Role | None], Record]  # by what was typed and the role


async def take_in(actor: Actor, file_name: str, digest: bytes, why: str,
                  found: Sequence[tuple[int, dict[str, str]]]) -> int:
    """Keeps the rows, encrypted, and begins to work them off; the import's id, of the one under way where this very
    file (digest: its SHA-256) was handed in before. The rows never leave the database: a job says which import, and
    nothing else."""
    async with transaction():
        begun = await row("""
            INSERT INTO officer_import (department_id, grant_id, account_id, begun_by, who, source, file_name, sha256,
                                        why, total, at)
            VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id""",
                          actor.organisation_id, actor.grant_id, actor.account_id, actor.signature, actor.source,
                          file_name, digest, why, len(found), now())
        if begun is None:
            return (await the_row("""SELECT id FROM officer_import WHERE department_id = $1 AND sha256 = $2
                                     ORDER BY id DESC LIMIT 1""", actor.organisation_id, digest))["id"]
        made = begun["id"]
        ids = [one["id"] for one in await rows(
            "SELECT nextval('officer_import_row_id_seq') AS id FROM generate_series(1, $1::int)", len(found))]
        await rows("""
            INSERT INTO officer_import_row (id, import_id, number, content) OVERRIDING SYSTEM VALUE
            SELECT id, $1, number, content FROM unnest($2::bigint[], $3::int[], $4::bytea[]) AS r (id, number, content)
            """, made, ids, [number for number, _ in found],
                   [kept(row_id, cells) for row_id, (_, cells) in zip(ids, found, strict=True)])
        await audit.record(actor, "begin_import", "officer_import", made, after={"rows": len(found)}, why=why)
        await TURNS.begin(made)
    return made


def kept(row_id: int, cells: dict[str, str]) -> bytes:
    """The column content of a row."""
    return crypto.encrypt(json.dumps(cells, ensure_ascii=False), table="officer_import_row", column="content",
                          row_id=row_id)


def cells_of(one: Record) -> dict[str, str]:
    """The cells in the column content of a row."""
    return json.loads(crypto.decrypt(one["content"], table="officer_import_row", column="content", row_id=one["id"]))


@effects.carries(TURNS.effect)
async def work_off(payload: dict[str, Any]) -> None:
    """The next batch of an import, in the sweep's transaction; then asks for the one after it."""
    held = await TURNS.hold(payload)
    if held is None:
        return
    actor = await acting(held)
    if actor is None:  # he is no safety officer any more: another one may go on
        await TURNS.stop(held)
        return
    waiting = await rows("""SELECT id, number, content FROM officer_import_row
                            WHERE import_id = $1 AND state = '待导入' ORDER BY number LIMIT $2""", held["id"], BATCH)
    places: Places = {}
    done = [await work_off_row(actor, held, one, places) for one in waiting]
    await rows("""
        UPDATE officer_import_row r SET state = d.state, reason = d.reason, account_id = d.account_id,
            content = CASE WHEN d.state = '有误' THEN r.content END
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS d (id, state, reason, account_id)
        WHERE r.id = d.id""", *map(list, zip(*done, strict=True)) if done else ([], [], [], []))
    states = [state for _, state, _, _ in done]
    await rows("UPDATE officer_import SET opened = opened + $2, known = known + $3, wrong = wrong + $4 WHERE id = $1",
               held["id"], states.count(RowState.OPENED), states.count(RowState.KNOWN), states.count(RowState.WRONG))
    await TURNS.turned(held, over=len(waiting) < BATCH)
    live.changed(actor.organisation_path, f"officer-import-{held['id']}")


async def acting(held: Record) -> Actor | None:
    """Who imports, if he is the department's safety officer still."""
    actor = await actor_under(held["grant_id"], held["source"])
    return actor if actor and actor.role is Role.SAFETY_OFFICER else None


async def work_off_row(
    actor: Actor, held: Record, one: Record, places: Places,
) -> tuple[int, RowState, str, int | None]:
    """One row: its id, what became of it, why not, and whose account it is now."""
    try:
        async with savepoint():
            opened = await open_row(actor, held, cells_of(one), places)
    except Refused as refused:
        return one["id"], RowState.WRONG, without_numbers(str(refused)), None
    except NotFoundException:
        return one["id"], RowState.WRONG, "管辖范围内没有这个党组织", None
    except PostgresError as fault:
        if fault.sqlstate not in REFUSALS:
            raise
        return one["id"], RowState.WRONG, REFUSALS[fault.sqlstate][1], None
    if opened.known:
        return one["id"], RowState.KNOWN, "这个身份已经开通，没有重复开通", opened.account_id
    return one["id"], RowState.OPENED, "", opened.account_id


async def open_row(actor: Actor, held: Record, cells: dict[str, str], places: Places) -> Opened:
    """Opens what a row says; Refused with everything that is wrong with its cells.

    places: the organisations this batch has come upon."""
    read, faults = {}, []
    for name, label in COLUMNS.items():
        try:
            read[name] = READ[name](cells.get(name, ""), label)
        except ValueError as fault:
            faults.append(str(fault))
    post = read.get("organisation"), read.get("role")
    if post[0] and post not in places:
        try:
            found = await find_place(actor, post[0])
            if post[1]:
                places[post] = await place_of(actor, found, post[1])
        except Refused as refused:
            faults.append(str(refused))
    if faults:
        raise Refused("row", "；".join(faults))
    place = places[post]
    opened = await open_at(actor, Officer(read["name"], read["id_number"], read["phone"], read["role"], place["id"],
                                          read["why"] or held["why"]), place)
    if opened.account_id == held["begun_by"] and not opened.known:  # whoever goes on with the sheet
        raise Refused("row", "不能给自己开通身份，请由上级或本部门另一位安全员办理")
    return opened


def read_number(typed: str, label: str) -> str:
    if not typed:
        raise ValueError(f"请填写{label}")
    return read_id_number(whole(typed, label), beijing_date(now()))


def read_mobile(typed: str, label: str) -> str:
    if not typed:
        raise ValueError(f"请填写{label}")
    return read_phone(typed)


def read_place(typed: str, label: str) -> str:
    if not typed:
        raise ValueError(f"请填写{label}")
    return typed


def read_role(typed: str, label: str) -> Role:
    said = "".join(typed.split())
    if said not in {str(role) for role in APPOINTED}:
        raise ValueError(f"没有“{said[:20]}”这个身份" if said else f"请填写{label}")
    return Role(said)


def read_why(typed: str, label: str) -> str:
    if len(typed) > min(WHY_MAX, LAYOUT.most_cell):
        raise ValueError(f"{label}最多 {WHY_MAX} 个字")
    return typed


READ: dict[str, Any] = {
    "name": lambda typed, label: read_name(typed, NAME_MAX, label), "id_number": read_number, "phone": read_mobile,
    "organisation": read_place, "role": read_role, "why": read_why}
