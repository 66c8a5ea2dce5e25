"""The fields of the forms about matters, and how a table's cells are read."""
import re
from collections.abc import Sequence

from server.core import forms, uploads
from server.core.forms import Field, Filled
from server.disclosure.private import half_width
from server.disclosure.rules import (
    CELL_MAX,
    FIELDS,
    PHONE_MAX,
    PLACES,
    REASON_MAX,
    ROWS_MOST,
    SECRECY,
    TEXT_MAX,
    TITLE_MAX,
    WHY_MAX,
    Verdict,
)

VERSION = forms.number("version", "版本")
WHY = forms.text("why", "原因", most=WHY_MAX)


def optional_moment(name: str, label: str) -> Field:
    """A moment, or None where nothing was chosen."""
    read = forms.moment(name, label).read
    return Field(name, label, lambda typed: read(typed) if typed and typed[0].strip() else None)


CALLED = re.compile(
    r"(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}"  # a mobile
    r"|(?:\(0[0-9]{2,3}\) ?|0[0-9]{2,3}[- ]?)?[1-9][0-9]{6,7}(?: ?[-转] ?[0-9]{1,6})?"  # a line and its extension
    r"|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}|1[0-9]{2}|(?:1|9)[0-9]{4}")  # a free number, 120, 12345, 95598


def call_number(name: str, label: str) -> Field:
    """A number people may call."""
    text = forms.text(name, label, most=PHONE_MAX, required=False)

    def read(typed: list[str]) -> str:
        value = half_width(text.read(typed))
        if value and not CALLED.fullmatch(value):
            raise ValueError(f"{label}要写成 0538-5621234 或手机号")
        return value
    return Field(name, label, read)


def cells(name: str, label: str) -> Field:
    """The cells of a table, row by row; `rows_typed` says what is wrong with them, and loses none."""
    return Field(name, label, lambda typed: [" ".join(one.split()) for one in typed], many=True)


EDIT = (
    VERSION, forms.number("catalogue_item", "目录事项", most=2**63 - 1, required=False),
    forms.text("title", "标题", most=TITLE_MAX, required=False),
    forms.text("text", "正文", most=TEXT_MAX, required=False),
    cells("cell", "表格"), forms.text("pasted", "粘贴的行", most=400_000, required=False),
    forms.day("until", "有效期至", required=False), call_number("phone", "联系电话"),
    optional_moment("publish_at", "定时公开"), forms.text("why", "更正原因", most=WHY_MAX, required=False),
    *(field for place in PLACES for field in uploads.fields(place)),
)
CHOSEN = (forms.number("duty", "事项", most=2**63 - 1),)
AT_ONCE = (forms.number("item", "事项", most=2**63 - 1), forms.day("ended_on", "事项结束日期"))
NOTHING = (forms.numbers("duties", "没有发生的事项"),)
REASONS = tuple(forms.text(f"reason-{name}", label, most=REASON_MAX, required=False) for name, label in FIELDS.items())


def some_of(name: str, label: str, words: tuple[str, ...]) -> Field:
    """Some of these words, be it none."""
    def read(typed: list[str]) -> list[str]:
        if not set(typed) <= set(words):
            raise ValueError(f"{label}的选择不对，请重新勾选")
        return [one for one in words if one in typed]
    return Field(name, label, read, many=True)


REVIEW = (VERSION, some_of("checked", "保密和一致性", SECRECY), forms.choice("verdict", "审核结果", Verdict), *REASONS)


def rows_typed(filled: Filled, heads: Sequence[str]) -> list[list[str]]:
    """The rows of a table with these heads as they were typed, those pasted behind; empty ones are left out, and heads
    that were copied along. Puts beside the field what is wrong with them."""
    columns = len(heads)
    if columns == 0:
        return []
    typed = filled.values.get("cell", [])
    rows = [typed[place:place + columns] for place in range(0, len(typed) - len(typed) % columns, columns)]
    if len(typed) % columns:
        filled.errors["cell"] = "表格没有完整收到，请刷新后再试"
    long = next((one for one in typed if len(one) > CELL_MAX), None)
    if long is not None:
        filled.errors["cell"] = f"每格最多 {CELL_MAX} 个字：{long[:10]}……"
    pasted = rows_pasted(filled, heads)
    if "pasted" not in filled.errors:  # else they wait in their box until they are right
        filled.typed["pasted"] = ""
        rows += pasted
    rows = [row for row in rows if any(row) and not is_head(row, heads)]
    if len(rows) > ROWS_MOST:
        filled.errors["pasted"] = f"最多 {ROWS_MOST} 行，现在有 {len(rows)} 行"
    return rows


def is_head(row: Sequence[str], heads: Sequence[str]) -> bool:
    """Whether a row says nothing but what its columns are called."""
    return all(cell and ("".join(cell.split()) in head or head in cell) for cell, head in zip(row, heads, strict=True))


def rows_pasted(filled: Filled, heads: Sequence[str]) -> list[list[str]]:
    """What was copied from a sheet, row by row; says what is wrong with it."""
    rows = []
    for number, line in enumerate(filled.values.get("pasted", "").split("\n"), 1):
        row = [" ".join(one.split()) for one in line.split("\t")]
        if len(row) > len(heads) and not any(row[len(heads):]):
            row = row[:len(heads)]
        if any(row) and len(row) != len(heads):
            filled.errors["pasted"] = f"第 {number} 行有 {len(row)} 列，应有 {len(heads)} 列：{'、'.join(heads)}"
            break
        if any(len(one) > CELL_MAX for one in row):
            filled.errors["pasted"] = f"第 {number} 行有一格超过 {CELL_MAX} 个字"
            break
        rows.append(row)
    return rows


def refit(rows: Sequence[list[str]], then: Sequence[str], columns: Sequence[str]) -> list[list[str]]:
    """The rows of a table in other columns: one of the same name keeps its cells, and so does one that was renamed."""
    renamed = len(then) == len(columns)
    places = [then.index(head) if head in then else place if renamed and then[place] not in columns else None
              for place, head in enumerate(columns)]
    return [[row[place] if place is not None and place < len(row) else "" for place in places] for row in rows]


def falls_away(rows: Sequence[list[str]], then: Sequence[str], columns: Sequence[str]) -> str:
    """What stood in columns that are no longer asked for, in words; empty where nothing is lost."""
    kept = {cell for row in refit(rows, then, columns) for cell in row}
    gone = [(head, [row[place] for row in rows if place < len(row) and row[place]])
            for place, head in enumerate(then) if head not in columns]
    return "；".join(f"{head}：{'、'.join(cells)}" for head, cells in gone if cells and not set(cells) <= kept)
