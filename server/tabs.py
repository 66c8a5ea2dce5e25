"""The tabs at the bottom (a rail at the left on a wide screen) and the links under 我的, as data: who may, sees."""
from dataclasses import dataclass

from server.permissions import Can, Role, may


@dataclass(frozen=True)
class Tab:
    label: str
    icon: str
    href: str
    can: Can


@dataclass(frozen=True)
class Link:
    icon: str
    tone: str
    title: str
    line: str
    href: str
    can: Can


TABS = (
    Tab("账号", "people", "/accounts", Can.ACCOUNT_KEEP),
    Tab("消息", "chat", "/threads", Can.THREAD_READ),
    Tab("支部", "people", "/meetings", Can.MEETING_READ),
    Tab("工作台", "desk", "/to-dos", Can.TODO_READ),
    Tab("审计", "search", "/audit", Can.AUDIT_READ),
    Tab("我的", "me", "/me", Can.SIGNED_IN),
)
LINKS = (  # one's own records
    Link("people", "amber", "签到记录", "参加过的组织生活", "/me/attendance", Can.MEETING_ATTEND),
    Link("search", "blue", "党员信息", "名册、查找、当面变更手机号码", "/members", Can.MEMBER_READ),
    Link("open", "gold", "党组织", "所在党组织、支部委员会、党员名册", "/organisations", Can.ORGANISATION_READ),
    Link("send", "blue", "短信", "没有送到的、每月的条数和费用", "/accounts/messages", Can.MESSAGE_READ),
)


def tabs_for(role: Role, path: str, badges: dict[str, int]) -> list[dict[str, str | int | bool]]:
    """The tabs `role` has, the one that `path` lies under marked, each with its count of what is new."""
    return [
        {"label": "组织生活" if tab.href == "/meetings" and not may(role, Can.MEETING_ATTEND) else tab.label,
         "icon": tab.icon, "href": tab.href, "badge": badges.get(tab.href, 0),
         "current": path == tab.href or path.startswith(tab.href + "/")}
        for tab in TABS if may(role, tab.can)
    ]


def home_of(role: Role) -> str:
    """Where somebody with `role` begins: the first tab."""
    return next(tab.href for tab in TABS if may(role, tab.can))


def links_for(role: Role) -> list[Link]:
    """The links `role` has under 我的."""
    return [link for link in LINKS if may(role, link.can)]
