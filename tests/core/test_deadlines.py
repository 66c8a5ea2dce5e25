"""The deadline engine: every row of the domain's table can be expressed, met, late, paused, moved."""
import asyncio
from datetime import date, timedelta

import asyncpg
import pytest

from server.core import deadlines as engine
from server.core.database import row, rows
from server.core.deadline_tables import changes_of, find, of_subjects
from server.core.deadlines import RULES, Rule, declare, open_for, still_due, sync_rules
from server.core.periods import Every, period_of
from server.core.workdays import Unit, working_days
from tests.core.deadline_samples import (
    ACTIVATION,
    CITY_INSPECTION,
    CODE,
    COLLECTION,
    CONTACT,
    CONVENIENCE,
    COUNTY_INSPECTION,
    KEY_STEP,
    LETTER,
    LOG,
    NOTICE,
    OPINIONS,
    PLAN,
    PROVINCE,
    PUBLISH,
    REPORTING,
    REVIEW,
    STAGE,
    STEP,
    SUSPENSION,
    TOWNSHIP,
    UPKEEP,
    VILLAGE,
    at,
    begin,
    do,
    reminders,
)

SECOND = timedelta(seconds=1)


# Every row of the table ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("sample", "starts_at", "due"), [
    (LOG, "2026-11-12 21:00", "2026-11-24"), (PUBLISH, "2026-09-30 10:00", "2026-10-11"),
    (REVIEW, "2026-11-20 10:00", "2026-11-25"), (CONVENIENCE, "2026-11-01 00:00", "2026-12-01"),
    (PLAN, "2026-02-13 10:00", "2026-02-28"), (STEP, "2026-11-09 10:00", "2026-11-24"),
    (STAGE, "2026-11-09 10:00", "2026-11-24"), (KEY_STEP, "2026-11-20 16:20", "2026-11-24"),
    (NOTICE, "2026-11-02 09:00", "2026-11-09"), (OPINIONS, "2026-08-20 00:00", "2027-01-01"),
    (CONTACT, "2026-11-20 10:00", "2026-11-28"), (COLLECTION, "2026-07-01 00:00", "2026-11-02"),
    (LETTER, "2026-11-20 10:00", "2026-11-28"), (REPORTING, "2026-11-02 10:00", "2026-11-24"),
    (SUSPENSION, "2026-11-02 10:00", "2026-11-24"), (PROVINCE, "2026-11-20 10:00", "2026-11-28"),
    (UPKEEP, "2026-11-20 10:00", "2026-11-28"), (ACTIVATION, "2026-11-15 10:00", "2026-11-23"),
    (CODE, "2026-11-22 19:30", "2026-11-22 19:35"), (COUNTY_INSPECTION, "2026-07-01 00:00", "2027-01-01"),
    (CITY_INSPECTION, "2026-01-01 00:00", "2027-01-01"),
], ids=lambda value: value.label if isinstance(value, Rule) else "")
async def test_every_row_of_the_table_can_be_started_met_or_overdue(rules, sample, starts_at, due):
    begun = await begin(sample, starts_at)
    assert begun.due_at == at(due)
    assert (begun.state, begun.provisional) == ("open", False)
    await do(engine.sweep, at(due) - SECOND)
    assert (await find(sample.name, "sample", 1)).overdue_at is None
    await do(engine.sweep, at(due) + SECOND)
    found = await find(sample.name, "sample", 1)
    assert found.overdue_at == found.due_at
    assert found.escalated_to == (TOWNSHIP if sample.cascades else None)


async def test_a_monthly_duty_runs_once_for_each_month(rules):
    october, november = (period_of(Every.MONTH, date(2026, month, 1)).key for month in (10, 11))
    first = await begin(CONVENIENCE, "2026-10-01 00:00", period=october)
    await do(engine.sweep, at("2026-11-01 08:00"))  # nobody did October's
    second = await begin(CONVENIENCE, "2026-11-01 00:00", period=november)
    assert first.id != second.id
    done = await do(engine.meet, CONVENIENCE, "sample", 1, closed_at=at("2026-11-30 23:59:59"), period=november)
    assert done.state == "met"
    assert (await find(CONVENIENCE.name, "sample", 1, october)).state == "open"


async def test_an_immediate_review_stands_first_and_is_urged_daily_from_the_second_working_day(rules):
    await begin(REVIEW, "2026-11-20 10:00", subject=1)
    await begin(KEY_STEP, "2026-11-20 16:20", subject=2)  # a Friday; day 1 is Monday
    lines = (await open_for(VILLAGE, at("2026-11-21 10:00"))).soon
    assert [line.deadline.subject_id for line in lines] == [2, 1]
    assert lines[0].view.figure == "即时"
    assert await do(engine.sweep, at("2026-11-23 23:59:59")) == 0
    assert await do(engine.sweep, at("2026-11-24 08:59")) == 1  # overdue, but nobody is urged before the morning
    for moment in ("2026-11-24 09:00", "2026-11-24 15:00", "2026-11-25 09:01", "2026-11-25 20:00"):
        await do(engine.sweep, at(moment))
    assert [occasion for occasion, _ in await reminders()].count("urge") == 2


async def test_nobody_is_urged_on_a_day_off(rules):
    await begin(LETTER, "2026-09-18 10:00")  # due on the 24th, before 中秋
    await do(engine.sweep, at("2026-09-25 08:00"))
    urged = [occasion for occasion, _ in await reminders()].count("urge")
    for day in ("2026-09-25 10:00", "2026-10-01 10:00", "2026-10-04 10:00"):
        await do(engine.sweep, at(day))
    assert [occasion for occasion, _ in await reminders()].count("urge") == urged == 0
    await do(engine.sweep, at("2026-10-10 10:00"))  # a worked Saturday
    assert [occasion for occasion, _ in await reminders()].count("urge") == 1


# Met and late ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("seconds", "state"), [(-1, "met"), (0, "met"), (1, "late")])
async def test_the_last_second_decides_across_national_day(rules, seconds, state):
    await begin(LOG, "2026-09-29 21:00")  # 30, then 8, 9, 10 (worked), 12, 13, 14 October
    due = at("2026-10-15 00:00")
    done = await do(engine.meet, LOG, "sample", 1, closed_at=due + seconds * SECOND)
    assert (done.due_at, done.state) == (due, state)
    assert (done.overdue_at is not None) == (state == "late")


async def test_it_is_met_once(rules):
    await begin(REVIEW, "2026-11-20 10:00")
    first = await do(engine.meet, REVIEW, "sample", 1, closed_at=at("2026-11-23 10:00"))
    assert await do(engine.meet, REVIEW, "sample", 1, closed_at=at("2026-11-30 10:00")) is None
    assert await find(REVIEW.name, "sample", 1) == first


async def test_two_who_close_it_at_once_close_it_once(rules):
    await begin(REVIEW, "2026-11-20 10:00")
    answers = await asyncio.gather(*(
        do(function, REVIEW, "sample", 1, **when) for function, when in (
            (engine.meet, {"closed_at": at("2026-11-23 10:00")}), (engine.withdraw, {"at": at("2026-11-23 10:00")}),
            (engine.meet, {"closed_at": at("2026-11-23 10:00")}))))
    assert sum(answer is not None for answer in answers) == 1


async def test_starting_twice_runs_once(rules):
    both = await asyncio.gather(begin(LOG, "2026-11-12 21:00"), begin(LOG, "2026-11-13 21:00"))
    assert both[0] == both[1]
    assert len(await reminders()) == 2  # its two reminders, once


async def test_after_it_is_closed_it_can_start_again(rules):
    first = await begin(LETTER, "2026-11-02 10:00")
    await do(engine.meet, LETTER, "sample", 1, closed_at=at("2026-11-03 10:00"))
    second = await begin(LETTER, "2026-11-09 10:00")
    assert second.id != first.id
    assert [found.id for found in (await of_subjects("sample", [1, 2]))[1]] == [first.id, second.id]


async def test_what_is_withdrawn_is_in_no_list_and_reminds_nobody(rules):
    await begin(LOG, "2026-11-12 21:00")
    assert (await do(engine.withdraw, LOG, "sample", 1, at=at("2026-11-13 10:00"))).state == "withdrawn"
    assert (await open_for(VILLAGE, at("2026-11-14 10:00"))).groups == []
    assert await reminders() == []
    assert await do(engine.sweep, at("2027-01-01")) == 0


async def test_a_failed_action_leaves_no_deadline_behind(rules):
    async def start_and_fail() -> None:
        await engine.start(LOG, "sample", 1, organisation_id=4001, organisation_path=VILLAGE,
                           starts_at=at("2026-11-12"), title="t", href="/", now=at("2026-11-12"))
        raise RuntimeError("the meeting was refused")

    with pytest.raises(RuntimeError, match="refused"):
        await do(start_and_fail)
    assert await find(LOG.name, "sample", 1) is None
    assert await reminders() == []


async def test_a_rule_nobody_declared_is_refused_by_the_database(rules):
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await begin(Rule("sample_unknown", "?", working_days(1), "M2§6"), "2026-11-12 21:00")


# Pause and resume ------------------------------------------------------------------------------------------------

async def test_a_suspended_transfer_goes_on_with_what_was_left(rules):
    await begin(LETTER, "2026-11-02 10:00")  # due on the 9th
    paused = await do(engine.pause, LETTER, "sample", 1, at=at("2026-11-04 10:00"))
    assert (paused.state, paused.left_working_days) == ("paused", 3)
    own = await begin(SUSPENSION, "2026-11-04 10:00")  # its own clock runs meanwhile
    assert await do(engine.sweep, at("2026-11-20 10:00")) == 0
    assert own.due_at == at("2026-11-26")
    resumed = await do(engine.resume, LETTER, "sample", 1, at=at("2026-11-20 10:00"), why="暂缓办理结束")
    assert (resumed.state, resumed.due_at, resumed.starts_at) == ("open", at("2026-11-26"), at("2026-11-02 10:00"))
    assert [(change.new_due, change.why) for change in await changes_of(resumed.id)] == [
        (at("2026-11-26"), "暂缓办理结束")]
    assert await do(engine.resume, LETTER, "sample", 1, at=at("2026-11-21"), why="再来一次") is None


async def test_after_a_return_at_least_one_working_day_is_left(rules):
    await begin(PUBLISH, "2026-11-16 10:00")  # due on the 19th
    submitted = await do(engine.meet, PUBLISH, "sample", 1, closed_at=at("2026-11-19 22:00"))
    assert (submitted.state, submitted.left_working_days) == ("met", 0)
    returned = await do(engine.resume, PUBLISH, "sample", 1, at=at("2026-11-20 15:00"), why="乡镇退回")
    assert (returned.state, returned.due_at) == ("open", at("2026-11-24"))  # Monday the 23rd
    again = await do(engine.meet, PUBLISH, "sample", 1, closed_at=at("2026-11-23 18:00"))
    assert again.state == "met"


async def test_what_was_late_once_stays_late_but_is_not_overdue_while_it_goes_on(rules):
    await begin(PUBLISH, "2026-11-16 10:00")
    await do(engine.sweep, at("2026-11-20 08:00"))
    late = await do(engine.meet, PUBLISH, "sample", 1, closed_at=at("2026-11-20 10:00"))
    assert late.state == "late"
    returned = await do(engine.resume, PUBLISH, "sample", 1, at=at("2026-11-20 15:00"), why="乡镇退回")
    assert (returned.overdue_at, returned.escalated_to) == (None, None)
    assert (await open_for(TOWNSHIP, at("2026-11-23 10:00"))).groups == []
    assert (await do(engine.meet, PUBLISH, "sample", 1, closed_at=at("2026-11-23 10:00"))).state == "late"


async def test_what_goes_on_after_a_return_can_be_overdue_again(rules):
    await begin(PUBLISH, "2026-11-16 10:00")
    await do(engine.meet, PUBLISH, "sample", 1, closed_at=at("2026-11-17 10:00"))
    await do(engine.resume, PUBLISH, "sample", 1, at=at("2026-11-18 15:00"), why="乡镇退回")
    assert await do(engine.sweep, at("2026-11-21 10:00")) == 1
    assert (await find(PUBLISH.name, "sample", 1)).escalated_to == TOWNSHIP


async def test_only_what_is_counted_in_working_days_is_paused(rules):
    await begin(COLLECTION, "2026-07-01 00:00")
    with pytest.raises(ValueError, match="can't be paused"):
        await do(engine.pause, COLLECTION, "sample", 1, at=at("2026-08-01"))


# Moving ----------------------------------------------------------------------------------------------------------

async def test_a_meeting_that_is_moved_takes_its_deadline_along(rules):
    before = await begin(LOG, "2026-11-25 21:00", now="2026-11-20 10:00")
    moved = await do(engine.move, LOG, "sample", 1, starts_at=at("2026-11-27 21:00"), now=at("2026-11-21"), why="改期")
    assert (before.due_at, moved.due_at, moved.revision) == (at("2026-12-05"), at("2026-12-09"), 2)
    assert [change.why for change in await changes_of(moved.id)] == ["改期"]
    assert [moment for _, moment in await reminders()] == [at("2026-12-04 09:00"), at("2026-12-08 09:00")]
    assert len(await reminders("cancelled")) == 2
    assert await still_due(moved.id, before.revision) is None
    assert await still_due(moved.id, moved.revision) == moved


async def test_moved_there_and_back_it_still_reminds(rules):
    await begin(LOG, "2026-11-25 21:00", now="2026-11-20 10:00")
    first = await reminders()
    for day in ("2026-11-27 21:00", "2026-11-25 21:00"):
        await do(engine.move, LOG, "sample", 1, starts_at=at(day), now=at("2026-11-21"), why="改期")
    assert await reminders() == first


async def test_what_has_passed_is_not_moved(rules):
    before = await begin(LOG, "2026-11-02 21:00")
    assert await do(engine.move, LOG, "sample", 1, starts_at=at("2026-11-12"), why="改期",
                    now=at("2026-11-12 00:00:01")) is None
    assert await find(LOG.name, "sample", 1) == before


# Rules -----------------------------------------------------------------------------------------------------------

def test_two_rules_of_one_name_are_refused():
    with pytest.raises(ValueError, match="sample_log"):
        declare(Rule("sample_log", "another", working_days(8), "M2§6"))
    assert declare(LOG) is LOG
    assert RULES["sample_log"] is LOG


async def test_the_database_knows_each_rule_as_it_is_declared(rules, owner):
    await sync_rules(owner)  # again: harmless
    known = {found["name"]: found for found in await rows("SELECT * FROM deadline_rule")}
    for name, declared in RULES.items():
        found = known[name]
        assert (found["days"], Unit(found["unit"]), found["source"], found["cascades"], found["urges"]) == (
            declared.length.amount, declared.length.unit, declared.source, declared.cascades, declared.urges)
    assert (await row("SELECT working_deadline($1, (SELECT days FROM deadline_rule WHERE name = 'sample_log')) AS due",
                      at("2026-09-29 21:00")))["due"] == at("2026-10-15")
