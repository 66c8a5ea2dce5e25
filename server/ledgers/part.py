"""账目 as the form of a matter: how an edition begins, what its checks find, what it says, how it is shown."""
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from asyncpg import Record

from server.catalogues.rules import Form
from server.core.actor import Actor
from server.core.clock import today
from server.core.database import rows
from server.core.periods import month_after
from server.disclosure.parts import Part, declare
from server.disclosure.private import private_in
from server.disclosure.rules import LABELS, OPEN, Finding, Level
from server.ledgers import charts
from server.ledgers.rules import COMPLETE, PAGE, Book, Line, check_book, month_key, signed, totals, with_sign, yuan
from server.ledgers.tables import (
    balance_before,
    book,
    closing_before,
    ledger,
    lines_of,
    matters_that_draw,
    opening_after,
    owed_before,
    year_until,
)


async def begin(actor: Actor, matter: Record, edition_id: int, former: int | None) -> None:
    """A new month begins where the one before ended; a correction with all the former edition has."""
    if former is not None:
        await rows("""INSERT INTO ledger (edition_id, village_code, month, opening, income, expense, lines)
                      SELECT $1, village_code, month, opening, income, expense, lines FROM ledger
                      WHERE edition_id = $2""", edition_id, former)
        await rows("""INSERT INTO ledger_line (edition_id, line, place, day, voucher, summary, category, income,
                                               expense, handler, witness, approver, note, file_id)
                      SELECT $1, line, place, day, voucher, summary, category, income, expense, handler, witness,
                             approver, note, file_id FROM ledger_line WHERE edition_id = $2""", edition_id, former)
        return
    month = matter["last"].replace(day=1)
    before = await closing_before(matter["village_code"], month)
    await rows("INSERT INTO ledger (edition_id, village_code, month, opening) VALUES ($1, $2, $3, $4)"
               " ON CONFLICT DO NOTHING", edition_id, matter["village_code"], month, before["closing"] if before else 0)


async def follow(matter: Record, edition: Record) -> None:
    """A draft begins where the month before ends now: that one may have been handed on, or changed, since it was begun.
    What the township sent says itself what it began with, and is compared."""
    its = await ledger(edition["id"])
    if its is None or edition["delivered"] or edition["state"] not in OPEN:
        return
    before = await closing_before(its["village_code"], its["month"])
    if before and month_after(before["month"], 1) == its["month"] and before["closing"] != its["opening"]:
        await rows("UPDATE ledger SET opening = $2 WHERE edition_id = $1", edition["id"], before["closing"])


async def findings(matter: Record, edition: Record) -> list[Finding]:
    """Whether the month balances, follows the one before without a gap, and explains itself."""
    its = await book(edition["id"])
    before = await closing_before(matter["village_code"], its.month)
    follows = before is None or month_after(before["month"], 1) == its.month
    found = check_book(its, before["closing"] if before and follows else None, today())
    if before and not follows:
        gap = month_after(before["month"], 1)
        found.append(Finding(Level.ERROR, "month", f"中间缺 {gap.year}年{gap.month}月的账，请先公开那个月的", COMPLETE))
    owed = await owed_before(matter["village_code"], its.month)
    if before is None and owed is not None:
        found.append(Finding(Level.ERROR, "month", f"{owed.year}年{owed.month}月的账还没有公开，请先从那个月开始",
                             COMPLETE))
    after = await opening_after(matter["village_code"], its.month)
    if after and after["opening"] != its.closing:
        found.append(Finding(
            Level.ERROR, "closing", f"{after['month'].month}月的账已经按结余 {yuan(after['opening'])} 元公开，"
            f"这个月的结余不能变。结余确有差错的，在本月账上补记一笔，写明原月份和凭证号", COMPLETE))
    return found + private(its.lines)


def private(lines: list[Line]) -> list[Finding]:
    """Where a person's number still shows in a line, or an illness is told, wherever it stands in it."""
    return [Finding(Level.WARNING, f"line-{number}-{field}", f"第 {number} 笔的{LABELS[field]}{words}", "M3§11")
            for number, line in enumerate(lines, 1)
            for field in ("voucher", "summary", "note", "handler", "witness", "approver")
            for words in private_in(getattr(line, field))]


async def content(edition: Record) -> dict[str, Any]:
    """What the month says, as plain values; `facts` are for its card."""
    its = await book(edition["id"])
    return contents(its, [line.line for line in its.lines])


def contents(its: Book, names: Sequence[int]) -> dict[str, Any]:
    """As `content`, of a month whose lines have these names."""
    return {"month": month_key(its.month), "opening": its.opening, "closing": its.closing,
            "entries": [{name: value.isoformat() if isinstance(value, date) else value
                         for name, value in asdict(line).items() if name != "place"} | {"line": line_name}
                        for line, line_name in zip(its.lines, names, strict=False)],
            "facts": [["收入", f"{yuan(its.income)} 元"], ["支出", f"{yuan(its.expense)} 元"],
                      ["本月结余", f"{yuan(its.closing)} 元"]]}


async def shown(matter: Record, content: dict[str, Any], after: int | None) -> dict[str, Any]:
    """What pages show of the month: sums, charts, a page of its lines with the running balance; all of them for the
    wall."""
    edition = content["edition"]
    its = await ledger(edition["id"])
    if its is None:
        return {}
    every = await lines_of(edition["id"], after=0, most=None) if its["lines"] <= PAGE or after is None else None
    lines = every if every is not None and not after else await lines_of(edition["id"], after=after or 0)
    months = await year_until(its["village_code"], its["month"])
    return {"ledger": shown_of(
        matter["id"], edition["number"], its, lines, await balance_before(edition["id"], after or 0),
        totals(every) if every is not None else await category_sums(edition["id"]),
        {one["month"]: (one["income"], one["expense"]) for one in months}, await pictured(edition["id"]), after or 0)}


def shown_of(matter_id: int, number: int, its: Mapping[str, Any], lines: Sequence[Line], balance: int,
             sums: Sequence[tuple[str, int]], months: Mapping[date, tuple[int, int]], pictures: int,
             after: int = 0) -> dict[str, Any]:
    """A month as the templates show it. number: of the edition; its: the ledger's row; lines: a page of its lines after
    the first `after` ones; balance: before them; sums: by category; months: income and expense of the published
    ones; pictures: how many vouchers have one."""
    shown_lines = []
    for place, line in enumerate(lines, after + 1):
        balance += line.income - line.expense
        shown_lines.append(shown_line(matter_id, line, place, balance))
    return {
        "address": f"/disclosures/{matter_id}/versions/{number}/lines",
        "opening": yuan(its["opening"]), "income": yuan(its["income"]), "expense": yuan(its["expense"]),
        "closing": yuan(its["closing"]), "month": its["month"], "count": its["lines"], "lines": shown_lines,
        "vouchers": "凭证齐全" if pictures == its["lines"] and its["lines"] else f"{pictures} 笔有凭证照片",
        "next": after + PAGE if its["lines"] > after + PAGE else None, "first": after == 0,
        "bars": charts.months({**months, its["month"]: (its["income"], its["expense"])}, its["month"]),
        "shares": charts.shares(sums)}


async def pictured(edition_id: int) -> int:
    """How many lines have the picture of their voucher."""
    return (await rows("SELECT count(file_id) AS many FROM ledger_line WHERE edition_id = $1", edition_id))[0]["many"]


async def category_sums(edition_id: int) -> list[tuple[str, int]]:
    """The sum of each category, by the database: for months with many lines."""
    found = await rows("SELECT category, sum(income + expense)::bigint AS amount FROM ledger_line WHERE edition_id = $1"
                       " GROUP BY category", edition_id)
    amounts = {one["category"]: one["amount"] for one in found}
    return [(category, amounts[category]) for category in charts.ORDER if category in amounts]


def shown_line(matter_id: int, line: Line, place: int, balance: int) -> dict[str, Any]:
    """One entry as readers see it."""
    who = [f"{word} {name}" for word, name in
           (("经手", line.handler), ("证明", line.witness), ("审批", line.approver)) if name]
    return {"line": line.line, "place": place, "day": line.day, "summary": line.summary, "category": line.category,
            "amount": signed(line), "income": bool(line.income), "balance": yuan(balance), "note": line.note,
            "voucher": line.voucher, "who": who,
            "names": [name for name in (line.handler, line.witness, line.approver) if name],
            "ask": f"/disclosures/{matter_id}/questions/new?line={line.line}",
            "picture": f"/disclosures/{matter_id}/vouchers/{line.file_id}" if line.file_id else None}


def differ(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Entry by entry, by their names through all editions; then the balance. Of two months, category by category."""
    if before.get("month") != after.get("month"):
        return months_differing(before, after)
    old, new = ({one["line"]: one for one in its.get("entries", ())} for its in (before, after))
    found = [row for name in old | new for row in entries_differing(old.get(name), new.get(name))]
    for name, label in (("opening", "上月结余"), ("closing", "本月结余")):
        if before.get(name) != after.get(name):
            old_sum, new_sum = (f"{yuan(its[name])} 元" if name in its else "" for its in (before, after))
            found.append((label, old_sum, new_sum))
    return found


def entries_differing(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """What of one entry is other than before; all of one that came or went."""
    name = f"凭证 {(new or old or {})['voucher'] or '—'}"
    if old is None or new is None:
        return [(name, words(old), words(new))]
    before, after = told(old), told(new)
    found = [(f"{name} {label}", before[label], after[label]) for label in before if before[label] != after[label]]
    if old["file_id"] != new["file_id"]:
        was, is_ = ("有" if one["file_id"] else "" for one in (old, new))
        found.append((f"{name} 照片", was, "换过" if was and is_ else is_))
    return found


def told(entry: dict[str, Any]) -> dict[str, str]:
    """An entry, part by part, as it is read."""
    return {"凭证号": entry["voucher"], "日期": entry["day"], "摘要": entry["summary"],
            "金额": with_sign(entry["income"], entry["expense"]),
            "类别": entry["category"], "说明": entry["note"], "经手人": entry["handler"], "证明人": entry["witness"],
            "审批人": entry["approver"]}


def months_differing(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """How a month is other than the one before: the sums, then each category."""
    old, new = (by_category(its) for its in (before, after))
    found = [(label, f"{yuan(before[name])} 元", f"{yuan(after[name])} 元")
             for name, label in (("opening", "上月结余"), ("closing", "本月结余")) if name in before and name in after]
    return found + [(category, f"{yuan(old[category])} 元" if category in old else "没有",
                     f"{yuan(new[category])} 元" if category in new else "没有")
                    for category in charts.ORDER if old.get(category) != new.get(category)]


def by_category(its: dict[str, Any]) -> dict[str, int]:
    """The sum of each category of a month's content."""
    sums: dict[str, int] = {}
    for entry in its.get("entries", ()):
        sums[entry["category"]] = sums.get(entry["category"], 0) + entry["income"] + entry["expense"]
    return sums


def words(entry: dict[str, Any] | None) -> str:
    """An entry on one line; nothing for one that is not there."""
    if entry is None:
        return ""
    who = "、".join(filter(None, (entry["handler"], entry["witness"], entry["approver"])))
    sum_ = with_sign(entry["income"], entry["expense"])
    said = (entry["day"], entry["summary"], sum_, entry["category"], entry["note"], who)
    return " ".join(filter(None, said))


async def others(edition_id: int) -> list[int]:
    """The months after it that draw it among their twelve."""
    return await matters_that_draw(edition_id)


PART = declare(Form.LEDGER, Part(begin, findings, content, shown, differ, follow, others, desk="ledger"))
