"""Deadlines as they are stored, and the fixed queries that read them."""
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from asyncpg import Record

from server.core.database import row, rows
from server.core.workdays import Unit

AFTER_SLASH = chr(ord("/") + 1)  # the subtree of '1/17/' is every path from there to before '1/170'
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """Who must do what until when; the columns are explained in the migration."""

    id: int
    rule: str
    subject_kind: str
    subject_id: int
    period: str
    organisation_id: int
    organisation_path: str
    title: str
    href: str
    starts_at: datetime
    counted_from: datetime
    days: int | None
    unit: str
    due_at: datetime
    sort_at: datetime
    provisional: bool
    revision: int
    state: str
    left_working_days: int | None
    closed_at: datetime | None
    overdue_at: datetime | None
    late_before: bool
    escalated_to: str | None

    @property
    def at_once(self) -> bool:
        """即时: stands before everything that has a day."""
        return self.unit == Unit.AT_ONCE


@dataclass(frozen=True, slots=True)
class Change:
    """A due moment that was moved, and why."""

    at: datetime
    old_due: datetime
    new_due: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Count:
    """How a rule was kept in a subtree: closed in time, closed late, overdue and still open, open in time."""

    rule: str
    met: int
    late: int
    overdue: int
    running: int


NAMES = [field.name for field in fields(Deadline)]
COLUMNS = ", ".join(NAMES)
COLUMNS_OF_D = ", ".join(f"d.{name}" for name in NAMES)


def deadlines(found: list[Record]) -> list[Deadline]:
    return [Deadline(**record) for record in found]


async def find(rule: str, subject_kind: str, subject_id: int, period: str = "") -> Deadline | None:
    """The newest deadline of this rule for the subject, closed or not."""
    found = await row(
        f"SELECT {COLUMNS} FROM deadline WHERE (rule, subject_kind, subject_id, period) = ($1, $2, $3, $4)"
        " ORDER BY id DESC LIMIT 1", rule, subject_kind, subject_id, period)
    return Deadline(**found) if found else None


async def of_subjects(subject_kind: str, subject_ids: list[int]) -> dict[int, list[Deadline]]:
    """All deadlines of each of these subjects, oldest first: one query for a whole page of them."""
    found: dict[int, list[Deadline]] = {subject_id: [] for subject_id in subject_ids}
    for deadline in deadlines(await rows(
            f"SELECT {COLUMNS} FROM deadline WHERE subject_kind = $1 AND subject_id = ANY($2::bigint[]) ORDER BY id",
            subject_kind, subject_ids)):
        found[deadline.subject_id].append(deadline)
    return found


async def changes_of(deadline_id: int) -> list[Change]:
    """Each time its due moment was moved, oldest first."""
    return [Change(**found) for found in await rows(
        "SELECT at, old_due, new_due, why FROM deadline_change WHERE deadline_id = $1 ORDER BY id", deadline_id)]


async def to_do(organisation_path: str, now: datetime, after: tuple[datetime, int] | None, most: int,
                left_out: Sequence[str] = ()) -> list[Deadline]:
    """What this organisation must act on, and what has come up to it overdue from the level below, by due moment.

    after: the (sort_at, id) of the last one already shown; left_out: rules whose own deadlines are not asked for."""
    waiting = f"""SELECT {COLUMNS} FROM deadline
        WHERE state = 'open' AND starts_at <= $2 AND (sort_at, id) > ($3, $4)"""
    return deadlines(await rows(f"""
        ({waiting} AND organisation_path = $1 AND rule <> ALL($6) ORDER BY sort_at, id LIMIT $5)
        UNION ALL
        ({waiting} AND escalated_to = $1 ORDER BY sort_at, id LIMIT $5)
        ORDER BY sort_at, id LIMIT $5""", organisation_path, now, *(after or (LONG_AGO, 0)), most, list(left_out)))


async def count_to_do(organisation_path: str, now: datetime, left_out: Sequence[str] = ()) -> tuple[int, int]:
    """How many to-dos there are, and how many of them are overdue. left_out: see `to_do`."""
    found = await row("""
        SELECT count(*) AS open, count(*) FILTER (WHERE due_at < $2) AS overdue FROM (
            SELECT due_at FROM deadline WHERE state = 'open' AND starts_at <= $2 AND organisation_path = $1
                AND rule <> ALL($3)
            UNION ALL
            SELECT due_at FROM deadline WHERE state = 'open' AND starts_at <= $2 AND escalated_to = $1
        ) AS waiting""", organisation_path, now, list(left_out))
    return (found["open"], found["overdue"]) if found else (0, 0)


async def kept_in(organisation_path: str, first: datetime, last: datetime, now: datetime) -> list[Count]:
    """How each rule was kept in the subtree of `organisation_path`, for what fell due from `first` until before `last`.

    What was withdrawn or is paused counts nowhere."""
    return [Count(**found) for found in await rows("""
        SELECT rule, count(*) FILTER (WHERE state = 'met') AS met, count(*) FILTER (WHERE state = 'late') AS late,
               count(*) FILTER (WHERE state = 'open' AND due_at < $4) AS overdue,
               count(*) FILTER (WHERE state = 'open' AND due_at >= $4) AS running
        FROM deadline WHERE organisation_path >= $1 AND organisation_path < $5 AND due_at >= $2 AND due_at < $3
            AND state IN ('open', 'met', 'late')
        GROUP BY rule ORDER BY rule""",
        organisation_path, first, last, now, organisation_path[:-1] + AFTER_SLASH)]
