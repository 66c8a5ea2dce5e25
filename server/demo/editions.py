"""Writing published matters into the database: their editions, books, signatures, reviews and renderings, as the
tables' owner, with their past where it was."""
import json
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from asyncpg import Connection, Record

from server.catalogues.rules import Category
from server.core.rich_text import to_html
from server.core.templates import ENVIRONMENT
from server.demo.affairs_year import Told
from server.disclosure.content import content_of
from server.disclosure.publication import context, fingerprint
from server.ledgers.part import contents, shown_of
from server.ledgers.rules import totals
from server.ledgers.tables import FIELDS as LINE

SIGNED_BEFORE = {"村务监督委员会": timedelta(hours=8), "书记": timedelta(hours=6)}  # how long before publication
PHONE = "0538-5510"  # and three digits of the branch

Sums = dict[date, tuple[int, int]]  # 分 of income and expense, by months


async def write_matters(connection: Connection, written: list[Told], named: dict[int, list[int]],
                        beside: dict[int, dict[int | None, list[dict[str, Any]]]]) -> None:
    """Matters, editions, ledgers, signatures, reviews and renderings. named: the lines of each book; beside: by edition
    and entry, the answers that stand there."""
    editions = {one.edition: edition_of(one, named.get(one.edition, [])) for one in written}
    await connection.copy_records_to_table(
        "matter", columns=["id", "village_code", "organisation_id", "organisation_path", "duty_id", "category", "form",
                           "audience", "title", "created_by", "created_at"],
        records=[(one.matter, one.place.code, one.place.branch, one.place.path, one.duty, str(one.item.category),
                  str(one.item.form), str(one.item.audience), one.title, one.place.people["宣传委员"][0], one.at)
                 for one in written])
    await connection.copy_records_to_table(
        "edition", columns=["id", "matter_id", "number", "state", "item_id", "version", "title", "text", "html",
                            "lines", "phone", "authors", "saved_who", "saved_at", "submitted_who", "submitted_at",
                            "published_at", "fingerprint"],
        records=[edition_row(one, editions[one.edition]) for one in written])
    await connection.execute("""UPDATE matter m SET edition_id = e.id, published_at = e.published_at
                                FROM edition e WHERE e.matter_id = m.id AND e.state = '已公开'
                                AND m.edition_id IS NULL""")
    await write_ledgers(connection, written, named)
    await returned(connection, [one for one in written if one.state == "审核不通过"])
    await publish(connection, [one for one in written if one.state == "已公开"], editions, named, beside)


async def returned(connection: Connection, back: list[Told]) -> None:
    """Why the township sent something back."""
    for one in back:
        await connection.execute("""
            INSERT INTO review (edition_id, edition_version, verdict, reasons, account_id, grant_id, who, at)
            SELECT $1, 2, '审核不通过', '{"text": "写明哪天开的会、来了多少人、怎么定的"}', a.id, g.id,
                   p.name || ' · 党委管理员', $2
            FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
            JOIN organisation o ON o.id = g.organisation_id
            WHERE g.role = '党委管理员' AND o.name = '东疏镇党委' ORDER BY g.id LIMIT 1""", one.edition, one.at)


async def named_lines(connection: Connection, written: list[Told]) -> dict[int, list[int]]:
    """The names of the lines in each book, by its edition."""
    names = iter(await connection.fetch(
        "SELECT nextval('ledger_line_name') AS n FROM generate_series(1, $1::int)",
        sum(len(one.book.lines) for one in written if one.book)))
    return {one.edition: [next(names)["n"] for _ in one.book.lines] for one in written if one.book}


async def publish(connection: Connection, published: list[Told], editions: dict[int, dict[str, Any]],
                  named: dict[int, list[int]],
                  beside: dict[int, dict[int | None, list[dict[str, Any]]]]) -> None:
    """Signs, reviews and renders what was published."""
    reviewer = await connection.fetchrow("""
        SELECT a.id AS account, g.id AS grant, p.name FROM role_grant g JOIN account a ON a.id = g.account_id
        JOIN person p ON p.id = a.person_id JOIN organisation o ON o.id = g.organisation_id
        WHERE g.role = '党委管理员' AND o.name = '东疏镇党委' ORDER BY g.id LIMIT 1""")
    signing = {(one["organisation_id"], one["role"]): one for one in await connection.fetch("""
        SELECT g.organisation_id, g.role, a.id AS account, g.id AS grant, p.name FROM role_grant g
        JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
        WHERE g.role IN ('村务监督委员会', '书记')""")}
    who = f"{reviewer['name']} · 党委管理员"
    sums: dict[str, Sums] = {}
    for one in published:
        if one.book:
            sums.setdefault(one.place.code, {})[one.book.month] = (one.book.income, one.book.expense)
    await connection.copy_records_to_table(
        "signature",
        columns=["edition_id", "edition_version", "seat", "verdict", "account_id", "grant_id", "who", "at"],
        records=[(one.edition, 2, seat, "同意公开", its["account"], its["grant"], f"{its['name']} · {seat}",
                  one.at and one.at - before)
                 for one in published if one.item.category is Category.FINANCE
                 for seat, before in SIGNED_BEFORE.items() if (its := signing.get((one.place.branch, seat)))])
    await connection.copy_records_to_table(
        "review",
        columns=["edition_id", "edition_version", "verdict", "checked", "account_id", "grant_id", "who", "at"],
        records=[(one.edition, 2, "审核通过", [], reviewer["account"], reviewer["grant"], who, one.at)
                 for one in published])
    template = ENVIRONMENT.get_template("disclosure/_content.html")
    await connection.copy_records_to_table(
        "rendering", columns=["edition_id", "html", "at"],
        records=[(one.edition, template.render(
            **shown(one, editions[one.edition], who, sums, named, signing)
            | {"answers": defaultdict(list, beside.get(one.edition, {}))}), one.at) for one in published])


def edition_of(one: Told, names: list[int]) -> dict[str, Any]:
    """The edition as publishing would have made it."""
    edition = {"id": one.edition, "number": 1, "title": one.title, "text": one.text, "html": to_html(one.text),
               "lines": json.dumps(one.lines, ensure_ascii=False), "until": None, "why": "", "published_at": one.at,
               "phone": PHONE + f"{one.place.branch:03}"[-3:] if one.item.category is Category.CONVENIENCE else ""}
    part = contents(one.book, names) if one.book else {}
    whole = {"village": one.place.code, "item": one.item.item, "period": one.period.key, "number": 1,
             **content_of(edition), "files": [], **part}
    return edition | {"fingerprint": fingerprint(whole)}


def edition_row(one: Told, edition: dict[str, Any]) -> tuple[Any, ...]:
    keeper, name = one.place.people.get("村（社区）管理员") or one.place.people["宣传委员"]
    who = f"{name} · 村（社区）管理员"
    done = one.state == "已公开"
    assert one.at
    handed_on = {"已公开": one.at - timedelta(hours=5), "待审核": one.at, "审核不通过": one.at - timedelta(hours=20)}
    return (one.edition, one.matter, 1, one.state, one.item.id, 2, edition["title"], edition["text"], edition["html"],
            edition["lines"], edition["phone"], [keeper], who, one.at - timedelta(hours=22),
            None if one.state == "草稿" else who, handed_on.get(one.state), one.at if done else None,
            edition["fingerprint"] if done else None)


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


def shown(one: Told, edition: dict[str, Any], who: str, sums: dict[str, Sums], named: dict[int, list[int]],
          signing: dict[tuple[int, str], Record]) -> dict[str, Any]:
    """What the rendering of a published edition is made from."""
    matter = {"id": one.matter, "category": str(one.item.category), "form": str(one.item.form),
              "community": one.place.community, "village": one.place.name}
    signed = [f"{seat} {signing[one.place.branch, seat]['name']}" for seat in SIGNED_BEFORE
              if one.item.category is Category.FINANCE and (one.place.branch, seat) in signing]
    its = context(matter, edition, one.item, [], signed, who)
    if one.book:
        book, names = one.book, named[one.edition]
        lines = [replace(line, line=name) for line, name in zip(book.lines, names, strict=True)]
        months = {month: pair for month, pair in sums[one.place.code].items() if month <= book.month}
        its["ledger"] = shown_of(one.matter, 1, {
            "village_code": one.place.code, "month": book.month, "opening": book.opening, "income": book.income,
            "expense": book.expense, "closing": book.closing, "lines": len(lines)}, lines, book.opening,
            totals(lines), months, sum(line.file_id is not None for line in lines))
    return its
