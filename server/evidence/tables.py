"""The evidence as an auditor sees it: what was done in the own department's subtree, read only.

Whose organisation has none of its own (what the machine's operators did) is for the province's auditor."""
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from asyncpg import Record

from server.core.actor import Actor
from server.core.audit import GENESIS, SPELLED
from server.core.clock import day_begins
from server.core.database import row, rows
from server.organisations.rules import OrganisationKind

PAGE = 30
EVENT = """e.id, e.at, e.person_name, e.acting_for, e.role, e.verb, e.subject_kind, e.subject_id, e.before::text,
    e.after::text, e.why, e.source, o.name AS organisation, s.number AS sealed"""
LISTED = """FROM audit_event e LEFT JOIN organisation o ON o.id = e.organisation_id
LEFT JOIN audit_seal s ON s.event_id = e.id"""
# A condition for each thing that may be searched by; {} is the number of its value.
CONDITIONS = {
    "name": """(e.person_name = {0} OR e.acting_for = {0} OR (e.subject_kind, e.subject_id) IN (
        SELECT 'person', p.id FROM person p WHERE p.name = {0} UNION ALL
        SELECT 'account', a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.name = {0}))""",
    "verb": "e.verb = {0}",
    "kind": "e.subject_kind = {0}",
    "number": "e.subject_id = {0}",
    "since": "e.at >= {0}",
    "until": "e.at < {0}",
    "paths": "o.path LIKE ANY({0})",
}
# What an object is called, by its kind.
NAMES = {
    "account": "SELECT a.id, p.name FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = ANY($1)",
    "person": "SELECT id, name FROM person WHERE id = ANY($1)",
    "organisation": "SELECT id, name FROM organisation WHERE id = ANY($1)",
    "meeting": "SELECT id, topic AS name FROM meeting WHERE id = ANY($1)",
}


def sees_all(actor: Actor) -> bool:
    """Whether the whole evidence is the actor's: the province's department."""
    return actor.organisation_kind == OrganisationKind.PROVINCE


async def events(actor: Actor, asked: dict[str, Any], after: tuple[datetime, int] | None) -> list[Record]:
    """A page of the evidence that fits everything `asked` (keys of CONDITIONS), newest first, and one more where there
    are more. after: where the page before ended."""
    values: list[Any] = []
    conditions = []
    for name, value in asked.items():
        values.append(value)
        conditions.append(CONDITIONS[name].format(f"${len(values)}"))
    if not sees_all(actor):
        values.append(f"{actor.organisation_path}%")
        conditions.append(f"o.path LIKE ${len(values)}")
    if after:
        values += after
        conditions.append(f"(e.at, e.id) < (${len(values) - 1}, ${len(values)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return await rows(f"SELECT {EVENT} {LISTED} {where} ORDER BY e.at DESC, e.id DESC LIMIT {PAGE + 1}", *values)


async def paths_named(actor: Actor, name: str) -> list[str]:
    """Prefixes of the organisations the actor may look at whose name has `name` in it, for "paths"; at most 100."""
    found = await rows("""
        SELECT path FROM organisation WHERE path LIKE $1 AND position($2 IN name) > 0 ORDER BY path LIMIT 100""",
                       "%" if sees_all(actor) else f"{actor.organisation_path}%", name)
    return [f"{one['path']}%" for one in found]


def day_ends(day: date) -> datetime:
    """The next day's first moment."""
    return day_begins(day) + timedelta(days=1)


async def names_of(found: Sequence[Record]) -> dict[tuple[str, int], str]:
    """What the objects of some events are called, one query per kind; those without a name are left out."""
    wanted: dict[str, set[int]] = {}
    for event in found:
        if event["subject_kind"] in NAMES:
            wanted.setdefault(event["subject_kind"], set()).add(event["subject_id"])
    return {(kind, one["id"]): one["name"] for kind, ids in wanted.items()
            for one in await rows(NAMES[kind], list(ids))}


async def erased(event_ids: Sequence[int]) -> set[str]:
    """The commitments (hex) in these events whose values have been erased."""
    found = await rows("SELECT commitment FROM audit_value WHERE event_id = ANY($1) AND value IS NULL", list(event_ids))
    return {one["commitment"].hex() for one in found}


ALTERED = f"""
SELECT e.id FROM audit_event e JOIN audit_seal s ON s.event_id = e.id
LEFT JOIN audit_seal b ON (b.chain, b.number) = (s.chain, s.number - 1)
WHERE e.id = ANY($1) AND (e.chain, s.digest) IS DISTINCT FROM
    (s.chain, sha256(coalesce(b.digest, $2) || convert_to({SPELLED}, 'UTF8')))"""


async def altered(event_ids: Sequence[int]) -> set[int]:
    """Which of these events are no more what was sealed, or stand behind a seal that is gone."""
    return {one["id"] for one in await rows(ALTERED, list(event_ids), GENESIS)}


async def story_of(chain: str, number: int) -> str | None:
    """Where the event is shown that a chain's seal is of; None when it is gone."""
    found = await row("""
        SELECT e.id, e.subject_kind, e.subject_id FROM audit_seal s JOIN audit_event e ON e.id = s.event_id
        WHERE s.chain = $1 AND s.number = $2""", chain, number)
    return f"/audit/{found['subject_kind']}/{found['subject_id']}#event-{found['id']}" if found else None


# Every chain with its length, its head, how much of it the newest checkpoint has signed and how much is not sealed.
CHAINS = """
WITH RECURSIVE names AS (
    (SELECT chain FROM audit_seal ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT (SELECT s.chain FROM audit_seal s WHERE s.chain > n.chain ORDER BY s.chain LIMIT 1) FROM names n
    WHERE n.chain IS NOT NULL)
SELECT n.chain, o.name, s.number AS sealed, s.digest, e.at
FROM names n
CROSS JOIN LATERAL (SELECT number, digest, event_id FROM audit_seal WHERE chain = n.chain
                    ORDER BY number DESC LIMIT 1) s
JOIN audit_event e ON e.id = s.event_id
LEFT JOIN organisation o ON n.chain = 'committee-' || o.id
WHERE n.chain = 'platform' OR o.path LIKE $1 ORDER BY n.chain <> 'platform', o.path COLLATE "C" LIMIT 200"""
TAIL = """
SELECT e.chain, count(*) AS rows FROM audit_event e
WHERE e.id > coalesce((SELECT max(event_id) FROM audit_seal) - 10000, 0)
  AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id) GROUP BY e.chain"""


async def chains(actor: Actor) -> list[Record]:
    """The platform's chain and those of the committees below the actor's department, in the order of the tree."""
    return await rows(CHAINS, "%" if sees_all(actor) else f"{actor.organisation_path}%")


async def tails() -> dict[str, int]:
    """How many rows of each chain are not sealed yet."""
    return {one["chain"]: one["rows"] for one in await rows(TAIL)}


async def newest_checkpoints() -> list[Record]:
    """The newest day's checkpoints."""
    return await rows("SELECT number, at, body, signature FROM audit_checkpoint ORDER BY number DESC LIMIT 24")


async def checkpoint(number: int) -> Record | None:
    return await row("SELECT number, body, signature FROM audit_checkpoint WHERE number = $1", number)


async def last_verification() -> Record | None:
    """The verification that runs or ran last."""
    return await row("""SELECT id, asked_by, asked_at, looked_at, of_all, ended_at, finding::text
                        FROM audit_verification ORDER BY id DESC LIMIT 1""")
