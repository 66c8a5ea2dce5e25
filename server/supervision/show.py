"""What the pages of supervision show: a level with its units, one village, the months as a picture."""
from collections.abc import Sequence
from datetime import date
from typing import Any

from asyncpg import Record

from server.core.clock import now
from server.core.deadline_words import due_text
from server.core.periods import month_after
from server.supervision.rules import Figures, tone_of

SPANS = {"month": ("本月", 1), "quarter": ("3 个月", 3), "year": ("12 个月", 12), "three": ("3 年", 36)}
HEIGHT = 100
BARS = 12  # months
PARTS = ("met", "late", "overdue")  # of a bar, from below


def span_of(name: str, today: date) -> tuple[str, date, date]:
    """A span's name, its first month and its last, by how it is called in an address."""
    name = name if name in SPANS else "month"
    last = today.replace(day=1)
    return name, month_after(last, 1 - SPANS[name][1]), last


def percent(value: int | None) -> str:
    return "—" if value is None else f"{value}%"


def line_of(one: Figures, href: str) -> dict[str, Any]:
    """One unit in the table."""
    waits = [words for words, many in (
        (f"逾期未公开 {one.still_overdue}", one.still_overdue), (f"其中账目 {one.still_ledgers}", one.still_ledgers),
        (f"审核逾期 {one.still_reviews}", one.still_reviews), (f"提问待答 {one.still_asked}", one.still_asked),
        (f"反映待答 {one.still_above}", one.still_above),
        (f"未开通 {one.villages - one.opened}", one.villages - one.opened)) if many]
    tone = tone_of(one.on_time)
    if tone == "green" and one.still_overdue:  # in time this month, but not done with the months before
        tone = "amber"
    return {"href": href, "name": one.name, "on_time": percent(one.on_time), "tone": tone,
            "covered": percent(one.covered), "reviewed": percent(one.reviewed_on_time), "share": one.on_time or 0,
            "line": " · ".join(waits) or ("没有等着办的" if one.due else "没有到期的")}


def tally(one: Figures) -> list[tuple[str, str, str]]:
    """The figures on top."""
    return [(percent(one.on_time), "按时公开（村）", tone_of(one.on_time)),
            (percent(one.reviewed_on_time), "按时审核（镇）", tone_of(one.reviewed_on_time)),
            (percent(one.covered), "目录覆盖", tone_of(one.covered))]


def counts(one: Figures) -> list[tuple[str, str, str]]:
    """What waits now."""
    return [(str(many), label, tone if many else "grey") for many, label, tone in (
        (one.still_overdue, "逾期未公开", "red"), (one.still_ledgers, "账目缺月", "red"),
        (one.still_reviews, "审核逾期", "red"), (one.still_asked, "提问待答", "amber"),
        (one.still_above, "反映待答", "amber"))]


def pictured(last: date) -> list[date]:
    """The months that are drawn, up to `last`, whatever span is looked at: one bar alone tells nothing."""
    return [month_after(last, back - BARS + 1) for back in range(BARS)]


def picture(found: Sequence[Record], shown: Sequence[date]) -> list[dict[str, Any]]:
    """The months as bars: in time, late, overdue, one on the other; heights 0 to 100."""
    known = {one["month"]: one for one in found}
    most = max((sum(known[one][part] for part in PARTS) for one in shown if one in known),
               default=0) or 1
    bars = []
    for place, one in enumerate(shown):
        counted = known.get(one)
        heights = {part: round(HEIGHT * counted[part] / most, 1) if counted else 0 for part in PARTS}
        kept = f"按时 {counted['met']} 迟 {counted['late']} 逾期 {counted['overdue']}" if counted else "没有到期的"
        bars.append({"month": one.month, "x": 2 + place * (310 / len(shown)), **heights,
                     "words": f"{one.year}年{one.month}月 {kept}"})
    return bars


def overdue_line(one: Record) -> dict[str, Any]:
    """One thing a village has let lapse."""
    until = due_text(one["due_at"], now())
    return {"title": one["title"],
            "line": f"应于{until}完成" if one["due_at"] < now() else f"已逾期，退回后到{until}改好"}
