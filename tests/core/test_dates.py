"""Dates as people say them, on Beijing's clock."""
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core import dates

NOW = datetime.fromisoformat("2026-11-22T18:00+08:00")  # a Sunday


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(("moment", "said"), [
    ("2026-11-22T19:30", "今天 19:30"), ("2026-11-22T00:00", "今天 00:00"), ("2026-11-23T09:05", "明天 09:05"),
    ("2026-11-21T23:59", "昨天"), ("2026-11-20T12:00", "11月20日 周五"), ("2026-10-09T08:00", "10月9日 周五"),
    ("2025-12-31T08:00", "2025年12月31日 周三"), ("2027-01-01T08:00", "2027年1月1日 周五"),
])
def test_when_is_said_as_people_say_it(moment, said):
    assert dates.when(at(moment), NOW) == said


@pytest.mark.parametrize(("moment", "said"), [
    ("2026-11-22T10:24", "10:24"), ("2026-11-21T10:24", "昨天"), ("2026-11-19T10:24", "周四"),
    ("2026-11-16T00:00", "周一"), ("2026-11-15T23:59", "11月15日"), ("2025-11-12T08:00", "2025年11月12日"),
    ("2026-11-23T08:00", "11月23日"),
])
def test_the_edge_of_a_row_is_brief(moment, said):
    assert dates.brief(at(moment), NOW) == said


def test_evidence_says_the_minute():
    assert dates.moment(at("2026-11-21T16:20"), NOW) == "昨天 16:20"
    assert dates.moment(at("2026-11-12T16:20"), NOW) == "11月12日 周四 16:20"


def test_a_day_needs_no_time():
    assert dates.day(date(2026, 11, 21), NOW) == "昨天"
    assert dates.day(date(2026, 11, 18), NOW) == "11月18日 周三"
    assert dates.day(at("2026-11-22T00:01"), NOW) == "今天"


def test_on_paper_a_day_is_what_it_was_whenever_it_is_read():
    seen = datetime(2026, 11, 24, 8, tzinfo=UTC)
    with dates.on_paper():
        assert dates.day(seen, seen) == "2026年11月24日 周二"
        assert dates.moment(seen, seen) == "2026年11月24日 周二 16:00"
    assert dates.day(seen, seen) == "今天"


def test_a_span_names_the_day_once_unless_it_ends_on_another():
    assert dates.span(at("2026-11-22T19:30"), at("2026-11-22T21:00"), NOW) == "11月22日 周日 19:30—21:00"
    over_new_year = dates.span(at("2026-12-31T22:00"), at("2027-01-01T00:30"), NOW)
    assert over_new_year == "12月31日 周四 22:00—2027年1月1日 周五 00:30"


def test_days_turn_at_midnight_in_beijing_not_in_london():
    assert dates.when(datetime(2026, 11, 21, 16, 30, tzinfo=UTC), NOW) == "今天 00:30"
    assert dates.when(datetime(2026, 11, 21, 15, 59, tzinfo=UTC), NOW) == "昨天"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        dates.when(datetime(2026, 11, 22, 19, 30), NOW)  # noqa: DTZ001 the very thing that is refused


def test_filters_read_the_clock_unless_told_when():
    filters = dates.filters(lambda: NOW)
    assert filters["when"](at("2026-11-22T19:30")) == "今天 19:30"
    assert filters["when"](at("2026-11-22T19:30"), at("2026-11-23T08:00")) == "昨天"
    assert filters["span"](at("2026-11-22T19:30"), at("2026-11-22T21:00")) == "11月22日 周日 19:30—21:00"
    assert filters["day"](date(2026, 11, 22)) == "今天"
    assert filters["calendar"](date(2026, 11, 22)) == "11月22日 周日"


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_can_be_said(moment):
    for say in (dates.when, dates.brief, dates.moment, dates.day):
        assert say(moment, NOW)
