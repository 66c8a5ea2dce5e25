"""Threads: which there are, whose they are and who sees them. Every area of the product speaks through one."""
from dataclasses import dataclass

from server.permissions import Can, Role, may

TEXT_MAX = 1000  # characters of one message
PAGE = 30  # entries a page
DAY = "day"  # the kind of the card with a day's reminders; its subject is the day, as 20261122, and it is one a day


VILLAGE = "村"


@dataclass(frozen=True)
class Kind:
    name: str
    title: str
    icon: str
    tone: str
    owner: str  # which organisations have one, by their kind; VILLAGE: the branches of opened villages; "person": all
    read: Can
    write: Can | None  # None: only cards arrive here
    empty: str  # what will appear here and who makes it


KINDS = {kind.name: kind for kind in (
    Kind("meetings", "组织生活", "people", "amber", "党支部", Can.MEETING_READ, Can.THREAD_WRITE,
         "支部安排的会议和活动、会后的记录都会到这里，由支部书记、组织委员和e支部管理员发出"),
    Kind("forum", "支部论坛", "chat", "blue", "党支部", Can.MEETING_READ, Can.THREAD_WRITE,
         "支部党员在这里交流，流动党员在这里汇报情况"),
    Kind("party_affairs", "党务公开", "flag", "red", VILLAGE, Can.MEETING_READ, None,
         "支部向党员公开的事项会到这里，由村（社区）管理员发布、镇街审核"),
    Kind("disclosures", "三务公开", "village", "green", VILLAGE, Can.MEETING_READ, None,
         "本村的村（居）务、财务和便民服务信息，公开以后会到这里"),
    Kind("village_party", "党务公开", "flag", "red", VILLAGE, Can.VILLAGE_HOME, None,
         "本村党组织向大家公开的事项会到这里，由村（社区）管理员发布、镇街审核"),
    Kind("village_affairs", "村务公开", "village", "blue", VILLAGE, Can.VILLAGE_HOME, None,
         "村里办了什么、定了什么，公开以后会到这里"),
    Kind("village_finance", "财务公开", "coin", "gold", VILLAGE, Can.VILLAGE_HOME, None,
         "村里的每一笔收入和支出，每月公开以后会到这里"),
    Kind("village_convenience", "便民服务", "phone", "green", VILLAGE, Can.VILLAGE_HOME, None,
         "办事指南、停水停电、招工和农技信息会到这里"),
    Kind("reports", "基层报送", "open", "gold", "基层党委", Can.LOG_AMEND, None,
         "所属党支部报来的更改说明会到这里"),
    Kind("questions", "我的提问", "chat", "blue", "person", Can.THREAD_READ, None,
         "您问村里、问镇里的和得到的答复会到这里"),
    Kind("reminders", "我的提醒", "bell", "red", "person", Can.THREAD_READ, None,
         "要您办的事、快到期的事会在这里提醒，每天最多一次"),
)}


def title_of(kind: Kind, community: bool) -> str:
    """What a thread is called: a community says 居务 for 村务."""
    return kind.title.replace("村务", "居务") if community else kind.title


def readable_kinds(role: Role) -> list[str]:
    """The kinds of threads `role` may read at its organisation."""
    return [kind.name for kind in KINDS.values() if kind.owner != "person" and may(role, kind.read)]
