"""A fresh database for a test, or for a module of tests that leave nothing behind."""
import asyncio
import os
import warnings
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import asyncpg

from tests.servers import url

CLOSING_S = 20
_number = iter(range(10**9))


@asynccontextmanager
async def connected(role: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own to a test's database."""
    connection = await asyncpg.connect(url(role, name))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def fresh_database() -> AsyncIterator[str]:
    """The name of a new copy of the template, with the cast in it; the application is connected to it meanwhile."""
    from server.core import calendar_days, clock
    from server.disclosure import calendar_view

    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{next(_number)}"
    admin = await asyncpg.connect(url("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE ebranch OWNER ebranch_owner STRATEGY FILE_COPY")
    await admin.execute(f"GRANT CONNECT ON DATABASE {name} TO ebranch_app")
    calendar_days._read = None
    calendar_view._shown.clear()
    try:
        await enter_pool(url("ebranch_app", name), 6)
        yield name
    finally:
        await leave_pool()
        clock.set_offset(0)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def enter_pool(address: str, size: int) -> None:
    """Connects the application to a database; a pool or a client of Redis that another test left behind, in a loop that
    may be closed, is told of, and fails none."""
    from server.core import database as core
    from server.core import live
    from server.piccolo_conf import DB

    for left in (DB.pool, live._redis):
        if left is not None:
            warnings.warn(f"left behind: {left}", stacklevel=2)
    DB.config["dsn"], DB.pool, live._redis = address, None, None
    await core.open_pool(size)


async def leave_pool() -> None:
    """Closes the client of Redis and the pool of connections; what a test left running in it may fail that test, and no
    other."""
    from server.core import live
    from server.piccolo_conf import DB

    await live.close()
    pool, DB.pool = DB.pool, None
    if pool is None:
        return
    try:
        await asyncio.wait_for(pool.close(), CLOSING_S)
    except TimeoutError:
        pool.terminate()
        raise


# What pages note on the way, and what nothing but a migration fills.
NOT_LOOKED_AT = ("clock", "session", "parked_form", "last_seen", "calendar_day", "unit")


async def fingerprint(connection: asyncpg.Connection) -> dict[str, tuple[int, int]]:
    """Every table with its count and a sum over its rows: differs whenever anything was changed. As the owner."""
    tables = await connection.fetch("""
        SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> ALL($1)""", NOT_LOOKED_AT)
    return await sums(connection, [name for (name,) in tables])


async def sums(
        connection: asyncpg.Connection, tables: Iterable[str], row: str = "t::text") -> dict[str, tuple[int, int]]:
    """Of each table the count and a sum over its rows (`row` of one of them, t), by the table's name: what is asked of
    many tables at once is answered in the order in which they were done.
    """
    every = await connection.fetch(" UNION ALL ".join(
        f"SELECT '{name}', count(*), coalesce(sum(hashtextextended({row}, 0)), 0)::text FROM {name} t"
        for name in tables))
    return {name: (count, int(total)) for name, count, total in every}
