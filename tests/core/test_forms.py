"""A form → typed values, or a message beside each wrong field; nothing that was typed is lost either way."""
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import ClientException

from server.core import forms
from server.core.clock import BEIJING
from tests.cast import SECRETARY
from tests.databases import fingerprint


class Colour(StrEnum):
    RED = "红"
    GREEN = "绿"
    BLUE = "蓝"


FIELDS = (
    forms.text("topic", "主题", most=5), forms.text("note", "说明", most=300, required=False),
    forms.moment("at", "时间"), forms.choice("colour", "颜色", Colour), forms.choices("colours", "几种颜色", Colour),
    forms.numbers("people", "人员"), forms.number("version", "版本"),
)
GOOD = [("topic", " 学条例 "), ("note", ""), ("at", "2026-11-22T19:30"), ("colour", "绿"), ("colours", "蓝"),
        ("colours", "红"), ("people", "7"), ("people", "3"), ("version", "2")]
NAMES = [field.name for field in FIELDS]


def filled(field: forms.Field, *typed: object) -> forms.Filled:
    """One field as it came."""
    return forms.read(FormMultiDict([(field.name, value) for value in typed]), [field])


def value(field: forms.Field, *typed: str) -> object:
    """What one field comes to, when nothing is wrong with it."""
    found = filled(field, *typed)
    assert found.errors == {}
    assert found.status == 200
    return found[field.name]


def message(field: forms.Field, *typed: object) -> str:
    """What is said beside one field; then it has no value, and the answer is a 422."""
    found = filled(field, *typed)
    assert field.name not in found.values
    assert found.status == 422
    return found.errors[field.name]


def a_file(name: str = "topic") -> UploadFile:
    return UploadFile(content_type="text/plain", filename=f"{name}.txt", file_data=b"text")


# A whole form ---------------------------------------------------------------------------------------------------------

def test_a_good_form_is_its_values():
    found = forms.read(FormMultiDict(GOOD), FIELDS)
    assert found.values == {
        "topic": "学条例", "note": "", "at": datetime(2026, 11, 22, 19, 30, tzinfo=BEIJING), "colour": Colour.GREEN,
        "colours": [Colour.RED, Colour.BLUE], "people": [7, 3], "version": 2}
    assert (found.errors, found.status) == ({}, 200)


def test_every_wrong_field_has_its_own_message_and_nothing_typed_is_lost():
    typed = {"topic": "学习条例、议修路", "note": "长" * 301, "at": "明晚", "colour": "黑", "version": "x"}
    many = {"colours": ["黑", "红"], "people": ["7", "x"]}
    sent = [*typed.items(), *((name, one) for name, several in many.items() for one in several)]
    found = forms.read(FormMultiDict(sent), FIELDS)
    assert found.errors == {
        "topic": "主题最多 5 个字，现在有 8 个", "note": "说明最多 300 个字，现在有 301 个",
        "at": "时间要写成 2026-11-22 19:30 这样", "colour": "请选择颜色", "colours": "请选择几种颜色（可选多项）",
        "people": "人员的选择不对，请重新选择", "version": "版本不对，请刷新后再试"}
    assert found.values == {}
    assert found.typed == typed | many
    assert found.status == 422


def test_nothing_sent_is_told_for_everything_that_is_required():
    found = forms.read(FormMultiDict([]), FIELDS)
    assert found.errors == {
        "topic": "请填写主题", "at": "请填写时间", "colour": "请选择颜色", "colours": "请选择几种颜色（可选多项）",
        "people": "请选择人员", "version": "版本不对，请刷新后再试"}
    assert found.values == {"note": ""}
    assert found.typed == {name: [] if name in ("colours", "people") else "" for name in NAMES}


def test_one_wrong_field_takes_nothing_from_the_others():
    found = forms.read(FormMultiDict([*GOOD[1:], ("topic", "")]), FIELDS)
    assert list(found.errors) == ["topic"]
    assert set(found.values) == {*NAMES} - {"topic"}


@pytest.mark.parametrize(("name", "told"), [("state", "state"), ("topic[]", "topic[]"), ("", ""), ("a\x00b", "ab"),
                                            ("x" * 5000, "x" * 40), ("TOPIC", "TOPIC")])
def test_what_the_form_does_not_ask_for_is_refused_whatever_its_name(name, told):
    for value in ("x", "", a_file()):
        with pytest.raises(ClientException, match="没有保存") as refused:
            forms.read(FormMultiDict([*GOOD, (name, value)]), FIELDS)
        assert refused.value.status_code == 422
        assert refused.value.detail.endswith(f"（{told}）")


@pytest.mark.parametrize(("typed", "several"), [({}, []), ({"a": ""}, []), ({"a": "x"}, ["x"]),
                                                ({"a": ["x", "y"]}, ["x", "y"]), ({"a": []}, []), ({"a": None}, [])])
def test_several_are_a_list_be_it_none_or_one(typed, several):
    assert forms.Filled(typed=typed).several("a") == several


# What no field takes --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
@pytest.mark.parametrize("wrong", ["\x00", "a\x00b", "\x1b[2J", "\x7f", "\x08", "\x0b", "\ud800", "红\udfff", "7\x00"])
def test_a_character_that_cannot_be_kept_is_told_in_every_field(field, wrong):
    assert message(field, wrong) == f"{field.label}里有不能保存的字符，请删去后再提交"
    assert filled(field, wrong).typed[field.name] == ([wrong] if field.many else wrong)


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
def test_a_file_is_no_text(field):
    assert message(field, a_file()) == f"{field.label}应是文字，不是文件"
    assert filled(field, a_file()).typed[field.name] == ([] if field.many else "")


@pytest.mark.parametrize("field", [field for field in FIELDS if field.many], ids=lambda field: field.name)
def test_a_file_among_texts_is_told_and_the_texts_are_kept(field):
    assert message(field, "红", a_file()) == f"{field.label}应是文字，不是文件"
    assert filled(field, "红", a_file()).typed[field.name] == ["红"]


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
@given(typed=st.lists(st.text(st.characters(), max_size=40), max_size=3))
def test_whatever_is_typed_there_is_a_value_or_a_message(field, typed):
    found = filled(field, *typed)
    assert (field.name in found.values) != (field.name in found.errors)
    assert found.typed[field.name] == (typed if field.many else (typed or [""])[0])


# Text -----------------------------------------------------------------------------------------------------------------

TEXT, OPTIONAL = forms.text("text", "正文", most=6), forms.text("text", "正文", most=6, required=False)


@pytest.mark.parametrize(("typed", "kept"), [
    ("学条例", "学条例"), ("  学条例\n", "学条例"), ("\u3000学条例\u3000", "学条例"), ("一\r\n二", "一\n二"),
    ("一\t二", "一\t二"), ("一二三四五六", "一二三四五六"), (" 一二三四五六 ", "一二三四五六"),
    ("一\r\n三四五六", "一\n三四五六"), ("𬶮𬶮𬶮𬶮𬶮𬶮", "𬶮𬶮𬶮𬶮𬶮𬶮"), ("<b>&", "<b>&")])
def test_text_is_trimmed_and_otherwise_kept(typed, kept):
    assert value(TEXT, typed) == value(OPTIONAL, typed) == kept
    assert filled(TEXT, typed).typed["text"] == typed, "what is shown again is what was typed"


@pytest.mark.parametrize("typed", ["", " ", "\n\r\n", "\u3000\t"])
def test_blanks_are_nothing(typed):
    assert message(TEXT, typed) == "请填写正文"
    assert value(OPTIONAL, typed) == ""


def test_too_long_says_how_long():
    assert message(TEXT, "一二三四五六七") == message(OPTIONAL, "一二三四五六七") == "正文最多 6 个字，现在有 7 个"


def test_a_text_that_is_sent_twice_is_not_chosen_from():
    assert message(TEXT, "一", "二") == message(TEXT, "一", "一") == "正文只能填一项，请重新填写"


# Moments --------------------------------------------------------------------------------------------------------------

MOMENT = forms.moment("at", "时间")
EVENING = datetime(2026, 11, 22, 19, 30, tzinfo=BEIJING)


@pytest.mark.parametrize(("typed", "moment"), [
    ("2026-11-22T19:30", EVENING), ("2026-11-22 19:30", EVENING), (" 2026-11-22T19:30:00 ", EVENING),
    ("2026-11-22T11:30Z", EVENING), ("2026-11-22T20:30+09:00", EVENING),
    ("2019-01-01T00:00", datetime(2019, 1, 1, tzinfo=BEIJING)),
    ("2039-12-31T23:59", datetime(2039, 12, 31, 23, 59, tzinfo=BEIJING)),
    ("2018-12-31T16:00Z", datetime(2019, 1, 1, tzinfo=BEIJING))])
def test_a_moment_is_beijing_s_unless_it_says_otherwise(typed, moment):
    found = value(MOMENT, typed)
    assert found == moment
    assert found.utcoffset() is not None


@pytest.mark.parametrize("typed", ["", " ", "\u3000"])
def test_no_moment_is_asked_for(typed):
    assert message(MOMENT, typed) == "请填写时间"


@pytest.mark.parametrize("typed", [
    "明晚七点", "19:30", "2026-13-01T00:00", "2026-02-29T10:00", "2026-11-22T25:00", "2026-11-22T19:30+99:00",
    "２０２６-11-22T19:30", "-2026-11-22T19:30", "0", "inf", "9" * 99])
def test_what_is_no_moment_is_told_with_an_example(typed):
    assert message(MOMENT, typed) == "时间要写成 2026-11-22 19:30 这样"


@pytest.mark.parametrize("typed", [
    "2018-12-31T23:59", "2040-01-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59", "1990-06-01",
    "2039-12-31T23:59-01:00", "2019-01-01T00:00+09:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_year_that_the_calendar_does_not_know_is_told(typed):
    assert message(MOMENT, typed) == "时间的年份不对，要在 2019 到 2039 年之间"


@given(st.datetimes(datetime(2019, 1, 2), datetime(2039, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_that_is_shown_is_read_back_to_the_minute(moment):
    assert timedelta(0) <= moment - value(MOMENT, forms.wall_time(moment)) < timedelta(minutes=1)


# Choices and numbers --------------------------------------------------------------------------------------------------

CHOICE, CHOICES = forms.choice("c", "颜色", Colour), forms.choices("c", "颜色", Colour)


def test_what_there_is_to_choose_from():
    assert forms.options(Colour) == [{"value": one, "label": one} for one in ("红", "绿", "蓝")]


@pytest.mark.parametrize("typed", [(), ("",), ("黑",), ("红 ",), ("RED",), ("红绿",)])
def test_what_is_not_there_cannot_be_chosen(typed):
    assert message(CHOICE, *typed) == "请选择颜色"
    assert message(CHOICES, *typed) == "请选择颜色（可选多项）"


def test_several_are_each_once_and_in_their_own_order():
    assert message(CHOICE, "红", "绿") == "颜色只能填一项，请重新填写"
    assert value(CHOICES, "绿", "红", "绿") == [Colour.RED, Colour.GREEN]
    assert message(CHOICES, "红", "黑") == "请选择颜色（可选多项）", "nothing is left out in silence"


@pytest.mark.parametrize(("typed", "ids"), [(["7"], [7]), (["3", "1", "3"], [3, 1]), (["007", "7"], [7]), (["0"], [0]),
                                            (["9" * 18], [10**18 - 1])])
def test_ids_are_each_once_in_the_order_they_came(typed, ids):
    assert value(forms.numbers("people", "人员"), *typed) == ids


@pytest.mark.parametrize("typed", ["", " 7", "-1", "+7", "1.5", "1e3", "x", "٣", "７", "²", "9" * 19])
def test_what_is_no_id_is_told(typed):
    assert message(forms.numbers("people", "人员"), "1", typed) == "人员的选择不对，请重新选择"


def test_nobody_has_to_be_chosen_where_nobody_need_be():
    assert message(forms.numbers("people", "人员")) == "请选择人员"
    assert value(forms.numbers("people", "人员", required=False)) == []


@pytest.mark.parametrize(("most", "fits"), [(9, "9"), (2**31 - 1, "2147483647"), (2**63 - 1, "9223372036854775807")])
def test_a_number_is_as_large_as_its_column(most, fits):
    field = forms.number("version", "版本", most=most)
    assert value(field, fits) == most
    assert value(field, "0") == value(field, "00") == 0
    assert message(field, str(most + 1)) == "版本不对，请刷新后再试"


@pytest.mark.parametrize("typed", ["", " 1", "-1", "+1", "1.0", "1e3", "x", "٣", "７", "²", "0" * 20, "9" * 5000])
def test_what_is_no_number_is_told(typed):
    for sent in ((typed,), ()):
        assert message(forms.number("version", "版本"), *sent) == "版本不对，请刷新后再试"


# A request ------------------------------------------------------------------------------------------------------------

class Sent:
    """As much of a request as a form is read from."""

    content_type = ("application/x-www-form-urlencoded", {})

    receive = None

    def __init__(self, *pairs: tuple[str, object]) -> None:
        self.pairs, self.scope = pairs, {}

    async def form(self) -> FormMultiDict:
        return FormMultiDict(self.pairs)


async def test_a_button_that_sends_nonsense_is_refused_at_once_with_every_reason():
    assert (await forms.pressed(Sent(*GOOD), FIELDS))["version"] == 2
    with pytest.raises(ClientException, match="请填写主题；版本不对，请刷新后再试") as refused:
        await forms.pressed(Sent(*GOOD[1:-1]), FIELDS)
    assert refused.value.status_code == 422
    assert (await forms.fill(Sent(*GOOD[1:-1]), FIELDS)).status == 422, "what is typed is told beside the field instead"


async def test_a_tick_is_there_or_not_and_nothing_else():
    for typed, ticked in (((), False), (("",), False), (("0",), False), (("1",), True)):
        assert value(forms.flag("everybody", "全部到会"), *typed) is ticked
    for typed in (("2",), ("on",), ("1", "1"), ("\x00",), (a_file(),)):
        assert message(forms.flag("everybody", "全部到会"), *typed)


def test_files_are_what_was_handed_in_be_it_none():
    field, sent = forms.files("photo", "照片"), a_file()
    assert value(field) == value(field, "") == []
    assert value(field, sent, sent) == [sent, sent]
    assert message(field, "not a file") == "照片应是文件，请重新选择"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/msgpack", None])
async def test_what_is_sent_as_no_form_is_none(visit, owner, media_type):
    before = await fingerprint(owner)
    for path in ("/settings/large", "/meetings"):
        answer = await visit(SECRETARY, "POST", path, content=b'{"large": "1"}',
                             headers={"content-type": media_type} if media_type else {})
        assert (answer.status_code, "没有完整收到" in answer.text) == (400, True)
    assert await fingerprint(owner) == before


PART = b'--b\r\nContent-Disposition: form-data; name="topic"\r\n\r\n'


@pytest.mark.parametrize(("content", "words"), [
    (PART + b"\xff\xfe\xed\xa0\x80\r\n--b--\r\n", "表单没有完整收到，请重新提交"), (PART, "没有看懂这个请求"),
    (PART + b"x\r\n--b", "没有看懂这个请求"), (b"topic=x", "没有看懂这个请求")])
async def test_a_body_that_is_no_form_is_told_and_leaves_nothing_behind(visit, owner, content, words):
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings", content=content,
                         headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 400
    assert words in answer.text
    assert await fingerprint(owner) == before
