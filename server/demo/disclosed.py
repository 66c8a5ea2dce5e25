"""What the demonstration's villages owe and have published: a year of books, what each quarter and month brought, what
waits to be signed, reviewed, mended. Written as it would have come about; the triggers that date things are off."""
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from asyncpg import Connection

from server.catalogues.duties import period_label
from server.catalogues.rules import CONVENIENCE, EVERY, PUBLISH, STANDING, Category, Form, Frequency, Item
from server.core.periods import Every, Period, month_after, period_of
from server.core.rich_text import to_html
from server.core.templates import ENVIRONMENT
from server.demo import affairs, books
from server.demo.records import Said, say
from server.demo.residents import SEED, numbers
from server.demo.villages import BEGAN, Place, items, places
from server.demo.year import Listed, at
from server.disclosure import cards
from server.disclosure.checks import content_of
from server.disclosure.publication import context, fingerprint
from server.ledgers.part import contents, shown_of
from server.ledgers.rules import Book, totals
from server.ledgers.tables import FIELDS as LINE
from server.threads.rules import KINDS

MONTHS = 12
BEHIND = 5  # every so many-th village has not published the last month's books; 前村 and 后村 are among them
NOT_OCCURRED = .55  # of what is asked for each quarter
GUARDED = ("matter", "edition", "signature", "review", "ledger", "ledger_line", "edition_file")


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


async def load(connection: Connection, now: datetime) -> None:
    """Writes a year for every opened village."""
    asked, opened = await items(connection), await places(connection)
    told = [one for number, place in enumerate(opened) for one in a_year(place, number, asked, now)]
    for one, duty in zip(told, await numbers(connection, "duty", len(told)), strict=True):
        one.duty = duty
    written = [one for one in told if one.text or one.lines or one.book is not None]
    for one, matter, edition in zip(written, await numbers(connection, "matter", len(written)),
                                    await numbers(connection, "edition", len(written)), strict=True):
        one.matter, one.edition = matter, edition
    await write_duties(connection, told)
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await write_matters(connection, written, now)
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await write_clocks(connection, told, now)
    await say_so(connection, [one for one in written if one.state == "已公开"], now)


# What a year brings ---------------------------------------------------------------------------------------------------

def a_year(place: Place, number: int, asked: list[Item], now: datetime) -> Iterator[Told]:
    """One village's duties with what became of them."""
    rng, today = Random(f"{SEED} {place.code}"), now.date()
    facts = facts_of(place, rng)
    behind = number % BEHIND == 0 or number == 1  # 前村, 后村 and some others
    first = month_after(today, -MONTHS)
    kept = list(books.year(f"{SEED} {place.code}", first, MONTHS, hands(place), month_after(today, -2) if number == 0
                           else None))
    for item in asked:
        if not item.applies_to(community=False):
            continue
        for period in periods_of(item, now):
            yield told(place, item, period, rng, facts, behind, kept, now)


def hands(place: Place) -> books.Hands:
    names = {what: name for what, (_, name) in place.people.items()}
    return books.Hands([names["宣传委员"], names["组织委员"]], names["村务监督委员会"], names["书记"])


def facts_of(place: Place, rng: Random) -> dict[str, str]:
    names = {what: name for what, (_, name) in place.people.items()}
    surnames = rng.sample("王张李刘赵孙陈杨徐马", 4)
    masked = {key: f"{surname}{'*' * rng.randint(1, 2)}" for key, surname in zip("abcd", surnames, strict=True)}
    return masked | {"secretary": names["书记"], "organiser": names["组织委员"], "keeper": names["宣传委员"],
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
    elif rng.random() < (.03 if period.first.year == today.year else 0):
        return one
    write_in(one, rng, facts)
    days = rng.choice((1, 1, 2, 2, 3)) if rng.random() < .96 else rng.randint(6, 9)
    day = period.first + timedelta(days=rng.randint(2, 9)) if item.category is Category.CONVENIENCE else (
        period.last + timedelta(days=days))
    one.state, one.at = "已公开", min(at(day, rng.randint(9, 17), rng.randint(0, 59)), now - timedelta(hours=rng.randint(2, 40)))
    return one


def write_in(one: Told, rng: Random, facts: dict[str, str]) -> None:
    """What it says."""
    if one.item.form in (Form.TABLE, Form.LIST):
        rows = affairs.ROWS.get(one.item.name)
        one.lines = [[affairs.fill(cell, facts, rng) for cell in row] for row in rows] if rows else [
            ["—"] * len(one.item.columns)]
    elif one.item.form is Form.TEXT:
        one.text = affairs.fill(affairs.TEXTS.get(one.item.name, affairs.PLAIN),
                                facts | {"month": str(one.period.last.month)}, rng)


# Writing it down ------------------------------------------------------------------------------------------------------

async def write_duties(connection: Connection, told: list[Told]) -> None:
    settled = {"已公开": "已公开", "本期无": "本期无"}
    await connection.copy_records_to_table(
        "duty", columns=["id", "village_code", "organisation_path", "item", "item_id", "period", "first", "last", "state",
                         "settled_at"],
        records=[(one.duty, one.place.code, one.place.path, one.item.item, one.item.id, one.period.key, one.period.first,
                  one.period.last, settled.get(one.state, "应公开"), one.at if one.state in settled else None)
                 for one in told])


async def write_matters(connection: Connection, written: list[Told], now: datetime) -> None:
    """Matters, editions, ledgers, signatures, reviews and renderings."""
    reviewer = await connection.fetchrow("""
        SELECT a.id AS account, g.id AS grant, p.name FROM role_grant g JOIN account a ON a.id = g.account_id
        JOIN person p ON p.id = a.person_id JOIN organisation o ON o.id = g.organisation_id
        WHERE g.role = '党委管理员' AND o.name = '东疏镇党委' ORDER BY g.id LIMIT 1""")
    signing = {(one["organisation_id"], one["role"]): one for one in await connection.fetch("""
        SELECT g.organisation_id, g.role, a.id AS account, g.id AS grant, p.name FROM role_grant g
        JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE g.role IN ('村务监督委员会', '书记')""")}
    who = f"{reviewer['name']} · 党委管理员"
    published = [one for one in written if one.state == "已公开"]
    sums = {}
    for one in published:
        if one.book:
            sums.setdefault(one.place.code, {})[one.book.month] = (one.book.income, one.book.expense)
    line_names = iter(await connection.fetch(
        "SELECT nextval('ledger_line_name') AS n FROM generate_series(1, $1::int)",
        sum(len(one.book.lines) for one in written if one.book)))
    named = {one.edition: [next(line_names)["n"] for _ in one.book.lines] for one in written if one.book}
    editions = {one.edition: edition_of(one, named.get(one.edition, [])) for one in written}
    await connection.copy_records_to_table(
        "matter", columns=["id", "village_code", "organisation_id", "organisation_path", "duty_id", "category", "form",
                           "audience", "title", "created_by", "created_at"],
        records=[(one.matter, one.place.code, one.place.branch, one.place.path, one.duty, str(one.item.category),
                  str(one.item.form), str(one.item.audience), one.title, one.place.people["宣传委员"][0], one.at)
                 for one in written])
    await connection.copy_records_to_table(
        "edition", columns=["id", "matter_id", "number", "state", "item_id", "version", "title", "text", "html", "lines",
                            "phone", "authors", "saved_who", "saved_at", "submitted_who", "submitted_at", "published_at",
                            "fingerprint"],
        records=[edition_row(one, editions[one.edition]) for one in written])
    await connection.execute("""UPDATE matter m SET edition_id = e.id, published_at = e.published_at
                                FROM edition e WHERE e.matter_id = m.id AND e.state = '已公开'
                                AND m.edition_id IS NULL""")
    await write_ledgers(connection, written, named)
    await connection.copy_records_to_table(
        "signature", columns=["edition_id", "edition_version", "seat", "verdict", "account_id", "grant_id", "who", "at"],
        records=[(one.edition, 2, seat, "同意公开", its["account"], its["grant"], f"{its['name']} · {seat}",
                  one.at - timedelta(hours=hours))
                 for one in published if one.item.category is Category.FINANCE
                 for seat, hours in (("村务监督委员会", 8), ("书记", 6)) if (its := signing.get((one.place.branch, seat)))])
    await connection.copy_records_to_table(
        "review", columns=["edition_id", "edition_version", "verdict", "checked", "account_id", "grant_id", "who", "at"],
        records=[(one.edition, 2, "审核通过", [], reviewer["account"], reviewer["grant"], who, one.at)
                 for one in published])
    template = ENVIRONMENT.get_template("disclosure/_content.html")
    await connection.copy_records_to_table(
        "rendering", columns=["edition_id", "html", "at"],
        records=[(one.edition, template.render(**shown(one, editions[one.edition], who, sums, named, signing)), one.at)
                 for one in published])


def edition_of(one: Told, names: list[int]) -> dict[str, Any]:
    """The edition as publishing would have made it."""
    edition = {"id": one.edition, "number": 1, "title": one.title, "text": one.text, "html": to_html(one.text),
               "lines": json.dumps(one.lines, ensure_ascii=False), "until": None, "why": "", "published_at": one.at,
               "phone": "0538-5510" + f"{one.place.branch:03}"[-3:] if one.item.category is Category.CONVENIENCE else ""}
    part = contents(one.book, names) if one.book else {}
    whole = {"village": one.place.code, "item": one.item.item, "period": one.period.key, "number": 1,
             **content_of(edition), "files": [], **part}
    return edition | {"fingerprint": fingerprint(whole)}


def edition_row(one: Told, edition: dict[str, Any]) -> tuple[Any, ...]:
    keeper, name = one.place.people.get("村（社区）管理员") or one.place.people["宣传委员"]
    who = f"{name} · 村（社区）管理员"
    done = one.state == "已公开"
    assert one.at
    return (one.edition, one.matter, 1, one.state, one.item.id, 2, edition["title"], edition["text"], edition["html"],
            edition["lines"], edition["phone"], [keeper], who, one.at - timedelta(hours=12), who,
            one.at - timedelta(hours=5), one.at if done else None, edition["fingerprint"] if done else None)


async def write_ledgers(connection: Connection, written: list[Told], named: dict[int, list[int]]) -> None:
    kept = [one for one in written if one.book]
    await connection.copy_records_to_table(
        "ledger", columns=["edition_id", "village_code", "month", "opening", "income", "expense", "lines"],
        records=[(one.edition, one.place.code, one.book.month, one.book.opening, one.book.income, one.book.expense,
                  len(one.book.lines)) for one in kept if one.book])
    columns = ["edition_id", *LINE]
    await connection.copy_records_to_table(
        "ledger_line", columns=columns,
        records=[(one.edition, name, *(getattr(line, column) for column in LINE[1:]))
                 for one in kept if one.book for name, line in zip(named[one.edition], one.book.lines, strict=True)])


def shown(one: Told, edition: dict[str, Any], who: str, sums: dict[str, Any], named: dict[int, list[int]],
          signing: dict[Any, Any]) -> dict[str, Any]:
    """What the rendering of a published edition is made from."""
    matter = {"id": one.matter, "category": str(one.item.category), "form": str(one.item.form), "community": False,
              "village": one.place.name}
    signed = [f"{seat} {signing[one.place.branch, seat]['name']}" for seat in ("村务监督委员会", "书记")
              if one.item.category is Category.FINANCE and (one.place.branch, seat) in signing]
    its = context(matter, edition, one.item, [], signed, who)
    if one.book:
        book, names = one.book, named[one.edition]
        lines = [replace(line, line=name) for line, name in zip(book.lines, names, strict=True)]
        months = {month: pair for month, pair in sums[one.place.code].items() if month <= book.month}
        its["ledger"] = shown_of(one.matter, {
            "village_code": one.place.code, "month": book.month, "opening": book.opening, "income": book.income,
            "expense": book.expense, "closing": book.closing, "lines": len(lines)}, lines, book.opening,
            totals(lines), months, 0)
    return its


async def write_clocks(connection: Connection, told: list[Told], now: datetime) -> None:
    """The deadlines of all duties: met, late, open, overdue."""
    for rule, convenience in ((PUBLISH, False), (CONVENIENCE, True)):
        its = [one for one in told if (one.item.category is Category.CONVENIENCE) == convenience]
        await connection.execute(f"""
            INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
                starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for, state, closed_at,
                overdue_at, escalated_to, left_working_days)
            SELECT $1, 'duty', t.duty, t.organisation, t.path, t.title, '/disclosures/duties/' || t.duty, t.begins,
                t.begins, $2, $3, t.due, t.due, false, 1,
                CASE WHEN t.closed IS NULL THEN 'open' WHEN t.closed > t.due THEN 'late' ELSE 'met' END, t.closed,
                CASE WHEN coalesce(t.closed, $4) > t.due THEN t.due END,
                CASE WHEN t.closed IS NULL AND $4 > t.due THEN o.path END,
                CASE WHEN t.closed IS NOT NULL THEN 1 END
            FROM (SELECT d.*, {"(date_trunc('month', d.begins AT TIME ZONE 'Asia/Shanghai') + interval '1 month') "
                               "AT TIME ZONE 'Asia/Shanghai'" if convenience else
                               "working_deadline(d.begins, $2)"} AS due
                  FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
                      AS d (duty, organisation, path, title, begins, closed)) t
            JOIN organisation b ON b.id = t.organisation JOIN organisation o ON o.id = b.committee_id""",
            rule.name, rule.length.working, str(rule.length.unit), now, [one.duty for one in its],
            [one.place.branch for one in its], [one.place.path for one in its],
            [f"{'更新' if convenience else '公开'} · {one.title}" for one in its],
            [at(one.period.first if convenience else one.period.last, 0) for one in its],
            [closed(one) for one in its])


def closed(one: Told) -> datetime | None:
    """When its clock stopped: with the handing on."""
    if one.at is None or one.state == "草稿":
        return None
    return one.at if one.state == "本期无" else one.at - timedelta(hours=5)


async def say_so(connection: Connection, published: list[Told], now: datetime) -> None:
    """The cards in the villages' threads, of the last months."""
    since = now - timedelta(days=200)
    entries = []
    for one in published:
        if one.at is None or one.at < since:
            continue
        keeper = one.place.people["书记"]
        by = Listed(keeper[0], keeper[1], "正式党员", None, "书记", 1)
        matter = {"category": str(one.item.category), "community": False, "period": one.period.key,
                  "first": one.period.first}
        edition = {"number": 1, "why": "", "text": one.text, "title": one.title}
        content = contents(one.book, []) if one.book else {}
        card = cards.matter_card(matter, edition, content)  # type: ignore[arg-type]
        kinds = ["party_affairs" if one.item.category is Category.PARTY else "disclosures"]
        if one.item.audience != "党员":
            kinds.append(cards.VILLAGERS[one.item.category])
        entries += [Said((kind, one.place.branch), one.at, by, one.title, cards.MATTER, one.matter, card,
                         signed="宋文斌 · 党委管理员") for kind in kinds if kind in KINDS]
    await say(connection, entries)

