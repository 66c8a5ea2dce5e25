"""Deadlines of a whole county at once: the same rule, beginning and day, for hundreds of subjects in one statement."""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.core.calendar_days import calendar
from server.core.database import rows
from server.core.deadlines import Rule, is_provisional
from server.core.workdays import Unit


@dataclass(frozen=True)
class Begun:
    """Whose clock starts: the subject, who must act, and how the to-do reads."""

    subject_id: int
    organisation_id: int
    organisation_path: str
    title: str
    href: str


async def start_all(rule: Rule, subject_kind: str, begun: Sequence[Begun], starts_at: datetime) -> int:
    """Starts the clock of `rule` for each at `starts_at`, as `deadlines.start` does for one; how many were new.

    Their reminders are laid by the next sweep."""
    days = await calendar(fresh=True)
    due = rule.length.due(starts_at, days)
    started = await rows("""
        INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
                              starts_at, counted_from, days, unit, due_at, sort_at, provisional)
        SELECT $1, $2, s.id, s.organisation, s.path, s.title, s.href, $3, $3, $4, $5, $6, $7, $8
        FROM unnest($9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[])
            AS s (id, organisation, path, title, href)
        ON CONFLICT (rule, subject_kind, subject_id, period) WHERE state IN ('open', 'paused') DO NOTHING
        RETURNING id""", rule.name, subject_kind, starts_at, rule.length.working, str(rule.length.unit), due,
                         starts_at if rule.length.unit is Unit.AT_ONCE else due, is_provisional(rule, due, days),
                         [one.subject_id for one in begun], [one.organisation_id for one in begun],
                         [one.organisation_path for one in begun], [one.title for one in begun],
                         [one.href for one in begun])
    return len(started)


async def withdraw_all(rules: Sequence[str], subject_kind: str, subject_ids: Sequence[int], at: datetime) -> None:
    """What was due of these subjects is no longer asked for. Reminders that were laid find nothing due any more."""
    await rows("""UPDATE deadline SET state = 'withdrawn', closed_at = $4
                  WHERE rule = ANY($1) AND subject_kind = $2 AND subject_id = ANY($3)
                  AND state IN ('open', 'paused')""",
               list(rules), subject_kind, list(subject_ids), at)
