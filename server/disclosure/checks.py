"""What is looked at before an edition is handed on: errors keep it back, the reviewer sees warnings (三级校验)."""
import json
import re
from collections.abc import Iterable
from datetime import timedelta

from asyncpg import Record

from server.catalogues.duties import DUTY
from server.catalogues.rules import BEARS, Audience, Category, Form, Item, difference
from server.catalogues.tables import item as item_of
from server.catalogues.tables import item_now
from server.core.clock import now, today
from server.core.deadline_tables import find
from server.core.deadline_words import due_text
from server.core.rich_text import readable
from server.disclosure.parts import part_of
from server.disclosure.private import ILLNESS, MASK, private_in
from server.disclosure.rules import ON_ITS_WAY, PUBLISHED_LATER_MOST, TOTAL, Finding, Level, rule_of
from server.disclosure.tables import files_of

ALL_MASKED = re.compile(rf"(?=.*{re.escape(MASK)})[0-9Xx{re.escape(MASK)}]+")  # nothing is left to be read
NEGATIVE = re.compile(r"[-−－–]\s*[0-9][0-9.,]*(?:\s*元)?")
A_YEAR = timedelta(days=364)
ARTICLE, SECRET, CATALOGUE = "M3§8", "M3§11", "M3§7"


async def findings(matter: Record, edition: Record) -> list[Finding]:
    """Everything the checks find in an edition, errors first, by field."""
    found = [*await of_catalogue(matter, edition), *of_period(matter), *of_text(matter, edition),
             *await of_moment(matter, edition), *private(edition), *await of_papers(matter, edition),
             *await part_of(matter["form"]).findings(matter, edition)]
    order = list(Level)
    return sorted(found, key=lambda one: order.index(one.level))


async def of_catalogue(matter: Record, edition: Record) -> list[Finding]:
    """Whether the catalogue changed under the draft. What was handed on before goes by the one it was written for."""
    then = await item_of(edition["item_id"])
    newest = await item_now(matter["village_code"], matter["community"], matter["item"])
    if newest is None and (matter["edition_id"] or (matter["form"] == Form.LEDGER and matter["last"] < today())):
        return []  # a correction of what was asked for then, or books, of which no month may be missing
    why, onwards = "县里的公开目录已不再列这一项", "草稿替您留着，可以作废"
    if newest is not None:
        told = changed(then, newest) if then and newest.id != then.id else ""
        why, onwards = f"县里更新了公开目录，这一项{told}" if told else "", "内容都在，请看一遍、再存一次"
    if not why:
        return []
    if edition["state"] in ON_ITS_WAY and narrows(then, newest):
        return [Finding(Level.ERROR, "catalogue", f"{why}，不能公开。请退回或撤回修改，看过再提交", CATALOGUE)]
    if edition["state"] in ON_ITS_WAY:
        return [Finding(Level.REMINDER, "catalogue", f"{why}；这一份按提交时的目录办", CATALOGUE)]
    return [Finding(Level.ERROR, "catalogue", f"{why}。{onwards}", CATALOGUE)]


def of_period(matter: Record) -> Iterable[Finding]:
    """Whether sums are handed on before what they sum up is over."""
    short = matter["last"] - matter["first"] < A_YEAR  # a budget is of its year, and handed on as it begins
    if matter["category"] == Category.FINANCE and short and matter["first"] < today() <= matter["last"]:
        yield Finding(Level.WARNING, "period",
                      f"这一期到{matter['last'].month}月{matter['last'].day}日才结束，之后的收支还不在里面", ARTICLE)


async def is_narrowed(matter: Record, edition: Record) -> bool:
    """Whether the catalogue has restricted to members meanwhile what was handed on for all villagers."""
    return narrows(await item_of(edition["item_id"]),
                   await item_now(matter["village_code"], matter["community"], matter["item"]))


def narrows(then: Item | None, newest: Item | None) -> bool:
    """Whether an item was for all villagers and is for members only."""
    return then is not None and newest is not None and (
        then.audience, newest.audience) == (Audience.VILLAGERS, Audience.MEMBERS)


def changed(then: Item, newest: Item) -> str:
    """What of an item bears on a draft: form, columns, audience."""
    return "，".join(f"{label}由“{before or '无'}”改为“{after or '无'}”"
                     for label, before, after in difference(then, newest) if label in BEARS)


async def of_moment(matter: Record, edition: Record) -> Iterable[Finding]:
    """Whether what is to be published at a moment may be, and is in time."""
    at, level, words = edition["publish_at"], Level.ERROR, ""
    if at is None:
        return []
    due = await find(rule_of(matter).name, DUTY, matter["duty_id"])
    if matter["form"] == Form.LEDGER:
        words = "账目一月接一月，审核通过就公开，不能定时"
    elif at > now() + PUBLISHED_LATER_MOST:
        words = f"最多推后 {PUBLISHED_LATER_MOST.days} 天公开"
    elif at <= now():
        level, words = Level.WARNING, "定时公开的时间已经过了，审核通过就公开"
    elif due and due.state in ("open", "met") and at > due.due_at:
        level, words = Level.WARNING, f"应在{due_text(due.due_at, now())}以前公开，定时公开的时间晚了"
    return [Finding(level, "publish_at", words, ARTICLE)] if words else []


def of_text(matter: Record, edition: Record) -> Iterable[Finding]:
    """What every matter says: a title; a text where it is one; how long it is good."""
    if not edition["title"]:
        yield Finding(Level.ERROR, "title", "请填写标题", ARTICLE)
    if matter["form"] == Form.TEXT and not edition["text"].strip():
        yield Finding(Level.ERROR, "text", "还没有写正文", ARTICLE)
    if edition["until"] and edition["until"] < today():
        yield Finding(Level.ERROR, "until", "有效期已经过了", ARTICLE)
    if matter["category"] == Category.CONVENIENCE and not edition["phone"]:
        yield Finding(Level.REMINDER, "phone", "写上联系电话，群众一点就能打", ARTICLE)
    if edition["number"] > 1 and matter["edition_id"] and not edition["why"]:
        yield Finding(Level.ERROR, "why", "请写明为什么更正", ARTICLE)


def private(edition: Record) -> Iterable[Finding]:
    """Where a person's number still shows, or an illness is told: the reviewer is warned."""
    places = {"title": edition["title"], "text": readable(edition["text"]), "why": edition["why"]}
    for field, text in places.items():
        for words in private_in(text):
            yield Finding(Level.WARNING, field, words, SECRET)


async def of_papers(matter: Record, edition: Record) -> list[Finding]:
    """Files whose names tell of an illness; the photograph of the board beside the online text."""
    files = await files_of(edition["id"])
    found = [Finding(Level.WARNING, "files", f"附件名里像有病情：{one['name']}", SECRET)
             for one in files if ILLNESS.search(one["name"])]
    if matter["category"] == Category.CONVENIENCE or any(one["place"] == "wall_photos" for one in files):
        return found
    return [*found, Finding(Level.REMINDER, "wall", "没有公开栏照片；上墙后拍一张，网上网下一致看得见", ARTICLE)]


async def of_lines(matter: Record, edition: Record) -> list[Finding]:
    """What is wrong with a table or list."""
    lines = json.loads(edition["lines"])
    item = await item_of(edition["item_id"])
    found = [] if lines else [Finding(Level.ERROR, "lines", "表格还是空的", ARTICLE)]
    if item:
        wide = len(item.columns)
        found += [Finding(Level.ERROR, "lines", f"第 {number} 行有 {len(row)} 格，应有 {wide} 格", CATALOGUE)
                  for number, row in enumerate(lines, 1) if len(row) != wide][:5]
        found += [Finding(Level.WARNING, "lines", f"“{head}”一列的内容没有公开（已遮住），可以不列这一列", SECRET)
                  for place, head in enumerate(item.columns)
                  if lines and all(len(row) > place and ALL_MASKED.fullmatch(row[place]) for row in lines)]
        found += [Finding(Level.WARNING, "lines", f"第 {number} 行“{head}”是负数：{row[place]}", ARTICLE)
                  for number, row in enumerate(lines, 1) for place, head in enumerate(item.columns)
                  if len(row) > place and NEGATIVE.fullmatch(row[place])][:5]
        found += [Finding(Level.WARNING, "lines", f"第 {number} 行“{head}”{words}", SECRET)
                  for number, row in enumerate(lines, 1) for head, cell in zip(item.columns, row, strict=False)
                  for words in private_in(cell)][:10]
        found += [Finding(Level.WARNING, "lines", f"第 {number} 行像是合计，不是名单里的人", ARTICLE)
                  for number, row in enumerate(lines, 1) if item.form is Form.LIST and any(map(TOTAL.fullmatch, row))]
    return found
