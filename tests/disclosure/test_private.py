"""Numbers and illnesses that must not be published (M3§11): masked in tables, pointed out in texts."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.disclosure.private import HIDDEN, half_width, hide, numbers_in, private_in

ID, OLD_ID, CARD, PHONE = "370921196502031234", "370921650203123", "6228481234567890123", "13812345678"
ID_MASKED, PHONE_MASKED, CARD_MASKED = "3709************34", "138****5678", "***************0123"
digits = st.text("0123456789", min_size=17, max_size=17).map(lambda one: "3" + one)


def shown(head: str, cell: str) -> str:
    """One cell as it is published under its head."""
    return hide((head,), [[cell]])[0][0]


@pytest.mark.parametrize(("written", "masked"), [
    (ID, ID_MASKED), (ID[:-1] + "X", "3709************3X"), (ID[:-1] + "x", "3709************3x"),
    (OLD_ID, "3709*********23"), (CARD, CARD_MASKED), ("6228 4812 3456 7890 123", CARD_MASKED), (PHONE, PHONE_MASKED),
    ("138 1234 5678", PHONE_MASKED), ("138-1234-5678", PHONE_MASKED),
    ("３７０９２１１９６５０２０３１２３４", ID_MASKED),
    ("１３８１２３４５６７８", PHONE_MASKED), ("３７０９２１１９６５０２０３１２３Ｘ", "3709************3X")])
def test_a_persons_number_is_masked_wherever_it_stands(written, masked):
    assert shown("备注", written) == masked
    assert shown("备注", f"本人身份：{written}，已核对") == f"本人身份：{masked}，已核对"
    assert len(numbers_in(f"联系{written}。")) == 1


@pytest.mark.parametrize("written", [
    "370921\u200b197511239985", "ID370921197511239985", "370921197511239985a", "tel13800001111", "138.0000.1111",
    "370921.19751123.9985", "370921/197511239985", "370921—19751123—9985", "6217 0022·3344 5566"])
def test_nor_does_a_number_show_that_was_dressed_up(written):
    shown_ = shown("备注", f"本人{written}，已核对")
    assert sum(sign.isdigit() for sign in shown_) <= 8
    assert "****" in shown_


@pytest.mark.parametrize("written", [
    "138－1234－5678", "138:1234:5678", "138／1234／5678", "138．1234．5678", "138。1234。5678", "138~1234~5678",
    "138|1234|5678", "138’1234’5678", "138_1234_5678", "138一1234一5678", "138\xa01234\xa05678",
    "138\u30001234\u30005678", "138\n1234\n5678", "138\ufe0f1234\ufe0f5678", "1\u034f38\u115f1234\u28005678",
    "١٣٨١٢٣٤٥٦٧٨", "𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "¹³⁸¹²³⁴⁵⁶⁷⁸", "①③⑧①②③④⑤⑥⑦⑧", "一三八一二三四五六七八",
    "138123456O8", "🄂🄄🄉🄂🄃🄄🄅🄆🄇🄈🄉", "1381234567813912345678", "****13812345678", "13812345678****"])
def test_a_phone_in_any_spelling_is_masked(written):
    shown_ = shown("备注", f"联系{written}")
    assert numbers_in(f"联系{written}")
    assert "138****" in shown_
    assert not any(part in shown_ for part in ("1234", "12345678", "②③④"))


@pytest.mark.parametrize(("written", "masked"), [
    ("370921 1975-11-23 9985", "3709************85"), ("370921 1975 1123 998X", "3709************8X"),
    ("3709211975112399 8X", "3709************8X"), ("3709 2119 7511 2399 85", "3709************85"),
    ("3-7-0-9-2-1-1-9-7-5-1-1-2-3-9-9-8-5", "3709************85"),
    ("6228,4812,3456,7890,123", CARD_MASKED), ("6228、4812、3456、7890", "************7890")])
def test_an_id_number_or_card_in_any_groups_is_masked(written, masked):
    assert shown("备注", f"本人{written}。") == f"本人{masked}。"


@pytest.mark.parametrize("harmless", [
    "800000 2024-01-01 2033-12-31", "3000、4000、5000、6000", "① 第一条", "二〇二六年十一月", "1 200 300 400",
    "2024—2033"])
def test_sums_dates_and_lists_are_no_numbers_of_a_person(harmless):
    assert (shown("备注", harmless), numbers_in(harmless)) == (harmless, [])


@pytest.mark.parametrize(("cell", "masked"), [
    ("刘芳（肺癌）", "刘芳（不公开）"), ("王小二 尿毒症", "王小二 （不公开）"),
    ("高血压糖尿病", "（不公开）（不公开）"), ("张大爷", "张大爷"),
    ("尿毒症透析", "（不公开）"), ("肺癌晚期化疗", "（不公开）"), ("血液透析，每月", "（不公开），每月"),
    ("刘芳（胃癌术后）", "刘芳（不公开）"),
    ("520", "520")])
def test_in_a_list_of_people_no_illness_shows_wherever_it_stands(cell, masked):
    assert hide(["姓名", "月金额"], [[cell, "1"]]) == [[masked, "1"]]
    assert hide(["项目", "内容"], [["高血压免费随访", cell]])[0] == ["高血压免费随访", cell]


@pytest.mark.parametrize("harmless", [
    "", "张大爷", "520", "12,000.00", "2026-10-08", "0538-5621234", "第 17 号", "（2026）鲁0921民初1234号", "600 米",
    "GB50204-2015", "3.5 亩", "20261008", "HT20261008000012"])
def test_what_is_no_persons_number_stays(harmless):
    assert shown("备注", harmless) == harmless
    assert numbers_in(harmless) == []


@pytest.mark.parametrize("dates", ["2024-01-01 2033-12-31", "2024-01-01-2033-12-31", "20240101-20331231",
                                   "2024-01-01 - 2033-12-31"])
def test_the_two_ends_of_a_contract_are_no_bank_card(dates):
    assert shown("合同起止", dates) == dates


@pytest.mark.parametrize("cell", [
    f"{ID} 520", f"520 {ID}", f"{PHONE} 13912345678", f"{PHONE}-13912345678", f"{CARD} 1200"])
def test_a_number_beside_another_is_masked_too(cell):
    assert not any(number in shown("备注", cell) for number in (ID, CARD, PHONE, "13912345678"))
    assert numbers_in(cell)


@pytest.mark.parametrize("cell", [f"张*山 {ID}", f"{PHONE}（*）", f"**{CARD}"])
def test_a_star_in_a_cell_does_not_keep_a_number_from_being_masked(cell):
    assert not any(number in shown("备注", cell) for number in (ID, CARD, PHONE))


@pytest.mark.parametrize(("head", "cell", "masked"), [
    ("身份证号", ID, ID_MASKED), ("证件号码", "3709 2119 6502 0312 34", ID_MASKED),
    ("公民身份号码", "H12345678", "*******78"),
    ("身份证号", "123", "***"), ("银行卡号", CARD, CARD_MASKED), ("一卡通", "９０１２３４５６７８", "******5678"),
    ("开户银行", "宁阳农商行", "宁阳农商行"), ("账号", "支 12", "支 12"), ("卡号", "12345678", "****5678")])
def test_by_the_head_of_its_column(head, cell, masked):
    assert shown(head, cell) == masked


@pytest.mark.parametrize("head", ["病情", "疾病名称", "诊断", "残疾类别", "残疾程度", "症状", "病种"])
def test_an_illness_is_not_published(head):
    assert shown(head, "尿毒症") == HIDDEN
    assert shown(head, "") == ""


@pytest.mark.parametrize("head", ["残疾人补贴", "残疾等级", "救助事由", "类别", "姓名", "病虫害防治面积"])
def test_what_says_no_illness_stays(head):
    assert shown(head, "一级") == "一级"


@given(digits, st.sampled_from(["身份证号", "备注", "姓名", "事由"]))
def test_no_whole_id_number_survives_and_masked_twice_is_masked_once(number, head):
    once = hide((head,), [[f"{number}"]])
    assert number not in once[0][0]
    assert hide((head,), once) == once


def test_name_and_amount_stay():
    columns = ("姓名", "身份证号", "病情", "银行卡号", "金额")
    assert hide(columns, [["张大爷", ID, "偏瘫", CARD, "520.00"]]) == [
        ["张大爷", ID_MASKED, HIDDEN, CARD_MASKED, "520.00"]]


def test_a_row_of_other_width_is_no_row_of_this_table():
    with pytest.raises(ValueError, match="zip"):
        hide(("姓名", "金额"), [["张大爷"]])


def test_full_width_digits_are_digits():
    assert half_width("１２Ｘｘ，张") == "12Xx，张"


@pytest.mark.parametrize(("written", "masked"), [
    ("+8613812345678", "+138****5678"), ("8613812345678", "138****5678"), ("0086 138 1234 5678", "138****5678"),
    ("013812345678", "138****5678"), ("(138)12345678", "(138****5678"), ("138，1234，5678", "138****5678")])
def test_a_phone_is_masked_however_it_is_dialled(written, masked):
    assert shown("备注", f"电话{written}") == f"电话{masked}"
    assert numbers_in(f"电话{written}")


@pytest.mark.parametrize("illness", [
    "乙肝", "丙肝患者", "心梗", "精神残疾", "肢体残疾二级", "红斑狼疮", "HIV阳性", "梅毒", "自闭症", "中风",
    "股骨头坏死", "骨折", "心脏搭桥", "慢阻肺", "智力残疾", "流产", "不孕", "强直性脊柱炎", "脑瘤", "重症肌无力",
    "结核", "胃癌化疗", "高血压"])
@pytest.mark.parametrize("head", ["姓名", "申请人", "单位或个人", "承包人", "户主", "享受对象"])
def test_of_a_person_no_illness_is_published_however_the_column_is_called(head, illness):
    row = hide((head, "备注"), [["张大爷", f"因{illness}，500 元"]])[0]
    assert row[0] == "张大爷"
    assert illness not in row[1]
    assert "500 元" in row[1]
    assert len(private_in(f"张大爷{illness}")) == 1


@pytest.mark.parametrize("text", ["乙肝疫苗", "残疾人补贴", "大病救助", "病虫害防治", "心脏地带", "骨干"])
def test_what_is_no_illness_of_anybody_is_let_be(text):
    assert private_in(text) == []
