"""Threads: which there are, whose they are and who sees them. Every area of the product speaks through one."""
from dataclasses import dataclass

from server.permissions import Can, Role, may

TEXT_MAX = 1000  # characters of one message
PAGE = 30  # entries a page
DAY = "day"  # the kind of the card with a day's reminders; its subject is the day, as 20261122, and it is one a day


@dataclass(frozen=True)
class Kind:
    name: str
    title: str
    icon: str
    tone: str
    owner: str  # which organisations have one, by their kind; "person": everybody's own
    read: Can
    write: Can | None  # None: only cards arrive here
    empty: str  # what will appear here and who makes it


KINDS = {kind.name: kind for kind in (
    Kind("meetings", "组织生活", "people", "amber", "党支部", Can.MEETING_READ, Can.THREAD_WRITE,
         "支部安排的会议和活动、会后的记录都会到这里，由支部书记、组织委员和e支部管理员发出"),
    Kind("forum", "支部论坛", "chat", "blue", "党支部", Can.MEETING_READ, Can.THREAD_WRITE,
         "支部党员在这里交流，流动党员在这里汇报情况"),
    Kind("reports", "基层报送", "open", "gold", "基层党委", Can.LOG_AMEND, None,
         "所属党支部报来的更改说明会到这里"),
    Kind("reminders", "我的提醒", "bell", "red", "person", Can.THREAD_READ, None,
         "要您办的事、快到期的事会在这里提醒，每天最多一次"),
)}


def readable_kinds(role: Role) -> list[str]:
    """The kinds of threads `role` may read at its organisation."""
    return [kind.name for kind in KINDS.values() if kind.owner != "person" and may(role, kind.read)]
