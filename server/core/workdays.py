"""The State Council's working days, and the lengths of time the rules are written in.

The day of the event is day 0; day 1 is the first working day after it; a deadline ends at 24:00 Beijing time of its
last day. Pure: the calendar is an argument (`server/core/calendar_days.py` reads the one in the database)."""
import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from server.core.clock import BEIJING
from server.core.periods import Every, month_after, period_of

SEED = Path(__file__).with_name("data") / "workday_exceptions.csv"  # 国务院办公厅历年放假安排, 2019–2026
SEED_FIRST, SEED_LAST = date(2019, 1, 1), date(2026, 12, 31)
ONE_DAY = timedelta(days=1)
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Day:
    """One day of an explanation: counted as the `number`-th working day, or skipped, and `why`."""

    date: date
    counted: bool
    number: int | None
    why: str


def beijing_date(moment: datetime) -> date:
    """The legal day `moment` lies in. ValueError for a naive moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone belongs to no legal day")
    return moment.astimezone(BEIJING).date()


def end_of(day: date) -> datetime:
    """24:00 Beijing time of `day`, which is 0:00 of the next one."""
    return datetime.combine(day + ONE_DAY, time(), BEIJING)


def last_day(due: datetime) -> date:
    """The day on which a deadline ends: at 24:00 it is still that day, not the next."""
    return beijing_date(due - timedelta(microseconds=1))


@dataclass(frozen=True)
class Calendar:
    """Weekends, and the days that differ: `exceptions` gives date → (is it worked, the holiday it belongs to).

    After `confirmed_through` (the last day of the newest year the State Council has published), and before
    `known_from`, there are weekends only and every answer is 暂算."""

    exceptions: Mapping[date, tuple[bool, str]]
    confirmed_through: date
    known_from: date = SEED_FIRST

    def is_working(self, day: date) -> bool:
        """Whether `day` is worked."""
        exception = self.exceptions.get(day)
        return exception[0] if exception else day.weekday() < 5

    def why(self, day: date) -> str:
        """What makes `day` a working day or not, in Chinese: 工作日, 调休上班, 周六, 国庆节."""
        exception = self.exceptions.get(day)
        if exception:
            return "调休上班" if exception[0] else exception[1]
        return "工作日" if day.weekday() < 5 else "周" + WEEKDAYS[day.weekday()]

    def provisional(self, day: date) -> bool:
        """Whether what is said of `day` may still change when its year's holidays are published (暂算)."""
        return not self.known_from <= day <= self.confirmed_through

    def add(self, day: date, n: int) -> date:
        """The `n`-th working day after `day`, or before it when `n` is negative; `day` itself for 0."""
        step = ONE_DAY if n > 0 else -ONE_DAY
        for _ in range(abs(n)):
            day += step
            while not self.is_working(day):
                day += step
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days lie from `first` to `last`, both counted; 0 when `last` is earlier."""
        return sum(self.is_working(first + ONE_DAY * offset) for offset in range((last - first).days + 1))

    def left_after(self, moment: datetime, due: datetime) -> int:
        """Whole working days after the day of `moment` until `due`: what a pause sets aside."""
        return self.between(beijing_date(moment) + ONE_DAY, last_day(due))

    def remaining(self, moment: datetime, event: datetime, due: datetime) -> int:
        """Working days on which something can still be done at `moment`, the present one included: 1 on the last day.

        The day of `event` is day 0 and counts as none, so it starts with the full number. Once `due` has passed: the
        working days begun since then, negative, −1 at the least."""
        today, last = beijing_date(moment), last_day(due)
        if moment <= due:
            return self.between(max(today, beijing_date(event) + ONE_DAY), last)
        return -max(1, self.between(last + ONE_DAY, today))

    def due_moment(self, event: datetime, n: int) -> datetime:
        """24:00 Beijing time of the `n`-th working day after the day of `event`; `n` ≥ 1, else ValueError."""
        if n < 1:
            raise ValueError("a deadline has at least one working day")
        return end_of(self.add(beijing_date(event), n))

    def explain(self, event: datetime, n: int) -> list[Day]:
        """为什么是这天: every day after the day of `event` up to the `n`-th working day, counted or skipped."""
        day, last = beijing_date(event), last_day(self.due_moment(event, n))
        days: list[Day] = []
        number = 0
        while day < last:
            day += ONE_DAY
            counted = self.is_working(day)
            number += counted
            days.append(Day(day, counted, number if counted else None, self.why(day)))
        return days


@cache
def seed_calendar() -> Calendar:
    """The calendar the project carries: what a new database starts with."""
    with SEED.open(encoding="utf-8", newline="") as file:
        exceptions = {date.fromisoformat(row["date"]): (row["is_workday"] == "1", row["holiday"])
                      for row in csv.DictReader(file)}
    return Calendar(exceptions, SEED_LAST)


class Unit(StrEnum):
    """What a length is counted in; the value is stored."""

    WORKING = "working"
    AT_ONCE = "at_once"
    MINUTES = "minutes"
    DAYS = "days"
    NOTICE = "notice"
    MONTHS = "months"
    PERIOD_MONTH = "calendar_month"
    PERIOD_QUARTER = "calendar_quarter"
    PERIOD_HALF_YEAR = "calendar_half_year"
    PERIOD_YEAR = "calendar_year"


PERIODS = {Unit.PERIOD_MONTH: Every.MONTH, Unit.PERIOD_QUARTER: Every.QUARTER,
           Unit.PERIOD_HALF_YEAR: Every.HALF_YEAR, Unit.PERIOD_YEAR: Every.YEAR}


@dataclass(frozen=True)
class Length:
    """How long something may take, or must last."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError("a length is at least 1")

    @property
    def working(self) -> int | None:
        """The number of working days, for what is counted in them; else None."""
        return self.amount if self.unit in (Unit.WORKING, Unit.AT_ONCE) else None

    @property
    def every(self) -> Every | None:
        """The period at whose end it is due; None for what is counted from the event."""
        return PERIODS.get(self.unit)

    def due(self, event: datetime, calendar: Calendar) -> datetime:
        """The moment it ends, for something that began at `event`."""
        if self.unit is Unit.MINUTES:
            return event + timedelta(minutes=self.amount)
        if self.working:
            return calendar.due_moment(event, self.working)
        return end_of(self.last_day(beijing_date(event)))

    def last_day(self, day: date) -> date:
        """The last day of a length counted in calendar days, months or periods that began on `day`."""
        if self.every:
            return period_of(self.every, day).last
        if self.unit is Unit.MONTHS:  # the same day of the month, or the month's last where there is none
            month = month_after(day, self.amount)
            return month.replace(day=min(day.day, (month_after(month, 1) - ONE_DAY).day))
        return day + timedelta(days=self.amount - (self.unit is Unit.NOTICE))

    def shortfall(self, first: date, last: date) -> int:
        """Days by which a notice shown from `first` to `last`, both counted, is too short; 0 when it is long enough."""
        return max(0, self.amount - max(0, (last - first).days + 1))


def working_days(n: int) -> Length:
    """`n` working days after the event."""
    return Length(n, Unit.WORKING)


def at_once() -> Length:
    """即时: on the event's day or the next working day; from the second one on it is overdue."""
    return Length(1, Unit.AT_ONCE)


def minutes(n: int) -> Length:
    """`n` minutes, to the second."""
    return Length(n, Unit.MINUTES)


def calendar_days(n: int) -> Length:
    """`n` days after the event, whether worked or not; the event's day is not counted."""
    return Length(n, Unit.DAYS)


def weeks(n: int) -> Length:
    """Until 24:00 of the same weekday, `n` weeks later."""
    return calendar_days(7 * n)


def months(n: int) -> Length:
    """Until 24:00 of the same day of the month, `n` months later."""
    return Length(n, Unit.MONTHS)


def notice_days(n: int) -> Length:
    """`n` days of 公示, the first and the last both counted."""
    return Length(n, Unit.NOTICE)


def each(every: Every) -> Length:
    """Once in every calendar month, quarter, half-year or year: due at the end of the one the event lies in."""
    return Length(1, next(unit for unit, period in PERIODS.items() if period is every))


NAMES = {"New Year's Day": "元旦", "Spring Festival": "春节", "Tomb-sweeping Day": "清明节", "Labour Day": "劳动节",
         "Dragon Boat Festival": "端午节", "Mid-autumn Festival": "中秋节", "National Day": "国庆节"}


NEVER_MERGED = [name for name in NAMES.values() if name != "中秋节"]  # that one may lie within 国庆节


class BadCalendar(ValueError):
    """A year's holidays that can't be taken over; `faults` says for each wrong row what is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_year(rows: Iterable[Mapping[str, str | None]]) -> tuple[int, dict[date, tuple[bool, str]]]:
    """The year and its exceptions from rows of date, is_workday, kind, holiday (the first row is line 2 of its file).

    A notice may move days of the December before (2019's did). Raises BadCalendar with every fault found."""
    found: dict[date, tuple[bool, str]] = {}
    faults: list[str] = []
    for line, row in enumerate(rows, start=2):
        try:
            day, exception = read_row(row)
            if day in found:
                raise ValueError(f"{day} 出现了两次")
            found[day] = exception
        except ValueError as fault:
            faults.append(f"第 {line} 行：{fault}")
    year = max(found, default=SEED_LAST).year
    for day in found:
        if day.year != year and (day.year, day.month) != (year - 1, 12):
            faults.append(f"{day} 不属于 {year} 年：每次只能公布一个年份")
    named = "、".join(name for _, name in found.values())
    missing = [name for name in NEVER_MERGED if name not in named]
    if missing and not faults:
        faults.append(f"{year} 年缺少：{'、'.join(missing)}")
    if faults:
        raise BadCalendar(faults)
    return year, found


def read_row(row: Mapping[str, str | None]) -> tuple[date, tuple[bool, str]]:
    """One day that differs from its weekday. ValueError, in Chinese, for one that can't be meant."""
    text, flag, kind, holiday = ((row.get(name) or "").strip() for name in ("date", "is_workday", "kind", "holiday"))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"日期“{text}”应写成 2027-01-01 的样子") from None
    if flag not in ("0", "1"):
        raise ValueError(f"is_workday 应为 0 或 1，现在是“{flag}”")
    works = flag == "1"
    if kind and ("上班" in kind) != works:
        raise ValueError(f"is_workday={flag} 与“{kind}”矛盾")
    if works and day.weekday() < 5:
        raise ValueError(f"{day} 本来就是工作日")
    holiday = NAMES.get(holiday, holiday)
    if not holiday or holiday.isascii() or len(holiday) > 20 or not holiday.isprintable():
        raise ValueError(f"不认识的节日“{holiday}”")
    return day, (works, holiday)
