"""What a form takes as a name, an ID number and a phone, and what it says otherwise."""
import pytest
from litestar.datastructures import FormMultiDict

from server.core import forms
from server.people import fields

WHO = (fields.name("name", "姓名"), fields.id_number("id_number", "身份证号"), fields.phone("phone", "手机号码"))


def test_who_somebody_is_comes_in_one_spelling():
    filled = forms.read(FormMultiDict([("name", " 王 秀英"), ("id_number", "37092119500415999x"),
                                       ("phone", "137 0000 0010")]), WHO)
    assert filled.values == {"name": "王秀英", "id_number": "37092119500415999X", "phone": "13700000010"}


@pytest.mark.parametrize(("sent", "words"), [
    ({}, ["请填写姓名", "请填写身份证号", "请填写手机号码"]),
    ({"name": " ", "id_number": " ", "phone": " "}, ["请填写姓名", "请填写身份证号", "请填写手机号码"]),
    ({"name": "王" * 51, "id_number": "1", "phone": "1"}, [
        "姓名最多 50 个字", "身份证号应是 18 位：17 位数字，最后一位是数字或 X", "手机号应是 11 位数字，以 1 开头"])])
def test_what_is_wrong_is_said_beside_each_field(sent, words):
    filled = forms.read(FormMultiDict(list(sent.items())), WHO)
    assert list(filled.errors.values()) == words
