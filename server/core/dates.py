"""Dates as people say them: 今天 19:30, 昨天, 10月9日 周五. Counted and shown in Beijing time; `now` is an argument."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta

from server.core.clock import BEIJING

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
NEAR = {0: "今天", -1: "昨天", 1: "明天"}
WEEK = 7  # days back in which the weekday alone says enough


_on_paper: ContextVar[bool] = ContextVar("on_paper", default=False)


@contextmanager
def on_paper() -> Iterator[None]:
    """What is said within is read on other days too: 2026年11月27日 周五, and never 昨天."""
    mark = _on_paper.set(True)
    try:
        yield
    finally:
        _on_paper.reset(mark)


def local(at: datetime) -> datetime:
    """The moment on Beijing's clock; ValueError if it has no zone, for then nobody knows when it is."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return at.astimezone(BEIJING)


def clock_time(at: datetime) -> str:
    return f"{local(at):%H:%M}"


def calendar_day(on: date, today: date) -> str:
    """10月9日 周五, with the year where it is another one."""
    year = "" if on.year == today.year and not _on_paper.get() else f"{on.year}年"
    return f"{year}{on.month}月{on.day}日 {WEEKDAYS[on.weekday()]}"


def paper_day(on: date) -> str:
    """2026年10月9日, as it stands on paper and on pages that are kept; of a moment the day in Beijing."""
    on = local(on).date() if isinstance(on, datetime) else on
    return f"{on.year}年{on.month}月{on.day}日"


def day(on: date, now: datetime) -> str:
    """今天, 昨天, 明天 or 10月9日 周五."""
    today = local(now).date()
    on = local(on).date() if isinstance(on, datetime) else on
    near = None if _on_paper.get() else NEAR.get((on - today).days)
    return near or calendar_day(on, today)


def when(at: datetime, now: datetime) -> str:
    """今天 19:30, 明天 19:30, 昨天, 10月9日 周五: as exact as people say it."""
    named = day(at, now)
    return f"{named} {clock_time(at)}" if named in ("今天", "明天") else named


def moment(at: datetime, now: datetime) -> str:
    """When exactly, for evidence: 昨天 16:20, 10月9日 周五 16:20."""
    return f"{day(at, now)} {clock_time(at)}"


def brief(at: datetime, now: datetime) -> str:
    """For the edge of a row: 10:24 today, 昨天, 周四 within the week, then 11月12日, 2025年11月12日."""
    on, today = local(at).date(), local(now).date()
    if on == today:
        return clock_time(at)
    if timedelta() < today - on < timedelta(WEEK):
        return "昨天" if (today - on).days == 1 else WEEKDAYS[on.weekday()]
    return calendar_day(on, today).split()[0]


def span(begin: datetime, end: datetime, now: datetime) -> str:
    """11月22日 周日 19:30—21:00; with both days where it ends on another one."""
    first, last, today = local(begin).date(), local(end).date(), local(now).date()
    until = clock_time(end) if first == last else f"{calendar_day(last, today)} {clock_time(end)}"
    return f"{calendar_day(first, today)} {clock_time(begin)}—{until}"


def filters(now: Callable[[], datetime]) -> dict[str, Callable[..., str]]:
    """The Jinja filters of these names, reading the clock `now` unless the template says when: `{{ at|when }}`."""

    def single(say: Callable[..., str]) -> Callable[..., str]:
        return lambda at, seen_at=None: say(at, seen_at or now())

    return {
        "when": single(when), "day": single(day), "moment": single(moment), "brief": single(brief),
        "calendar": lambda on, seen_at=None: calendar_day(on, local(seen_at or now()).date()),
        "paper": paper_day,
        "span": lambda begin, end, seen_at=None: span(begin, end, seen_at or now()),
    }
