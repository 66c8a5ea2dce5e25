"""Recomputing the chains of the evidence: what was edited, removed or put into another order is named."""
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Connection

from server.core.audit import GENESIS, SPELLED, digest

AT_ONCE = 2000  # rows that are in memory at the same time
SEALS = f"""
SELECT s.chain, s.number, s.event_id, s.digest, e.chain, {SPELLED} AS spelled
FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id ORDER BY s.chain, s.number"""
UNSEALED = """
SELECT count(*) AS events, min(at) AS since FROM audit_event e
WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id)"""


@dataclass(frozen=True)
class Finding:
    """What a verification found: how much stands as it was sealed, how much is not sealed yet and since when, and the
    first place that is wrong."""

    sealed: int
    chains: int
    unsealed: int = 0
    since: datetime | None = None
    fault: str | None = None


async def verify(connection: Connection, advance: Callable[[int], object] = lambda _: None) -> Finding:
    """Recomputes every chain, in constant memory and on one state of the database; stops at the first wrong place.

    advance: is told how many rows have been looked at. What has been cut off the end of a chain together with its seals
    leaves no trace in the database itself."""
    async with connection.transaction(readonly=True, isolation="repeatable_read"):
        sealed = chains = 0
        chain, number, previous = None, 0, GENESIS
        async with aclosing(sealed_events(connection)) as found:
            async for seal in found:
                if seal[0] != chain:
                    chain, number, previous, chains = seal[0], 0, GENESIS, chains + 1
                if fault := wrong(seal, number + 1, previous):
                    return Finding(sealed, chains, fault=f"chain {chain}, number {number + 1}: {fault}")
                number, previous, sealed = number + 1, seal[3], sealed + 1
                if sealed % AT_ONCE == 0:
                    advance(sealed)
        rest = await connection.fetchrow(UNSEALED)
        return Finding(sealed, chains, rest["events"], rest["since"])


def wrong(seal: tuple[Any, ...], number: int, previous: bytes) -> str | None:
    """What is wrong with a row of SEALS that should be the `number`-th of its chain, or None."""
    chain, its_number, event_id, its_digest, its_chain, spelled = seal
    if its_number != number:
        return f"a seal is missing (the next one is number {its_number})"
    if its_chain is None:
        return f"event {event_id} has been removed"
    if its_chain != chain or digest(previous, spelled) != its_digest:
        return f"event {event_id} is not what was sealed here"
    return None


async def sealed_events(connection: Connection) -> AsyncGenerator[tuple[Any, ...], None]:
    """Every seal with its event, chain by chain."""
    async for found in connection.cursor(SEALS, prefetch=AT_ONCE):
        yield tuple(found)
