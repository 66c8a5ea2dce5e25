"""A deadline in words: 还剩 3 个工作日（10月13日 24:00 截止）, and why it ends on that day."""
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from server.core.clock import BEIJING
from server.core.deadline_tables import Deadline
from server.core.workdays import ONE_DAY, Calendar, Day, Unit, beijing_date, last_day

SOON = 2  # working days: today and the next one, 今明两天
AFTER_DAY_0 = (Unit.DAYS, Unit.MONTHS)  # the others count the day they begin on
AT_ONCE_FIGURE, AT_ONCE_UNIT = "即时", "办理"


@dataclass(frozen=True)
class DeadlineView:
    """What a page shows of a deadline. `left` is negative once overdue; `figure` and `unit` stand before a to-do."""

    text: str
    left: int
    figure: str
    unit: str
    tone: str  # green, amber, red
    state: str  # ahead, open, overdue, paused, met, late, withdrawn
    soon: bool  # belongs under 今明两天
    due_text: str
    days: list[Day] = field(default_factory=list)  # 为什么是这天; empty for what is not counted in working days
    note: str = ""  # 暂算 …


def day_text(day: date, now: datetime) -> str:
    """10月13日, with its year where that is another one."""
    year = "" if day.year == beijing_date(now).year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日"


def due_text(due: datetime, now: datetime) -> str:
    """10月13日 24:00; a deadline that ends during a day has its minute."""
    local = due.astimezone(BEIJING)
    if (local.hour, local.minute) == (0, 0):
        return f"{day_text(last_day(due), now)} 24:00"
    return f"{day_text(local.date(), now)} {local:%H:%M}"


def counted(deadline: Deadline, now: datetime, calendar: Calendar) -> tuple[int, str]:
    """How many are left and of what: 工作日, 天, 分钟; the present day counts, what is overdue is negative."""
    if deadline.days is not None:
        return calendar.remaining(now, deadline.counted_from, deadline.due_at), "工作日"
    over = now > deadline.due_at
    if deadline.unit == Unit.MINUTES:
        minutes = -(-abs(deadline.due_at - max(now, deadline.counted_from)) // timedelta(minutes=1))
        return (-minutes if over else minutes), "分钟"
    today, last = beijing_date(now), last_day(deadline.due_at)
    if over:
        return -max(1, (today - last).days), "天"
    first = beijing_date(deadline.counted_from) + (ONE_DAY if deadline.unit in AFTER_DAY_0 else timedelta(0))
    return (last - max(today, first)).days + 1, "天"


def words(left: int, unit: str) -> str:
    """3 个工作日, 45 天."""
    return f"{abs(left)} {'个' if unit == '工作日' else ''}{unit}"


def describe(deadline: Deadline, now: datetime, calendar: Calendar) -> DeadlineView:
    """`deadline` as people read it at `now`."""
    until = due_text(deadline.due_at, now)
    left, unit = counted(deadline, now, calendar)
    last = last_day(deadline.due_at)
    state, tone, soon = deadline.state, "green", False
    figure = str(left)
    if state == "open":
        state, tone, text = open_words(deadline, now, left, unit, until)
        soon = state == "open" and (
            deadline.at_once or min(left, calendar.between(beijing_date(now), last)) <= SOON)
        tone = "amber" if soon else tone
        if state == "overdue":
            figure = f"−{-left}"
        elif deadline.at_once:
            figure, unit = AT_ONCE_FIGURE, AT_ONCE_UNIT
    elif state == "paused":
        left = deadline.left_working_days or 0
        figure, text = str(left), f"已暂停，恢复后还有 {words(max(1, left), unit)}"
    else:
        closed = day_text(beijing_date(deadline.closed_at or deadline.due_at), now)
        tone = "red" if state == "late" else "green"
        text = {"met": "按时完成", "late": "逾期完成", "withdrawn": "已撤销"}[state] + f"（{closed}）"
    return DeadlineView(
        text, left, figure, unit, tone, state, soon, until, why_this_day(deadline, calendar),
        f"暂算：{last.year}年放假安排尚未公布，公布后重新计算" if deadline.provisional else "")


def open_words(deadline: Deadline, now: datetime, left: int, unit: str, until: str) -> tuple[str, str, str]:
    """State, tone and text of one that is not closed."""
    if now > deadline.due_at:
        last = day_text(last_day(deadline.due_at), now)
        return "overdue", "red", f"已逾期 {words(left, unit)}（应于{last}完成）"
    if deadline.starts_at > now:
        begin = day_text(beijing_date(deadline.starts_at), now)
        return "ahead", "green", f"{begin}以后 {words(left, unit)}（{until} 截止）"
    if deadline.at_once:
        return "open", "amber", f"请即时办理（{until} 截止）"
    return "open", "green", f"还剩 {words(left, unit)}（{until} 截止）"


def why_this_day(deadline: Deadline, calendar: Calendar) -> list[Day]:
    """Each day counted or skipped; nothing where a later calendar no longer leads to a day that has already passed."""
    if deadline.days is None or deadline.state == "paused":
        return []
    if calendar.due_moment(deadline.counted_from, deadline.days) != deadline.due_at:
        return []
    return calendar.explain(deadline.counted_from, deadline.days)
