"""Invented village ledgers: a year of lines that balance, month on month."""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from server.core.periods import month_after
from server.ledgers.rules import Book, Line

BEGAN_WITH = (18_000_00, 96_000_00)  # 分: what a village's first month opens with, at least and at most
LEAST_LEFT = 6_000_00  # 分: what a month leaves in the account at least

# summary, category, 元 at least and at most, share of months in which it occurs
INCOME = (
    ("机动地承包费（{land}）", "发包及上交收入", 4_800, 13_000, .35),
    ("村集体厂房租金", "发包及上交收入", 3_000, 9_000, .3),
    ("光伏发电收益", "经营收入", 900, 3_200, .6), ("上级补助：环境整治", "补助收入", 6_000, 18_200, .3),
    ("上级补助：村级运转经费", "补助收入", 9_000, 14_000, .45), ("存款利息", "其他收入", 20, 180, .3),
    ("合作社分红", "投资收益", 1_500, 6_000, .15),
)
EXPENSE = (
    ("村干部报酬", "干部报酬", 5_600, 7_800, 1), ("办公用品、打印纸", "办公费", 120, 640, .7),
    ("党报党刊", "报刊费", 180, 960, .1),
    ("路灯电费", "公益性支出", 210, 690, .9), ("村内路灯维修 {n} 盏", "农田水利及道路维修", 640, 3_900, .3),
    ("街道清扫、垃圾清运", "公益性支出", 1_800, 4_200, .8), ("去县里办事车费", "差旅交通费", 40, 180, .5),
    ("高龄老人慰问 {people} 人", "福利及救济", 1_600, 6_200, .3), ("困难家庭临时救助", "福利及救济", 500, 2_000, .25),
    ("机井维修、水泵", "农田水利及道路维修", 800, 5_200, .3), ("文化广场器材", "固定资产购建", 2_400, 6_800, .12),
    ("偿还修路欠款", "归还欠款", 3_000, 8_000, .1), ("护林防火人员补助", "公益性支出", 600, 1_500, .4),
)
NOTES = {"其他收入": "农村商业银行活期结息"}
LAND = ("赵庄片", "北坡", "河滩地", "老菜园")
# A month as the pictures of this product show it: day, summary, category, 元.
SHOWN = (
    (6, "机动地承包费（赵庄片）", "发包及上交收入", "12000.00"), (8, "村干部报酬", "干部报酬", "-6800.00"),
    (9, "村内路灯维修 6 盏", "农田水利及道路维修", "-3860.00"), (12, "办公用品、打印纸", "办公费", "-412.50"),
    (15, "高龄老人重阳慰问 31 人", "福利及救济", "-6200.00"), (16, "路灯电费", "公益性支出", "-537.00"),
    (18, "街道清扫、垃圾清运", "公益性支出", "-3200.00"), (20, "上级补助：环境整治", "补助收入", "18120.00"),
    (22, "机井维修、水泵", "农田水利及道路维修", "-2960.00"), (24, "困难家庭临时救助", "福利及救济", "-1500.00"),
    (28, "去县里办事车费", "差旅交通费", "-400.00"),
)


@dataclass(frozen=True)
class Hands:
    """Who stands on a village's vouchers."""

    handlers: Sequence[str]
    witness: str
    approver: str


def year(seed: str, first: date, months: int, hands: Hands, shown_as: date | None = None) -> Iterator[Book]:
    """A village's months from `first` on; each begins where the one before ended. shown_as: the month that is the one
    of the pictures."""
    rng = Random(seed)
    opening = rng.randint(*BEGAN_WITH) // 100 * 100
    for number in range(months):
        month = month_after(first, number)
        lines = pictured(month, hands) if month == shown_as else list(entries(rng, month, hands, opening))
        book = Book(month, opening, lines)
        yield book
        opening = book.closing


def entries(rng: Random, month: date, hands: Hands, opening: int) -> Iterator[Line]:
    """One month's lines by their days. What the account does not hold is not spent."""
    wanted = [(*one, sign) for kinds, sign in ((INCOME, 1), (EXPENSE, -1)) for one in kinds if rng.random() < one[4]]
    days = sorted(rng.randint(2, 27) for _ in wanted)
    left, place = opening, 0
    wanted.sort(key=lambda one: -one[5])
    for day, (summary, category, least, most, _, sign) in zip(days, wanted, strict=True):
        fen = rng.randint(least * 100, most * 100) // 50 * 50
        if sign < 0 and left - fen < LEAST_LEFT:
            continue
        left, place = left + sign * fen, place + 1
        words = summary.format(land=rng.choice(LAND), n=rng.randint(2, 9), people=rng.randint(12, 38))
        yield line(month, day, place, words, category, sign * fen, rng.choice(hands.handlers), hands)


def pictured(month: date, hands: Hands) -> list[Line]:
    """The month of the pictures."""
    return [line(month, day, place, summary, category, round(float(yuan) * 100),
                 hands.handlers[place % len(hands.handlers)], hands)
            for place, (day, summary, category, yuan) in enumerate(SHOWN, 1)]


def line(month: date, day: int, place: int, summary: str, category: str, fen: int, handler: str, hands: Hands) -> Line:
    return Line(month.replace(day=day), f"{month.month:02}-{place:02}", summary, category, max(fen, 0), max(-fen, 0),
                handler, hands.witness if fen < 0 else "", hands.approver if fen < 0 else "", NOTES.get(category, ""),
                place=place)
