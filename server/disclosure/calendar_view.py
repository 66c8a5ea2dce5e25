"""公开日历: what a village owes, has published and let lapse, month by month; its books, and what it published."""
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import date, datetime
from typing import Any

from asyncpg import Record
from markupsafe import Markup

from server.catalogues.duties import period_label
from server.catalogues.rules import STANDING, Category, DutyState
from server.core import keyset
from server.core.actor import Actor
from server.core.clock import now, today
from server.core.dates import brief
from server.core.deadline_words import due_text
from server.core.periods import month_after
from server.core.templates import ENVIRONMENT
from server.core.together import Kept
from server.core.workdays import ONE_DAY
from server.disclosure.publication import category_word
from server.disclosure.rules import PAGE, State
from server.disclosure.tables import audiences, duties, owed_now, published, works_on
from server.permissions import Can
from server.villages.tables import county_of, the_village

OVERDUE = "逾期未公开"
TONES = {DutyState.OWED: "amber", OVERDUE: "red", DutyState.PUBLISHED: "green", DutyState.NOTHING: "grey"}
OWED_SHOWN = 8  # of what is to be done first

Books = Sequence[dict[str, str]]
_shown: Kept[Hashable, dict[str, Any]] = Kept(500)
BOOKS: list[Callable[[str], Awaitable[Books]]] = []  # what finds a village's newest ledgers: the ledgers declare it


def state_of(duty: Record, moment: datetime) -> str:
    """应公开, 逾期未公开, 已公开 or 本期无, as it stands at `moment`: what was handed on late and came back is late."""
    if duty["state"] == DutyState.OWED and duty["due_at"] and (duty["due_at"] < moment or duty["late_before"]):
        return OVERDUE
    return duty["state"]


def counted_as(duty: Record, moment: datetime) -> str:
    """As what a duty is counted: 便民服务 that was looked through is public, what was taken down is nothing."""
    if duty["withdrawn_at"]:
        return "已撤下"
    state = state_of(duty, moment)
    return DutyState.PUBLISHED if (state, duty["category"]) == (DutyState.NOTHING, Category.CONVENIENCE) else state


def is_for(actor: Actor, duty: Record) -> bool:
    """Whether the viewer may know of a duty: what is for members is not for every villager."""
    return duty["audience"] in audiences(actor)


async def shown(actor: Actor, village: Record, month: date, category: Category | None,
                after: str | None) -> dict[str, Any]:
    """A village's page, rendered once for all who see the same of it, until anything changes or the day is over.

    village: see reading.opened_village; month: its first day; category: of what is published."""
    key = (actor.role, actor.unit_code == village["code"], village["code"], village["community"],
           tuple(village["changes"]), today(), month, category, after)

    async def rendered() -> dict[str, Any]:
        its = await the_village(village["code"])
        context = await listed(actor, its, month, category, after)
        return {"headline": its["name"], "back": None if actor.may(Can.VILLAGE_HOME) else back(actor, its),
                "subline": f"{its['township']} · 三务公开", "empty": None,
                "listed": Markup(ENVIRONMENT.get_template("disclosure/_list.html").render(**context))}

    return await _shown.get(key, rendered)


async def listed(actor: Actor, village: Record, month: date, category: Category | None,
                 after: str | None) -> dict[str, Any]:
    """What the page lists, as the template wants it."""
    moment, address = now(), address_of(actor, village)
    books = [one for find in BOOKS for one in await find(village["code"])]
    last = month_after(month, 1) - ONE_DAY
    its = [one for one in await duties(village["code"], month, last) if is_for(actor, one)]
    found = await published(village["code"], audiences(actor), category and str(category),
                            keyset.read(after) or keyset.BEGINNING)
    keeps = actor.may(Can.DISCLOSURE_KEEP)
    states = [counted_as(one, moment) for one in its]
    return {
        "here": address + f"month={month:%Y-%m}",
        "may_keep": keeps, "nothing": "/disclosures/nothing" if keeps else None,
        "owed": [owed_line(one, moment, works=works_on(actor)) for one in await owed_first(actor, village, moment)],
        "books": books[:2], "all_books": f"/ledgers/{village['code']}" if len(books) > 2 else None,
        "month": {"label": f"{month.year}年{month.month}月", "before": f"{address}month={month_after(month, -1):%Y-%m}",
                  "after": f"{address}month={month_after(month, 1):%Y-%m}" if month < today().replace(day=1) else None},
        "figures": [(str(states.count(word)), word, TONES[word])
                    for word in (DutyState.OWED, DutyState.PUBLISHED, OVERDUE)],
        "groups": groups(actor, village, its, moment),
        "published": [published_line(one, village) for one in found[:PAGE]],
        "chips": [{"label": "全部", "href": address, "current": category is None}] + [
            {"label": category_word(one, village["community"]), "href": f"{address}category={one}",
             "current": one is category} for one in Category],
        "older": older(address, category, found[PAGE - 1]) if len(found) > PAGE else None,
        "asks": actor.may(Can.DISCLOSURE_ASK), "catalogue": f"/catalogues/{county_of(village['code'])}",
    }


def address_of(actor: Actor, village: Record) -> str:
    """The page's address, to be followed by a query."""
    return "/disclosures?" if actor.unit_code == village["code"] else f"/disclosures?village={village['code']}&"


def older(address: str, category: Category | None, last: Record) -> str:
    """The list as it goes on after its last matter."""
    only = f"&category={category}" if category else ""
    return f"{address}after={keyset.mark(last['published_at'], last['id'])}{only}"


def back(actor: Actor, village: Record) -> str:
    return f"/villages/{village['township_code']}" if actor.may(Can.DISCLOSURE_OVERSEE) else "/me"


async def owed_first(actor: Actor, village: Record, moment: datetime) -> list[Record]:
    """What stands on top: to the keeper what is to be done first, what has ended and what was sent back; to everybody
    else what has lapsed, of whatever month."""
    owed = await owed_now(village["code"], today())
    if not actor.may(Can.DISCLOSURE_KEEP):
        return [one for one in owed if is_for(actor, one) and state_of(one, moment) == OVERDUE][:OWED_SHOWN]
    return [one for one in owed if one["last"] < today() or one["category"] == Category.CONVENIENCE
            or one["edition_state"] == State.RETURNED][:OWED_SHOWN]


def owed_line(duty: Record, moment: datetime, *, works: bool = True) -> dict[str, Any]:
    """What is owed, and by when; to who works on it also where it stands, and the way there."""
    late = state_of(duty, moment) == OVERDUE
    where = f"，{duty['edition_state']}" if duty["edition_state"] and works else ""
    until = f"{due_text(duty['due_at'], moment)} 截止" if duty["due_at"] else "已提交"
    if late:
        until = f"已逾期（应于{until}）" if duty["due_at"] < moment else f"已逾期，退回后{until}"
    return {"title": title(duty), "text": f"{until}{where}",
            "tone": "red" if late or (where and duty["edition_state"] == State.RETURNED) else "grey",
            "href": desk(duty) if works else f"/disclosures/duties/{duty['id']}"}


def desk(duty: Record) -> str:
    """Where its keeper fulfils it: the matter that was begun, or the beginning."""
    return f"/disclosures/{duty['matter_id']}" if duty["edition_state"] else f"/disclosures/duties/{duty['id']}"


def title(duty: Record) -> str:
    """财务收支逐笔明细（2026年10月）."""
    label = period_label(duty["period"], duty["first"])
    return f"{duty['name']}（{label}）" if label else duty["name"]


def groups(actor: Actor, village: Record, its: list[Record], moment: datetime) -> list[dict[str, Any]]:
    """The duties of a month under their categories."""
    return [{"label": category_word(category, village["community"]),
             "items": [calendar_line(actor, one, moment) for one in its if one["category"] == category]}
            for category in Category if any(one["category"] == category for one in its)]


def calendar_line(actor: Actor, duty: Record, moment: datetime) -> dict[str, Any]:
    """One duty as everybody reads it; a link where there is something to read or to do."""
    state = state_of(duty, moment)
    if duty["withdrawn_at"]:
        state_word, tone = "已撤下", "grey"
    elif state == DutyState.NOTHING and duty["category"] == Category.CONVENIENCE:
        state_word, tone = "核对无变化", "green"
    else:
        state_word, tone = str(state), TONES[state]
    href = f"/disclosures/{duty['matter_id']}" if duty["published_at"] else None
    if href is None and actor.may(Can.DISCLOSURE_KEEP) and duty["state"] == DutyState.OWED:
        href = desk(duty)
    if href is None and actor.may(Can.DISCLOSURE_WITHDRAW) and duty["state"] == DutyState.NOTHING:
        href = f"/disclosures/duties/{duty['id']}"
    line = "长期公开" if duty["period"] == STANDING else period_label(duty["period"], duty["first"])
    if state in (DutyState.OWED, OVERDUE) and duty["due_at"]:
        line = f"{line} · {due_text(duty['due_at'], moment)} 截止".removeprefix(" · ")
    return {"title": duty["name"], "line": line, "state": state_word, "tone": tone, "href": href}


def published_line(matter: Record, village: Record) -> dict[str, Any]:
    chip = category_word(matter["category"], village["community"])
    return {"href": f"/disclosures/{matter['id']}", "title": matter["title"],
            "when": brief(matter["published_at"], now()),
            "chip": f"{chip}（已撤下）" if matter["withdrawn_at"] else chip}
