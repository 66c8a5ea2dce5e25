"""Deadlines in words: what is left, when it ends, why on that day."""
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.deadline_words import describe
from server.core.deadlines import Rule
from server.core.workdays import end_of, working_days
from tests.core.deadline_samples import (
    ACTIVATION,
    BEIJING,
    CALENDAR,
    CODE,
    COLLECTION,
    CONVENIENCE,
    KEY_STEP,
    LOG,
    NOTICE,
    at,
    made_up,
)

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("now", "text", "tone"), [
    ("2026-09-28 10:00", "9月29日以后 7 个工作日（10月14日 24:00 截止）", "green"),
    ("2026-09-29 22:00", "还剩 7 个工作日（10月14日 24:00 截止）", "green"),
    ("2026-09-30 10:00", "还剩 7 个工作日（10月14日 24:00 截止）", "green"),
    ("2026-10-05 10:00", "还剩 6 个工作日（10月14日 24:00 截止）", "green"),
    ("2026-10-11 10:00", "还剩 3 个工作日（10月14日 24:00 截止）", "green"),
    ("2026-10-13 10:00", "还剩 2 个工作日（10月14日 24:00 截止）", "amber"),
    ("2026-10-14 23:59:59", "还剩 1 个工作日（10月14日 24:00 截止）", "amber"),
    ("2026-10-15 00:00:01", "已逾期 1 个工作日（应于10月14日完成）", "red"),
    ("2027-01-04 10:00", "已逾期 58 个工作日（应于2026年10月14日完成）", "red"),
])
def test_it_says_what_is_left(now, text, tone):
    view = describe(made_up(LOG, "2026-09-29 21:00"), at(now), CALENDAR)
    assert (view.text, view.tone) == (text, tone)


@pytest.mark.parametrize(("sample", "starts_at", "now", "text"), [
    (CODE, "2026-11-22 19:30", "2026-11-22 19:31:01", "还剩 4 分钟（11月22日 19:35 截止）"),
    (CODE, "2026-11-22 19:30", "2026-11-22 19:35:01", "已逾期 1 分钟（应于11月22日完成）"),
    (COLLECTION, "2026-07-01 08:00", "2026-07-01 09:00", "还剩 123 天（11月1日 24:00 截止）"),
    (ACTIVATION, "2026-11-15 10:00", "2026-11-15 11:00", "还剩 7 天（11月22日 24:00 截止）"),
    (NOTICE, "2026-11-02 09:00", "2026-11-02 10:00", "还剩 7 天（11月8日 24:00 截止）"),
    (CONVENIENCE, "2026-11-01 00:00", "2026-11-30 10:00", "还剩 1 天（11月30日 24:00 截止）"),
    (CONVENIENCE, "2026-11-01 00:00", "2026-12-03 10:00", "已逾期 3 天（应于11月30日完成）"),
    (KEY_STEP, "2026-11-20 16:20", "2026-11-21 10:00", "请即时办理（11月23日 24:00 截止）"),
])
def test_other_lengths_have_their_own_words(sample, starts_at, now, text):
    assert describe(made_up(sample, starts_at), at(now), CALENDAR).text == text


@pytest.mark.parametrize(("columns", "text"), [
    ({"state": "met", "closed_at": at("2026-10-09 10:00")}, "按时完成（10月9日）"),
    ({"state": "late", "closed_at": at("2026-10-15 10:00")}, "逾期完成（10月15日）"),
    ({"state": "withdrawn", "closed_at": at("2026-10-09 10:00")}, "已撤销（10月9日）"),
    ({"state": "paused", "left_working_days": 3}, "已暂停，恢复后还有 3 个工作日"),
])
def test_what_does_not_run_says_so(columns, text):
    assert describe(made_up(LOG, "2026-09-29 21:00", **columns), at("2026-10-20 10:00"), CALENDAR).text == text


def test_it_shows_why_it_is_that_day_and_what_is_provisional():
    view = describe(made_up(LOG, "2026-09-29 21:00"), at("2026-10-01 10:00"), CALENDAR)
    assert [day.why for day in view.days].count("国庆节") == 7
    assert [day.number for day in view.days if day.why == "调休上班"] == [4]
    assert view.note == ""
    open_year = describe(made_up(LOG, "2026-12-28 21:00", provisional=True), at("2026-12-29 10:00"), CALENDAR)
    assert open_year.note == "暂算：2027年放假安排尚未公布，公布后重新计算"


def test_no_explanation_is_given_that_does_not_lead_to_the_day():
    passed = made_up(LOG, "2026-09-29 21:00", due_at=at("2026-10-10"))
    assert describe(passed, at("2026-10-20 10:00"), CALENDAR).days == []


@given(st.datetimes(datetime(2019, 1, 1), datetime(2026, 9, 30), timezones=st.just(BEIJING)),  # noqa: DTZ001
       st.integers(1, 15), st.integers(-48, 60 * 24))
def test_the_words_agree_with_the_figures(event, n, hours):
    due = CALENDAR.due_moment(event, n)
    now = event + timedelta(hours=hours)
    sample = Rule("x", "x", working_days(n), "M2§6")
    view = describe(made_up(sample, event.replace(tzinfo=None).isoformat()), now, CALENDAR)
    assert (view.state == "overdue") == (now > due)
    assert (view.left < 0) == (view.state == "overdue")
    assert abs(view.left) >= 1
    assert f" {abs(view.left)} 个工作日" in view.text
    assert view.days[-1].date == (due - SECOND).astimezone(BEIJING).date()
    assert end_of(view.days[-1].date) == due
