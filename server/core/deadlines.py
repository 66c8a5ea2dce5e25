"""The one engine of every deadline: declared by the domains, stored as a row, acted on by one sweep.

A function here takes part in the caller's transaction, makes its change by compare-and-set and returns the deadline,
or None where there was nothing to change. Only the server's clock counts."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from asyncpg import Connection

from server.core import effects
from server.core.calendar_days import calendar
from server.core.clock import BEIJING
from server.core.database import row, rows
from server.core.deadline_tables import COLUMNS, COLUMNS_OF_D, Deadline, deadlines, find, to_do
from server.core.deadline_words import DeadlineView, describe
from server.core.workdays import ONE_DAY, Calendar, Length, Unit, beijing_date, last_day
from server.permissions import Can

REMINDER = "deadline_reminder"  # the kind of every effect of this engine
REMIND_AT = time(9)  # Beijing time; a working day's morning
BATCH = 200  # deadlines one sweep takes on, so that its transaction stays short


@dataclass(frozen=True)
class Rule:
    """What must be done within which time, and what happens when it is not."""

    name: str
    label: str
    length: Length
    source: str  # the article: M2§6
    remind: tuple[int, ...] = (1,)  # working days before the last one
    cascades: bool = True  # overdue, it stands in the to-dos of the next level too
    urges: bool = False  # overdue, it is urged every working day
    at_least: int = 1  # working days that are left after a pause, whatever was left before
    can: Can | None = None  # the right of those at the organisation who act; None: everybody there who has to-dos


RULES: dict[str, Rule] = {}


def declare(rule: Rule) -> Rule:
    """Makes `rule` known to the engine and, with the next `ebranch migrate`, to the database. ValueError for a second
    rule of the same name."""
    if RULES.setdefault(rule.name, rule) != rule:
        raise ValueError(f"two rules are called {rule.name}")
    return rule


async def sync_rules(connection: Connection) -> None:
    """Copies the declared rules into the database, as its owner. A rule no longer declared stays: old rows name it."""
    await connection.executemany("""
        INSERT INTO deadline_rule (name, label, days, unit, source, cascades, urges) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO UPDATE SET (label, days, unit, source, cascades, urges) =
            (EXCLUDED.label, EXCLUDED.days, EXCLUDED.unit, EXCLUDED.source, EXCLUDED.cascades, EXCLUDED.urges)""",
        [(rule.name, rule.label, rule.length.amount, str(rule.length.unit), rule.source, rule.cascades, rule.urges)
         for rule in RULES.values()])


async def start(
    rule: Rule, subject_kind: str, subject_id: int, *, organisation_id: int, organisation_path: str,
    starts_at: datetime, title: str, href: str, now: datetime, period: str = "", length: Length | None = None,
) -> Deadline:
    """Starts the clock of `rule` for the subject at `starts_at`; one that is running already is left as it is.

    organisation: who must act. title, href: the to-do and where it leads. period: tells this month's duty from the
    last one's (`Period.key`). length: where somebody has settled another than the rule's."""
    days, length = await calendar(fresh=True), length or rule.length
    due = length.due(starts_at, days)
    found = await row(f"""
        INSERT INTO deadline (rule, subject_kind, subject_id, period, organisation_id, organisation_path, title, href,
                              starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14, 1)
        ON CONFLICT (rule, subject_kind, subject_id, period) WHERE state IN ('open', 'paused') DO NOTHING
        RETURNING {COLUMNS}""",
        rule.name, subject_kind, subject_id, period, organisation_id, organisation_path, title, href,
        starts_at, length.working, str(length.unit), due,
        starts_at if length.unit is Unit.AT_ONCE else due, is_provisional(rule, due, days))
    if found is None:
        running = await find(rule.name, subject_kind, subject_id, period)
        assert running is not None  # it was in the way of the insert
        return running
    deadline = Deadline(**found)
    await lay_reminders(deadline, rule, days, now)
    return deadline


async def meet(
    rule: Rule, subject_kind: str, subject_id: int, *, closed_at: datetime, period: str = "",
) -> Deadline | None:
    """What was due is done: met until the due moment, late after it. What is left is kept, should it be returned."""
    held = await hold(rule, subject_kind, subject_id, period, "open", "paused")
    if held is None:
        return None
    late = held.state == "open" and closed_at > held.due_at
    return await change(held, f"""
        UPDATE deadline SET closed_at = $3, left_working_days = coalesce(left_working_days, $4),
            overdue_at = coalesce(overdue_at, CASE WHEN $5 THEN due_at END),
            state = CASE WHEN $5 OR overdue_at IS NOT NULL OR late_before THEN 'late' ELSE 'met' END
        WHERE id = $1 AND revision = $2 AND state IN ('open', 'paused') RETURNING {COLUMNS}""",
        closed_at, await what_is_left(held, closed_at), late)


async def withdraw(
    rule: Rule, subject_kind: str, subject_id: int, *, at: datetime, period: str = "",
) -> Deadline | None:
    """What was due is no longer asked for (a cancelled meeting); it counts in no statistics."""
    held = await hold(rule, subject_kind, subject_id, period, "open", "paused")
    return held and await change(held, f"""
        UPDATE deadline SET state = 'withdrawn', closed_at = $3
        WHERE id = $1 AND revision = $2 AND state IN ('open', 'paused') RETURNING {COLUMNS}""", at)


async def give_up(
    rule: Rule, subject_kind: str, subject_id: int, *, at: datetime, period: str = "",
) -> Deadline | None:
    """What was due is no longer done by whoever owed it: withdrawn, or, where it had become overdue, late for good."""
    found = await find(rule.name, subject_kind, subject_id, period)
    if found is not None and found.state == "open" and (found.overdue_at is not None or found.due_at < at):
        return await meet(rule, subject_kind, subject_id, closed_at=at, period=period)
    return await withdraw(rule, subject_kind, subject_id, at=at, period=period)


async def pause(
    rule: Rule, subject_kind: str, subject_id: int, *, at: datetime, period: str = "",
) -> Deadline | None:
    """Stops the clock at `at` and sets aside the whole working days that were left. ValueError for a rule that is not
    counted in working days."""
    if rule.length.unit is not Unit.WORKING:
        raise ValueError(f"{rule.name} is not counted in working days and can't be paused")
    held = await hold(rule, subject_kind, subject_id, period, "open")
    return held and await change(held, f"""
        UPDATE deadline SET state = 'paused', left_working_days = $3,
            overdue_at = coalesce(overdue_at, CASE WHEN due_at < $4 THEN due_at END)
        WHERE id = $1 AND revision = $2 AND state = 'open' RETURNING {COLUMNS}""",
        await what_is_left(held, at), at)


async def resume(
    rule: Rule, subject_kind: str, subject_id: int, *, at: datetime, why: str, period: str = "",
) -> Deadline | None:
    """Lets the clock of what was paused, or done and then returned, go on from `at` with the working days that were
    left, `rule.at_least` at the least; what is not counted in working days is due when it was, or after as many. Once
    late it stays late, but no higher level is asked for it meanwhile. What had not begun yet begins when it would have.
    """
    held = await hold(rule, subject_kind, subject_id, period, "paused", "met", "late")
    if held is None or (held.days is not None and held.left_working_days is None):
        return None
    days = await calendar(fresh=True)
    left = None if held.left_working_days is None else max(held.left_working_days, rule.at_least)
    if left is not None and held.starts_at > at:
        at, left = held.starts_at, held.days
    due = days.due_moment(at, left) if left is not None else max(held.due_at, days.due_moment(at, rule.at_least))
    return await run_again(held, rule, days, at, why, due, f"""
        UPDATE deadline SET state = 'open', counted_from = $3, days = coalesce($4, days), due_at = $5, provisional = $6,
            sort_at = CASE unit WHEN 'at_once' THEN $3::timestamptz ELSE $5 END,
            late_before = late_before OR overdue_at IS NOT NULL, overdue_at = NULL, escalated_to = NULL,
            left_working_days = NULL, closed_at = NULL, revision = revision + 1, reminders_for = revision + 1
        WHERE id = $1 AND revision = $2 AND state IN ('paused', 'met', 'late') RETURNING {COLUMNS}""",
        at, left, due, is_provisional(rule, due, days))


async def reopen(
    rule: Rule, subject_kind: str, subject_id: int, *, at: datetime, why: str, period: str = "",
) -> Deadline | None:
    """What was reported as done is taken back by who reported it: due when it was, as if nothing had been said."""
    held = await hold(rule, subject_kind, subject_id, period, "met", "late")
    if held is None:
        return None
    return await run_again(held, rule, await calendar(fresh=True), at, why, held.due_at, f"""
        UPDATE deadline SET state = 'open', closed_at = NULL, left_working_days = NULL, revision = revision + 1,
            reminders_for = revision + 1
        WHERE id = $1 AND revision = $2 AND state IN ('met', 'late') RETURNING {COLUMNS}""")


async def move(
    rule: Rule, subject_kind: str, subject_id: int, *, starts_at: datetime, now: datetime, why: str, period: str = "",
) -> Deadline | None:
    """The event was moved to `starts_at` (a meeting that has not ended yet); what is due already moves no more."""
    held = await hold(rule, subject_kind, subject_id, period, "open")
    if held is None or held.due_at < now or held.starts_at == starts_at:
        return None
    days = await calendar(fresh=True)
    due = rule.length.due(starts_at, days)
    return await run_again(held, rule, days, now, why, due, f"""
        UPDATE deadline SET starts_at = $3, counted_from = $3, days = $4, due_at = $5, sort_at = $6, provisional = $7,
            revision = revision + 1, reminders_for = revision + 1
        WHERE id = $1 AND revision = $2 AND state = 'open' AND overdue_at IS NULL RETURNING {COLUMNS}""",
        starts_at, rule.length.working, due, starts_at if rule.length.unit is Unit.AT_ONCE else due,
        is_provisional(rule, due, days))


async def sweep(now: datetime, most: int = BATCH) -> int:
    """What time does to deadlines: marks the overdue, lifts them to the next level, urges, and lays the reminders of
    those that a new calendar moved. Returns how many it touched: 0 when there is nothing left to do.

    Stands in a transaction of its own; sweeps may run side by side."""
    overdue = deadlines(await rows(f"""
        UPDATE deadline d SET overdue_at = d.due_at, escalated_to =
            CASE WHEN r.cascades THEN level_above(d.organisation_id) END
        FROM deadline_rule r WHERE r.name = d.rule AND d.id IN (
            SELECT id FROM deadline WHERE state = 'open' AND overdue_at IS NULL AND due_at < $1
            ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING {COLUMNS_OF_D}""", now, most))
    for deadline in overdue:
        await remind(deadline, "overdue", "overdue", now)
    return len(overdue) + await urge(now, most) + await lay_moved_reminders(now, most)


async def urge(now: datetime, most: int) -> int:
    """Urges what is overdue, once on each working day from its morning on, where the rule says so."""
    days = await calendar()
    today = beijing_date(now)
    if not days.is_working(today) or now.astimezone(BEIJING).time() < REMIND_AT:
        return 0
    urged = deadlines(await rows(f"""
        UPDATE deadline d SET urged_on = $1 WHERE d.id IN (
            SELECT u.id FROM deadline u JOIN deadline_rule r ON r.name = u.rule AND r.urges
            WHERE u.state = 'open' AND u.overdue_at IS NOT NULL AND u.urged_on IS DISTINCT FROM $1
            ORDER BY u.id LIMIT $2 FOR NO KEY UPDATE OF u SKIP LOCKED)
        RETURNING {COLUMNS_OF_D}""", today, most))
    for deadline in urged:
        await remind(deadline, f"urge-{today}", "urge", now)
    return len(urged)


async def lay_moved_reminders(now: datetime, most: int) -> int:
    """Lays the reminders anew for what a newly published year moved."""
    days = await calendar(fresh=True)
    moved = deadlines(await rows(f"""
        UPDATE deadline d SET reminders_for = d.revision WHERE d.id IN (
            SELECT id FROM deadline WHERE state = 'open' AND reminders_for <> revision
            ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING {COLUMNS_OF_D}""", most))
    for deadline in moved:
        await effects.cancel(f"deadline:{deadline.id}:")
        if deadline.rule in RULES:
            await lay_reminders(deadline, RULES[deadline.rule], days, now)
    return len(moved)


async def still_due(deadline_id: int, revision: int) -> Deadline | None:
    """The deadline a reminder speaks of, if it is still open and due when the reminder thought."""
    found = await row(f"SELECT {COLUMNS} FROM deadline WHERE id = $1 AND revision = $2 AND state = 'open'",
                      deadline_id, revision)
    return Deadline(**found) if found else None


@dataclass(frozen=True)
class ToDo:
    """One line of the 工作台."""

    deadline: Deadline
    view: DeadlineView


@dataclass(frozen=True)
class ToDos:
    """A page of to-dos by what falls due; `after` leads to the next page, None on the last."""

    overdue: list[ToDo] = field(default_factory=list)
    soon: list[ToDo] = field(default_factory=list)
    later: list[ToDo] = field(default_factory=list)
    after: tuple[datetime, int] | None = None

    @property
    def groups(self) -> list[tuple[str, list[ToDo]]]:
        """The headings and what stands under them, empty ones left out."""
        named = (("已到期", self.overdue), ("今明两天", self.soon), ("以后", self.later))
        return [(heading, lines) for heading, lines in named if lines]


async def open_for(
    organisation_path: str, now: datetime, *, after: tuple[datetime, int] | None = None, most: int = 30,
    left_out: Sequence[str] = (),
) -> ToDos:
    """What waits for this organisation, its own and what came up overdue from below, first what falls due first.

    left_out: the rules whose own deadlines are others' to keep (see `not_for`)."""
    found = await to_do(organisation_path, now, after, most + 1, left_out)
    shown = found[:most]
    page = ToDos(after=(shown[-1].sort_at, shown[-1].id) if len(found) > most else None)
    days = await calendar()
    for deadline in shown:
        line = ToDo(deadline, describe(deadline, now, days))
        group = page.overdue if line.view.state == "overdue" else page.soon if line.view.soon else page.later
        group.append(line)
    return page


def not_for(may: Callable[[Can], bool]) -> list[str]:
    """The rules that somebody with these rights has no part in keeping."""
    return [rule.name for rule in RULES.values() if rule.can is not None and not may(rule.can)]


async def hold(rule: Rule, subject_kind: str, subject_id: int, period: str, *states: str) -> Deadline | None:
    """The newest deadline of the subject if it is in one of `states`, locked until the transaction ends."""
    found = await row(
        f"SELECT {COLUMNS} FROM deadline WHERE (rule, subject_kind, subject_id, period) = ($1, $2, $3, $4)"
        " ORDER BY id DESC LIMIT 1 FOR NO KEY UPDATE", rule.name, subject_kind, subject_id, period)
    return Deadline(**found) if found and found["state"] in states else None


async def change(held: Deadline, sql: str, *values: object) -> Deadline | None:
    """Changes `held` by `sql` ($1 its id, $2 its revision) and drops its reminders; None if somebody was faster."""
    found = await row(sql, held.id, held.revision, *values)
    if found is None:
        return None
    await effects.cancel(f"deadline:{held.id}:")
    return Deadline(**found)


async def run_again(
    held: Deadline, rule: Rule, days: Calendar, now: datetime, why: str, due: datetime, sql: str, *values: object,
) -> Deadline | None:
    """Gives `held` a new due moment by `sql`, keeps the reason, and lays its reminders anew."""
    deadline = await change(held, sql, *values)
    if deadline:
        await rows("INSERT INTO deadline_change (deadline_id, old_due, new_due, why) VALUES ($1, $2, $3, $4)",
                   held.id, held.due_at, due, why)
        await lay_reminders(deadline, rule, days, now)
    return deadline


async def what_is_left(held: Deadline, at: datetime) -> int | None:
    """The whole working days left after the day of `at`; None for what is not counted in working days."""
    return None if held.days is None else (await calendar(fresh=True)).left_after(at, held.due_at)


def is_provisional(rule: Rule, due: datetime, days: Calendar) -> bool:
    """暂算: whether the due moment may still move when its year's holidays are published."""
    return rule.length.working is not None and days.provisional(last_day(due))


async def lay_reminders(deadline: Deadline, rule: Rule, days: Calendar, now: datetime) -> None:
    """Puts down the reminders before the due moment, on working mornings that are still to come."""
    last = days.add(last_day(deadline.due_at) + ONE_DAY, -1)
    for before in rule.remind:
        morning = datetime.combine(days.add(last, -before), REMIND_AT, BEIJING)
        if morning > max(now, deadline.counted_from):
            await remind(deadline, f"ahead-{before}", "ahead", morning)


async def remind(deadline: Deadline, key: str, occasion: str, at: datetime) -> None:
    """Puts down one reminder; who carries it out asks `still_due` first and groups by person and day."""
    await effects.later(
        f"deadline:{deadline.id}:{deadline.revision}:{key}", REMINDER,
        {"deadline": deadline.id, "revision": deadline.revision, "occasion": occasion}, at)
