"""广播稿: a matter as it is read out over the village's loudspeaker. Words for the ear: no tables, no abbreviations."""
import json
from html.parser import HTMLParser
from typing import Any

from asyncpg import Record

from server.catalogues.duties import period_label
from server.catalogues.rules import Form
from server.catalogues.tables import item as item_of
from server.disclosure.parts import part_of
from server.disclosure.publication import category_word

PER_MINUTE = 180  # characters that are read out in a minute, slowly
ROWS_READ = 40  # rows of a list that are read out


class Paragraphs(HTMLParser):
    """The paragraphs of our own HTML as plain text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("p", "li", "h3", "h4", "tr"):
            self.found.append("")
        elif tag in ("td", "th") and self.found[-1]:
            self.found[-1] += "，"

    def handle_data(self, data: str) -> None:
        self.found[-1] += " ".join(data.split())


def paragraphs(html: str) -> list[str]:
    """What is written in an edition, paragraph by paragraph."""
    reader = Paragraphs()
    reader.feed(html)
    return [one for one in reader.found if one]


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
        found.append(f"{label}，" + "，".join(f"{word} {amount}" for word, amount in content["facts"]) + "。")
        found += [spoken(one) for one in content["entries"]]
    found += paragraphs(edition["html"])
    item = await item_of(edition["item_id"])
    rows = json.loads(edition["lines"])
    if item and rows:
        found += ["，".join(f"{head} {cell}" for head, cell in zip(item.columns, row, strict=True) if cell) + "。"
                  for row in rows[:ROWS_READ]]
        if len(rows) > ROWS_READ:
            found.append(f"一共 {len(rows)} 行，其余请到公开栏或手机上看。")
    found.append("对哪一笔、哪一件有疑问，可以到村委会问，也可以在手机上直接问，还可以向镇里反映。播报完毕。")
    return found


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
