"""The calendar in the database: reading it, and taking over a year the State Council has published.

Pages may be up to TRUSTED_S behind a newly published year; what computes a due moment asks for a fresh calendar."""
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta

from asyncpg import Connection, Record

from server.core.database import row, rows
from server.core.workdays import BadCalendar, Calendar, read_year

TRUSTED_S = 5  # seconds a page may go on with the calendar this process has read

Recompute = Callable[[Connection, str], Awaitable[None]]
_recomputes: list[Recompute] = []
_read: tuple[Record, Calendar] | None = None
_read_at = 0.0


async def calendar(*, fresh: bool = False) -> Calendar:
    """The working days as the database has them, kept in this process.

    fresh: for computing a due moment; asks the database whether a year was published since, and until the open
    transaction ends none can be."""
    global _read, _read_at
    if _read is not None and not fresh and time.monotonic() - _read_at < TRUSTED_S:
        return _read[1]
    if fresh:
        await rows("LOCK TABLE deadline IN ROW EXCLUSIVE MODE")  # confirm_year waits for us, or we for it
    newest = await row("SELECT id, at FROM calendar_confirmation ORDER BY id DESC LIMIT 1")
    if newest is None:
        raise RuntimeError("the database has no calendar: run ebranch migrate")
    if _read is None or _read[0] != newest:
        different = await rows("SELECT day, working, holiday FROM calendar_day WHERE holiday <> ''")
        reach = await row("SELECT min(day) AS first, max(day) FILTER (WHERE confirmed) AS last FROM calendar_day")
        assert reach is not None  # an aggregate always answers
        exceptions = {found["day"]: (found["working"], found["holiday"]) for found in different}
        _read = newest, Calendar(exceptions, confirmed_through=reach["last"], known_from=reach["first"])
    _read_at = time.monotonic()
    return _read[1]


def on_recompute(recompute: Recompute) -> Recompute:
    """Declares what else has to follow a new calendar: `recompute(connection, why)` runs as the owner, in the same
    transaction, after the open deadlines. It moves nothing that has already passed."""
    if recompute not in _recomputes:
        _recomputes.append(recompute)
    return recompute


async def confirm_year(connection: Connection, source: Iterable[Mapping[str, str | None]]) -> tuple[int, int]:
    """Takes over a published year (rows of date, is_workday, kind, holiday) and moves the open deadlines that hang
    on it; returns the year and how many moved. All or nothing; the same rows again change nothing.

    connection: the owner's. Raises BadCalendar with every fault, also for a year whose predecessor isn't confirmed."""
    year, exceptions = read_year(source)
    async with connection.transaction():
        await connection.execute("LOCK TABLE deadline IN SHARE ROW EXCLUSIVE MODE")
        last = await connection.fetchval("SELECT max(day) FROM calendar_day WHERE confirmed")
        if year not in (last.year, last.year + 1):
            raise BadCalendar([f"现在已公布到 {last.year} 年：可以更正 {last.year} 年或公布 {last.year + 1} 年，"
                               f"不能是 {year} 年"])
        if not await write_days(connection, year, exceptions):
            return year, 0
        why = f"国务院办公厅公布{year}年放假安排"
        await connection.execute("INSERT INTO calendar_confirmation (year, why) VALUES ($1, $2)", year, why)
        moved = await recompute_deadlines(connection, why)
        for recompute in _recomputes:
            await recompute(connection, why)
    return year, moved


async def write_days(connection: Connection, year: int, exceptions: Mapping[date, tuple[bool, str]]) -> bool:
    """Writes the year's days, confirms them and numbers the working days anew; False if all stood there already."""
    december = [day for day in exceptions if day.year < year]  # of the year before, where the notice names some
    first = min(december, default=date(year, 1, 1))
    days = [first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1)]
    days = [day for day in days if day.year == year or day in exceptions]
    said = [exceptions.get(day, (day.weekday() < 5, "")) for day in days]
    changed = await connection.fetch("""
        UPDATE calendar_day c SET working = n.working, holiday = n.holiday, confirmed = true
        FROM unnest($1::date[], $2::boolean[], $3::text[]) AS n (day, working, holiday)
        WHERE c.day = n.day AND (c.working, c.holiday, c.confirmed) IS DISTINCT FROM (n.working, n.holiday, true)
        RETURNING c.day""", days, [works for works, _ in said], [holiday for _, holiday in said])
    if changed:
        await connection.execute("""
            UPDATE calendar_day c SET ordinal = n.ordinal
            FROM (SELECT day, sum(working::int) OVER (ORDER BY day) AS ordinal FROM calendar_day) AS n
            WHERE c.day = n.day AND c.ordinal <> n.ordinal""")
    return bool(changed)


async def recompute_deadlines(connection: Connection, why: str) -> int:
    """Moves the open deadlines that are counted in working days, and keeps the reason; returns how many moved.

    What has passed stays, and nothing moves to where it would already have passed."""
    moved = await connection.fetchval("""
        WITH moved AS (
            SELECT id, due_at AS old_due, working_deadline(counted_from, days) AS new_due
            FROM deadline WHERE state = 'open' AND days IS NOT NULL AND due_at > ebranch_now() FOR NO KEY UPDATE
        ), written AS (
            UPDATE deadline d SET due_at = m.new_due, revision = revision + 1,
                sort_at = CASE d.unit WHEN 'at_once' THEN d.sort_at ELSE m.new_due END
            FROM moved m WHERE d.id = m.id AND m.new_due <> m.old_due AND m.new_due > ebranch_now()
            RETURNING d.id
        ), kept AS (
            INSERT INTO deadline_change (deadline_id, old_due, new_due, why)
            SELECT id, old_due, new_due, $1 FROM moved JOIN written USING (id) RETURNING id
        )
        SELECT count(*) FROM kept""", why)
    await connection.execute("""
        UPDATE deadline SET provisional = false
        WHERE provisional AND due_at <= (SELECT (max(day) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
                                         FROM calendar_day WHERE confirmed)""")
    return moved


