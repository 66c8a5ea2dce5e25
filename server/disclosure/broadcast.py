"""广播稿: a matter as it is read out over the village's loudspeaker. Words for the ear: no tables, no abbreviations."""
import json
import re
from typing import Any

from asyncpg import Record

from server.catalogues.duties import period_label
from server.catalogues.rules import Form
from server.catalogues.tables import item as item_of
from server.core.rich_text import paragraphs
from server.disclosure.parts import part_of
from server.disclosure.private import HIDDEN, MASK
from server.disclosure.publication import category_word
from server.disclosure.rules import TOTAL

GROUPED, NOUGHTS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"), re.compile(r"(?<=[0-9])\.00(?![0-9])")
PER_MINUTE = 180  # characters that are read out in a minute, slowly
ROWS_READ = 40  # rows of a list that are read out


async def text(matter: Record, edition: Record) -> list[str]:
    """The paragraphs to be read out."""
    label = period_label(matter["period"], matter["first"])
    people = "居民" if matter["community"] else "村民"
    found = [f"各位{people}，现在播报{matter['village']}{category_word(matter['category'], matter['community'])}，"
             f"{edition['title']}。"]
    if edition["why"]:
        found.append(f"这是更正后的内容，更正原因是：{edition['why']}。")
    if matter["form"] == Form.LEDGER:
        content = await part_of(matter["form"]).content(edition)
        found.append(f"{label}，" + "，".join(f"{word} {for_the_ear(sum_)}" for word, sum_ in content["facts"]) + "。")
        found += [spoken(one) for one in content["entries"]]
    found += paragraphs(edition["html"])
    item = await item_of(edition["item_id"])
    rows = json.loads(edition["lines"])
    if item and rows:
        found += [said + "。" for row in rows[:ROWS_READ] if (said := "，".join(
            word for head, cell in zip(item.columns, row, strict=True) if (word := cell_said(head, cell))))]
        if len(rows) > ROWS_READ:
            found.append(f"一共 {len(rows)} 行，其余请到公开栏或手机上看。")
    found.append("对哪一笔、哪一件有疑问，可以到村委会问，也可以在手机上直接问，还可以向镇里反映。播报完毕。")
    return found


def cell_said(head: str, cell: str) -> str:
    """One cell of a list; nothing of what is masked, for nobody can read it out."""
    if not cell or MASK in cell or cell == HIDDEN:
        return ""
    return cell if TOTAL.fullmatch(cell) else f"{head} {for_the_ear(cell)}"


def for_the_ear(sum_: str) -> str:
    """A sum without what is there for the eye: 12,000.00 元 is read as 12000 元."""
    return NOUGHTS.sub("", GROUPED.sub("", sum_))


def spoken(entry: dict[str, Any]) -> str:
    """One entry of a ledger for the ear: 10月9日，村内路灯维修 6 盏，支出 3860 元，经手人孙桂兰。"""
    _, month, day = entry["day"].split("-")
    side, fen = ("收入", entry["income"]) if entry["income"] else ("支出", entry["expense"])
    amount = f"{fen // 100}" + (f".{fen % 100:02}" if fen % 100 else "")
    who = f"，经手人{entry['handler']}" if entry["handler"] else ""
    return f"{int(month)}月{int(day)}日，{entry['summary']}，{side} {amount} 元{who}。"


def minutes(read_out: list[str]) -> int:
    """How many minutes the reading takes."""
    return max(1, round(sum(map(len, read_out)) / PER_MINUTE))
