"""Members who register by themselves: against the register, with the phone that stands there; nobody is forced to."""
import re

import pytest

from server.core.database import row, rows, the_row
from server.members.registration import requests_at
from server.people.actions import change_phone
from server.permissions import Role
from server.todos.sources import grouped
from tests.cast import (
    COMMITTEE,
    MEMBER,
    NEIGHBOUR_MEMBER,
    PROBATIONARY,
    SECRETARY,
    VILLAGER,
    organisation_id,
    phone_index,
)
from tests.meetings.stories import evidence
from tests.officers.stories import id_number, known, messages, opened, roles
from tests.passwords import PASSWORD as CASTS
from tests.visits import Visitor, actor_of

PASSWORD = "Qiancun2027"


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


@pytest.fixture
async def newcomer(owner):
    """A member of 前村 who has no account yet: the cast's, whose account has been taken away."""
    person = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    await owner.execute("DELETE FROM role_grant g USING account a WHERE a.id = g.account_id AND a.person_id = $1",
                        person)
    await owner.execute("DELETE FROM account WHERE person_id = $1", person)
    return person


def picture(page: str) -> dict[str, str]:
    return {"picture": re.search(r'name="picture" value="([^"]+)"', page)[1],
            "picture_code": re.search(r'图里写的是 <b class="num">(\d{4})', page)[1]}


async def filled(browser, person=MEMBER, **other: str) -> dict[str, str]:
    """The form, filled in rightly, the SMS code fetched on the way where there is one."""
    form = {"phone": person.phone, "name": person.name, "id_number": person.id_number, "password": PASSWORD,
            "password_again": PASSWORD} | other
    page = (await browser.get("/registration")).text
    answer = await browser.post("/registration/code", data={"phone": form["phone"]} | picture(page))
    assert "验证码已经发出" in answer.text
    sent = await messages(form["phone"])
    return form | {"sms_token": re.search(r'name="sms_token" value="([^"]+)"', answer.text)[1],
                   "sms_code": re.search(r"验证码 (\d{6})", sent[-1])[1] if sent else "123456"}


async def test_a_password_that_somebody_else_at_this_phone_has_is_not_taken(browser, newcomer, owner):
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(MEMBER.phone), VILLAGER.name)
    form = await filled(browser, password=CASTS, password_again=CASTS)
    answer = await browser.post("/registration", data=form)
    assert (answer.status_code, "另一位也用这个密码" in answer.text) == (422, True)
    again = await browser.post("/registration", data=form | {"password": PASSWORD, "password_again": PASSWORD})
    assert "注册成功" in again.text


async def test_who_has_a_new_query_account_reads_what_it_is_from_the_first_page_to_the_last(browser):
    page = (await browser.get("/registration?reader=1")).text
    again = (await browser.post("/registration/code", data={
        "phone": VILLAGER.phone, "reader": "1"} | picture(page))).text
    for one in (page, again):
        assert "查询账号设密码" in one
        assert "党员注册" not in one
        assert "换了手机号" not in one
        assert 'name="reader" value="1"' in one
    assert "党员注册" in (await browser.get("/registration")).text


async def account_of(person: int):
    return await row("SELECT id, password_hash FROM account WHERE person_id = $1", person)


async def test_a_member_registers_and_signs_in(browser, newcomer):
    answer = await browser.post("/registration", data=await filled(browser))
    assert "注册成功" in answer.text
    account = await account_of(newcomer)
    assert await roles(account["id"]) == [("正式党员", "前村支部")]
    assert await evidence("register") == 1
    answer = await browser.post("/sign-in", data={"phone": MEMBER.phone, "password": PASSWORD})
    assert answer.status_code == 303


@pytest.mark.parametrize(("other", "words"), [
    ({"name": "别人"}, "信息不符"), ({"id_number": id_number(9)}, "信息不符"), ({"sms_code": "000000"}, "还可以试"),
    ({"password_again": "Other2027x"}, "不一样"), ({"password": "short1A"}, "位"), ({"sms_token": ""}, "验证码已失效")])
async def test_whatever_does_not_fit_opens_nothing(browser, newcomer, other, words):
    answer = await browser.post("/registration", data=await filled(browser) | other)
    assert answer.status_code == 422
    assert words in answer.text
    assert await account_of(newcomer) is None


async def test_who_is_no_member_cannot_register_and_gets_no_message(browser, newcomer):
    form = await filled(browser, VILLAGER)
    assert await messages(VILLAGER.phone) == []
    assert "还可以试" in (await browser.post("/registration", data=form)).text


async def test_who_has_left_is_no_member(browser, newcomer, owner):
    form = await filled(browser)
    await owner.execute("UPDATE member SET left_on = '2026-01-01' WHERE person_id = $1", newcomer)
    assert "信息不符" in (await browser.post("/registration", data=form)).text


async def test_the_right_code_of_ones_own_phone_opens_nobody_elses_account(browser, newcomer):
    form = await filled(browser, PROBATIONARY) | {"name": MEMBER.name, "id_number": MEMBER.id_number}
    assert "信息不符" in (await browser.post("/registration", data=form)).text
    assert await account_of(newcomer) is None


async def test_who_has_registered_is_told_to_sign_in_and_keeps_the_password(browser, owner):
    before = await owner.fetchval("SELECT password_hash FROM account a JOIN person p ON p.id = a.person_id"
                                  " WHERE p.name = $1", MEMBER.name)
    answer = await browser.post("/registration", data=await filled(browser))
    assert "您已经注册过了" in answer.text
    assert before == await owner.fetchval("SELECT password_hash FROM account a JOIN person p ON p.id = a.person_id"
                                          " WHERE p.name = $1", MEMBER.name)


async def test_an_officer_gets_the_members_role_beside_and_keeps_the_password(browser, owner):
    await owner.execute("""
        INSERT INTO member (person_id, branch_id, standing, since)
        SELECT id, $2, '正式党员', '2020-07-01' FROM person WHERE name = $1""",
                        COMMITTEE.name, await organisation_id(owner, "前村支部"))
    account = (await actor_of(COMMITTEE)).account_id
    before = await the_row("SELECT password_hash FROM account WHERE id = $1", account)
    answer = await browser.post("/registration", data=await filled(browser, COMMITTEE))
    assert "已加上党员身份" in answer.text
    assert await roles(account) == [("党委管理员", "东疏镇党委"), ("正式党员", "前村支部")]
    assert before == await the_row("SELECT password_hash FROM account WHERE id = $1", account)


async def test_whom_a_safety_officer_opened_an_account_activates_it_by_its_code(browser, newcomer):
    await opened(await known(MEMBER, Role.BRANCH_ADMIN, "qiancun"))
    answer = await browser.post("/registration", data=await filled(browser))
    assert "请到“用户激活”" in answer.text
    assert (await account_of(newcomer))["password_hash"] is None


async def test_a_code_to_another_phone_proves_nothing_about_this_one(browser, newcomer):
    form = await filled(browser, phone=NEIGHBOUR_MEMBER.phone)
    answer = await browser.post("/registration", data=form | {"phone": MEMBER.phone})
    assert (answer.status_code, "验证码不对" in answer.text) == (422, True)
    assert await account_of(newcomer) is None


# Another phone than the register's ------------------------------------------------------------------------------------


async def asks(browser, **other: str):
    page = (await browser.get("/registration")).text
    return await browser.post("/registration/request", data={
        "phone": "13912345678", "name": MEMBER.name, "id_number": MEMBER.id_number} | picture(page) | other)


async def waiting() -> list[str]:
    return [one["name"] for one in await requests_at((await actor_of(SECRETARY)).organisation_path)]


async def test_with_another_phone_the_branch_is_asked_to_confirm_face_to_face(browser, newcomer):
    for _ in range(2):
        assert "已告诉您的支部" in (await asks(browser)).text
    assert await waiting() == [MEMBER.name]
    assert [dict(one) for one in await rows("SELECT person_name, subject_id FROM audit_event WHERE verb = $1",
                                            "ask_in_person")] == [
        {"person_name": "自称本人，尚未核实", "subject_id": newcomer}]
    found = [item for group in await grouped(await actor_of(SECRETARY)) for item in group["items"]
             if item.href == f"/members/{newcomer}/phone"]
    assert [item.title for item in found] == [f"当面确认手机号 · {MEMBER.name}"]
    await change_phone(newcomer, "13912345678")
    form = await filled(browser, phone="13912345678")
    assert "注册成功" in (await browser.post("/registration", data=form)).text
    assert await waiting() == []


@pytest.mark.parametrize("other", [{"name": "别人"}, {"id_number": id_number(9)}])
async def test_a_stranger_gets_the_same_answer_and_nobody_is_asked(browser, newcomer, other):
    assert "已告诉您的支部" in (await asks(browser, **other)).text
    assert await waiting() == []


async def test_without_the_right_picture_nobody_is_asked(browser, newcomer):
    answer = await asks(browser, picture_code="no")
    assert answer.status_code == 422
    assert await waiting() == []


async def test_who_is_registered_already_asks_nobody(browser):
    await asks(browser)
    assert await rows("SELECT FROM registration_request") == []
