"""The tabs at the bottom (a rail at the left on a wide screen) and the links under 我的, as data: who may, sees."""
from dataclasses import dataclass
from typing import Any

from server.permissions import Can, Role, may


@dataclass(frozen=True)
class Tab:
    label: str
    icon: str
    href: str
    can: Can
    also: tuple[str, ...] = ()  # other addresses that lie under it


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
    Tab("本村", "village", "/disclosures", Can.VILLAGE_HOME, also=("/ledgers", "/questions", "/catalogues")),
    Tab("工作台", "desk", "/to-dos", Can.TODO_READ),
    Tab("审计", "search", "/audit", Can.AUDIT_READ),
    Tab("我的", "me", "/me", Can.SIGNED_IN),
)
LINKS = (  # one's own records
    Link("village", "green", "三务公开", "党务、村（居）务、财务、便民服务", "/disclosures", Can.DISCLOSURE_READ),
    Link("people", "blue", "查询账号", "自己的查询账号、家人代看", "/query-accounts/own", Can.READER_OWN),
    Link("people", "amber", "签到记录", "参加过的组织生活", "/me/attendance", Can.MEETING_ATTEND),
    Link("search", "blue", "党员信息", "名册、查找、当面变更手机号码", "/members", Can.MEMBER_READ),
    Link("open", "gold", "党组织", "所在党组织、支部委员会、党员名册", "/organisations", Can.ORGANISATION_READ),
    Link("send", "blue", "短信", "没有送到的、每月的条数和费用", "/accounts/messages", Can.MESSAGE_READ),
)


def tabs_for(role: Role, path: str, badges: dict[str, int], *, community: bool = False) -> list[dict[str, Any]]:
    """The tabs `role` has, the one that `path` lies under marked, each with its count of what is new.

    community: whether the viewer's village is one, whose word for itself is another."""
    def label(tab: Tab) -> str:
        if tab.href == "/meetings" and not may(role, Can.MEETING_ATTEND):
            return "组织生活"
        return "本社区" if community and tab.href == "/disclosures" else tab.label

    return [{"label": label(tab), "icon": tab.icon, "href": tab.href, "badge": badges.get(tab.href, 0),
             "current": any(path == one or path.startswith(one + "/") for one in (tab.href, *tab.also))}
            for tab in TABS if may(role, tab.can)]


def home_of(role: Role) -> str:
    """Where somebody with `role` begins: the first tab."""
    return next(tab.href for tab in TABS if may(role, tab.can))


def links_for(role: Role) -> list[Link]:
    """The links `role` has under 我的."""
    return [link for link in LINKS if may(role, link.can)]
