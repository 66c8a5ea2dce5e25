"""A village's monthly ledger: its categories, what a line must be, when it balances (村集体经济组织会计制度,
农村集体经济组织财务公开规定). Money in 分. No I/O."""
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from server.core.periods import month_after
from server.disclosure.rules import Finding, Level

MOST_FEN = 10**13  # in one line: beyond it, it is a slip of the pen
MOST_LINES = 5_000
SUMMARY_MAX, NAME_MAX, VOUCHER_MAX, NOTE_MAX = 80, 20, 20, 100  # characters
OTHER = "其他"  # every one of these is explained
PAGE = 50  # lines a page


class Side(StrEnum):
    INCOME = "收入"
    EXPENSE = "支出"


INCOME = ("经营收入", "发包及上交收入", "投资收益", "补助收入", "征地补偿款", "一事一议筹资", "其他收入")
EXPENSE = ("经营支出", "干部报酬", "办公费", "报刊费", "差旅交通费", "公益性支出", "农田水利及道路维修", "福利及救济",
           "固定资产购建", "归还欠款", "其他支出")
SIDE = dict.fromkeys(INCOME, Side.INCOME) | dict.fromkeys(EXPENSE, Side.EXPENSE)


@dataclass(frozen=True)
class Line:
    """One entry. income, expense: 分, exactly one above 0. line: its name through all editions, 0 for a new one."""

    day: date
    voucher: str
    summary: str
    category: str
    income: int
    expense: int
    handler: str = ""
    witness: str = ""
    approver: str = ""
    note: str = ""
    line: int = 0
    file_id: int | None = None
    place: int = 0

    @property
    def side(self) -> Side:
        return Side.INCOME if self.income else Side.EXPENSE


@dataclass
class Book:
    """A month: what it began with, its lines."""

    month: date
    opening: int
    lines: list[Line] = field(default_factory=list)

    @property
    def income(self) -> int:
        return sum(line.income for line in self.lines)

    @property
    def expense(self) -> int:
        return sum(line.expense for line in self.lines)

    @property
    def closing(self) -> int:
        """What it ends with: 上月结余 + 本月收入 − 本月支出."""
        return self.opening + self.income - self.expense

    def balances(self) -> list[int]:
        """The balance after each line."""
        balance, found = self.opening, []
        for line in self.lines:
            balance += line.income - line.expense
            found.append(balance)
        return found


# Reading what was typed -----------------------------------------------------------------------------------------------

MONEY = re.compile(r"(\d{1,30}|\d{1,3}(,\d{3})+)(\.\d{1,2})?", re.ASCII)
DAY = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?", re.ASCII)
SHORT_DAY = re.compile(r"\d{1,2}月\d{1,2}日?", re.ASCII)
FULL_WIDTH = {0xFF00 + code - 0x20: code for code in range(0x21, 0x7F)} | {0x3000: " ", 0xFFE5: "¥"}


def half_width(typed: str) -> str:
    """Digits and signs of a full-width keyboard as they are meant: １２．５０ is 12.50. Nothing else becomes a digit:
    5² is no 52."""
    return typed.translate(FULL_WIDTH)


def read_money(typed: str, label: str = "金额") -> int:
    """An amount of 元 as 分; "" is 0. Full-width digits, commas and 元 are read as they are meant.

    Raises ValueError, in Chinese: negative, more than two decimals, out of reason."""
    text = half_width(typed).strip().removeprefix("¥").removesuffix("元").strip()
    if not text:
        return 0
    if text.startswith("-") or (text.startswith("(") and text.endswith(")")):
        raise ValueError(f"{label}不能是负数；冲回以前的账，请记在相反的一方，并在说明里写明原凭证号")
    if not MONEY.fullmatch(text):
        raise ValueError(f"{label}要写成 1234.50 这样，最多两位小数" if re.fullmatch(r"[\d.,]+", text)
                         else f"{label}应是数字，例如 1234.50")
    whole, _, cents = text.replace(",", "").partition(".")
    amount = int(whole) * 100 + int(cents.ljust(2, "0") or 0)
    if amount > MOST_FEN:
        raise ValueError(f"{label}超过一千亿元，请检查是不是多打了数字")
    return amount


def read_day(typed: str, month: date, label: str = "日期") -> date:
    """The day of an entry: 2026-10-06, 2026年10月6日, 10月6日, or 6 alone for the sixth of its month. ValueError, in
    Chinese."""
    text = half_width(typed).strip().removesuffix(" 00:00:00")
    if not text:
        raise ValueError(f"请填写{label}")
    if SHORT_DAY.fullmatch(text):
        text = f"{month.year}年{text}"
    found = DAY.fullmatch(text[:10] if text[4:5] == "-" and "T" in text else text)
    try:
        day = date(*map(int, found.groups())) if found else month.replace(day=int(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{label}要写成 {month:%Y-%m}-06 这样") from None
    if (day.year, day.month) != (month.year, month.month):
        raise ValueError(f"{label}不在 {month.year}年{month.month}月")
    return day


def yuan(fen: int) -> str:
    """4396006 → 43,960.06."""
    return f"{'−' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def signed(line: Line) -> str:
    """+12,000.00 or −3,860.00."""
    return with_sign(line.income, line.expense)


def with_sign(income: int, expense: int) -> str:
    """What came in or went out, in 分, as it is read."""
    return f"+{yuan(income)}" if income else f"−{yuan(expense)}"


# Checks ---------------------------------------------------------------------------------------------------------------

COMPLETE = "农村集体经济组织财务公开规定"
ARTICLE = "M3§8"


def check_line(line: Line, today: date) -> list[Finding]:
    """What is wrong with one entry by itself."""
    found = []
    if not line.summary:
        found.append(Finding(Level.ERROR, "summary", "请填写摘要", ARTICLE))
    if (line.income > 0) == (line.expense > 0):
        found.append(Finding(Level.ERROR, "income", "收入和支出要填一项，且只填一项", COMPLETE))
    if line.category not in SIDE:
        found.append(Finding(Level.ERROR, "category", "请选择项目", COMPLETE))
    elif SIDE[line.category] != line.side and (line.income > 0) != (line.expense > 0):
        found.append(Finding(Level.ERROR, "category",
                             f"“{line.category}”属于{SIDE[line.category]}，金额却记在{line.side}", COMPLETE))
    if line.category.startswith(OTHER) and not line.note:
        found.append(Finding(Level.ERROR, "note", "列入“其他”的，要写明是什么", COMPLETE))
    if line.day > today:
        found.append(Finding(Level.ERROR, "day", "日期还没有到", ARTICLE))
    return found


def check_book(book: Book, before: int | None, today: date, pictures: bool = True) -> list[Finding]:
    """What is wrong with a month, beside what is wrong with its lines.

    before: the closing of the month before, None where this is the village's first ledger; pictures: whether missing
    pictures of vouchers are told."""
    found = [Finding(one.level, f"line-{number}-{one.field}", f"第 {number} 笔：{one.words}", one.source)
             for number, line in enumerate(book.lines, 1) for one in check_line(line, today)]
    if month_after(book.month, 1) - timedelta(days=1) > today:
        found.append(Finding(Level.ERROR, "month", f"{book.month.month}月还没有过完，月底以后再提交", ARTICLE))
    if before is not None and before != book.opening:
        found.append(Finding(Level.ERROR, "opening", f"上月结余应等于上个月公开的本月结余 {yuan(before)} 元", COMPLETE))
    if book.closing < 0:
        found.append(Finding(Level.WARNING, "closing", f"本月结余是负数（{yuan(book.closing)} 元），请核对", COMPLETE))
    found += missing(book.lines, pictures)
    return found


def missing(lines: Sequence[Line], pictures: bool) -> Iterable[Finding]:
    """What a villager would ask about: vouchers without number, the same number twice, nobody who handled it."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.voucher:
            yield Finding(Level.WARNING, f"line-{number}-voucher", f"第 {number} 笔没有凭证号", COMPLETE)
        elif line.voucher in seen:
            yield Finding(Level.REMINDER, f"line-{number}-voucher",
                          f"第 {number} 笔和第 {seen[line.voucher]} 笔凭证号相同", COMPLETE)
        seen.setdefault(line.voucher, number)
        if line.expense and not (line.handler and line.witness and line.approver):
            yield Finding(Level.WARNING, f"line-{number}-handler",
                          f"第 {number} 笔支出要有经手人、证明人、审批人", COMPLETE)
    without = [number for number, line in enumerate(lines, 1) if line.file_id is None]
    if pictures and without:
        yield Finding(Level.REMINDER, "pictures", f"{len(without)} 笔没有凭证照片", COMPLETE)


def totals(lines: Iterable[Line]) -> list[tuple[str, int]]:
    """The sum of each category that occurs, income first, in the order of the account system."""
    sums = dict.fromkeys((*INCOME, *EXPENSE), 0)
    for line in lines:
        if line.category in sums:
            sums[line.category] += line.income or line.expense
    return [(category, amount) for category, amount in sums.items() if amount]


def month_key(month: date) -> str:
    """2026-10, as in the address of a ledger."""
    return f"{month:%Y-%m}"


def read_month(key: str) -> date | None:
    """The first day of the month 2026-10; None for what is none."""
    try:
        return date.fromisoformat(f"{key}-01") if re.fullmatch(r"\d{4}-\d\d", key, re.ASCII) else None
    except ValueError:
        return None
