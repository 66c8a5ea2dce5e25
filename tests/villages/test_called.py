"""What a sheet calls a village: its code, its official name, its short one, which several may share."""
import pytest

from server.villages.tables import by_every_name, the_one_called

NEAR = {"code": "370921102201", "official_name": "前村村民委员会", "name": "前村"}
FAR = {"code": "370921103207", "official_name": "前村村委会", "name": "前村"}
OTHER = {"code": "370921102202", "official_name": "后村", "name": "后村"}
VILLAGES = by_every_name([NEAR, FAR, OTHER])


@pytest.mark.parametrize(("cell", "village"), [
    ("370921102201", NEAR), ("前村村民委员会", NEAR), (" 前村 村委会 ", FAR), ("后村", OTHER)])
def test_any_of_its_names_will_do(cell, village):
    assert the_one_called(VILLAGES, cell) is village


@pytest.mark.parametrize(("cell", "words"), [
    ("前村", "有 2 个村都叫“前村”，请填村的代码"), ("天上村", "没有这个村"), ("", "请填写村"), ("　", "请填写村")])
def test_what_names_none_or_several_is_told(cell, words):
    with pytest.raises(ValueError, match=words):
        the_one_called(VILLAGES, cell)
