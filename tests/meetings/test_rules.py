"""Where a meeting stands and what may be done with it, to the instant; when two moments don't fit; who checks."""
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.clock import BEIJING
from server.core.workdays import seed_calendar, working_days
from server.meetings.rules import (
    CHECK_IN_OPENS,
    LOG_LOCK,
    LONGEST,
    Kind,
    Mark,
    Reply,
    Stage,
    State,
    Times,
    Verdict,
    checker,
    reminder_moments,
    wrong_span,
)
from server.permissions import Role

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)  # nothing that is stored lies closer together


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=BEIJING)


BEGINS, ENDS, LOCK = at("2026-11-25 19:30"), at("2026-11-25 20:30"), at("2026-12-05 00:00")
OPENS = at("2026-11-25 19:00")  # half an hour before
MEETING = Times(BEGINS, ENDS, LOCK, recorded=False, cancelled=False)
RECORDED, CANCELLED = replace(MEETING, recorded=True), replace(MEETING, cancelled=True)
MAY = ("record", "take_attendance", "check_in", "move", "correct", "cancel")


def allowed(its: Times, now: datetime) -> set[str]:
    """What may be done at `now`."""
    return {what for what in MAY if getattr(its, f"may_{what}")(now)}


TO_COME = {"move", "correct", "cancel"}
OPEN = TO_COME | {"check_in", "take_attendance"}
ON = {"record", "take_attendance", "check_in", "correct", "cancel"}
OVER = ON - {"check_in"}
MOMENTS = (  # when, where it stands unrecorded and recorded, what may be done with it
    (BEGINS - 30 * DAY, Stage.PLANNED, Stage.PLANNED, TO_COME),
    (OPENS - INSTANT, Stage.PLANNED, Stage.PLANNED, TO_COME),
    (OPENS, Stage.PLANNED, Stage.PLANNED, OPEN),
    (BEGINS - INSTANT, Stage.PLANNED, Stage.PLANNED, OPEN),
    (BEGINS, Stage.RUNNING, Stage.RUNNING, ON),
    (ENDS - INSTANT, Stage.RUNNING, Stage.RUNNING, ON),
    (ENDS, Stage.TO_RECORD, Stage.RECORDED, OVER),
    (LOCK - INSTANT, Stage.TO_RECORD, Stage.RECORDED, OVER),
    (LOCK, Stage.UNRECORDED, Stage.LOCKED, frozenset()),
    (LOCK + 300 * DAY, Stage.UNRECORDED, Stage.LOCKED, frozenset()),
)


# Every stage at every moment ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("now", "unrecorded", "recorded", "may"), MOMENTS,
                         ids=lambda its: str(its) if isinstance(its, (str, datetime)) else "")
def test_where_it_stands_and_what_may_be_done(now, unrecorded, recorded, may):
    assert (MEETING.stage(now), RECORDED.stage(now)) == (unrecorded, recorded)
    assert allowed(MEETING, now) == may
    assert allowed(RECORDED, now) == may - {"cancel"}, "what was held is not called off (M2§7)"


@pytest.mark.parametrize("now", [now for now, *_ in MOMENTS], ids=str)
def test_what_is_called_off_stays_so_and_nothing_may_be_done_with_it(now):
    assert CANCELLED.stage(now) is Stage.CANCELLED
    assert allowed(CANCELLED, now) == set()


def test_the_moments_reach_every_stage():
    assert {stage for _, *both, _ in MOMENTS for stage in both} | {Stage.CANCELLED} == set(Stage)


@pytest.mark.parametrize(("now", "locked"), [(ENDS, False), (LOCK - INSTANT, False), (LOCK, True), (LOCK + DAY, True)])
def test_it_is_locked_from_24_00_of_the_last_day_on_whatever_its_state(now, locked):
    assert [its.locked(now) for its in (MEETING, RECORDED, CANCELLED)] == [locked] * 3


def test_the_same_moment_in_london_is_the_same_moment():
    for now, unrecorded, _, may in MOMENTS:
        assert MEETING.stage(now.astimezone(UTC)) is unrecorded
        assert allowed(MEETING, now.astimezone(UTC)) == may


def test_check_in_opens_half_an_hour_before():
    assert timedelta(minutes=30) == CHECK_IN_OPENS
    assert MEETING.check_in_opens == OPENS


def test_nobody_checks_in_after_the_lock_though_it_went_on():
    odd = replace(MEETING, lock_at=BEGINS + HOUR / 2)
    assert odd.may_check_in(odd.lock_at - INSTANT)
    assert not odd.may_check_in(odd.lock_at)


@given(st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 31), timezones=st.just(BEIJING)),  # noqa: DTZ001
       st.booleans(), st.booleans())
def test_what_may_be_done_agrees_with_where_it_stands(now, recorded, cancelled):
    its = replace(MEETING, recorded=recorded, cancelled=cancelled)
    stage, may = its.stage(now), allowed(its, now)
    assert ("move" in may) == (stage is Stage.PLANNED)
    assert ("record" in may) == (stage in (Stage.RUNNING, Stage.TO_RECORD, Stage.RECORDED))
    assert ("correct" in may) == (stage not in (Stage.LOCKED, Stage.UNRECORDED, Stage.CANCELLED))
    assert "take_attendance" in may or not {"record", "check_in"} & may, "who comes in can always be marked"
    assert not (its.locked(now) and may)


# What it is made of ---------------------------------------------------------------------------------------------------

def test_the_lock_is_seven_working_days_and_is_announced():
    assert LOG_LOCK.length == working_days(7)
    assert (LOG_LOCK.source, LOG_LOCK.remind) == ("M2§6", (3, 1))
    assert LOG_LOCK.length.due(ENDS, seed_calendar()) == LOCK


def test_the_words_are_those_of_the_measures():
    assert {str(kind) for kind in Kind} == {
        "支部党员大会", "支部委员会会议", "党小组会", "党课", "主题党日", "组织生活会", "民主评议党员", "其他"}
    assert {str(mark) for mark in Mark} == {"参加", "请假", "缺席", "列席"}, "nobody is marked late"
    assert {str(reply) for reply in Reply} < {str(mark) for mark in Mark}
    assert {str(verdict) for verdict in Verdict} == {"审核通过", "审核不通过"}
    assert {str(state) for state in State} == {"open", "cancelled"}, "everything else follows from the clock"


# Two moments that fit each other --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("length", "words"), [
    (timedelta(minutes=1), None), (HOUR, None), (LONGEST - INSTANT, None), (LONGEST, None),
    (LONGEST + INSTANT, "不超过24小时"), (30 * DAY, "不超过24小时"),
    (timedelta(0), "晚于开始时间"), (-INSTANT, "晚于开始时间"), (-DAY, "晚于开始时间"),
])
def test_a_gathering_ends_after_it_begins_and_within_a_day(length, words):
    found = wrong_span(BEGINS, BEGINS + length)
    assert found is None if words is None else words in found


def test_a_span_is_measured_in_time_and_not_in_digits():
    london = BEGINS.astimezone(UTC)  # eight hours less on the clock
    assert wrong_span(BEGINS, london + HOUR) is None
    assert wrong_span(london, BEGINS) == "结束时间要晚于开始时间"


# Who checks (M2§5) ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("writer_is_organiser", "has_organiser", "who"), [
    (False, True, Role.ORGANISER), (True, True, Role.SECRETARY), (False, False, Role.SECRETARY),
    (True, False, Role.SECRETARY)])
def test_the_organiser_checks_unless_there_is_none_or_he_wrote_it(writer_is_organiser, has_organiser, who):
    assert Role(checker(writer_is_organiser, has_organiser)) is who


# When the invited are reminded ----------------------------------------------------------------------------------------

EVE = at("2026-11-24 18:00")


@pytest.mark.parametrize(("now", "moments"), [
    (BEGINS - 30 * DAY, [EVE]), (EVE - INSTANT, [EVE]), (EVE, [BEGINS - HOUR]), (EVE + HOUR, [BEGINS - HOUR]),
    (BEGINS - HOUR - INSTANT, [BEGINS - HOUR]), (BEGINS - HOUR, []), (BEGINS - INSTANT, []), (BEGINS, []),
    (LOCK, [])], ids=str)
def test_the_evening_before_or_called_late_an_hour_before_and_never_twice(now, moments):
    assert reminder_moments(BEGINS, now) == moments


@pytest.mark.parametrize(("begins", "eve"), [
    ("2026-11-25 00:00", "2026-11-24 18:00"), ("2026-11-25 06:00", "2026-11-24 18:00"),
    ("2026-11-25 23:59:59", "2026-11-24 18:00"), ("2027-01-01 07:59", "2026-12-31 18:00"),
    ("2026-03-01 09:00", "2026-02-28 18:00")])
def test_the_day_before_is_beijing_s(begins, eve):
    assert reminder_moments(at(begins).astimezone(UTC), at(begins) - 9 * DAY) == [at(eve)]
