"""Verifying on an auditor's wish: asked for on the page, carried out once by the worker, its progress to be seen."""
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import asyncpg

from server.core import audit, effects
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.verify_audit import verify
from server.settings import settings

VERIFICATION = "verify_audit"  # the effect
LONGEST = timedelta(minutes=10)  # then a verification that has not ended is given up, and another may be asked for
TOLD_EVERY_S = 0.5


async def ask(actor: Actor) -> None:
    """Asks for a verification; while one runs, that one serves."""
    async with transaction():
        await rows("""UPDATE audit_verification SET ended_at = ebranch_now(), finding = '{"given_up": true}'
                      WHERE ended_at IS NULL AND asked_at < ebranch_now() - $1::interval""", LONGEST)
        asked = await row("""INSERT INTO audit_verification (asked_by) VALUES ($1)
                             ON CONFLICT DO NOTHING RETURNING id""", actor.signature)
        if asked:
            await audit.record(actor, "verify_audit", "verification", asked["id"])
            await effects.later(f"verification:{asked['id']}", VERIFICATION, {"id": asked["id"]}, now())


@effects.carries(VERIFICATION)
async def carry_out(payload: dict[str, Any]) -> None:
    """Verifies on a connection of its own, for it needs one state of the database from beginning to end."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with telling(payload["id"], await connection.fetchval("SELECT count(*) FROM audit_seal")) as advance:
            found = asdict(await verify(connection, advance))
    finally:
        await connection.close()
    await rows("""UPDATE audit_verification SET ended_at = ebranch_now(), looked_at = $2, finding = $3
                  WHERE id = $1 AND ended_at IS NULL""",
               payload["id"], found["sealed"], json.dumps(found, ensure_ascii=False, default=str))


@asynccontextmanager
async def telling(verification: int, of_all: int) -> AsyncIterator[Any]:
    """How far it has come, told outside of the effect's own transaction, where it can be seen at once."""
    looked_at = 0

    def advance(done: int) -> None:
        nonlocal looked_at
        looked_at = done

    async def tell() -> None:
        while True:
            await progress.execute("UPDATE audit_verification SET looked_at = $2, of_all = $3 WHERE id = $1",
                                   verification, looked_at, of_all)
            await asyncio.sleep(TOLD_EVERY_S)

    progress = await asyncpg.connect(settings.database_url)
    telling_it = asyncio.create_task(tell())
    try:
        yield advance
    finally:
        telling_it.cancel()
        await asyncio.gather(telling_it, return_exceptions=True)
        await progress.close()
