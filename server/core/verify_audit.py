"""Recomputing the chains of the evidence, and holding them against the personal values kept beside them and the signed
checkpoints: what was edited, removed, put into another order, cut off, sealed anew or emptied is named by its first
place."""
import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from asyncpg import Connection, Record
from cryptography.exceptions import InvalidTag

from server.core import checkpoints, crypto
from server.core.audit import GENESIS, SPELLED, digest
from server.core.audit_faults import Fault
from server.core.checkpoints import Checkpoint, Forged

AT_ONCE = 2000  # rows that are in memory at the same time
SEALS = f"""
SELECT s.chain, s.number, s.event_id, s.digest, e.chain, {SPELLED} AS spelled
FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id ORDER BY s.chain, s.number"""
UNSEALED = """
SELECT count(*) AS events, min(at) AS since FROM audit_event e
WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id)"""
VALUES = """
SELECT v.id, v.event_id, v.commitment, v.value, erasure.verb = 'erase_values' AS erased,
       strpos(concat(e.before, e.after), encode(v.commitment, 'hex')) > 0 AS committed
FROM audit_value v JOIN audit_event e ON e.id = v.event_id LEFT JOIN audit_event erasure ON erasure.id = v.erased_by
ORDER BY v.id"""
VALUE_GONE = """
SELECT e.id FROM audit_event e
CROSS JOIN LATERAL jsonb_path_query(jsonb_build_array(e.before, e.after), '$.**.commitment') AS c
WHERE concat(e.before, e.after) LIKE '%"commitment"%' AND NOT EXISTS (
    SELECT FROM audit_value v WHERE v.event_id = e.id AND encode(v.commitment, 'hex') = c #>> '{}')
ORDER BY e.id LIMIT 1"""
ERASED = """
SELECT e.id FROM audit_event e LEFT JOIN audit_value v ON v.erased_by = e.id
LEFT JOIN audit_event about ON about.id = v.event_id
WHERE e.verb = 'erase_values' GROUP BY e.id
HAVING count(v.id)::text IS DISTINCT FROM e.after ->> 'values'
    OR bool_or((about.subject_kind, about.subject_id) IS DISTINCT FROM (e.subject_kind, e.subject_id)
               OR e.after ? 'event' AND about.id::text IS DISTINCT FROM e.after ->> 'event')
ORDER BY e.id LIMIT 1"""
NUMBERS = "SELECT number FROM audit_checkpoint"
KEPT = "SELECT body, signature FROM audit_checkpoint WHERE number = $1"


@dataclass
class Finding:
    """What a verification found: how much stands as it was sealed, how much is not sealed yet and since when, what
    the checkpoints say, and what is wrong, the chains' first wrong place before the checkpoints'."""

    sealed: int = 0
    chains: int = 0
    unsealed: int = 0
    since: datetime | None = None
    checkpoints: int = 0
    signed_at: datetime | None = None  # the newest checkpoint's moment
    notes: list[Fault] = field(default_factory=list)  # what is no fault, but has to be told
    faults: list[Fault] = field(default_factory=list)

    @property
    def fault(self) -> str | None:
        return str(self.faults[0]) if self.faults else None


async def verify(connection: Connection, advance: Callable[[int], object] = lambda _: None, *,
                 file: Path | None = None) -> Finding:
    """Recomputes every chain up to the first wrong place, and asks the checkpoints, in constant memory and on one state
    of the database.

    advance: is told how many rows have been looked at. file: the checkpoint to ask; without it all that are kept in
    the folder and in the database. What was cut off since the last checkpoint, its seals with it, leaves no trace.
    OSError when the file can't be read."""
    found = Finding()
    in_folder = {} if file else dict(checkpoints.files())  # first: what is written meanwhile is of a later state
    async with connection.transaction(readonly=True, isolation="repeatable_read"):
        await recompute(connection, found, advance)
        await look_at_values(connection, found)
        rest = await connection.fetchrow(UNSEALED)
        found.unsealed, found.since = rest["events"], rest["since"]
        if file:
            await ask_one(connection, found, file)
        else:
            await ask_all(connection, found, in_folder)
    return found


async def recompute(connection: Connection, found: Finding, advance: Callable[[int], object]) -> None:
    """Every chain, row by row, until one is wrong."""
    chain, number, previous = None, 0, GENESIS
    async with aclosing(sealed_events(connection)) as lots:
        async for lot in lots:
            for seal in lot:
                its_chain, its_number, _, its_digest, event_chain, spelled = seal
                if its_chain != chain:
                    chain, number, previous, found.chains = its_chain, 0, GENESIS, found.chains + 1
                number += 1
                if its_number != number or event_chain != its_chain or digest(previous, spelled) != its_digest:
                    found.faults.append(wrong(seal, number))
                    return
                previous, found.sealed = its_digest, found.sealed + 1
            advance(found.sealed)


def wrong(seal: Record, number: int) -> Fault:
    """What is wrong with a row of SEALS that should be the `number`-th of its chain, and is not or does not fit."""
    its_chain, its_number, event_id, _, event_chain, _ = seal
    facts = {"chain": its_chain, "number": number, "event": event_id}
    if its_number != number:
        return Fault("seal missing", facts | {"next": its_number})
    return Fault("removed" if event_chain is None else "edited", facts)


async def sealed_events(connection: Connection) -> AsyncGenerator[list[Record], None]:
    """Every seal with its event, chain by chain, so many at once; the database spells the next ones meanwhile."""
    cursor = await connection.cursor(SEALS)
    coming = asyncio.create_task(cursor.fetch(AT_ONCE))
    try:
        while lot := await coming:
            coming = asyncio.create_task(cursor.fetch(AT_ONCE))
            await asyncio.sleep(0)  # until it is asked for
            yield lot
    finally:
        await asyncio.gather(coming, return_exceptions=True)


async def look_at_values(connection: Connection, found: Finding) -> None:
    """Holds the personal values kept beside the events against what the sealed events are committed to."""
    async for kept in connection.cursor(VALUES, prefetch=AT_ONCE):
        if not (kept["committed"] and (kept["erased"] if kept["value"] is None else is_what_was_committed(kept))):
            found.faults.append(Fault("value other", {"event": kept["event_id"]}))
            return
    for kind, query in (("value gone", VALUE_GONE), ("erased more", ERASED)):
        if (event := await connection.fetchval(query)) is not None:
            found.faults.append(Fault(kind, {"event": event}))


def is_what_was_committed(kept: Record) -> bool:
    """Whether a row of VALUES, opened, is what its commitment says."""
    try:
        salted = crypto.decrypt(kept["value"], table="audit_value", column="value", row_id=kept["id"])
    except (crypto.MissingKey, InvalidTag):
        return False
    return sha256(salted.encode()).digest() == kept["commitment"]


async def ask_one(connection: Connection, found: Finding, file: Path) -> None:
    """Holds the chains against one checkpoint, wherever it was kept."""
    try:
        checkpoint = checkpoints.read(file)
    except Forged as problem:
        found.faults.append(Fault(str(problem), {"name": str(file)}))
        return
    found.checkpoints, found.signed_at = 1, checkpoint.at
    if differing := await connection.fetchrow(checkpoints.DIFFERING, *checkpoints.changed(checkpoint, {})):
        found.faults.append(checkpoints.contradiction(checkpoint, differing))
    kept = await connection.fetchrow(KEPT, checkpoint.number)
    if kept is None or kept["body"] != checkpoint.body:
        found.faults.append(Fault("two" if kept else "not kept", {"name": f"checkpoint {checkpoint.number}"}))


async def ask_all(connection: Connection, found: Finding, in_folder: dict[int, Path]) -> None:
    """Holds the chains against every checkpoint there is, the newest first, and each checkpoint against its follower.

    What is told is the oldest checkpoint that is contradicted, for that is nearest to the wrong place."""
    in_database = {one["number"] for one in await connection.fetch(NUMBERS)}
    there = in_database | in_folder.keys()
    newest_kept, newest = max(in_database, default=0), max(there, default=0)
    follower, contradicted, stands, number = None, None, None, newest
    while number:
        if number not in there:
            found.faults.append(Fault("gone", {"name": f"checkpoint {number}"}))
            follower = None
            number = max((one for one in there if one < number), default=0)
            continue
        try:
            checkpoint = await kept_as(connection, number, in_folder.get(number), in_database=number <= newest_kept)
        except Forged as problem:
            found.faults.append(Fault(str(problem), {"name": f"checkpoint {number}"}))
            follower, number = None, number - 1
            continue
        found.checkpoints, found.signed_at = found.checkpoints + 1, found.signed_at or checkpoint.at
        if follower and follower.previous != checkpoint.digest:
            found.faults.append(Fault("does not follow", {"name": f"checkpoint {follower.number}"}))
        asked = checkpoints.changed(checkpoint, follower.heads if follower else {})
        if differing := await connection.fetchrow(checkpoints.DIFFERING, *asked):
            contradicted, stands = checkpoints.contradiction(checkpoint, differing), None
        elif contradicted and stands is None:
            stands = Fault("stands", checkpoints.named(checkpoint))
        if checkpoint.restored_to is None:
            follower, number = checkpoint, number - 1
        else:
            found.notes.append(Fault("put back", checkpoints.named(checkpoint) | {
                "restored_to": checkpoint.restored_to, "why": checkpoint.why}))
            follower, number = None, checkpoint.restored_to
    if contradicted:
        found.faults.append(replace(contradicted, beside=stands))
    if newest > newest_kept:
        found.faults.append(Fault("older state", {"kept": newest_kept, "number": newest}))


async def kept_as(connection: Connection, number: int, path: Path | None, *, in_database: bool) -> Checkpoint:
    """The checkpoint of this number from the folder and the database. Forged when one of them is not ours, they differ,
    or the database, where it should be, does not have it."""
    kept = await connection.fetchrow(KEPT, number)
    if kept is None and (in_database or path is None):
        raise Forged("gone")
    both = ([checkpoints.opened(kept["body"], kept["signature"])] if kept else []) + (
        [checkpoints.read(path)] if path else [])
    if any(one.number != number for one in both) or len({one.body for one in both}) > 1:
        raise Forged("two")
    return both[0]
