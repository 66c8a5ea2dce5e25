"""Calendar periods in which something is due a number of times: once a month, twice each half-year, once a year."""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Every(StrEnum):
    """How often something is due."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.HALF_YEAR: 6, Every.YEAR: 12}
ORDINALS = ("一", "二", "三", "四")


@dataclass(frozen=True, order=True)
class Period:
    """One month, quarter, half-year or year; `key` tells it from every other one (2026-11, 2026-Q4, 2026-H2, 2026)."""

    first: date
    last: date
    key: str
    label: str


@dataclass(frozen=True)
class Owed:
    """What one period asked for and what was done in it."""

    period: Period
    needed: int
    done: int

    @property
    def missing(self) -> int:
        """How many are still to come; never below 0."""
        return max(0, self.needed - self.done)


def month_after(day: date, months: int) -> date:
    """The first day of the month that lies `months` months after the one of `day`."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def period_of(every: Every, day: date) -> Period:
    """The period in which `day` lies."""
    length = MONTHS[every]
    number = (day.month - 1) // length  # 0 is the year's first
    first = date(day.year, number * length + 1, 1)
    last = month_after(first, length) - timedelta(days=1)
    key, label = {
        Every.MONTH: (f"{first:%Y-%m}", f"{day.year}年{first.month}月"),
        Every.QUARTER: (f"{day.year}-Q{number + 1}", f"{day.year}年第{ORDINALS[number % 4]}季度"),
        Every.HALF_YEAR: (f"{day.year}-H{number + 1}", f"{day.year}年{'下' if number else '上'}半年"),
        Every.YEAR: (f"{day.year}", f"{day.year}年"),
    }[every]
    return Period(first, last, key, label)


def periods(every: Every, first: date, last: date) -> list[Period]:
    """Every period that has at least one day from `first` to `last`, in order."""
    found = []
    while first <= last:
        found.append(period_of(every, first))
        first = found[-1].last + timedelta(days=1)
    return found


def due_list(every: Every, needed: int, done: Iterable[date], first: date, last: date) -> list[Owed]:
    """For each period from `first` to `last`: how often it was owed (`needed`) and how many of `done` lie in it."""
    dates = list(done)
    return [Owed(period, needed, sum(period.first <= day <= period.last for day in dates))
            for period in periods(every, first, last)]
