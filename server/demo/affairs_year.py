"""A year of what a village owes the public, as it could have been: what each quarter and month brought, and when."""
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from server.catalogues.duties import period_label
from server.catalogues.rules import EVERY, STANDING, Category, Form, Frequency, Item
from server.core.periods import Every, Period, month_after, period_of
from server.demo import affairs, books
from server.demo.names import invent
from server.demo.residents import SEED
from server.demo.villages import BEGAN, Place
from server.demo.year import at
from server.ledgers.rules import Book

MONTHS = 12
BEHIND = 5  # every so many-th village has not published the last month's books; 前村 and 后村 are among them
NOT_OCCURRED = .55  # of what is asked for each quarter
LAPSED, LATELY = .05, timedelta(days=75)  # how much of what fell due lately was not published
DECIDED, ROAD, LEASE = "重大决策（四议两公开）", "公益事业、筹资筹劳、建设承包", "专项公开"
# What happened and is owed at once (随时): the village's number, the item, how many days ago it ended, what became of
# it.
AT_ONCE = (
    (0, DECIDED, 24, "已公开"), (0, ROAD, 11, "已公开"), (0, LEASE, 1, "待签字"),
    (0, "民主协商过程与结果", 2, "审核不通过"),
    (1, ROAD, 16, "已公开"), (2, ROAD, 2, "待审核"), (3, LEASE, 6, "待审核"), (4, DECIDED, 2, "待审核"),
    (6, ROAD, 1, "待审核"), (7, DECIDED, 9, "草稿"),
)


@dataclass
class Told:
    """One duty and what became of it."""

    place: Place
    item: Item
    period: Period
    state: str  # 应公开, 已公开, 本期无, or the state of an edition on its way
    at: datetime | None = None  # when it was published, handed on or declared
    text: str = ""
    lines: list[list[str]] = field(default_factory=list)
    book: Book | None = None
    duty: int = 0
    matter: int = 0
    edition: int = 0

    @property
    def title(self) -> str:
        label = period_label(self.period.key, self.period.first)
        return f"{self.item.name}（{label}）" if label else self.item.name


def a_year(place: Place, number: int, asked: list[Item], now: datetime) -> Iterator[Told]:
    """One village's duties with what became of them."""
    rng, today = Random(f"{SEED} {place.code}"), now.date()
    facts = facts_of(place, rng)
    behind = number % BEHIND == 0 or number == 1  # 前村, 后村 and some others
    first = month_after(today, -MONTHS)
    kept = list(books.year(f"{SEED} {place.code}", first, MONTHS, hands(place),
                           pictures_of(now) if number == 0 else None))
    for item in asked:
        if not item.applies_to(place.community):
            continue
        for period in periods_of(item, now):
            yield told(place, item, period, rng, facts, behind, kept, now)
    by_name = {item.name: item for item in asked}
    for village, name, days, state in AT_ONCE:
        if village == number:
            day = today - timedelta(days)
            yield at_once(Told(place, by_name[name], Period(day, day, "", ""), state), days, rng, facts, now)


def pictures_of(now: datetime) -> date:
    """The month of the first village that is the one of this product's pictures."""
    return month_after(now.date(), -2)


def at_once(one: Told, days: int, rng: Random, facts: dict[str, str], now: datetime) -> Told:
    """Something that ended so many days ago, and what became of it."""
    write_in(one, rng, facts)
    one.at = at(now.date() - timedelta(days=max(1, days - 1)), rng.randint(9, 17), rng.randint(0, 59))
    return one


def hands(place: Place) -> books.Hands:
    names = {what: name for what, (_, name) in place.people.items()}
    return books.Hands([names["宣传委员"], names["组织委员"]], names["村务监督委员会"], names["书记"])


def facts_of(place: Place, rng: Random) -> dict[str, str]:
    names = {what: name for what, (_, name) in place.people.items()}
    taken = set(names.values())
    listed = {key: invent(rng, place.name, taken) for key in "abcd"}
    return listed | {"secretary": names["书记"], "organiser": names["组织委员"], "keeper": names["宣传委员"],
                     "supervisor": names["村务监督委员会"], "members": str(rng.randint(20, 25)), "month": "10"}


def periods_of(item: Item, now: datetime) -> list[Period]:
    """The periods of an item in the demonstration's year; what is owed at once has one of its own."""
    today = now.date()
    if item.frequency is Frequency.STANDING:
        opened = (now - BEGAN).date()
        return [Period(opened, month_after(opened, 1) - timedelta(days=1), STANDING, STANDING)]
    if item.frequency is Frequency.AT_ONCE:
        return []
    back = {Every.MONTH: 12 if item.form is Form.LEDGER else 3, Every.QUARTER: 7, Every.YEAR: 11}
    every = EVERY[item.frequency]
    return sorted({period_of(every, month_after(today, -months)) for months in range(back[every] + 1)})


def told(place: Place, item: Item, period: Period, rng: Random, facts: dict[str, str], behind: bool, kept: list[Book],
         now: datetime) -> Told:
    """What became of one duty."""
    today = now.date()
    over = period.last < today
    one = Told(place, item, period, "应公开")
    newest = month_after(today, -1)
    if item.form is Form.LEDGER:
        one.book = next((book for book in kept if book.month == period.first), None)
        if not over or one.book is None or (behind and period.first == newest):
            one.book = None
            return one
    elif item.category is Category.CONVENIENCE:
        if not over and rng.random() < .4:
            return one
    elif not over:
        return one
    elif item.frequency is Frequency.QUARTER and rng.random() < NOT_OCCURRED:
        one.state, one.at = "本期无", at(period.last + timedelta(days=1), 10, rng.randint(0, 59))
        return one
    elif rng.random() < (LAPSED if period.last > today - LATELY else 0):
        return one
    write_in(one, rng, facts)
    days = rng.choice((1, 1, 2, 2, 3)) if rng.random() < .96 else rng.randint(6, 9)
    day = period.first + timedelta(days=rng.randint(2, 9)) if item.category is Category.CONVENIENCE else (
        period.last + timedelta(days=days))
    one.state = "已公开"
    one.at = at(min(day, today - timedelta(days=1)), rng.randint(9, 17), rng.randint(0, 59))
    return one


IN_COMMUNITIES = {"村委会": "居委会", "村民": "居民", "村务": "居务", "全村": "全社区", "村里": "社区"}


def in_its_words(place: Place, text: str) -> str:
    """A village's text as a community would have it."""
    for village, community in IN_COMMUNITIES.items() if place.community else ():
        text = text.replace(village, community)
    return text


def write_in(one: Told, rng: Random, facts: dict[str, str]) -> None:
    """What it says."""
    known = facts | affairs.figures(rng) | {"month": str(one.period.last.month)}
    if one.item.form in (Form.TABLE, Form.LIST):
        rows = affairs.ROWS.get(one.item.name)
        one.lines = [[in_its_words(one.place, cell.format(**known)) for cell in row] for row in rows] if rows else [
            ["—"] * len(one.item.columns)]
    elif one.item.form is Form.TEXT:
        one.text = in_its_words(one.place, affairs.TEXTS.get(one.item.name, affairs.PLAIN).format(**known))
