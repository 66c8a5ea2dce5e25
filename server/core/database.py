"""The database as the rest of the house uses it: one transaction per intention, and SQL for the hot reads.

Ordinary queries go through the Piccolo tables; `rows` and `row` are for fixed SQL that stands in a `tables.py`.
All of them join the transaction that is open, if one is."""
import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from asyncpg import Connection, Record
from piccolo.engine import engine_finder
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from server.core.clock import set_offset

log = logging.getLogger(__name__)

AfterCommit = Callable[[], Awaitable[None]]
GIVE_BACK_S = 2.0  # what a connection may take to be free again, its last statement broken off where that hangs

_after_commit: ContextVar[list[AfterCommit] | None] = ContextVar("after_commit", default=None)
_telling: set[asyncio.Task[None]] = set()  # what is being done after a commit; the loop itself holds tasks weakly


@cache
def engine() -> PostgresEngine:
    """The engine named in server/piccolo_conf.py: looked for once in a process, for every statement asks."""
    found = engine_finder()
    if not isinstance(found, PostgresEngine):
        raise RuntimeError("server/piccolo_conf.py names no PostgreSQL engine")
    return found


async def rows(sql: str, *values: Any) -> list[Record]:
    """The rows of one fixed statement with `$1…` placeholders."""
    database = engine()
    transaction = database.current_transaction.get()
    if transaction is not None:
        return await transaction.connection.fetch(sql, *values)
    if database.pool is None:
        return await database._run_in_new_connection(sql, values)
    connection = await database.pool.acquire()
    try:
        return await connection.fetch(sql, *values)
    finally:
        await database.pool.release(connection, timeout=GIVE_BACK_S)


async def row(sql: str, *values: Any) -> Record | None:
    """The first row of one fixed statement, or None."""
    found = await rows(sql, *values)
    return found[0] if found else None


async def the_row(sql: str, *values: Any) -> Record:
    """The one row of a fixed statement that always has one: an insertion, a figure."""
    found = await row(sql, *values)
    if found is None:
        raise LookupError(f"no row where there must be one: {sql}")
    return found


async def next_id(table: str) -> int:
    """The id that the next row of `table` gets: for values that are bound to their row before it is there."""
    return (await the_row("SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id", table))["id"]


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """One intention, whole or not at all. Never nested (an inner error that was caught would still commit the rest);
    what was given to `after_commit` meanwhile is begun once the outcome is certain, and nobody waits for it.

    Piccolo's own transaction would keep the connection, and stay the current one, when its end fails."""
    database = engine()
    held = PostgresTransaction(database, allow_nested=False)
    if database.pool is None:
        raise RuntimeError("a transaction needs the pool: call open_pool first")
    waiting: list[AfterCommit] = []
    connection = held.connection = await database.pool.acquire()
    try:
        async with connection.transaction():
            current, mark = database.current_transaction.set(held), _after_commit.set(waiting)
            try:
                yield
            finally:
                _after_commit.reset(mark)
                database.current_transaction.reset(current)
    finally:
        await database.pool.release(connection, timeout=GIVE_BACK_S)
    if waiting:
        begin(waiting)


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """A part of the open transaction that may fail by itself: then it is undone, with what it gave to `after_commit`,
    and the rest goes on. RuntimeError outside of a transaction."""
    held, waiting = engine().current_transaction.get(), _after_commit.get()
    if held is None or waiting is None:
        raise RuntimeError("savepoint outside of a transaction")
    before = len(waiting)
    try:
        async with held.connection.transaction():
            yield
    except BaseException:
        del waiting[before:]
        raise


def begin(calls: Sequence[AfterCommit]) -> None:
    """Begins the calls, one after the other; nobody waits for them but `all_told`."""
    task = asyncio.create_task(tell(calls))
    _telling.add(task)
    task.add_done_callback(_telling.discard)


def after_commit(call: AfterCommit) -> None:
    """Begins `call` after the open transaction has been committed; drops it with the transaction if it is not. The
    same function given twice is begun once."""
    waiting = _after_commit.get()
    if waiting is None:
        raise RuntimeError("after_commit outside of a transaction")
    if call not in waiting:  # forty messages of one transaction wake their sender once
        waiting.append(call)


async def tell(calls: Sequence[AfterCommit]) -> None:
    """Makes the calls one after the other; the change they tell of stands whatever becomes of them."""
    for call in calls:
        try:
            await call()
        except Exception:
            log.exception("a change was made, but could not be told")


async def all_told(within_s: float = 1) -> None:
    """Waits for what commits have begun, at the end of a process."""
    given_up = time.monotonic() + within_s
    while _telling and time.monotonic() < given_up:  # what is told may begin to tell
        await asyncio.wait(_telling, timeout=given_up - time.monotonic())


async def leave_as_it_is(_: Connection) -> None:
    """What a connection needs before somebody else gets it: nothing. Nobody here sets anything that outlives its
    transaction, and what was left open asyncpg rolls back by itself; its usual reset is a second journey to the
    server after every statement."""


async def open_pool(size: int, statement_s: float = 30) -> None:
    """Connects up to `size` times, refuses a role that may do everything, and takes over the database's clock.

    statement_s: seconds a statement may take. Raises RuntimeError when connected as a superuser or as the owner of
    the tables: a locked log would then be locked by courtesy only."""
    await engine().start_connection_pool(min_size=0, max_size=size, command_timeout=statement_s, reset=leave_as_it_is)
    found = await row("""
        SELECT r.rolsuper OR EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid
                                     AND c.relnamespace = 'public'::regnamespace) AS too_mighty,
               (SELECT offset_s FROM clock) AS offset_s, current_user AS name
        FROM pg_roles r WHERE r.rolname = current_user""")
    if found is None or found["too_mighty"]:
        raise RuntimeError(
            f"DATABASE_URL connects as {found['name'] if found else '?'}, an owner or superuser: use ebranch_app")
    set_offset(found["offset_s"])
