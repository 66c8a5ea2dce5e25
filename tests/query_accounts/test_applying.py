"""Anybody may apply: the place step by step, then who it is, for a person or a household; nobody is told more."""
import asyncio

import pytest

from server.core.database import rows
from server.core.throttle import Throttle
from server.query_accounts import applications
from server.query_accounts.tables import content_of, id_number_of
from tests.cast import MEMBER, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, QIANCUN
from tests.meetings.stories import evidence, one
from tests.query_accounts.stories import (
    ANOTHER,
    NEW,
    application,
    apply,
    odd_id_number,
    picture,
    readers,
    the_application,
    verified,
    village_open,
)

NEW_ADDRESS = "/query-accounts/new"


async def open_applications() -> int:
    return await one("SELECT count(*) FROM reader_application WHERE state = '待核实'")


async def test_the_place_is_chosen_step_by_step(visit, at):
    await village_open(at)
    for step, here, below in (("", "山东省", "泰安市"), ("?place=3709", "泰安市", "宁阳县"),
                              ("?place=370921", "", "东疏镇"), ("?place=370921102", "", "前村")):
        text = (await visit(None, "GET", NEW_ADDRESS + step)).text
        assert here in text
        assert below in text, step
    for way in ("place", "village"):
        text = (await visit(None, "GET", f"{NEW_ADDRESS}?{way}={QIANCUN}")).text
        assert "东疏镇 前村" in text
        assert 'name="id_number"' in text
        assert "还没有开通" not in text


@pytest.mark.parametrize("place", ["x", "99", "370921102999", "３７", "%00"])
async def test_an_unknown_place_begins_at_the_top(visit, at, place):
    await village_open(at)
    answer = await visit(None, "GET", f"{NEW_ADDRESS}?place={place}")
    assert (answer.status_code, "泰安市" in answer.text) == (200, True)


async def test_an_application_waits_for_the_village_with_nothing_of_it_in_clear(visit, at, owner):
    await village_open(at)
    answer = await apply(visit)
    assert (answer.status_code, f"已收到 {NEW.name} 的申请" in answer.text) == (200, True)
    found = await the_application(await one("SELECT id FROM reader_application"))
    assert (found["village_code"], found["state"], found["household"], found["answer_who"]) == (
        QIANCUN, "待核实", False, None)
    content = content_of("reader_application", found)
    assert (content["name"], content["phone"], content["household"]) == (NEW.name, NEW.phone, None)
    assert id_number_of(found) == NEW.id_number
    kept = str(await owner.fetch("SELECT * FROM reader_application"))
    assert not [value for value in (NEW.name, NEW.phone, NEW.id_number) if value in kept]
    assert await readers() == []
    assert await evidence("apply_for_reader") == 1
    listed = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts")).text
    assert all(words in listed for words in ("待核实的申请", NEW.name))
    assert NEW.name in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text


async def test_a_household_is_listed_by_name_and_relation(visit, at):
    await village_open(at)
    await apply(visit, household="1", members="李桂芝 妻子\r\n\r\n冯小宝，孙子\n冯二")
    found = await the_application(await one("SELECT id FROM reader_application"))
    assert found["household"]
    assert content_of("reader_application", found)["household"] == [
        ["李桂芝", "妻子"], ["冯小宝", "孙子"], ["冯二", "家人"]]


@pytest.mark.parametrize(("form", "field", "words"), [
    ({"name": ""}, "name", "请填写姓名"), ({"name": "长" * 61}, "name", "最多"),
    ({"id_number": odd_id_number(3)}, "id_number", "最后一位"), ({"id_number": "37092119800102"}, "id_number", "18 位"),
    ({"id_number": "370921198002309999"}, "id_number", "出生日期"), ({"id_number": ""}, "id_number", "请填写身份证号"),
    ({"phone": "0538-5621234"}, "phone", "11 位"), ({"phone": ""}, "phone", "请填写手机号码"),
    ({"members": "李桂芝 13800000000", "household": "1"}, "members", "“李桂芝 138000”这一行不对"),
    ({"members": "\n".join(["家人 子"] * 13), "household": "1"}, "members", "一户最多 12 人"),
    ({"members": "李桂芝 妻子"}, "members", "请勾选上面的“我是户代表”"),
    ({"picture_code": ""}, "picture_code", "图形验证码"), ({"picture_code": "x"}, "picture_code", "图形验证码不对"),
    ({"picture": "x"}, "picture_code", "图形验证码不对")])
async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(visit, at, owner, form, field, words):
    await village_open(at)
    answer = await apply(visit, **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-error"' in answer.text
    assert field == "name" or NEW.name in answer.text
    assert await open_applications() == 0


async def test_from_one_address_not_without_end(visit, at, monkeypatch):
    await village_open(at)
    monkeypatch.setattr(applications, "FROM_ONE_PLACE", Throttle("applications of the test", most=1))
    assert (await apply(visit)).status_code == 200
    answer = await apply(visit, ANOTHER)
    assert (answer.status_code, "到村委会当面申请" in answer.text, ANOTHER.name in answer.text) == (422, True, True)
    assert await open_applications() == 1


async def test_a_picture_serves_once_and_each_time_there_is_another(visit, at):
    await village_open(at)
    shown = picture()
    assert (await apply(visit, **shown)).status_code == 200
    answer = await apply(visit, ANOTHER, **shown)
    assert (answer.status_code, "图形验证码不对" in answer.text) == (422, True)
    assert shown["picture"] not in answer.text
    assert await open_applications() == 1


@pytest.mark.parametrize("village", ["", "370921102", "x", "370921102999"])
async def test_without_a_village_the_place_is_asked_for(visit, at, owner, village):
    await village_open(at)
    before = await fingerprint(owner)
    answer = await apply(visit, village=village)
    assert "选您住的村" in answer.text
    assert await fingerprint(owner) == before


async def test_a_field_the_form_has_not_is_refused(visit, at, owner):
    await village_open(at)
    before = await fingerprint(owner)
    assert (await apply(visit, standing="两委成员")).status_code == 422
    assert await fingerprint(owner) == before


async def test_a_form_that_is_too_large_is_not_taken_in(visit, at):
    await village_open(at)
    assert (await apply(visit, members="家" * 30_000, household="1")).status_code == 413
    assert await open_applications() == 0


async def test_the_same_persons_second_application_is_the_first(visit, at):
    await village_open(at)
    answers = await asyncio.gather(*(apply(visit) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text.partition("<main")[2] for answer in answers}) == 1, "nothing tells them apart"
    assert await open_applications() == 1
    assert await evidence("apply_for_reader") == 1


async def test_another_person_and_another_village_are_applications_of_their_own(visit, at):
    await village_open(at, QIANCUN, HOUCUN)
    await apply(visit)
    await apply(visit, ANOTHER)
    await apply(visit, code=HOUCUN)
    assert [tuple(found) for found in await rows(
        "SELECT village_code, count(*) FROM reader_application GROUP BY 1 ORDER BY 1")] == [(QIANCUN, 2), (HOUCUN, 1)]


async def test_a_village_that_is_not_opened_keeps_it_and_says_so(visit, at):
    await village_open(at, HOUCUN)
    assert "还没有开通三务公开" in (await visit(None, "GET", f"{NEW_ADDRESS}?village={QIANCUN}")).text
    answer = await apply(visit)
    assert "还没有开通三务公开，申请替您留着" in answer.text
    assert await open_applications() == 1


async def test_the_answer_tells_nobody_who_has_an_account(visit, at):
    """A stranger who types somebody's numbers learns nothing by it."""
    await village_open(at)
    await verified(NEW)
    known, unknown, member = await apply(visit), await apply(visit, ANOTHER), await apply(visit, MEMBER)
    texts = [answer.text.replace(person.name, "甲") for answer, person in (
        (known, NEW), (unknown, ANOTHER), (member, MEMBER))]
    assert texts[0] == texts[1] == texts[2]
    villager = (await apply(visit, VILLAGER)).text.replace(VILLAGER.name, "甲")
    assert villager == texts[0]


async def test_from_one_phone_five_apply_a_day(visit, at):
    await village_open(at)
    for number in range(5):
        form = application(NEW, name=f"家人{'甲乙丙丁戊'[number]}")
        assert (await visit(None, "POST", NEW_ADDRESS, data=form)).status_code == 200
    answer = await apply(visit)
    assert (answer.status_code, "今天申请的次数太多" in answer.text) == (422, True)
    assert NEW.name in answer.text
    await at("2026-09-03 09:00")
    assert (await apply(visit)).status_code == 200


async def test_the_village_is_told_of_the_same_number_with_another_phone(visit, at):
    await village_open(at)
    await apply(visit)
    made = await one("SELECT id FROM reader_application")
    address, told = f"/query-accounts/applications/{made}", "另有 1 次申请用的是同一个身份证号、不同的手机号"
    await apply(visit)
    assert told not in (await visit(VILLAGE_ADMIN, "GET", address)).text
    await apply(visit, phone="13799990001")
    assert told in (await visit(VILLAGE_ADMIN, "GET", address)).text
