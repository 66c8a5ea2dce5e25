"""What time and a new calendar do to deadlines: overdue, urged, lifted a level, reminded, recomputed."""
import asyncio
from datetime import UTC, datetime, timedelta

from server.core import deadlines as engine
from server.core.calendar_days import confirm_year
from server.core.deadline_tables import Deadline, changes_of, count_to_do, find, kept_in
from server.core.deadlines import open_for
from tests.core.deadline_samples import (
    COLLECTION,
    CONVENIENCE,
    LETTER,
    LOG,
    NEIGHBOUR,
    NOTICE_2027,
    PLAN,
    REVIEW,
    STAGE,
    STEP,
    TOWNSHIP,
    VILLAGE,
    at,
    begin,
    do,
    reminders,
)

SECOND = timedelta(seconds=1)


def fields(deadline: Deadline) -> dict:
    return {name: getattr(deadline, name) for name in Deadline.__slots__}


async def set_now(owner, moment: str) -> None:
    """Moves the database's clock, which decides what has passed."""
    await owner.execute("UPDATE clock SET offset_s = $1", (at(moment) - datetime.now(UTC)).total_seconds())


# Overdue, cascade, to-dos ----------------------------------------------------------------------------------------

async def test_the_sweep_is_idempotent_and_tells_once(rules):
    await begin(REVIEW, "2026-11-16 10:00")
    assert await do(engine.sweep, at("2026-11-19 00:00:01")) == 1
    after = await find(REVIEW.name, "sample", 1)
    assert await do(engine.sweep, at("2026-11-19 00:00:02")) == 0
    assert await find(REVIEW.name, "sample", 1) == after
    assert [occasion for occasion, _ in await reminders()].count("overdue") == 1


async def test_sweeps_side_by_side_mark_each_once(rules):
    for subject in range(30):
        await begin(REVIEW, "2026-11-16 10:00", subject=subject)
    marked = await asyncio.gather(*(do(engine.sweep, at("2026-11-20 10:00"), 20) for _ in range(3)))
    assert sum(marked) == 30
    assert [occasion for occasion, _ in await reminders()].count("overdue") == 30


async def test_what_is_overdue_comes_up_to_the_next_level_only(rules):
    await begin(REVIEW, "2026-11-16 10:00")
    assert (await open_for(TOWNSHIP, at("2026-11-20 10:00"))).groups == []
    await do(engine.sweep, at("2026-11-20 10:00"))
    assert [line.deadline.subject_id for line in (await open_for(TOWNSHIP, at("2026-11-20 10:00"))).overdue] == [1]
    for path in ("1/17/", "1/", NEIGHBOUR):
        assert (await open_for(path, at("2026-11-20 10:00"))).groups == []
    await do(engine.meet, REVIEW, "sample", 1, closed_at=at("2026-11-20 11:00"))
    assert (await open_for(TOWNSHIP, at("2026-11-20 12:00"))).groups == []


async def test_above_the_province_there_is_nobody(rules):
    await begin(PLAN, "2026-11-02 10:00", path="1/")
    await do(engine.sweep, at("2026-11-20 10:00"))
    assert (await find(PLAN.name, "sample", 1)).escalated_to is None


async def test_to_dos_stand_by_what_falls_due(rules):
    now = "2026-11-23 10:00"  # a Monday
    await begin(STAGE, "2026-11-20 10:00", subject=5)
    await begin(REVIEW, "2026-11-20 10:00", subject=3)  # tomorrow
    await begin(REVIEW, "2026-11-18 10:00", subject=1)  # last Friday
    await begin(REVIEW, "2026-11-19 10:00", subject=2)  # today
    await begin(LETTER, "2026-11-19 10:00", subject=4)
    await begin(LETTER, "2026-11-18 10:00", subject=8)  # on the third day, the present one counted
    await begin(LOG, "2026-11-29 21:00", subject=6, now=now)  # a meeting not held yet asks nothing
    await begin(LETTER, "2026-11-02 10:00", subject=7, path=NEIGHBOUR)
    page = await open_for(VILLAGE, at(now))
    assert [(heading, [(line.deadline.subject_id, line.view.figure, line.view.tone) for line in lines])
            for heading, lines in page.groups] == [
        ("已到期", [(1, "−1", "red")]), ("今明两天", [(2, "1", "amber"), (3, "2", "amber")]),
        ("以后", [(8, "3", "green"), (4, "4", "green"), (5, "10", "green")])]
    assert await count_to_do(VILLAGE, at(now)) == (6, 1)


async def test_of_what_ends_before_the_second_working_day_is_over_nothing_stands_later(rules):
    await begin(REVIEW, "2026-11-27 10:00", subject=1)  # a Friday: until Tuesday
    await begin(CONVENIENCE, "2026-11-05 10:00", subject=2)  # until Monday, the last of the month
    page = await open_for(VILLAGE, at("2026-11-28 10:00"))
    assert [(line.deadline.subject_id, line.view.figure, line.view.unit) for line in page.soon] == [
        (2, "3", "天"), (1, "2", "工作日")]


async def test_long_lists_come_by_pages_without_loss_or_repetition(rules):
    for subject in range(7):
        await begin(REVIEW, "2026-11-20 10:00", subject=subject)
    seen, after = [], None
    while True:
        page = await open_for(VILLAGE, at("2026-11-22 10:00"), after=after, most=3)
        seen += [line.deadline.subject_id for _, lines in page.groups for line in lines]
        after = page.after
        if after is None:
            break
    assert seen == list(range(7))


async def test_supervision_counts_met_late_and_overdue_in_a_subtree(rules):
    for subject in range(5):
        await begin(REVIEW, "2026-11-16 10:00", subject=subject)
    await begin(REVIEW, "2026-11-16 10:00", subject=5, path=NEIGHBOUR)
    await do(engine.meet, REVIEW, "sample", 0, closed_at=at("2026-11-17 10:00"))
    await do(engine.meet, REVIEW, "sample", 1, closed_at=at("2026-11-20 10:00"))
    await do(engine.withdraw, REVIEW, "sample", 2, at=at("2026-11-17 10:00"))
    span = at("2026-11-01"), at("2026-12-01")
    village, = await kept_in(VILLAGE, *span, at("2026-11-20 12:00"))
    township, = await kept_in(TOWNSHIP, *span, at("2026-11-20 12:00"))
    assert (village.rule, village.met, village.late, village.overdue, village.running) == (REVIEW.name, 1, 1, 2, 0)
    assert township.overdue == 3
    assert await kept_in("1/17/30/", *span, at("2026-11-20")) == []  # a number that begins the same is another place


# Reminders -------------------------------------------------------------------------------------------------------

async def test_reminders_come_on_working_mornings_before_the_last_day(rules):
    await begin(LOG, "2026-09-29 21:00")  # due on Wednesday 14 October
    assert await reminders() == [("ahead", at("2026-10-12 09:00")), ("ahead", at("2026-10-14 09:00"))]
    await begin(COLLECTION, "2026-07-01 00:00", subject=2)  # ends on Sunday 1 November: counted from Friday
    assert ("ahead", at("2026-10-29 09:00")) in await reminders()


async def test_a_reminder_whose_morning_has_passed_is_not_laid(rules):
    await begin(LOG, "2026-09-29 21:00", now="2026-10-13 10:00")
    assert await reminders() == [("ahead", at("2026-10-14 09:00"))]


# A newly published year ------------------------------------------------------------------------------------------

async def test_a_published_year_moves_what_is_open_and_keeps_the_reason(rules, owner):
    await set_now(owner, "2026-12-01 10:00")
    begun = await begin(LOG, "2027-02-04 21:00", now="2026-12-01 10:00")  # 春节 is not known yet
    settled = await begin(LOG, "2026-11-30 21:00", subject=2)
    assert (begun.due_at, begun.provisional, settled.provisional) == (at("2027-02-16"), True, False)
    assert await confirm_year(owner, NOTICE_2027) == (2027, 1)
    moved = await find(LOG.name, "sample", 1)
    assert (moved.due_at, moved.provisional, moved.sort_at) == (at("2027-02-21"), False, at("2027-02-21"))
    assert await find(LOG.name, "sample", 2) == settled
    assert [(change.old_due, change.new_due, change.why) for change in await changes_of(moved.id)] == [
        (at("2027-02-16"), at("2027-02-21"), "国务院办公厅公布2027年放假安排")]
    assert await do(engine.sweep, at("2026-12-01 10:01")) == 1  # its reminders move after it
    assert [moment for _, moment in await reminders()][-2:] == [at("2027-02-18 09:00"), at("2027-02-20 09:00")]
    assert await do(engine.sweep, at("2026-12-01 10:02")) == 0


async def test_what_has_already_passed_does_not_move(rules, owner):
    await begin(LOG, "2027-02-04 21:00", subject=1)
    await begin(STEP, "2027-02-15 21:00", subject=2)  # 28 February; a worked Saturday makes it Friday the 26th
    await begin(LOG, "2027-02-04 21:00", subject=3)
    await do(engine.meet, LOG, "sample", 3, closed_at=at("2027-02-05 10:00"))
    await set_now(owner, "2027-02-27 10:00")
    before = [await find(LOG.name, "sample", 1), await find(LOG.name, "sample", 3)]
    later = await find(STEP.name, "sample", 2)
    assert await confirm_year(owner, NOTICE_2027) == (2027, 0)
    assert [await find(LOG.name, "sample", 1), await find(LOG.name, "sample", 3)] == [
        Deadline(**{**fields(found), "provisional": False}) for found in before]
    assert (await find(STEP.name, "sample", 2)).due_at == later.due_at


async def test_nobody_starts_by_the_old_calendar_while_a_year_is_published(rules, owner):
    async with owner.transaction():
        await confirm_year(owner, NOTICE_2027)
        starting = asyncio.create_task(begin(LOG, "2027-02-04 21:00", now="2026-12-01 10:00"))
        await asyncio.sleep(0.3)
        assert not starting.done()
    assert (await starting).due_at == at("2027-02-21")
