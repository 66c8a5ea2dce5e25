"""Which units are communities, and how they are spoken of; which codes lie in which."""
import pytest

from server.villages.rules import COMMUNITY, MOVES, PROLONG, VILLAGE, Exempting, is_community, words_of
from server.villages.tables import county_of, township_of


@pytest.mark.parametrize(("official", "community"), [
    ("花园社区居委会", True), ("花园社区居民委员会", True), ("江西路社区", True), ("城关居委会", True), ("前村", False),
    ("前村村委会", False), ("前村村民委员会", False), ("社区村村委会", False)])
def test_a_community_is_told_by_its_official_name(official, community):
    assert is_community(official) is community


def test_a_community_speaks_of_residents():
    assert words_of(True) is COMMUNITY
    assert words_of(False) is VILLAGE
    assert (COMMUNITY.affairs, COMMUNITY.people, VILLAGE.affairs, VILLAGE.people) == ("居务", "居民", "村务", "村民")


def test_a_villages_code_begins_with_its_townships_and_countys():
    assert (county_of("370921102201"), township_of("370921102201")) == ("370921", "370921102")


def test_every_move_of_an_exemption_leaves_a_state_for_another():
    for move in MOVES:
        assert set(move.frm) < set(Exempting)
        assert move is PROLONG or move.to in set(Exempting) - set(move.frm)
    over = {Exempting.ON_FILE, Exempting.RETURNED, Exempting.ENDED}
    assert not any(over & set(move.frm) for move in MOVES if move is not PROLONG)
    assert set(PROLONG.frm) == {PROLONG.to} == {Exempting.ON_FILE}
