"""Reading amounts and days, what an entry must be, when a month balances (村集体经济组织会计制度)."""
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.disclosure.rules import Finding, Level
from server.ledgers import charts
from server.ledgers.part import contents, differ
from server.ledgers.rules import (
    EXPENSE,
    INCOME,
    MOST_FEN,
    SIDE,
    Book,
    Line,
    Side,
    check_book,
    check_line,
    month_key,
    read_day,
    read_money,
    read_month,
    signed,
    totals,
    yuan,
)
from tests.disclosure.stories import income, line

SEPTEMBER, TODAY = date(2026, 9, 1), date(2026, 10, 8)
FEN = st.integers(0, MOST_FEN)


# Amounts --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("typed", "fen"), [
    ("", 0), ("  ", 0), ("0", 0), ("0.00", 0), ("12.50", 1250), ("12.5", 1250), ("12", 1200), ("１２．５０", 1250),
    ("1,234.5", 123450), ("12,345,678", 1234567800),
    ("１，２３４．５", 123450), ("¥12.50", 1250), ("￥12", 1200), ("12元", 1200),
    (" 12.5 元 ", 1250),
    ("0.01", 1), ("007", 700), ("100000000000", MOST_FEN), ("99999999999.99", MOST_FEN - 1)])
def test_an_amount_is_read_as_it_is_meant(typed, fen):
    assert read_money(typed) == fen


@pytest.mark.parametrize(("typed", "words"), [
    ("-3", "不能是负数"), ("－3", "不能是负数"), ("(3)", "不能是负数"), ("（3）", "不能是负数"), ("1e15", "应是数字"),
    ("0.001", "最多两位小数"),
    ("空", "应是数字"), ("1.2.3", "最多两位小数"), (".5", "最多两位小数"), ("5.", "最多两位小数"),
    ("12 34", "应是数字"), ("+3", "应是数字"), ("1,50", "最多两位小数"), ("1,2345", "最多两位小数"),
    (",5", "最多两位小数"), ("1,234,56.00", "最多两位小数"),
    ("100000000000.01", "超过一千亿元"), ("9" * 15, "超过一千亿元"), ("9" * 16, "超过一千亿元"),
    ("9" * 30, "超过一千亿元"),
    ("9" * 99, "最多两位小数"), ("0x10", "应是数字"),
    ("NaN", "应是数字"), ("三百", "应是数字"), ("12.50.", "最多两位小数")])
def test_what_is_no_amount_is_told_in_words(typed, words):
    with pytest.raises(ValueError, match=words):
        read_money(typed)


@pytest.mark.parametrize("typed", ["5²", "①", "½", "㈠", "5㎡", "٣"])
def test_a_sign_that_only_looks_like_a_digit_is_none(typed):
    with pytest.raises(ValueError, match="金额"):
        read_money(typed)


@given(FEN)
def test_what_is_written_is_read_back(fen):
    assert read_money(yuan(fen)) == fen


@pytest.mark.parametrize(("fen", "written"), [
    (0, "0.00"), (1, "0.01"), (4396006, "43,960.06"), (-5, "−0.05"), (-123456, "−1,234.56"),
    (10**13, "100,000,000,000.00")])
def test_amounts_are_written_in_yuan(fen, written):
    assert yuan(fen) == written


def test_an_entry_is_written_with_its_sign():
    assert (signed(income(amount=1_00)), signed(line(expense=3_860_00))) == ("+1.00", "−3,860.00")


# Days -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("typed", [
    "2026-09-06", "2026-9-6", "2026.9.6", "2026/09/06", "2026年9月6日", "2026年9月6", "6", "06", "２０２６－０９－０６",
    "2026-09-06 00:00:00", "2026-09-06T00:00:00", " 6 "])
def test_a_day_is_read_as_it_is_meant(typed):
    assert read_day(typed, SEPTEMBER) == date(2026, 9, 6)


@pytest.mark.parametrize(("typed", "words"), [
    ("", "请填写日期"), ("2026-10-06", "不在 2026年9月"), ("2025-09-06", "不在 2026年9月"), ("31", "要写成"),
    ("0", "要写成"),
    ("2026-09-31", "要写成"), ("六号", "要写成"), ("2026-13-01", "要写成"), ("9-6", "要写成"), ("-6", "要写成"),
    ("2026-09-06x", "要写成")])
def test_what_is_no_day_of_its_month_is_told_in_words(typed, words):
    with pytest.raises(ValueError, match=words):
        read_day(typed, SEPTEMBER)


@pytest.mark.parametrize(("key", "month"), [
    ("2026-09", SEPTEMBER), ("2026-13", None), ("2026-9", None), ("2026-09-01", None), ("x", None),
    ("２０２６-09", None),
    ("", None), ("0000-01", None)])
def test_a_month_in_an_address(key, month):
    assert read_month(key) == month
    assert month is None or month_key(month) == key


# Entries --------------------------------------------------------------------------------------------------------------

def errors(found: list[Finding], level: Level = Level.ERROR) -> set[str]:
    return {one.field for one in found if one.level is level}


@pytest.mark.parametrize(("changed", "fields"), [
    ({}, set()), ({"summary": ""}, {"summary"}), ({"expense": 0}, {"income"}), ({"income": 5}, {"income"}),
    ({"category": "吃喝"}, {"category"}), ({"category": "补助收入"}, {"category"}),
    ({"category": "其他支出"}, {"note"}),
    ({"category": "其他支出", "note": "清明扫墓用花"}, set()), ({"day": date(2026, 10, 9)}, {"day"}),
    ({"day": TODAY}, set())])
def test_what_an_entry_must_be(changed, fields):
    assert errors(check_line(replace(line(), **changed), TODAY)) == fields


def test_every_category_stands_on_one_side():
    assert not set(INCOME) & set(EXPENSE)
    assert {SIDE[one] for one in INCOME} == {Side.INCOME}
    assert {SIDE[one] for one in EXPENSE} == {Side.EXPENSE}


def test_other_income_is_explained_too():
    assert errors(check_line(income(category="其他收入"), TODAY)) == {"note"}


# Months ---------------------------------------------------------------------------------------------------------------

def test_a_month_ends_with_what_it_began_plus_income_less_expense():
    book = Book(SEPTEMBER, 100_00, [income(amount=50_00), line(expense=30_00)])
    assert (book.income, book.expense, book.closing, book.balances()) == (50_00, 30_00, 120_00, [150_00, 120_00])
    assert Book(SEPTEMBER, 100_00).closing == 100_00


@given(st.integers(-MOST_FEN, MOST_FEN), st.lists(st.tuples(st.booleans(), st.integers(1, MOST_FEN)), max_size=30))
def test_the_running_balance_ends_with_the_closing(opening, amounts):
    lines = [income(amount=fen) if gains else line(expense=fen) for gains, fen in amounts]
    book = Book(SEPTEMBER, opening, lines)
    assert (book.balances() or [opening])[-1] == book.closing == opening + sum(
        fen if gains else -fen for gains, fen in amounts)
    assert sum(amount for _, amount in totals(lines)) == book.income + book.expense


@pytest.mark.parametrize(("before", "opening", "fields"), [
    (None, 0, set()), (None, 77, set()), (77, 77, set()), (77, 78, {"opening"}), (0, 1, {"opening"}), (-5, -5, set())])
def test_a_month_begins_where_the_one_before_ended(before, opening, fields):
    assert errors(check_book(Book(SEPTEMBER, opening, []), before, TODAY)) == fields


@pytest.mark.parametrize(("today", "over"), [
    (date(2026, 9, 29), False), (date(2026, 9, 30), True), (date(2026, 10, 1), True), (date(2026, 8, 31), False)])
def test_a_month_is_handed_on_when_it_is_over(today, over):
    assert errors(check_book(Book(SEPTEMBER, 0, []), None, today)) == (set() if over else {"month"})


def test_a_negative_balance_and_what_is_missing_are_warnings():
    lines = [line(voucher="1"), line(voucher="", handler=""), line(voucher="1", witness="")]
    found = check_book(Book(SEPTEMBER, 0, lines), None, TODAY)
    assert errors(found) == set()
    assert errors(found, Level.WARNING) == {"closing", "line-2-voucher", "line-2-handler", "line-3-handler"}
    assert errors(found, Level.REMINDER) == {"line-3-voucher", "pictures"}


def test_an_entrys_error_names_its_place():
    found = check_book(Book(SEPTEMBER, 0, [line(), replace(line(), summary="")]), None, TODAY)
    assert [(one.field, one.words) for one in found if one.level is Level.ERROR] == [
        ("line-2-summary", "第 2 笔：请填写摘要")]


# Shown ----------------------------------------------------------------------------------------------------------------

def test_a_correction_is_told_entry_by_entry():
    before = contents(Book(SEPTEMBER, 0, [income(), line()]), [1, 2])
    added = line(voucher="09-03", expense=1_00)
    after = contents(Book(SEPTEMBER, 0, [income(), line(expense=3_800_00), added]), [1, 2, 3])
    told = differ(before, after)
    assert [label for label, _, _ in told] == ["凭证 09-01 金额", "凭证 09-03", "本月结余"]
    assert told[0][1:] == ("−3,860.00", "−3,800.00")
    assert (told[1][1], told[2][1:]) == ("", ("8,140.00 元", "8,199.00 元"))
    assert differ(before, before) == []
    for old, new, said in ((None, 7, ("", "有")), (7, 8, ("有", "换过")), (7, None, ("有", ""))):
        one, other = (contents(Book(SEPTEMBER, 0, [line(file_id=file)]), [1]) for file in (old, new))
        assert differ(one, other) == [("凭证 09-01 照片", *said)]


def test_two_months_are_told_by_category():
    before = contents(Book(SEPTEMBER, 0, [income()]), [1])
    after = contents(Book(date(2026, 10, 1), 12_000_00, [line(date(2026, 10, 9))]), [2])
    assert [(label, old, new) for label, old, new in differ(before, after)] == [
        ("上月结余", "0.00 元", "12,000.00 元"), ("本月结余", "12,000.00 元", "8,140.00 元"),
        ("发包及上交收入", "12,000.00 元", "没有"), ("农田水利及道路维修", "没有", "3,860.00 元")]


def test_bars_and_shares():
    bars = charts.months({SEPTEMBER: (50, 100), date(2026, 8, 1): (0, 25)}, SEPTEMBER)
    assert [bar["month"] for bar in bars] == [10, 11, 12, *range(1, 10)]
    assert (bars[-1]["income"], bars[-1]["expense"], bars[-2]["expense"]) == (50.0, 100.0, 25.0)
    assert not bars[0]["there"]
    assert charts.months({}, SEPTEMBER)[-1]["income"] == 0
    shares = charts.shares([("办公费", 25), ("干部报酬", 75), ("补助收入", 10)])
    assert [(one["category"], one["share"]) for one in shares] == [("补助收入", 100), ("干部报酬", 75), ("办公费", 25)]


def test_a_line_knows_its_side():
    assert (income().side, line().side) == (Side.INCOME, Side.EXPENSE)
    assert isinstance(line(), Line)
