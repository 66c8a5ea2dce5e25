"""What the demonstration's villages owe and have published: a year of books, what each quarter and month brought, what
waits to be signed, reviewed, mended. Written as it would have come about; the triggers that date things are off."""
from dataclasses import replace
from datetime import datetime, timedelta

from asyncpg import Connection

from server.catalogues.rules import CONVENIENCE, PUBLISH, Category, Frequency
from server.core.rich_text import to_html
from server.demo import asked, vouchers
from server.demo.affairs_year import Told, a_year, pictures_of
from server.demo.editions import named_lines, write_matters
from server.demo.records import Said, say
from server.demo.residents import numbers
from server.demo.villages import items, places
from server.demo.year import Listed, at
from server.disclosure import cards
from server.disclosure.rules import REVIEW_TIME
from server.ledgers.part import contents
from server.threads.rules import KINDS

GUARDED = ("matter", "edition", "signature", "review", "ledger", "ledger_line", "edition_file")


async def load(connection: Connection, now: datetime) -> None:
    """Writes a year for every opened village."""
    wanted, opened = await items(connection), await places(connection)
    told = [one for number, place in enumerate(opened) for one in a_year(place, number, wanted, now)]
    for one, duty in zip(told, await numbers(connection, "duty", len(told)), strict=True):
        one.duty = duty
    written = [one for one in told if one.text or one.lines or one.book is not None]
    for one, matter, edition in zip(written, await numbers(connection, "matter", len(written)),
                                    await numbers(connection, "edition", len(written)), strict=True):
        one.matter, one.edition = matter, edition
        if one.item.frequency is Frequency.AT_ONCE:
            one.period = replace(one.period, key=f"matter-{matter}")
    await write_duties(connection, told)
    await write_declarations(connection, [one for one in told if one.state == "本期无"])
    for one in written:
        if one.book is not None and one.place is opened[0] and one.book.lines and one.period.first == pictures_of(now):
            one.book = await vouchers.photographed(connection, one.book, one.place.people["宣传委员"][0])
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    named = await named_lines(connection, written)
    questions = asked.of_the_year(written, named)
    await write_matters(connection, written, named, asked.beside(questions, now))
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await asked.write(connection, questions, now)
    await write_clocks(connection, told, now)
    await write_review_clocks(connection, [one for one in written if one.state in ("待审核", "已公开")], now)
    await say_so(connection, [one for one in written if one.state == "已公开"], now)


async def write_duties(connection: Connection, told: list[Told]) -> None:
    settled = ("已公开", "本期无")
    await connection.copy_records_to_table(
        "duty", columns=["id", "village_code", "organisation_path", "item", "item_id", "period", "first", "last",
                         "state", "settled_at"],
        records=[(one.duty, one.place.code, one.place.path, one.item.item, one.item.id, one.period.key,
                  one.period.first, one.period.last, one.state if one.state in settled else "应公开",
                  one.at if one.state in settled else None) for one in told])


async def write_declarations(connection: Connection, nothing: list[Told]) -> None:
    """Who said that these did not occur: once for all of a village's of one day."""
    keepers = [one.place.people.get("村（社区）管理员") or one.place.people["宣传委员"] for one in nothing]
    await connection.execute("""
        WITH told AS (
            SELECT t.*, (t.at AT TIME ZONE 'Asia/Shanghai')::date AS day
            FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS t (village, keeper, duty, at)
        ), said AS (
            INSERT INTO declaration (village_code, who, account_id, at)
            SELECT t.village, p.name || ' · 村（社区）管理员', a.id, min(t.at) FROM told t
            JOIN person p ON p.id = t.keeper JOIN account a ON a.person_id = p.id
            GROUP BY t.village, t.day, p.name, a.id RETURNING id, village_code, at
        )
        INSERT INTO declared (declaration_id, duty_id) SELECT s.id, t.duty FROM told t
        JOIN said s ON s.village_code = t.village AND (s.at AT TIME ZONE 'Asia/Shanghai')::date = t.day""",
                             [one.place.code for one in nothing], [keeper for keeper, _ in keepers],
                             [one.duty for one in nothing], [one.at for one in nothing])


async def write_clocks(connection: Connection, told: list[Told], now: datetime) -> None:
    """The deadlines of all duties: met, late, open, overdue."""
    for rule, convenience in ((PUBLISH, False), (CONVENIENCE, True)):
        its = [one for one in told if (one.item.category is Category.CONVENIENCE) == convenience]
        await connection.execute(f"""
            INSERT INTO deadline (rule, subject_kind, subject_id, organisation_id, organisation_path, title, href,
                starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for, state, closed_at,
                overdue_at, left_working_days)
            SELECT $1, 'duty', t.duty, t.organisation, t.path, t.title, '/disclosures/duties/' || t.duty, t.begins,
                t.begins, $2, $3, t.due, t.due, false, 1,
                CASE WHEN t.closed IS NULL THEN 'open' WHEN t.closed > t.due THEN 'late' ELSE 'met' END, t.closed,
                CASE WHEN coalesce(t.closed, $4) > t.due THEN t.due END,
                CASE WHEN t.closed IS NOT NULL THEN 1 END
            FROM (SELECT d.*, {"(date_trunc('month', d.begins AT TIME ZONE 'Asia/Shanghai') + interval '1 month') "
                               "AT TIME ZONE 'Asia/Shanghai'" if convenience else
                               "working_deadline(d.begins, $2)"} AS due
                  FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
                      AS d (duty, organisation, path, title, begins, closed)) t""",
            rule.name, rule.length.working, str(rule.length.unit), now, [one.duty for one in its],
            [one.place.branch for one in its], [one.place.path for one in its],
            [f"{'更新' if convenience else '公开'} · {one.title}" for one in its],
            [at(one.period.first if convenience else one.period.last, 0) for one in its],
            [closed(one) for one in its])


async def write_review_clocks(connection: Connection, handed_on: list[Told], now: datetime) -> None:
    """What the township has looked at within some hours, and what it still has to look at, and by when."""
    looked_at = [one.at if one.state == "已公开" else None for one in handed_on]
    await connection.execute("""
        INSERT INTO deadline (rule, subject_kind, subject_id, period, organisation_id, organisation_path, title, href,
            starts_at, counted_from, days, unit, due_at, sort_at, provisional, reminders_for, overdue_at, state,
            closed_at, left_working_days)
        SELECT $1, 'edition', t.edition, '2', c.id, c.path, t.title, t.href, t.begins, t.begins, $2, $3, t.due, t.due,
               false, 1, CASE WHEN coalesce(t.closed, $4) > t.due THEN t.due END,
               CASE WHEN t.closed IS NULL THEN 'open' WHEN t.closed > t.due THEN 'late' ELSE 'met' END, t.closed,
               CASE WHEN t.closed IS NOT NULL THEN 1 END
        FROM (SELECT w.*, working_deadline(w.begins, $2) AS due
              FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
                  AS w (edition, organisation, title, href, begins, closed)) t
        JOIN organisation b ON b.id = t.organisation JOIN organisation c ON c.id = b.committee_id""",
        REVIEW_TIME.name, REVIEW_TIME.length.working, str(REVIEW_TIME.length.unit), now,
        [one.edition for one in handed_on], [one.place.branch for one in handed_on],
        [f"审核 · {one.place.name} {one.title}" for one in handed_on],
        [f"/disclosures/{one.matter}/review" for one in handed_on],
        [one.at and (one.at - timedelta(hours=5) if one.state == "已公开" else one.at) for one in handed_on], looked_at)


def closed(one: Told) -> datetime | None:
    """When its clock stopped: with the handing on."""
    if one.at is None or one.state in ("草稿", "待签字", "审核不通过"):
        return None
    return one.at if one.state in ("本期无", "待审核") else one.at - timedelta(hours=5)


async def say_so(connection: Connection, published: list[Told], now: datetime) -> None:
    """The cards in the villages' threads, of the last months."""
    since = now - timedelta(days=200)
    entries = []
    for one in published:
        if one.at is None or one.at < since:
            continue
        keeper = one.place.people["书记"]
        by = Listed(keeper[0], keeper[1], "正式党员", None, "书记", 1)
        matter = {"category": str(one.item.category), "community": one.place.community, "period": one.period.key,
                  "first": one.period.first}
        edition = {"number": 1, "why": "", "html": to_html(one.text), "title": one.title}
        content = contents(one.book, []) if one.book else {}
        card = cards.matter_card(matter, edition, content)
        kinds = ["party_affairs" if one.item.category is Category.PARTY else "disclosures"]
        if one.item.audience != "党员":
            kinds.append(cards.VILLAGERS[one.item.category])
        entries += [Said((kind, one.place.branch), one.at, by, one.title, cards.MATTER, one.matter, card,
                         signed="宋文斌 · 党委管理员") for kind in kinds if kind in KINDS]
    await say(connection, entries)
