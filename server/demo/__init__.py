"""The demonstration: real places, invented people, a year of their meetings. `make run` loads it into the empty
embedded database, `EBRANCH_DEMO=1` into an own server, and nothing else does.

It is made of parts, loaded once each and in order, so that an older demonstration is brought up to date by the parts
it does not have yet. What a later version of the product shows is a new part, never a change of one that is out."""
from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg
from asyncpg import Connection

from server.demo import (
    disclosed,
    evidence,
    meetings,
    messages,
    numbers,
    officers,
    places,
    readers,
    residents,
    villages,
)
from server.settings import settings

Part = Callable[[Connection, datetime], Awaitable[None]]

PARTS: tuple[tuple[str, Part], ...] = (
    ("places", places.load),
    ("people", residents.load),
    ("meetings", meetings.load),
    ("numbers", numbers.load),
    ("messages", messages.load),
    ("evidence", evidence.load),
    ("officers", officers.load),
    ("villages", villages.load),
    ("disclosures", disclosed.load),
    ("readers", readers.load),
)
LOADED = """
CREATE TABLE IF NOT EXISTS demonstration (
    part text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT ebranch_now()
)"""
EVIDENCE = """
INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, why, source)
VALUES ('platform', '演示数据', '', 'load_demonstration', 'demonstration', 0, $1, 'ebranch demo')"""
ONE_AT_A_TIME = 20140611  # the key of the lock a loading holds


class NotHere(SystemExit):
    """Why the demonstration is not loaded into this database; its message is the one line the console shows."""


async def load(connection: Connection | None = None, now: datetime | None = None) -> list[str]:
    """Loads the parts that are missing, in one transaction, as the tables' owner; returns their names.

    Without arguments: into the database of DATABASE_OWNER_URL, ending at the present moment of its clock. NotHere if
    an own server was not meant to have a demonstration, or is in use already."""
    if connection is None:
        if not settings.demo:
            raise NotHere("An own server gets the demonstration only if EBRANCH_DEMO=1 is set.")
        try:
            connection = await asyncpg.connect(settings.database_owner_url)
        except (OSError, asyncpg.PostgresError) as silence:
            raise NotHere(f"The database can't be used: {silence}") from None
        try:
            return await load(connection)
        finally:
            await connection.close()
    if await connection.fetchval("SELECT to_regclass('meeting')") is None:
        raise NotHere("This database has no tables yet: run `ebranch migrate` first.")
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", ONE_AT_A_TIME)
        await connection.execute(LOADED)
        loaded = {row["part"] for row in await connection.fetch("SELECT part FROM demonstration")}
        if not loaded and await connection.fetchval("SELECT EXISTS (SELECT FROM organisation)"):
            raise NotHere("This database holds organisations that are not the demonstration's: nothing was loaded.")
        moment = now or await connection.fetchval("SELECT ebranch_now()")
        missing = [(name, part) for name, part in PARTS if name not in loaded]
        for name, part in missing:
            await part(connection, moment)
            await connection.execute("INSERT INTO demonstration (part) VALUES ($1)", name)
            await connection.execute(EVIDENCE, name)
    return [name for name, _ in missing]
