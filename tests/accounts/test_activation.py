"""用户激活 (G2.1): the right way in, and what is said of every wrong one."""
import asyncio
import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from server.core.codes import TRIED
from server.core.database import the_row
from server.permissions import Role
from tests.cast import SAFETY, VILLAGER, phone_index
from tests.meetings.stories import evidence, one
from tests.officers.stories import account_of, id_number, messages, opened, somebody
from tests.visits import Visitor, actor_of

PASSWORD = "Qiancun2027"


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


@pytest.fixture
async def officer(database):
    """Somebody a safety officer has just opened an account for."""
    return await somebody(role=Role.BRANCH_ADMIN, at="qiancun")


@pytest.fixture
async def account(officer) -> int:
    return (await opened(officer)).account_id


def code_in(message: str) -> str:
    return re.search(r"验证码 (\d{6})", message)[1]


async def authorisation(officer) -> str:
    return re.search(r"授权码 (\w{8})", [one for one in await messages(officer.phone) if "授权码" in one][-1])[1]


async def filled(browser, officer, **other: str) -> dict[str, str]:
    """The form, filled in rightly, the SMS code fetched on the way."""
    page = (await browser.get("/activation")).text
    form = {"phone": officer.phone, "name": officer.name, "id_number": officer.id_number, "sms_code": "",
            "authorisation": await authorisation(officer), "password": PASSWORD, "password_again": PASSWORD,
            "sms_token": "", "picture": re.search(r'name="picture" value="([^"]+)"', page)[1],
            "picture_code": re.search(r'图里写的是 <b class="num">(\d{4})', page)[1]}
    answer = await browser.post("/activation/code", data=form)
    assert "验证码已经发出" in answer.text
    form |= {"sms_token": re.search(r'name="sms_token" value="([^"]+)"', answer.text)[1],
             "sms_code": code_in((await messages(officer.phone))[-1])}
    del form["picture"], form["picture_code"]
    return form | other


async def activated(account: int) -> bool:
    return (await the_row("SELECT password_hash IS NOT NULL AS is FROM account WHERE id = $1", account))["is"]


async def test_who_was_opened_an_account_activates_it_and_signs_in(browser, officer, account):
    answer = await browser.post("/activation", data=await filled(browser, officer))
    assert answer.status_code == 200
    assert "激活成功" in answer.text
    assert await activated(account)
    assert await evidence("activate") == 1
    answer = await browser.post("/sign-in", data={"phone": officer.phone, "password": PASSWORD})
    assert "验证码" in answer.text


async def test_who_shares_the_phone_keeps_a_password_of_its_own(browser, officer, account, owner):
    theirs = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await owner.execute("""UPDATE account SET password_hash = $1 FROM person p
                           WHERE p.id = person_id AND p.name = $2""", theirs, VILLAGER.name)
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(officer.phone), VILLAGER.name)
    form = await filled(browser, officer)
    answer = await browser.post("/activation", data=form)
    assert (answer.status_code, "另一位也用这个密码" in answer.text) == (422, True)
    assert not await activated(account)
    other = {"password": PASSWORD + "x", "password_again": PASSWORD + "x"}
    assert "激活成功" in (await browser.post("/activation", data=form | other)).text


@pytest.mark.parametrize(("field", "value", "words"), [
    ("name", "别人", "信息不符：姓名"), ("id_number", id_number(9), "信息不符：姓名"),
    ("authorisation", "AAAAAAAA", "信息不符：授权码"), ("sms_code", "000000", "还可以试"),
    ("sms_code", "", "请填写短信验证码"),
    ("sms_token", "nonsense", "验证码已失效"), ("sms_token", "", "验证码已失效"), ("password", "short1A", "位"),
    ("password_again", "Other2027x", "不一样"), ("phone", "13800000009", "验证码"), ("phone", "12", "11 位"),
    ("authorisation", "", "请填写授权码"), ("id_number", "1", "18 位"), ("name", "", "请填写姓名")])
async def test_whatever_does_not_fit_opens_nothing_and_is_told(browser, officer, account, field, value, words):
    form = await filled(browser, officer)
    answer = await browser.post("/activation", data=form | {field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert not await activated(account)
    assert PASSWORD not in answer.text
    if field not in ("sms_code", "sms_token", "phone"):  # the phone stays proved: only what was wrong is typed again
        assert "激活成功" in (await browser.post("/activation", data=form)).text


async def test_a_code_that_is_over_is_told_and_one_tap_asks_the_named_safety_officer(browser, officer, account, at):
    await at("2026-11-02 10:00")
    again = await opened(await somebody(2, at="houcun"))
    other = await somebody(2, at="houcun")
    await at("2026-11-09 23:59:50")
    form = await filled(browser, other)
    await at("2026-11-10 00:00:00")
    answer = await browser.post("/activation", data=form)
    assert "授权码已过期" in answer.text
    assert f"{SAFETY.name}（宁阳县委组织部 安全员）" in answer.text
    answer = await browser.post("/activation/request", data=form)
    assert f"已告诉{SAFETY.name}" in answer.text
    assert (await the_row("SELECT asked_again_at IS NOT NULL AS asked FROM authorisation WHERE account_id = $1",
                          again.account_id))["asked"]
    assert await evidence("ask_for_authorisation") == 1
    assert not await activated(again.account_id)


async def test_who_guessed_a_code_away_is_told_and_offered_only_what_can_be_had(browser, officer, account):
    form = await filled(browser, officer, authorisation="AAAAAAAA")
    pages = [(await browser.post("/activation", data=form)).text for _ in range(5)]
    assert all("请安全员重发授权码" in page and TRIED not in page for page in pages[:4])
    assert TRIED in pages[4]
    assert "请安全员重发授权码" not in pages[4], "the phone has to be proved anew for that"
    assert 'name="picture_code"' in pages[4]


async def test_who_got_no_code_is_told_how_to_have_another_and_keeps_what_was_typed(browser, officer, account):
    form = await filled(browser, officer)
    page = (await browser.post("/activation/code", data=form | {"again": "1"})).text
    assert "就重新发一条短信" in page
    assert re.search(r'name="picture_code"[^>]* autofocus', page)
    assert f'value="{officer.name}"' in page
    assert len([one for one in await messages(officer.phone) if "验证码" in one]) == 1, "a picture comes first"


async def test_a_new_code_kills_the_old_one(browser, officer, account, at):
    from server.officers.actions import WrongState, issue_code

    await at("2026-11-25 10:00")
    form = await filled(browser, officer)
    newest = (await the_row("SELECT max(id) AS id FROM authorisation"))["id"]
    await issue_code(await actor_of(SAFETY), account, newest)
    left = "SELECT due_at - created_at FROM sms WHERE kind = 'authorisation' ORDER BY id DESC LIMIT 1"
    assert timedelta(seconds=50) < await one(left) <= timedelta(minutes=1), "the phone has just had the form's code"
    with pytest.raises(WrongState, match="短信太多"):
        await issue_code(await actor_of(SAFETY), account, newest + 1)
    await at("2026-11-25 10:02")
    assert "这个授权码已作废" in (await browser.post("/activation", data=form)).text
    form["authorisation"] = await authorisation(officer)
    assert "激活成功" in (await browser.post("/activation", data=form)).text


async def test_an_account_is_activated_once_also_when_two_try_at_once(browser, officer, account):
    form = await filled(browser, officer)
    answers = await asyncio.gather(*(browser.post("/activation", data=form) for _ in range(5)))
    assert sorted("激活成功" in answer.text for answer in answers) == [False] * 4 + [True]
    assert await evidence("activate") == 1


async def test_a_used_code_says_to_sign_in(browser, officer, account, at):
    await at("2026-11-25 10:00")
    await browser.post("/activation", data=await filled(browser, officer))
    await at("2026-11-25 10:02")
    answer = await browser.post("/activation", data=await filled(browser, officer))
    assert "授权码已用过" in answer.text
    assert "重发授权码" not in answer.text


async def test_five_guesses_at_an_authorisation_are_enough(browser, officer, account, at):
    await at("2026-11-25 10:00")
    form = await filled(browser, officer)
    for _ in range(4):
        await browser.post("/activation", data=form | {"authorisation": "AAAAAAAA"})
    await at("2026-11-25 10:02")
    form = await filled(browser, officer)
    await browser.post("/activation", data=form | {"authorisation": "AAAAAAAA"})
    assert "授权码错误次数太多" in (await browser.post("/activation", data=form)).text
    assert not await activated(account)


async def test_a_number_nobody_has_gets_the_same_page_and_no_message(browser, officer, account):
    stranger = await somebody(5)
    page = (await browser.get("/activation")).text
    answer = await browser.post("/activation/code", data={
        "phone": stranger.phone, "picture": re.search(r'name="picture" value="([^"]+)"', page)[1],
        "picture_code": re.search(r'图里写的是 <b class="num">(\d{4})', page)[1]})
    assert answer.status_code == 200
    assert "验证码已经发出" in answer.text
    assert await messages(stranger.phone) == []


@pytest.mark.parametrize("typed", ["", "0000", "12345678"])
async def test_without_the_right_picture_no_sms_leaves(browser, officer, account, typed):
    before = await messages(officer.phone)
    answer = await browser.post("/activation/code", data={
        "phone": officer.phone, "picture": "nonsense", "picture_code": typed})
    assert answer.status_code == 422
    assert "图形验证码不对" in answer.text
    assert await messages(officer.phone) == before


async def test_a_closed_account_is_nobodys(browser, officer, account, owner):
    form = await filled(browser, officer)
    await owner.execute("UPDATE account SET closed_at = ebranch_now() WHERE id = $1", account)
    assert "信息不符" in (await browser.post("/activation", data=form)).text
    assert "信息不符" in (await browser.post("/activation/request", data=form)).text
    assert await account_of(SAFETY)
    assert not await activated(account)
