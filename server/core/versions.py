"""Append-only versions of what may only be corrected: the current one, the former ones, the difference, who and why."""
import json
from typing import Any

from asyncpg import Record

from server.core.actor import Actor
from server.core.database import row, rows, the_row


async def current(subject_kind: str, subject_id: int) -> dict[str, Any] | None:
    """The content of the newest version, or None when nothing was ever corrected."""
    found = await row("""SELECT content::text FROM version WHERE subject_kind = $1 AND subject_id = $2
                         ORDER BY number DESC LIMIT 1""", subject_kind, subject_id)
    return json.loads(found["content"]) if found else None


async def history(subject_kind: str, subject_id: int) -> list[Record]:
    """Every version, newest first."""
    return await rows("""SELECT number, content::text, difference::text, why, who, at, explanation_id FROM version
                         WHERE subject_kind = $1 AND subject_id = $2 ORDER BY number DESC""", subject_kind, subject_id)


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """name → [before, after] for everything that differs."""
    return {name: [before.get(name), after.get(name)] for name in before | after if before.get(name) != after.get(name)}


async def append(
    actor: Actor, subject_kind: str, subject_id: int, *, before: dict[str, Any], after: dict[str, Any],
    explanation_id: int, why: str,
) -> int:
    """Adds a version; returns its number. The database refuses it without an open explanation and the right grant."""
    made = await the_row("""
        INSERT INTO version (subject_kind, subject_id, number, content, difference, explanation_id, why, account_id,
                             grant_id, who)
        SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9 FROM version
        WHERE subject_kind = $1 AND subject_id = $2 RETURNING number""",
                         subject_kind, subject_id, spelled(after), spelled(difference(before, after)), explanation_id,
                         why, actor.account_id, actor.grant_id, actor.signature)
    return made["number"]


def spelled(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, default=str)
