"""公开目录 and what follows from it: items, how often each is owed, until when (M3§7-8). No I/O."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from server.core.deadlines import Rule, declare
from server.core.moves import Move
from server.core.periods import Every, Period, month_after, periods
from server.core.workdays import Length, Unit, working_days
from server.permissions import Can

NAME_MAX, CONTENT_MAX, DEPARTMENT_MAX, GUIDANCE_MAX, NOTE_MAX = 40, 300, 30, 500, 200  # characters
COLUMNS_MOST, COLUMN_MAX = 12, 12  # columns of a table; characters of one's head
ITEMS_MOST = 200
CATCHING_UP = timedelta(days=62)  # how far back a period may have ended that nobody has noted yet


class State(StrEnum):
    """Where a catalogue stands."""

    DRAFT = "草稿"
    PUBLISHED = "已发布"


class Category(StrEnum):
    PARTY = "党务"
    AFFAIRS = "村务"  # a community says 居务
    FINANCE = "财务"
    CONVENIENCE = "便民服务"


class Form(StrEnum):
    """What an item is filled in as."""

    TEXT = "文字"
    TABLE = "表格"
    LEDGER = "账目"
    LIST = "名单"


class Frequency(StrEnum):
    AT_ONCE = "随时"  # owed when something happens
    MONTH = "每月"
    QUARTER = "每季度"
    YEAR = "每年"
    STANDING = "长期"  # once, and kept current


class Audience(StrEnum):
    MEMBERS = "党员"
    VILLAGERS = "村（居）民"


class Variant(StrEnum):
    BOTH = "都适用"
    VILLAGE = "村"
    COMMUNITY = "社区"


class DutyState(StrEnum):
    OWED = "应公开"
    PUBLISHED = "已公开"
    NOTHING = "本期无"
    DROPPED = "不再要求"


PUBLISH = declare(Rule(
    name="disclosure_publish", label="三务公开发布", length=working_days(3), source="M3§8", remind=(1,),
    cascades=False, can=Can.DISCLOSURE_KEEP))
CONVENIENCE = declare(Rule(
    name="convenience", label="便民服务信息更新", length=Length(1, Unit.PERIOD_MONTH), source="M3§8",
    remind=(3,), cascades=False, can=Can.DISCLOSURE_KEEP))

EVERY = {Frequency.MONTH: Every.MONTH, Frequency.QUARTER: Every.QUARTER, Frequency.YEAR: Every.YEAR}
STANDING = "长期"  # the period of what is owed once

PUBLICATION = Move("publication", "发布", frozenset({State.DRAFT}), State.PUBLISHED, Can.CATALOGUE_KEEP)
MOVES = (PUBLICATION,)


@dataclass(frozen=True)
class Item:
    """One item of a catalogue version; `item` is its number in every version of the county."""

    id: int
    item: int
    rank: int
    category: Category
    name: str
    content: str
    form: Form
    columns: tuple[str, ...]
    frequency: Frequency
    audience: Audience
    department: str
    guidance: str
    variant: Variant

    def applies_to(self, community: bool) -> bool:
        """Whether a community, or a village, owes it."""
        return self.variant is Variant.BOTH or (self.variant is Variant.COMMUNITY) == community

    @property
    def rule(self) -> Rule:
        """The deadline it falls under."""
        return CONVENIENCE if self.category is Category.CONVENIENCE else PUBLISH


LABELS = {"name": "事项", "category": "类别", "content": "公开内容", "form": "公开形式", "columns": "表格的列",
          "frequency": "公开时间", "audience": "公开范围", "department": "责任部门", "guidance": "业务指导",
          "variant": "适用"}
COMPARED = tuple(LABELS)


class Kind(StrEnum):
    """How a version differs from the one before in one item."""

    ADDED = "新增"
    CHANGED = "修改"
    REMOVED = "删除"


BEARS = ("公开形式", "表格的列", "公开范围")  # what of an item, when it differs, bears on a draft


@dataclass(frozen=True)
class Change:
    """One item that differs; fields: the labels of what does, with both values."""

    kind: Kind
    item: Item
    fields: tuple[tuple[str, str, str], ...] = ()


def changes(before: Sequence[Item], after: Sequence[Item]) -> list[Change]:
    """How one version of a catalogue differs from the one before, in the order of the new one; removed items last."""
    old, new = {one.item: one for one in before}, {one.item: one for one in after}
    found = []
    for one in after:
        if one.item not in old:
            found.append(Change(Kind.ADDED, one))
        elif differing := difference(old[one.item], one):
            found.append(Change(Kind.CHANGED, one, differing))
    return found + [Change(Kind.REMOVED, one) for one in before if one.item not in new]


def difference(before: Item, after: Item) -> tuple[tuple[str, str, str], ...]:
    """(label, before, after) of what differs between two versions of an item."""
    return tuple((LABELS[name], spelled(getattr(before, name)), spelled(getattr(after, name)))
                 for name in COMPARED if getattr(before, name) != getattr(after, name))


def spelled(value: object) -> str:
    return "、".join(value) if isinstance(value, tuple) else str(value)


def owed(item: Item, since: date, opened: date, today: date) -> list[Period]:
    """The periods of an item that a village opened on `opened` owes by `today`, those long over left out.

    since: from when the catalogue asks for it so often. What is standing is owed by the end of the month in which it
    was first asked for; what happens at no certain time is owed when it does."""
    first = max(since, opened)
    if item.frequency is Frequency.AT_ONCE or first > today:
        return []
    if item.frequency is Frequency.STANDING:
        return [Period(first, month_after(first, 1) - timedelta(days=1), STANDING, STANDING)]
    return periods(EVERY[item.frequency], max(first, today - CATCHING_UP), today)


def wrong(item: dict[str, Any]) -> tuple[str, str] | None:
    """The field and the words for what can't be in a catalogue, or None."""
    form, frequency, category = item["form"], item["frequency"], item["category"]
    if (form in (Form.TABLE, Form.LIST)) != bool(item["columns"]):
        return "columns", ("表格和名单要写明有哪些列" if form in (Form.TABLE, Form.LIST) else "只有表格和名单才有列")
    if form == Form.LEDGER and (category != Category.FINANCE or frequency != Frequency.MONTH):
        return "form", "账目只用于财务，每月一本"
    if category == Category.CONVENIENCE and frequency != Frequency.MONTH:
        return "frequency", "便民服务信息每月至少更新一次（M3§8），请选每月"
    if category != Category.PARTY and item["audience"] == Audience.MEMBERS:
        return "audience", "只有党务可以只向党员公开"
    return None


def of_row(found: Any) -> Item:
    """An item as its row in the database says it."""
    values = {one.name: found[one.name] for one in fields(Item)}
    return Item(**values | {
        "category": Category(found["category"]), "form": Form(found["form"]), "columns": tuple(found["columns"]),
        "frequency": Frequency(found["frequency"]), "audience": Audience(found["audience"]),
        "variant": Variant(found["variant"])})


def by_category(items: Iterable[Item]) -> list[tuple[Category, list[Item]]]:
    """The items under the heads of their categories, empty ones left out."""
    listed = list(items)
    return [(category, its) for category in Category if (its := [one for one in listed if one.category is category])]
