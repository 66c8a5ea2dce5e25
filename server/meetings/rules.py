"""组织生活 (M2§6-7): its kinds, the four facts of a record, when one may check in, when a log locks."""
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.core import kinds
from server.core.clock import BEIJING
from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.workdays import working_days
from server.permissions import Can

TOPIC_MAX, PLACE_MAX, REASON_MAX, GUESTS_MAX = 60, 60, 300, 300  # characters
LONGEST = timedelta(hours=24)  # a gathering ends on the day it began, or in the night after
CHECK_IN_OPENS = timedelta(minutes=30)  # before the beginning; it closes at the end, and nobody is marked late

PHOTOS = kinds.declare(kinds.Place(  # of handwritten minutes: a suitable manner of recording (M2§6)
    "log_photos", "手写记录的照片", kinds.PICTURES, most=20, can=Can.MEETING_KEEP, scans=True))
ATTACHMENTS = kinds.declare(kinds.Place(
    "log_attachments", "附件", kinds.DOCUMENTS + kinds.PICTURES + kinds.RECORDINGS, most=10, can=Can.MEETING_KEEP))

LOG_LOCK = declare(Rule(
    name="log_lock", label="记入组织生活电子日志", length=working_days(7), source="M2§6", remind=(3, 1),
    can=Can.MEETING_KEEP))
LOCKED = "已超7个工作日，禁止更改"
EXPLAIN = "确需更改的，在这次会议的页面点“更改说明”，写明改什么、为什么；由基层党委核对以后更改。"  # M2§6


class Kind(StrEnum):
    """One gathering can be of several kinds."""

    ASSEMBLY = "支部党员大会"
    COMMITTEE = "支部委员会会议"
    GROUP = "党小组会"
    LECTURE = "党课"
    THEME_DAY = "主题党日"
    LIFE_MEETING = "组织生活会"
    APPRAISAL = "民主评议党员"
    OTHER = "其他"


class Mark(StrEnum):
    """参加情况. There is no “late”."""

    PRESENT = "参加"
    EXCUSED = "请假"
    ABSENT = "缺席"
    GUEST = "列席"


class Reply(StrEnum):
    """What somebody invited answers."""

    COMING = "参加"
    EXCUSED = "请假"


class Verdict(StrEnum):
    """What the check of a log's text and photographs says (M2§5)."""

    PASSED = "审核通过"
    RETURNED = "审核不通过"


class State(StrEnum):
    """What is stored; everything else about a meeting follows from the clock."""

    OPEN = "open"
    CANCELLED = "cancelled"


MOVE = Move("move", "改期", frozenset({State.OPEN}), State.OPEN, Can.MEETING_KEEP)
CORRECT = Move("facts", "更正", frozenset({State.OPEN}), State.OPEN, Can.MEETING_KEEP)
CANCEL = Move("cancellation", "取消", frozenset({State.OPEN}), State.CANCELLED, Can.MEETING_KEEP)
MOVES = (MOVE, CORRECT, CANCEL)


class Stage(StrEnum):
    """Where a meeting stands now; the value is the word on the screen."""

    CANCELLED = "已取消"
    PLANNED = "未开始"
    RUNNING = "进行中"
    TO_RECORD = "待记入"
    RECORDED = "已记入"
    LOCKED = "已锁定"
    UNRECORDED = "未记入"


TONES = {
    Stage.CANCELLED: "grey", Stage.PLANNED: "blue", Stage.RUNNING: "green", Stage.TO_RECORD: "amber",
    Stage.RECORDED: "green", Stage.LOCKED: "gold", Stage.UNRECORDED: "red",
}


@dataclass(frozen=True)
class Times:
    """The moments of one meeting, and what follows from them at `now`. Every moment is aware."""

    begins_at: datetime
    ends_at: datetime
    lock_at: datetime
    recorded: bool
    cancelled: bool

    def stage(self, now: datetime) -> Stage:
        """Where it stands: what has not begun is not held, what is not recorded at the lock is 未记入 (M2§6-7)."""
        if self.cancelled:
            return Stage.CANCELLED
        if now < self.begins_at:
            return Stage.PLANNED
        if self.locked(now):
            return Stage.LOCKED if self.recorded else Stage.UNRECORDED
        if now < self.ends_at:
            return Stage.RUNNING
        return Stage.RECORDED if self.recorded else Stage.TO_RECORD

    def locked(self, now: datetime) -> bool:
        """From this moment on no branch changes anything (M2§6)."""
        return now >= self.lock_at

    def may_record(self, now: datetime) -> bool:
        """Whether attendance and text may be written: once it has begun, until the lock."""
        return not self.cancelled and self.begins_at <= now < self.lock_at

    def may_take_attendance(self, now: datetime) -> bool:
        """Whether people may be marked as they come in: as soon as check-in opens, until the lock."""
        return not self.cancelled and self.check_in_opens <= now < self.lock_at

    @property
    def check_in_opens(self) -> datetime:
        """From when one may check in."""
        return self.begins_at - CHECK_IN_OPENS

    def may_check_in(self, now: datetime) -> bool:
        """Whether one may check in by QR or code now."""
        return not self.cancelled and self.check_in_opens <= now < min(self.ends_at, self.lock_at)

    def may_move(self, now: datetime) -> bool:
        """Whether it may still be put to another time: until it begins."""
        return not self.cancelled and now < self.begins_at

    def may_correct(self, now: datetime) -> bool:
        """Whether its facts may still be put right: until the lock."""
        return not self.cancelled and now < self.lock_at

    def may_cancel(self, now: datetime) -> bool:
        """Whether it may be called off, or noted as not held: until it is recorded as held, or locked (M2§7)."""
        return not self.cancelled and not self.recorded and now < self.lock_at


def wrong_span(begins_at: datetime, ends_at: datetime) -> str | None:
    """What is wrong with a beginning and an end, in words, or None."""
    if ends_at <= begins_at:
        return "结束时间要晚于开始时间"
    if ends_at - begins_at > LONGEST:
        return "一次组织生活不超过24小时，请检查日期"
    return None


def checker(writer_is_organiser: bool, has_organiser: bool) -> str:
    """Who checks a log before the branch sees it (M2§5): the 组织委员; if there is none, or he wrote it, the 书记."""
    return "组织委员" if has_organiser and not writer_is_organiser else "书记"


def reminder_moments(begins_at: datetime, now: datetime) -> list[datetime]:
    """When the invited are reminded: at 18:00 the day before; of a meeting called too late for that, an hour before."""
    eve = (begins_at.astimezone(BEIJING) - timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)
    return [moment for moment in (eve, begins_at - timedelta(hours=1)) if moment > now][:1]
