"""Names of places as people say them; every example stands in the register."""
import csv
import gzip
from collections import Counter

import pytest

from server.organisations.names import spoken_name
from tests.organisations.register import register


@pytest.mark.parametrize(("official", "spoken"), [
    ("前村村委会", "前村"),
    ("后村村委会", "后村"),
    ("小屯村委会", "小屯"),
    ("小王庄村委会", "小王庄"),
    ("老王庄村委会", "老王庄"),
    ("花园村委会", "花园"),
    ("冯张村村委会", "冯张村"),
    ("富民村村民委员会", "富民村"),
    ("富民村委会", "富民"),
    ("新民村民委员会", "新民"),
    ("于良民村民委员会", "于良民"),
    ("红运社区（西）赵庄村民委员会", "红运社区（西）赵庄"),
    ("3520社区居民委员会", "3520社区"),
    ("䅟茬窑社区居民委员会", "䅟茬窑社区"),
    ("山凹居居民委员会", "山凹居"),
    ("崂山街道办事处大学城居委会", "崂山街道办事处大学城"),
])
def test_the_body_that_runs_a_place_is_taken_off(official, spoken):
    assert spoken_name(official) == spoken


@pytest.mark.parametrize("typed", ["前村村民委员会", "前村村委会"])
def test_both_spellings_of_the_body_give_one_name(typed):
    assert spoken_name(typed) == "前村"
    assert spoken_name("花园社区居委会") == spoken_name("花园社区居民委员会") == "花园社区"


@pytest.mark.parametrize(("official", "spoken"), [
    ("郭村委会", "郭村"), ("霍村民委员会", "霍村"), ("东村民委员会", "东村"), ("中村民委员会", "中村"),
])
def test_a_single_character_keeps_its_village(official, spoken):
    assert spoken_name(official) == spoken


def test_a_body_written_twice_is_taken_off_twice():
    assert spoken_name("后寨村委会村民委员会") == "后寨"


@pytest.mark.parametrize("official", [
    "杨北新村", "泰和新村", "江西路社区", "八大关社区", "稍瓜张新村", "刘村", "胜利油田热采矿社区",
    "五四农场生活区", "青岛钢铁集团农场生活区", "纸坊村村民委会", "甲瑞社区村村民委会", "韩家村村村会",
    "兴业春天花园社区居委会会", "西凤凰台社区居委", "孔村委员会", "五里后村委", "府前社区居民居委会",
    "刘康庄村民村委会", "胜利油田通明苑类似居委会", "鲁北类似村委会", "经济开发区类似居委会", "西矾硫村东矾硫",
])
def test_an_unusual_ending_stays_whole(official):
    assert spoken_name(official) == official


def test_no_name_is_lost():
    assert spoken_name("村委会") == "村委会"
    assert spoken_name("居委会") == "居委会"
    assert spoken_name("甲居委会") == "甲居委会"


def test_within_a_township_every_village_of_the_register_keeps_a_name_of_its_own():
    places = csv.DictReader(gzip.decompress(register()).decode().splitlines())
    villages = [(place["parent"], spoken_name(place["name"])) for place in places if place["level"] == "village"]
    assert len(villages) == 62_074
    assert not [place for place, count in Counter(villages).items() if count > 1]
    assert all(len(name) >= 2 for _, name in villages)
