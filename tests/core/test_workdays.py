"""Working days: the State Council's calendar, due moments, what remains, and why it is that day."""
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.periods import Every, due_list, period_of, periods
from server.core.workdays import (
    NAMES,
    SEED_FIRST,
    SEED_LAST,
    BadCalendar,
    Length,
    at_once,
    beijing_date,
    calendar_days,
    each,
    end_of,
    last_day,
    minutes,
    months,
    notice_days,
    read_year,
    seed_calendar,
    weeks,
    working_days,
)

BEIJING = ZoneInfo("Asia/Shanghai")
CALENDAR = seed_calendar()
KNOWN_DAYS = [SEED_FIRST + timedelta(n) for n in range((SEED_LAST - SEED_FIRST).days + 1)]
SECOND = timedelta(seconds=1)
SHORT = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}  # how the independent package shortens them


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


moments = st.datetimes(datetime(2019, 1, 1), datetime(2026, 10, 31), timezones=st.just(BEIJING))  # noqa: DTZ001
lengths = st.integers(1, 15)


@pytest.mark.parametrize(("event", "n", "due"), [
    ("2026-02-13", 5, "2026-02-27"),  # across 春节, the Saturday before it and none of the nine days
    ("2026-09-30", 5, "2026-10-13"),  # across 国庆, with Saturday 10-10 worked
    ("2026-11-12", 7, "2026-11-23"),
    ("2023-09-28", 1, "2023-10-07"),  # a worked Saturday is the first day after the longest holiday
    ("2026-10-03", 1, "2026-10-08"),  # an event on a holiday
    ("2026-12-31", 1, "2027-01-01"),  # not published yet: weekends only
])
def test_the_nth_working_day(event, n, due):
    assert CALENDAR.add(date.fromisoformat(event), n) == date.fromisoformat(due)
    assert CALENDAR.due_moment(at(f"{event} 19:30"), n) == end_of(date.fromisoformat(due))


def test_seven_notice_days_before_spring_festival_hold_two_working_days():
    first, last = date(2026, 2, 13), date(2026, 2, 19)
    assert notice_days(7).last_day(first) == last
    assert CALENDAR.between(first, last) == 2


def test_every_day_agrees_with_an_independent_calendar():
    for day in KNOWN_DAYS:
        assert CALENDAR.is_working(day) == chinese_calendar.is_workday(day), day


def test_every_holiday_has_the_name_an_independent_calendar_gives_it():
    for day in KNOWN_DAYS:
        off, name = chinese_calendar.get_holiday_detail(day)
        chinese = name and chinese_calendar.Holiday(name).chinese
        if off and name:
            assert SHORT.get(chinese, chinese) in CALENDAR.why(day).split("、"), day
        elif off:
            assert CALENDAR.why(day) == ("周六" if day.weekday() == 5 else "周日"), day
        else:
            assert CALENDAR.why(day) == ("调休上班" if day.weekday() > 4 else "工作日"), day


def test_merged_holidays_have_both_names():
    assert CALENDAR.why(date(2025, 10, 6)) == "国庆节、中秋节"
    assert CALENDAR.why(date(2023, 9, 29)) == "中秋节、国庆节"
    assert CALENDAR.why(date(2020, 10, 1)) == "国庆节、中秋节"


def test_it_explains_each_day_counted_or_skipped():
    told = [(f"{day.date:%m-%d}", day.number, day.why) for day in CALENDAR.explain(at("2026-09-30 20:00"), 5)]
    assert told == [
        *[(f"10-0{n}", None, "国庆节") for n in range(1, 8)],
        ("10-08", 1, "工作日"), ("10-09", 2, "工作日"), ("10-10", 3, "调休上班"), ("10-11", None, "周日"),
        ("10-12", 4, "工作日"), ("10-13", 5, "工作日")]


@given(moments, lengths)
def test_the_due_moment_is_beijing_midnight_after_the_nth_working_day(event, n):
    due = CALENDAR.due_moment(event, n)
    assert due.astimezone(BEIJING).time() == datetime.min.time()
    assert CALENDAR.is_working(last_day(due))
    assert CALENDAR.between(beijing_date(event) + timedelta(1), last_day(due)) == n


@given(moments, lengths)
def test_the_explanation_counts_up_to_the_due_day(event, n):
    days = CALENDAR.explain(event, n)
    assert [day.date for day in days] == [beijing_date(event) + timedelta(k + 1) for k in range(len(days))]
    assert [day.number for day in days if day.counted] == list(range(1, n + 1))
    assert days[-1].counted
    assert days[-1].date == last_day(CALENDAR.due_moment(event, n))


@given(moments, lengths)
def test_the_hour_of_the_event_makes_no_difference(event, n):
    day = beijing_date(event)
    for hour in (at(f"{day} 00:00"), at(f"{day} 23:59"), at(f"{day} 12:00").astimezone(UTC)):
        assert CALENDAR.due_moment(hour, n) == CALENDAR.due_moment(event, n)


@given(moments, lengths)
def test_what_remains_begins_with_all_and_ends_with_one(event, n):
    due = CALENDAR.due_moment(event, n)
    assert CALENDAR.remaining(event, event, due) == n
    assert CALENDAR.remaining(due - SECOND, event, due) == 1
    assert CALENDAR.remaining(due + SECOND, event, due) == -1


@given(moments, lengths, st.integers(0, 40 * 24))
def test_what_remains_never_grows_and_is_never_zero(event, n, hours):
    due, earlier = CALENDAR.due_moment(event, n), event + timedelta(hours=hours)
    first, then = (CALENDAR.remaining(moment, event, due) for moment in (earlier, earlier + timedelta(hours=7)))
    assert first != 0
    assert then <= first


@given(moments, lengths, st.integers(0, 30 * 24))
def test_a_pause_that_ends_the_same_day_changes_nothing(event, n, hours):
    due, pause = CALENDAR.due_moment(event, n), event + timedelta(hours=hours)
    left = CALENDAR.left_after(pause, due)
    if left:
        assert CALENDAR.due_moment(pause, left) == due


def test_years_not_published_are_provisional_and_have_weekends_only():
    assert not CALENDAR.provisional(date(2026, 12, 31))
    assert CALENDAR.provisional(date(2027, 1, 1))
    assert CALENDAR.provisional(date(2018, 12, 31))
    assert CALENDAR.is_working(date(2027, 2, 8))  # 除夕 2027-02-05 was a Friday; nobody has said what is off yet
    assert CALENDAR.why(date(2030, 10, 1)) == "工作日"


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.due_moment(datetime(2026, 11, 22, 19, 30), 7)  # noqa: DTZ001
    with pytest.raises(ValueError, match="working day"):
        CALENDAR.due_moment(at("2026-11-22"), 0)
    with pytest.raises(ValueError, match="at least 1"):
        working_days(0)


@pytest.mark.parametrize(("length", "event", "due"), [
    (working_days(7), "2026-11-12 21:00", "2026-11-24 00:00"),
    (at_once(), "2026-11-20 16:20", "2026-11-24 00:00"),
    (minutes(5), "2026-11-22 19:30", "2026-11-22 19:35"),
    (weeks(1), "2026-11-22 19:30", "2026-11-30 00:00"),
    (calendar_days(10), "2026-11-22 19:30", "2026-12-03 00:00"),
    (months(4), "2026-10-31 08:00", "2027-03-01 00:00"),  # February has no 31st: its last day
    (months(4), "2026-03-15 08:00", "2026-07-16 00:00"),
    (notice_days(7), "2026-02-13 09:00", "2026-02-20 00:00"),
    (each(Every.MONTH), "2026-02-01 00:00", "2026-03-01 00:00"),
    (each(Every.QUARTER), "2026-11-22 00:00", "2027-01-01 00:00"),
    (each(Every.HALF_YEAR), "2026-01-31 00:00", "2026-07-01 00:00"),
    (each(Every.YEAR), "2026-01-31 00:00", "2027-01-01 00:00"),
])
def test_every_kind_of_length_has_its_end(length: Length, event, due):
    assert length.due(at(event), CALENDAR) == at(due)


@pytest.mark.parametrize(("last", "missing"),
                         [("2026-11-08", 0), ("2026-11-07", 1), ("2026-11-02", 6), ("2026-11-01", 7)])
def test_both_ends_of_a_notice_are_counted(last, missing):
    assert notice_days(7).shortfall(date(2026, 11, 2), date.fromisoformat(last)) == missing


def test_a_duty_twice_each_half_year_lists_what_is_missing():
    opinions = [date(2025, 9, 1), date(2025, 12, 31), date(2026, 1, 1)]
    owed = due_list(Every.HALF_YEAR, 2, opinions, date(2025, 8, 20), date(2026, 7, 1))
    assert [(line.period.label, line.done, line.missing) for line in owed] == [
        ("2025年下半年", 2, 0), ("2026年上半年", 1, 1), ("2026年下半年", 0, 2)]


@given(st.dates(date(2000, 1, 1), date(2090, 12, 31)), st.sampled_from(Every))
def test_each_day_lies_in_one_period_and_the_next_begins_the_day_after(day, every):
    period = period_of(every, day)
    assert period.first <= day <= period.last
    following = period_of(every, period.last + timedelta(1))
    assert following.first == period.last + timedelta(1)
    assert following.key != period.key
    assert [found.key for found in periods(every, day, following.last)] == [period.key, following.key]


def year_2027(**changes: str) -> list[dict[str, str]]:
    """A year as the notice might have it; `changes` gives another holiday, or "" for none, at a date (d0101=…)."""
    off = {"2027-01-01": "元旦", "2027-02-05": "春节", "2027-02-06": "春节", "2027-02-08": "Spring Festival",
           "2027-04-05": "清明节", "2027-05-03": "劳动节", "2027-06-09": "端午节", "2027-09-15": "中秋节",
           "2027-10-01": "国庆节"}
    rows = [{"date": day, "is_workday": "0", "kind": "放假", "holiday": name} for day, name in off.items()]
    rows.append({"date": "2027-02-20", "is_workday": "1", "kind": "调休上班", "holiday": "春节"})
    return [{**row, "holiday": changes.get("d" + row["date"][5:].replace("-", ""), row["holiday"])} for row in rows]


def test_a_published_year_is_read_with_chinese_or_english_names():
    year, days = read_year(year_2027())
    assert year == 2027
    assert days[date(2027, 2, 8)] == (False, "春节")
    assert days[date(2027, 2, 20)] == (True, "春节")
    assert set(NAMES.values()) == {name for _, name in days.values()}


def test_december_before_may_be_part_of_it_and_mid_autumn_part_of_national_day():
    rows = [row for row in year_2027() if row["holiday"] != "中秋节"]
    rows.append({"date": "2026-12-26", "is_workday": "1", "kind": "", "holiday": "元旦"})
    assert read_year(rows)[0] == 2027


@pytest.mark.parametrize(("row", "fault"), [
    ({"date": "2027/1/1"}, "应写成"),
    ({"date": None}, "应写成"),
    ({"date": "2027-01-01"}, "出现了两次"),
    ({"date": "2027-10-04", "is_workday": "yes"}, "应为 0 或 1"),
    ({"date": "2027-10-04", "is_workday": "1", "kind": ""}, "本来就是工作日"),
    ({"date": "2027-10-10", "is_workday": "1"}, "矛盾"),
    ({"date": "2027-10-04", "holiday": "Foundation Day"}, "不认识的节日"),
    ({"date": "2027-10-04", "holiday": ""}, "不认识的节日"),
    ({"date": "2025-10-01"}, "不属于 2027 年"),
])
def test_a_wrong_row_is_named(row, fault):
    with pytest.raises(BadCalendar, match=fault):
        read_year([*year_2027(), {"is_workday": "0", "kind": "放假", "holiday": "国庆节", **row}])


def test_every_wrong_row_is_listed_with_its_line():
    with pytest.raises(BadCalendar) as refusal:
        read_year([{"date": "x"}, *year_2027(), {"date": "y"}])
    assert [fault.split("：")[0] for fault in refusal.value.faults] == ["第 2 行", "第 13 行"]


def test_a_year_without_one_of_the_holidays_is_not_whole():
    with pytest.raises(BadCalendar, match="2027 年缺少：清明节"):
        read_year(row for row in year_2027() if row["holiday"] != "清明节")
    with pytest.raises(BadCalendar, match="缺少"):
        read_year([])
