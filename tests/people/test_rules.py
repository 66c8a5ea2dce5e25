"""Names of people: how they are kept, and in which order they are listed."""
from datetime import date

import pytest

from server.people.rules import (
    born_on,
    masked_id_number,
    masked_phone,
    read_id_number,
    read_phone,
    sex_of,
    sort_key,
    written_name,
)


@pytest.mark.parametrize(("typed", "kept"), [
    (" 王秀英 ", "王秀英"),
    ("王 秀 英", "王秀英"),
    ("陈𬶮", "陈𬶮"),
    ("阿依努尔•吐尔逊", "阿依努尔·吐尔逊"),
    ("阿依努尔．吐尔逊", "阿依努尔·吐尔逊"),
    ("阿依努尔·吐尔逊", "阿依努尔·吐尔逊"),
    ("John Smith", "John Smith"),
])
def test_a_name_is_kept_in_one_spelling(typed, kept):
    assert written_name(typed) == kept


def test_ordinary_names_are_listed_by_their_pinyin():
    names = ["赵德山", "孙桂兰", "阿依努尔·吐尔逊", "李长河", "钱永军", "王秀英", "张建国", "李玉芬", "陈𬶮"]
    assert sorted(names, key=sort_key) == [
        "阿依努尔·吐尔逊", "陈𬶮", "李长河", "李玉芬", "钱永军", "孙桂兰", "王秀英", "张建国", "赵德山"]


def test_every_character_has_a_place():
    assert len({sort_key(name) for name in ("陈𬶮", "陈𰻞", "陈😀", "陈")}) == 4


GOOD = "370921195104159997"


@pytest.mark.parametrize("typed", [GOOD, f" {GOOD} ", "37092119500415999x"])
def test_an_id_number_is_read(typed):
    assert read_id_number(typed, date(2026, 11, 24)) == typed.strip().upper()


@pytest.mark.parametrize(("typed", "word"), [
    ("", "18 位"), ("37092119500415999", "18 位"), (GOOD + "0", "18 位"), ("３" + GOOD[1:], "半角"),
    ("370921195013159996", "出生日期"), ("370921195002309993", "出生日期"), ("370921189904159991", "出生日期"),
    ("370921202704159990", "出生日期"), (GOOD[:17] + "0", "最后一位"), ("37092119500415A996", "18 位")])
def test_a_wrong_id_number_is_told(typed, word):
    with pytest.raises(ValueError, match=word):
        read_id_number(typed, date(2026, 11, 24))


def test_sex_and_birth_are_read_from_the_number_and_most_of_it_is_masked():
    assert (sex_of(GOOD), born_on(GOOD)) == ("男", date(1951, 4, 15))
    assert masked_id_number(GOOD) == "370921********9997"
    assert masked_phone("13700000010") == "137****0010"


@pytest.mark.parametrize("typed", ["13700000010", "137 0000 0010", "137-0000-0010"])
def test_a_phone_is_read(typed):
    assert read_phone(typed) == "13700000010"


@pytest.mark.parametrize(("typed", "word"), [
    ("12700000010", "11 位"), ("1370000001", "11 位"), ("１3700000010", "半角")])
def test_a_wrong_phone_is_told(typed, word):
    with pytest.raises(ValueError, match=word):
        read_phone(typed)
