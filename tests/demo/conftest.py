"""A database without the cast, and one with the demonstration in it."""
import pytest

from server.demo import load

NOW = "2026-11-22 10:00"
STAYS = ("clock", "calendar_day", "calendar_confirmation", "deadline_rule", "migration")


@pytest.fixture
async def empty(owner):
    """A connection as the owner of a database in which nothing has happened yet."""
    tables = [found["tablename"] for found in await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL($1)", STAYS)]
    async with owner.transaction():
        for what in ("DISABLE", "ENABLE"):
            for table in tables:
                await owner.execute(f"ALTER TABLE {table} {what} TRIGGER USER")
            if what == "DISABLE":
                await owner.execute(f"TRUNCATE {', '.join(tables)}")
    return owner


@pytest.fixture
async def demonstration(empty, at):
    """A connection as the owner of the demonstration, whose present is NOW."""
    await load(empty, await at(NOW))
    return empty
