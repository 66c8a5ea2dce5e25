"""How a meeting is told in a line, and its lock: how long the log may still be changed, and why until that day."""
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.core.dates import calendar_day, clock_time, local, when
from server.core.deadline_words import SOON, due_text
from server.core.workdays import Calendar
from server.meetings.rules import LOG_LOCK


def lock_due(meeting: Mapping[str, Any], now: datetime, calendar: Calendar) -> dict[str, Any]:
    """The countdown to the lock: text, tone, and each day counted or skipped. Once locked: since when."""
    lock_at, days = meeting["lock_at"], []
    if calendar.due_moment(meeting["ends_at"], LOG_LOCK.length.amount) == lock_at:
        today = local(now).date()
        days = [{"label": calendar_day(one.date, today), "counted": one.counted,
                 "why": f"第 {one.number} 个工作日" + ("（调休上班）" if one.why == "调休上班" else "") if one.counted
                 else f"{one.why}，不算"}
                for one in calendar.explain(meeting["ends_at"], LOG_LOCK.length.amount)]
    until = due_text(lock_at, now)
    if now >= lock_at:
        return {"text": f"{until} 已锁定", "tone": "grey", "days": days}
    if now < meeting["ends_at"]:
        text = f"会后 {LOG_LOCK.length.amount} 个工作日内可以记入和更改（{until} 截止）"
        return {"text": text, "tone": "green", "days": days}
    left = calendar.remaining(now, meeting["ends_at"], lock_at)
    provisional = "（暂算）" if calendar.provisional(local(lock_at).date()) else ""
    what = "更改" if meeting["recorded_at"] else "记入"
    text = f"还剩 {left} 个工作日可以{what}（{until} 截止）{provisional}"
    return {"text": text, "tone": "amber" if left <= SOON else "green", "days": days}


def checked_in(how: str | None, marked_at: datetime) -> str:
    """您已签到, with the minute where the person did it; the officer's list was marked whenever it was."""
    return "您已签到（支部名单）" if how == "名单" else f"您已签到 {clock_time(marked_at)}"


def invitation_line(begins_at: datetime, topic: str, place: str, moment: datetime) -> tuple[str, str]:
    """A meeting as a line of the day's reminder: when, and what and where."""
    return when(begins_at, moment), f"{topic} · {place or '地点未定'}"
