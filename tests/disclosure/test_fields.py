"""How a table's cells are read, and what else the forms of a matter refuse."""
import pytest
from litestar.datastructures import FormMultiDict

from server.core import forms
from server.disclosure.fields import EDIT, call_number, rows_typed
from server.disclosure.rules import CELL_MAX, ROWS_MOST

HEADS = ("姓名", "金额（元）")


def filled(*cells: str, pasted: str = "") -> forms.Filled:
    return forms.read(FormMultiDict([*(("cell", one) for one in cells), ("pasted", pasted), ("version", "1"),
                                     ("title", "题")]), EDIT)


def test_cells_are_rows_and_empty_ones_are_left_out():
    its = filled("张大爷", "520", "", "", "李 奶奶 ", "")
    assert rows_typed(its, HEADS) == [["张大爷", "520"], ["李 奶奶", ""]]
    assert its.errors == {}


def test_pasted_rows_stand_behind():
    its = filled("张大爷", "520", pasted="李奶奶\t900\n\n王大娘\t300\t\n")
    assert rows_typed(its, HEADS) == [["张大爷", "520"], ["李奶奶", "900"], ["王大娘", "300"]]


@pytest.mark.parametrize("head", ["姓名\t金额（元）", "姓 名\t金额", "姓名\t金额（元）\t", "户主姓名\t金额（元）"])
def test_heads_that_were_copied_along_are_no_row(head):
    its = filled(pasted=f"{head}\n李奶奶\t900")
    assert (rows_typed(its, HEADS), its.errors) == ([["李奶奶", "900"]], {})
    assert rows_typed(filled("姓名", "520", "金额", "1"), HEADS) == [["姓名", "520"], ["金额", "1"]]


@pytest.mark.parametrize(("cells", "pasted", "field", "words"), [
    (("张大爷", "520", "李奶奶"), "", "cell", "没有完整收到"),
    ((), "张大爷\t520\n李奶奶", "pasted", "第 2 行有 1 列，应有 2 列"),
    ((), "甲\t乙\t丙", "pasted", "应有 2 列"), ((), f"{'长' * (CELL_MAX + 1)}\t1", "pasted", "有一格超过"),
    ((), "甲\t1\n" * (ROWS_MOST + 1), "pasted", f"最多 {ROWS_MOST} 行")])
def test_what_is_no_table_is_told_beside_its_field(cells, pasted, field, words):
    its = filled(*cells, pasted=pasted)
    rows_typed(its, HEADS)
    assert words in its.errors[field]


def test_a_cell_is_short():
    its = filled("长" * (CELL_MAX + 1), "1", "张大爷", "520")
    assert rows_typed(its, HEADS) == [["长" * (CELL_MAX + 1), "1"], ["张大爷", "520"]], "nothing that was typed is lost"
    assert "每格最多" in its.errors["cell"]


def test_a_text_has_no_rows():
    assert rows_typed(filled("张大爷", "520"), ()) == []


@pytest.mark.parametrize(("typed", "number"), [
    ("0538-5621234", "0538-5621234"), ("０５３８－５６２１２３４", None), ("１３８１２３４５６７８", "13812345678"),
    ("", ""),
    ("(0538) 5621234转8", "(0538) 5621234转8"), ("村委会", None), ("5621234<", None), ("1234", None),
    ("12345", "12345"), ("120", "120"), ("95598", "95598"), ("400-800-8820", "400-800-8820"),
    ("+86 138 1234 5678", "+86 138 1234 5678"), ("0538-55100", None), ("138123456789", None),
    ("370921195111239985", None), ("37092119511123998X", None), ("6228480012345678901", None)])
def test_whom_to_call(typed, number):
    read = call_number("phone", "联系电话").read
    if number is None:
        with pytest.raises(ValueError, match="联系电话"):
            read([typed])
    else:
        assert read([typed]) == number


def test_pasted_rows_that_are_wrong_wait_in_their_box_and_right_ones_leave_it():
    wrong = filled("张大爷", "520", pasted="李奶奶\t900\n王大娘\t300\t多")
    assert rows_typed(wrong, HEADS) == [["张大爷", "520"]]
    assert wrong.typed["pasted"].startswith("李奶奶")
    right = filled("张大爷", "520", pasted="李奶奶\t900")
    assert rows_typed(right, HEADS) == [["张大爷", "520"], ["李奶奶", "900"]]
    assert right.typed["pasted"] == "", "else the next saving would add them again"
