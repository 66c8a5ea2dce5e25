"""The .xlsx a month's lines come in: its columns, and how one of its rows is read."""
from dataclasses import dataclass, field
from datetime import date

from server.core.sheets import Layout
from server.disclosure.rules import TOTAL
from server.ledgers.rules import (
    MOST_LINES,
    NAME_MAX,
    NOTE_MAX,
    SIDE,
    SUMMARY_MAX,
    VOUCHER_MAX,
    Line,
    check_line,
    half_width,
    read_day,
    read_money,
)

VERSION = 1  # of the template: another one is another number, and the old ones are told
MANY = 20_000  # lines of a township's sheet
OPENING = "上月结余"  # the summary of the row that says what the month begins with
COLUMNS = {"day": "日期", "voucher": "凭证号", "summary": "摘要", "category": "项目", "income": "收入金额",
           "expense": "支出金额", "balance": "余额", "handler": "经手人", "witness": "证明人", "approver": "审批人",
           "note": "说明"}
OPTIONAL = frozenset({"voucher", "balance", "handler", "witness", "approver", "note"})
OWN = Layout(COLUMNS, first="day", optional=OPTIONAL, most_rows=MOST_LINES + 1, version=VERSION)
OF_MANY = Layout({"village": "村"} | COLUMNS, first="village", optional=OPTIONAL, most_rows=MANY, version=VERSION)
TITLE = f"村级收支逐笔明细 · 模板第 {VERSION} 版"
MOST = {"voucher": VOUCHER_MAX, "summary": SUMMARY_MAX, "handler": NAME_MAX, "witness": NAME_MAX, "approver": NAME_MAX,
        "note": NOTE_MAX}


@dataclass
class RowRead:
    """What one row says: a line, or what the month begins with (分); faults: by the name of a column; balance: what the
    sheet says is left after it, 分, None where it does not say."""

    line: Line | None = None
    opening: int | None = None
    balance: int | None = None
    faults: dict[str, str] = field(default_factory=dict)


def is_total(cells: dict[str, str]) -> bool:
    """Whether a row sums up others and is no entry itself."""
    return any(TOTAL.fullmatch(cells.get(name, "").strip()) for name in ("village", "day", "voucher", "summary"))


def read_row(cells: dict[str, str], month: date, today: date, *, merged: bool) -> RowRead:
    """One row of the sheet; everything that is wrong with it stands beside its cell."""
    found = RowRead()
    if is_total(cells):
        found.faults["summary"] = "这一行像是合计，没有导入，请从表里去掉；合计由系统算"
        return found
    formulas = [name for name, cell in cells.items() if cell.startswith("=")]
    for name in formulas:
        found.faults[name] = "是公式，请复制后“粘贴为数值”"
    if merged:
        found.faults.setdefault("summary", "这一行有合并的单元格，请取消合并后逐行填写")
    found.faults |= {name: f"{COLUMNS[name]}最多 {most} 个字" for name, most in MOST.items()
                     if len(cells.get(name, "")) > most}
    amounts = {name: amount(cells, name, found) for name in ("income", "expense")}
    if cells.get("balance") and "balance" not in formulas:
        found.balance = balance(cells["balance"], found)
    if cells.get("summary", "").replace(" ", "") == OPENING:
        if found.balance is None:
            found.faults.setdefault("balance", f"“{OPENING}”这一行要在余额里写明金额")
        if any(cells.get(name, "").strip() not in ("", "0", "0.00") for name in ("income", "expense")):
            found.faults.setdefault("income", f"“{OPENING}”这一行只填余额，收入和支出各记一行")
        found.opening = found.balance
        return found
    read_line(cells, month, today, amounts, found)
    return found


def amount(cells: dict[str, str], name: str, found: RowRead) -> int:
    """The amount of one side, 0 where there is none; what is wrong with it stands beside its cell."""
    try:
        return 0 if name in found.faults else read_money(cells.get(name, ""), COLUMNS[name])
    except ValueError as fault:
        found.faults[name] = str(fault)
        return 0


def balance(typed: str, found: RowRead) -> int | None:
    """What the sheet says is left; it may be below nothing."""
    text = half_width(typed).strip()
    below = text.startswith(("-", "−"))
    try:
        fen = read_money(text.lstrip("-−"), COLUMNS["balance"])
    except ValueError as fault:
        found.faults["balance"] = str(fault)
        return None
    return -fen if below else fen


def read_line(cells: dict[str, str], month: date, today: date, amounts: dict[str, int], found: RowRead) -> None:
    """The line a row says, unless something is wrong with it."""
    try:
        day = read_day(cells.get("day", ""), month)
    except ValueError as fault:
        found.faults.setdefault("day", str(fault))
        day = month
    category = "".join(cells.get("category", "").split()).replace("－", "—").removeprefix("管理费用—")
    if not category:
        found.faults.setdefault("category", "请填写项目")
    elif category not in SIDE:
        found.faults.setdefault("category", f"没有“{category[:12]}”这个项目，请从模板的下拉里选")
    line = Line(day, cells.get("voucher", ""), cells.get("summary", ""), category, amounts["income"],
                amounts["expense"], cells.get("handler", ""), cells.get("witness", ""), cells.get("approver", ""),
                cells.get("note", ""))
    if not found.faults.keys() & {"income", "expense", "category"}:
        for one in check_line(line, today):
            found.faults.setdefault(one.field, one.words)
    if not found.faults:
        found.line = line
