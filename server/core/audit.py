"""Evidence: append-only rows, written in the transaction of the change they prove, sealed into hash chains.

One chain per committee and one for the platform, so that a committee's chain can be handed over by itself. The worker
seals within seconds; holding a chain's head inside every check-in would cost most of its speed."""
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from server.core.database import row, rows, the_row, transaction

PLATFORM = "platform"
SEALING_LOCK = 7_001  # advisory lock: one sealer at a time
LATE_COMMITS = 10_000  # ids
GENESIS = bytes(32)

COLUMNS = """chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id, before, after,
    why, source"""
RECORD = f"INSERT INTO audit_event ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"

# What is sealed of an event, in this order.
EVENT_COLUMNS = """e.id, e.chain, e.account_id, e.person_name, e.role, e.organisation_id, e.verb, e.subject_kind,
    e.subject_id, e.before::text, e.after::text, e.why, e.source,
    (extract(epoch FROM e.at) * 1000000)::bigint AS at_us"""
spelled = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def chain_of(committee_id: int | None) -> str:
    """The chain that evidence under this committee goes to; above all committees it is the platform's."""
    return PLATFORM if committee_id is None else f"committee-{committee_id}"


def values(
    actor: Any, verb: str, subject_kind: str, subject_id: int, *, chain: str | None = None,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None, why: str | None = None,
) -> tuple[Any, ...]:
    """The values of COLUMNS, for actions that write their evidence in the same statement as their change."""
    return (
        chain or chain_of(actor.committee_id), actor.account_id, actor.name, str(actor.role), actor.organisation_id,
        verb, subject_kind, subject_id,
        None if before is None else json.dumps(before, ensure_ascii=False, default=str),
        None if after is None else json.dumps(after, ensure_ascii=False, default=str),
        why, actor.source,
    )


async def record(
    actor: Any, verb: str, subject_kind: str, subject_id: int, *, chain: str | None = None,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None, why: str | None = None,
) -> None:
    """Writes that `actor` did `verb` to the subject; must stand in the transaction of the change itself.

    chain: the chain it belongs to when that is not the actor's own committee's."""
    await rows(RECORD, *values(actor, verb, subject_kind, subject_id, chain=chain, before=before, after=after, why=why))


def digest(previous: bytes, event: Sequence[Any]) -> bytes:
    """SHA-256 over the previous digest and the values of EVENT_COLUMNS, in one canonical spelling."""
    return sha256(previous + spelled(tuple(event)).encode()).digest()


async def seal(batch: int = 1000, *, looking_back: int | None = LATE_COMMITS) -> int:
    """Appends unsealed events to their chains, oldest first; returns how many. Two sealers never run at once.

    looking_back: how many ids below the newest sealed one may still have been committed late; None looks at all."""
    async with transaction():
        if not (await the_row("SELECT pg_try_advisory_xact_lock($1) AS mine", SEALING_LOCK))["mine"]:
            return 0
        events = await rows(f"""
            SELECT {EVENT_COLUMNS} FROM audit_event e LEFT JOIN audit_seal s ON s.event_id = e.id
            WHERE s.event_id IS NULL AND e.id > coalesce((SELECT max(event_id) FROM audit_seal) - $2, 0)
            ORDER BY e.id LIMIT $1""", batch, 2**62 if looking_back is None else looking_back)
        heads: dict[str, tuple[int, bytes]] = {}
        seals = []
        for event in events:
            chain = event["chain"]
            if chain not in heads:
                head = await row(
                    "SELECT number, digest FROM audit_seal WHERE chain = $1 ORDER BY number DESC LIMIT 1", chain)
                heads[chain] = (head["number"], head["digest"]) if head else (0, GENESIS)
            number, previous = heads[chain]
            heads[chain] = (number + 1, digest(previous, event))
            seals.append((chain, number + 1, event["id"], heads[chain][1]))
        if seals:
            chains, numbers, ids, digests = zip(*seals, strict=True)
            await rows(
                "INSERT INTO audit_seal (chain, number, event_id, digest)"
                " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[])",
                list(chains), list(numbers), list(ids), list(digests))
    return len(seals)
