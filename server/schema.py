"""The schema: our migrations, run as the owner, one process at a time."""
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout
from io import StringIO
from pkgutil import iter_modules

import asyncpg

from server import migrations, rules  # noqa: F401  (rules: every domain's deadlines, for the database to know)
from server.core import database, deadlines
from server.embedded import CannotServe
from server.piccolo_conf import DB, wait_for_database
from server.settings import settings

ONE_AT_A_TIME = 20140610  # the key of the lock that migrations hold


@asynccontextmanager
async def as_owner(url: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    """Piccolo as ebranch_owner in one transaction, which one process at a time may hold.

    url: of another database than the settings'."""
    url = url or settings.database_owner_url
    await wait_for_database(url)
    DB.config["dsn"] = url
    try:
        async with DB.transaction() as transaction:
            await database.rows("SELECT pg_advisory_xact_lock($1)", ONE_AT_A_TIME)
            yield transaction.connection
    finally:
        DB.config["dsn"] = settings.database_url


async def go_forwards(to: str = "all") -> None:
    """Runs the migrations up to `to`, in the transaction of `as_owner`; CannotServe, with the reason, if one fails."""
    from piccolo.apps.migrations.commands.forwards import run_forwards  # here: a formatter comes with it

    with redirect_stdout(StringIO()) as said:  # what Piccolo has to tell is for its own developers
        done = await run_forwards("ebranch", to)
    if not done.success:
        raise CannotServe(f"The migration failed: {done.message}\n{said.getvalue()}")


async def migrate() -> None:
    """Brings the schema up to date: all of it, or nothing."""
    async with as_owner() as connection:
        await go_forwards()
        await deadlines.sync_rules(connection)


def known() -> list[str]:
    """The ids of all migrations that this program has, in order."""
    return sorted(module.name[1:5] for module in iter_modules(migrations.__path__))
