"""督查 (M3§10-11): what is looked at level by level, spot checks and their mending. No I/O."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from server.catalogues.rules import CONVENIENCE, PUBLISH
from server.core import kinds
from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.workdays import Length, Unit
from server.permissions import Can
from server.questions.rules import ANSWER

TEXT_MAX = 500  # characters
MENDING_MOST = timedelta(days=90)

MENDING = declare(Rule(  # until when, whoever found it says
    name="mending", label="三务公开整改", length=Length(15, Unit.NOTICE), source="M3§10", remind=(3, 1), urges=True,
    cascades=False, can=Can.MENDING_DO))
PRESSED = (PUBLISH.name, CONVENIENCE.name, ANSWER.name, MENDING.name)  # what a village is pressed for
NAMED = 2  # of what has lapsed somewhere, by title; the rest is counted
PHOTOS = kinds.declare(kinds.Place(
    "spot_photos", "现场照片", kinds.PICTURES, most=6, can=Can.SPOT_CHECK_READ))


class State(StrEnum):
    SAME = "一致"
    MENDING = "整改中"
    MENDED = "待复核"
    CLOSED = "已销号"


TONES = {State.SAME: "green", State.MENDING: "red", State.MENDED: "amber", State.CLOSED: "grey"}
MENDED = Move("mending", "整改完成", frozenset({State.MENDING}), State.MENDED, Can.MENDING_DO)
CLOSE = Move("closing", "销号", frozenset({State.MENDED}), State.CLOSED, Can.SPOT_CHECK)
BACK = Move("return", "退回再改", frozenset({State.MENDED}), State.MENDING, Can.SPOT_CHECK)
MOVES = (MENDED, CLOSE, BACK)


@dataclass(frozen=True)
class Figures:
    """How a unit kept to it in some months. Every part is a count; `villages` are all there are, `opened` those that
    publish. What waits (`still_…`) waits whatever month it fell due in."""

    code: str
    name: str
    villages: int = 0
    opened: int = 0
    running: int = 0
    met: int = 0
    late: int = 0
    overdue: int = 0
    ledger_overdue: int = 0
    review_running: int = 0
    review_met: int = 0
    review_late: int = 0
    review_overdue: int = 0
    answer_running: int = 0
    answer_met: int = 0
    answer_late: int = 0
    answer_overdue: int = 0
    above_running: int = 0
    above_met: int = 0
    above_late: int = 0
    above_overdue: int = 0
    still_overdue: int = 0
    still_ledgers: int = 0
    still_reviews: int = 0
    still_asked: int = 0
    still_above: int = 0

    @property
    def due(self) -> int:
        """What fell due to be published."""
        return self.met + self.late + self.overdue

    @property
    def on_time(self) -> int | None:
        """The village's share that was in time, in per cent; None where nothing fell due."""
        return share(self.met, self.due)

    @property
    def covered(self) -> int | None:
        """How much of what fell due is published or declared, be it late, in per cent."""
        return share(self.met + self.late, self.due)

    @property
    def reviewed_on_time(self) -> int | None:
        """The township's own share, in per cent."""
        return share(self.review_met, self.review_met + self.review_late + self.review_overdue)

COUNTED = ("running", "met", "late", "overdue", "ledger_overdue", "review_running", "review_met", "review_late",
           "review_overdue", "answer_running", "answer_met", "answer_late", "answer_overdue", "above_running",
           "above_met", "above_late", "above_overdue")
WAITING = {"still_overdue": "overdue", "still_ledgers": "ledger_overdue", "still_reviews": "review_overdue",
           "still_asked": "answer_running + answer_overdue", "still_above": "above_running + above_overdue"}


def in_short(named: Sequence[str], things: int) -> str:
    """What has lapsed: the oldest by name, then how many it is in all."""
    return "；".join(one.removeprefix("公开 · ") for one in named) + (f"等 {things} 件" if things > len(named) else "")


def share(part: int, whole: int) -> int | None:
    """In per cent, rounded; 100 only where nothing is missing, 0 only where there is nothing."""
    return None if whole == 0 else 0 if part == 0 else 100 if part == whole else min(99, max(
        1, (200 * part + whole) // (2 * whole)))


def worst_first(units: Iterable[Figures]) -> list[Figures]:
    """Units in the order in which they need to be looked at: what is overdue now, then who was seldom in time."""
    return sorted(units, key=lambda one: (-one.still_overdue - one.still_reviews, one.on_time is None,
                                          one.on_time or 0, one.code))


def tone_of(percent: int | None) -> str:
    """How a share looks."""
    return "grey" if percent is None else "green" if percent >= 95 else "amber" if percent >= 80 else "red"
