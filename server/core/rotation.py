"""Rotating the keys of personal values: the next key is made, and what is encrypted is encrypted anew, in small
transactions, while the house goes on working.

It may be ended at any moment and taken up again: what is done is what no longer stands under an older key, and the
rotation that has begun stands in key_rotation. It is over when nothing is left, also of what transactions wrote that
began before the new key. No key is ever deleted here: backups made before need the older ones."""
import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from asyncpg import Connection, UniqueViolationError
from cryptography.exceptions import InvalidTag

from server.core import crypto
from server.core.crypto import Column
from server.core.keys import make_secret

BATCH = 500  # rows whose locks are held together, some tens of milliseconds
ONE_AT_A_TIME = 7_012  # advisory lock
LOOK_AGAIN_S = 0.3

EVIDENCE = """
INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, after, source)
VALUES ('platform', '命令行', '', 'rotate_keys', 'key', $1, $2, 'ebranch rotate-keys')"""

# Whose snapshots are open: each transaction holds the lock on its own virtual number until it ends.
OPEN = """
SELECT l.pid, l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()"""

Tell = Callable[[int, int, int], None]  # done, of, transactions that are waited for


class Running(Exception):
    """Another rotation is at work."""


@dataclass
class Done:
    """What came of it. faults: values that could not be read or would stand twice, by table, column and row."""

    version: int
    moved: int = 0
    faults: dict[tuple[str, str, int], str] = field(default_factory=dict)


async def begin(connection: Connection) -> int:
    """Makes the next key, or finds the one of a rotation that was broken off; its version. Raises Running.

    The key's file is there before the transaction that announces it ends: whoever hears of it can read it."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
        raise Running("a rotation is running already")
    async with connection.transaction():
        begun: int | None = await connection.fetchval("SELECT version FROM key_rotation WHERE ended_at IS NULL")
        if begun is None:
            last = await connection.fetchval("SELECT coalesce(max(version), 1) FROM key_rotation")
            begun = max(crypto.versions()[-1], last) + 1
            await connection.execute("INSERT INTO key_rotation (version) VALUES ($1)", begun)
            await connection.execute(EVIDENCE, begun, '{"state": "开始"}')
        make_secret(crypto.path_of(begun))
    return begun


async def open_transactions(connection: Connection) -> set[tuple[int, str]]:
    """The transactions that are open now in this database, but for our own."""
    return {(one["pid"], one["virtualtransaction"]) for one in await connection.fetch(OPEN)}


async def rotate(connection: Connection, version: int, tell: Tell, *, batch: int = BATCH) -> Done:
    """Encrypts everything anew under key `version`, which every process must be able to see by now.

    tell: is told of the progress. Raises KeyError when an older key is not in the folder: nothing is lost by that, but
    what it encrypted can't be read."""
    done, earlier = Done(version), await open_transactions(connection)
    while True:
        earlier &= await open_transactions(connection)
        before = done.moved
        left = {column: await left_of(connection, column, version) for column in crypto.ENCRYPTED}
        total = done.moved + sum(left.values())
        tell(done.moved, total, len(earlier))
        for column in (column for column, number in left.items() if number):
            async for moved in move(connection, column, done, batch):
                done.moved += moved
                tell(done.moved, total, len(earlier))
        if sum(left.values()) == len(done.faults) and not earlier:
            return done
        if done.moved == before:  # what is left is being changed by somebody, or is not there yet
            await asyncio.sleep(LOOK_AGAIN_S)


async def left_of(connection: Connection, column: Column, version: int) -> int:
    """How many values of a column stand under another key."""
    number: int = await connection.fetchval(
        f"SELECT count(*) FROM {column.table} WHERE substring({column.name} FOR 2) <> $1", version.to_bytes(2))
    return number


async def move(connection: Connection, column: Column, done: Done, batch: int) -> AsyncIterator[int]:
    """Goes once through a column; yields how many values each small transaction has moved."""
    last: int | None = -1
    while last is not None:
        moved, last = await move_batch(connection, column, done, last, batch)
        yield moved


async def move_batch(
    connection: Connection, column: Column, done: Done, after: int, batch: int,
) -> tuple[int, int | None]:
    """Moves the next values after row `after`; how many, and the last row looked at (None at the end).

    Rows that somebody is changing just now are left for the next time: this waits for nobody, so nobody waits for it
    longer than the batch takes, and no two can wait for each other."""
    try:
        async with connection.transaction():
            found = await connection.fetch(f"""
                SELECT {column.row} AS row, {column.name} AS kept FROM {column.table}
                WHERE {column.row} > $1 AND substring({column.name} FOR 2) <> $2
                ORDER BY {column.row} LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED""", after, done.version.to_bytes(2), batch)
            anew = [one for one in (encrypted_anew(column, row["row"], row["kept"], done) for row in found) if one]
            await put(connection, column, anew)
    except UniqueViolationError:
        if batch == 1:
            done.faults[column.table, column.name, found[0]["row"]] = "stands twice: two rows have this value"
            return 0, found[0]["row"]
        return await one_by_one(connection, column, done, after, batch)
    return len(anew), found[-1]["row"] if len(found) == batch else None


async def one_by_one(
    connection: Connection, column: Column, done: Done, after: int, batch: int,
) -> tuple[int, int | None]:
    """The same for a batch in which a value would stand twice: all the others are moved."""
    moved, last = 0, after
    for _ in range(batch):
        one, reached = await move_batch(connection, column, done, last, 1)
        moved += one
        if reached is None:
            return moved, None
        last = reached
    return moved, last


Anew = tuple[int, bytes, bytes, bytes | None]  # row, as it stood, as it will stand, its blind index


def encrypted_anew(column: Column, row: int, kept: bytes, done: Done) -> Anew | None:
    """A value under the newest key, with its index; None, and a fault, for one that its key does not open."""
    try:
        value = crypto.decrypt(kept, table=column.table, column=column.name, row_id=row)
    except InvalidTag:
        done.faults[column.table, column.name, row] = "can't be read: it was changed, or moved from another row"
        return None
    index = crypto.blind_index(value, column.kind, done.version) if column.kind else None
    anew = crypto.encrypt(value, table=column.table, column=column.name, row_id=row, version=done.version)
    return row, kept, anew, index


async def put(connection: Connection, column: Column, anew: list[Anew]) -> None:
    """Writes what was encrypted anew, where what stood there still stands."""
    index = f", {column.index} = n.index" if column.index else ""
    rows, former, kept, indexes = zip(*anew, strict=True) if anew else ((), (), (), ())
    await connection.execute(f"""
        UPDATE {column.table} t SET {column.name} = n.kept{index}
        FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[]) AS n (row, former, kept, index)
        WHERE t.{column.row} = n.row AND t.{column.name} = n.former""", rows, former, kept, indexes)


async def end(connection: Connection, done: Done) -> None:
    """Notes that nothing stands under an older key any more."""
    async with connection.transaction():
        ended = await connection.fetchval("""UPDATE key_rotation SET ended_at = ebranch_now()
                                             WHERE version = $1 AND ended_at IS NULL RETURNING version""", done.version)
        if ended:
            await connection.execute(EVIDENCE, done.version, '{"state": "完成"}')
