"""Evidence: append-only rows, written in the transaction of the change they prove, sealed into hash chains.

One chain per committee and one for the platform, so that a committee's chain can be handed over by itself. The worker
has the database seal within seconds; holding a chain's head inside every check-in would cost most of its speed."""
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from server.core import crypto
from server.core.database import rows, the_row

PLATFORM = "platform"
LATE_COMMITS = 10_000  # ids
GENESIS = bytes(32)
COMMITMENT = "commitment"  # before and after say {"commitment": "…"}: SHA-256 over 64 hex digits of salt and the value

COLUMNS = """chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id, before, after,
    why, source, acting_for"""
RECORD = f"""INSERT INTO audit_event ({COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id"""
KEEP = """INSERT INTO audit_value (id, event_id, commitment, value) OVERRIDING SYSTEM VALUE
SELECT id, $1, commitment, value FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) AS v (id, commitment, value)"""

# What is sealed of an event: JSON, in this order (the database's own audit_spelled says the same). Spelled by the
# server and digested here, so that a verification needs no more of the database than the rows.
SPELLED = """'[' || concat_ws(',', e.id, to_json(e.chain), coalesce(e.account_id::text, 'null'), to_json(e.person_name),
    to_json(e.role), coalesce(e.organisation_id::text, 'null'), to_json(e.verb), to_json(e.subject_kind),
    e.subject_id, coalesce(to_json(e.before::text)::text, 'null'), coalesce(to_json(e.after::text)::text, 'null'),
    coalesce(to_json(e.why)::text, 'null'), to_json(e.source),
    CASE WHEN isfinite(e.at) THEN (extract(epoch FROM e.at) * 1000000)::bigint::text ELSE e.at::text END,
    to_json(e.acting_for)) || ']'"""

crypto.ENCRYPTED.append(crypto.Column("audit_value", "value"))


@dataclass(frozen=True, repr=False)
class Personal:
    """A value that says something about a person; what stands in the event itself is a commitment to it."""

    value: str


@dataclass
class Commitments:
    """What an event has been given in confidence: each salted value and its commitment."""

    salted: list[tuple[bytes, str]] = field(default_factory=list)

    def commit(self, personal: Personal) -> dict[str, str]:
        salted = secrets.token_hex(32) + personal.value
        commitment = sha256(salted.encode()).digest()
        self.salted.append((commitment, salted))
        return {COMMITMENT: commitment.hex()}



def personal(value: object) -> Personal | None:
    """Put as a value into before and after for whatever says something about a person (an ID number, a phone, the name
    of somebody else, typed words about somebody): it enters as a salted commitment, the value is kept encrypted beside
    it, and an erasure of it leaves the chain valid. None stays None."""
    return None if value is None else Personal(str(value))


def chain_of(committee_id: int | None) -> str:
    """The chain that evidence under this committee goes to; above all committees it is the platform's."""
    return PLATFORM if committee_id is None else f"committee-{committee_id}"


def refuse(_: Personal) -> dict[str, str]:
    raise ValueError("personal values need audit.record")


def values(
    actor: Any, verb: str, subject_kind: str, subject_id: int, *, chain: str | None = None,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None, why: str | None = None,
    commit: Callable[[Personal], dict[str, str]] = refuse,
) -> tuple[Any, ...]:
    """The values of COLUMNS, for actions that write their evidence in the same statement as their change.

    commit: makes a commitment of a personal value; without it there can be none (ValueError)."""
    def plain(value: object) -> object:
        return commit(value) if isinstance(value, Personal) else str(value)

    return (
        chain or chain_of(actor.committee_id), actor.account_id, actor.name, str(actor.role), actor.organisation_id,
        verb, subject_kind, subject_id,
        None if before is None else json.dumps(before, ensure_ascii=False, default=plain),
        None if after is None else json.dumps(after, ensure_ascii=False, default=plain),
        why, actor.source, actor.acting_for,
    )


async def record(
    actor: Any, verb: str, subject_kind: str, subject_id: int, *, chain: str | None = None,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None, why: str | None = None,
) -> int:
    """Writes that `actor` did `verb` to the subject; must stand in the transaction of the change itself. Returns the
    event's id.

    before, after: what differs; personal values in them as `personal(value)`. chain: the chain it belongs to when that
    is not the actor's own committee's. Each verb has its Chinese words in server/evidence/words.py."""
    given = Commitments()
    event = await the_row(RECORD, *values(actor, verb, subject_kind, subject_id, chain=chain, before=before,
                                          after=after, why=why, commit=given.commit))
    if given.salted:
        await keep(event["id"], given.salted)
    return event["id"]


async def keep(event_id: int, salted: list[tuple[bytes, str]]) -> None:
    """Keeps the personal values of an event beside it, salt and value encrypted together."""
    ids = [one["id"] for one in await rows(
        "SELECT nextval('audit_value_id_seq') AS id FROM generate_series(1, $1::int)", len(salted))]
    await rows(KEEP, event_id, ids, [commitment for commitment, _ in salted],
               [crypto.encrypt(value, table="audit_value", column="value", row_id=row_id)
                for row_id, (_, value) in zip(ids, salted, strict=True)])


def digest(previous: bytes, spelled: str) -> bytes:
    """SHA-256 over the previous digest and an event as it is SPELLED."""
    return sha256(previous + spelled.encode()).digest()


async def seal(batch: int = 1000, *, looking_back: int | None = LATE_COMMITS) -> int:
    """Has unsealed events appended to their chains, oldest first; returns how many. Two sealers never run at once.

    looking_back: how many ids below the newest sealed one may still have been committed late; None looks at all."""
    sealed = await the_row("SELECT seal_events($1, $2) AS events", batch,
                           2**62 if looking_back is None else looking_back)
    return sealed["events"]
