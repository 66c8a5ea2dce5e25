"""Names of people: how they are kept, and in which order they are listed."""
import pytest

from server.members.rules import sort_key, written_name


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
