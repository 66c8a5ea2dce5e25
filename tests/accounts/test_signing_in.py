"""Signing in: password, one-time code, wrong ones, too many, unknown numbers, couples with one phone, no fixation."""
import asyncio
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from server.accounts import actions, passwords
from server.accounts.actions import PASSWORDS, SIGN_IN, Refused
from server.accounts.authentication import HALF_COOKIE, SESSION_COOKIE
from server.accounts.rules import GUESSES
from server.core import codes, picture_code
from server.core.clock import now
from server.core.tokens import token_hash
from server.settings import settings
from tests.cast import COMMITTEE, COUNTY, MEMBER, SECRETARY, VILLAGER, phone_index
from tests.databases import fingerprint
from tests.meetings.stories import evidence, one
from tests.passwords import PASSWORD
from tests.visits import Visitor, actor_of

WRONG = "手机号或密码不对"


@pytest.fixture
async def browser(database):
    """A browser nobody has signed in with."""
    async with Visitor() as visitor:
        yield await visitor.client(None)


async def enter(browser, phone: str, password: str = PASSWORD, **more: str):
    """The form of the sign-in page, with the picture code where one is asked for."""
    if await actions.wants_picture(phone) and "picture" not in more:
        token = picture_code.new()
        more |= {"picture": token, "picture_code": str(picture_code.shown(token))}
    return await browser.post("/sign-in", data={"phone": phone, "password": password, **more})


def shown(browser) -> str:
    """The code that is awaited."""
    return str(codes.shown(browser.cookies[HALF_COOKIE]))


def wrong_code(browser) -> str:
    return "000000" if shown(browser) != "000000" else "111111"


# Members --------------------------------------------------------------------------------------------------------------

async def test_from_a_walls_code_one_applies_for_that_village(browser):
    wall = "/disclosures/7/versions/1/wall?village=370921102201"
    onwards = (await browser.get(wall)).headers["location"]
    assert "/query-accounts/new?village=370921102201" in (await browser.get(onwards)).text
    for other in ("/meetings", "/disclosures/7/versions/1/wall?village=x", "/disclosures/7?village=370921102201"):
        assert "/query-accounts/new?village=" not in (await browser.get("/sign-in", params={"next": other})).text


async def test_a_member_signs_in_with_a_password_and_is_where_he_wanted_to_be(browser):
    assert (await browser.get("/meetings")).headers["location"] == "/sign-in?next=/meetings"
    assert 'value="/meetings"' in (await browser.get("/sign-in?next=/meetings")).text
    answer = await enter(browser, MEMBER.phone, next="/meetings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/meetings")
    assert (await browser.get("/meetings")).status_code == 200
    assert await evidence("sign_in") == 1


@pytest.mark.parametrize("elsewhere", ["//evil.example", "http://evil.example", "/\\evil.example", "/\t/evil.example",
                                       "javascript:alert(1)", "", "threads", "/\r\nSet-Cookie: x=1", "/" + "x" * 600])
async def test_signing_in_leads_nowhere_else(browser, elsewhere):
    answer = await enter(browser, MEMBER.phone, next=elsewhere)
    assert answer.headers["location"] == "/"
    assert "x" not in browser.cookies


@pytest.mark.parametrize(("phone", "password"), [
    (MEMBER.phone, "Dengta2025"), (MEMBER.phone, PASSWORD.lower()), ("13799999999", PASSWORD), (MEMBER.phone, "x" * 64),
    ("' OR 1=1--", PASSWORD), ("1", "1"),
])
async def test_a_wrong_password_and_an_unknown_number_are_answered_alike(browser, phone, password):
    answer = await enter(browser, phone, password)
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert password not in answer.text.replace(phone, "") or password == "1"
    assert SESSION_COOKIE not in browser.cookies
    known, unknown = [re.sub(r'value="[^"]*"|picture-codes/[^"]*|num">[0-9]+<', "",
                             (await enter(browser, number, "x")).text) for number in (MEMBER.phone, "13788888888")]
    assert known == unknown


@pytest.mark.parametrize(("phone", "password", "words"), [
    ("", "", ("请填写手机号", "请填写密码")), (MEMBER.phone, "", ("请填写密码",)), ("", PASSWORD, ("请填写手机号",)),
    ("1" * 12, PASSWORD, ("手机号最多 11 个字",)), (MEMBER.phone, "x" * 65, ("密码最多 64 个字",)),
    ("1370000\x001", PASSWORD, ("不能保存的字符",)),
])
async def test_what_is_missing_is_told_beside_the_field(browser, owner, phone, password, words):
    before = await fingerprint(owner)
    answer = await enter(browser, phone, password)
    assert answer.status_code == 422
    assert all(word in answer.text for word in words)
    assert answer.text.count('aria-invalid="true"') == len(words)
    assert f'value="{phone.replace(chr(0), "")}"' in answer.text.replace("\x00", "")
    assert await fingerprint(owner) == before


async def test_an_unknown_number_takes_as_long_as_a_known_one(database, owner):
    """The time of an answer would tell which numbers are known."""
    await owner.execute("UPDATE account SET password_hash = $1", await passwords.hashed(PASSWORD))

    async def took(phone: str) -> float:
        began = time.perf_counter()
        with pytest.raises(Refused, match=WRONG):
            await actions.check_password(phone, "wrong")
        return time.perf_counter() - began

    await took("13711111111")
    known, unknown = [min([await took(phone) for _ in range(3)]) for phone in (MEMBER.phone, "13722222222")]
    assert 0.3 < known / unknown < 3


async def test_ten_wrong_passwords_are_enough_for_a_quarter_of_an_hour(browser, at):
    await at("2026-11-22 10:00")
    for _ in range(GUESSES):
        assert WRONG in (await enter(browser, MEMBER.phone, "x")).text
    answer = await enter(browser, MEMBER.phone)
    assert "密码错误次数太多，请 15 分钟后再试" in answer.text
    assert SESSION_COOKIE not in browser.cookies
    assert (await enter(browser, VILLAGER.phone)).status_code == 303
    await at(now() + timedelta(minutes=15, seconds=1))
    assert (await enter(browser, MEMBER.phone)).status_code == 303


async def test_a_hundred_guesses_at_once_are_still_ten(database):
    allowed = await asyncio.gather(*(PASSWORDS.take(MEMBER.phone) for _ in range(100)))
    assert sum(allowed) == GUESSES


async def test_the_right_password_forgets_the_wrong_ones(browser):
    for _ in range(3):
        for _ in range(GUESSES - 1):
            await enter(browser, MEMBER.phone, "x")
        assert (await enter(browser, MEMBER.phone)).status_code == 303


async def test_two_people_with_one_phone_and_one_password_are_not_taken_for_each_other(browser, owner):
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(MEMBER.phone), VILLAGER.name)
    answer = await enter(browser, MEMBER.phone)
    assert "有两个人用了同一个密码" in answer.text
    assert SESSION_COOKIE not in answer.cookies


async def test_two_people_share_a_phone_number_and_each_has_an_own_password(browser, owner):
    other = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("Qiancun2026")
    await owner.execute("UPDATE account SET password_hash = $1 FROM person p WHERE p.id = person_id AND p.name = $2",
                        other, VILLAGER.name)
    await owner.execute("UPDATE person SET phone_index = $1 WHERE name = $2", phone_index(MEMBER.phone), VILLAGER.name)
    await enter(browser, MEMBER.phone)
    assert "王秀英" in (await browser.get("/me")).text
    browser.cookies.clear()
    await enter(browser, MEMBER.phone, "Qiancun2026")
    assert "张大爷" in (await browser.get("/me")).text
    assert WRONG in (await enter(browser, MEMBER.phone, "neither")).text


async def test_who_has_no_role_or_a_closed_account_is_told_and_not_let_in(browser, owner):
    await owner.execute("UPDATE role_grant SET until = ebranch_now() - interval '1 second' WHERE role = '正式党员'")
    answer = await enter(browser, MEMBER.phone)
    assert answer.status_code == 422
    assert "没有可用的身份" in answer.text
    await owner.execute("UPDATE account SET closed_at = ebranch_now() FROM person p"
                        " WHERE p.id = person_id AND p.name = $1", VILLAGER.name)
    assert WRONG in (await enter(browser, VILLAGER.phone)).text
    assert SESSION_COOKIE not in browser.cookies


# Officers: a one-time code --------------------------------------------------------------------------------------------

async def to_code(browser, phone: str = SECRETARY.phone) -> str:
    """Enters the password; the code that is then awaited."""
    answer = await enter(browser, phone)
    assert answer.status_code == 200
    assert "输入验证码" in answer.text
    assert SESSION_COOKIE not in browser.cookies
    return shown(browser)


async def confirm(browser, code: str, **more: str):
    return await browser.post("/sign-in", data={"code": code, **more})


async def test_an_officer_confirms_by_the_code_that_the_demonstration_shows(browser):
    code = await to_code(browser)
    assert code in (await browser.get("/sign-in")).text
    answer = await confirm(browser, code, next="/to-dos")
    assert (answer.status_code, answer.headers["location"]) == (303, "/to-dos")
    assert HALF_COOKIE not in browser.cookies
    assert (await browser.get("/to-dos")).status_code == 200


async def test_until_then_nobody_is_signed_in(browser):
    await to_code(browser)
    assert (await browser.get("/threads")).status_code == 303
    browser.cookies.set(SESSION_COOKIE, browser.cookies[HALF_COOKIE])
    assert (await browser.get("/threads")).status_code == 303
    assert (await browser.get("/sign-in?again=1")).text.count('name="password"') == 1


async def test_a_wrong_code_says_how_often_it_may_still_be_tried(browser):
    code = await to_code(browser)
    for left in range(codes.TRIES - 1, 0, -1):
        answer = await confirm(browser, wrong_code(browser))
        assert answer.status_code == 422
        assert f"还可以试 {left} 次" in answer.text
        assert 'id="code-error"' in answer.text
    assert codes.TRIED in (await confirm(browser, wrong_code(browser))).text
    assert codes.TRIED in (await confirm(browser, code)).text
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "abcdef", "1234567", "12\x003"])
async def test_what_is_no_code_is_told_beside_the_field(browser, code):
    await to_code(browser)
    answer = await confirm(browser, code)
    assert answer.status_code == 422
    assert 'id="code-error"' in answer.text


async def test_a_hundred_guesses_at_once_are_still_five(database):
    account = (await actor_of(SECRETARY)).account_id
    token = await actions.send_code(SIGN_IN, account)
    wrong = "000000" if codes.shown(token) != "000000" else "111111"
    told = await asyncio.gather(*(actions.confirm_code(token, SIGN_IN, wrong) for _ in range(100)),
                                return_exceptions=True)
    assert all(isinstance(one, Refused) for one in told)
    assert sum("还可以试" in str(one) for one in told) == codes.TRIES - 1
    assert await one("SELECT tries FROM one_time_code") == codes.TRIES
    with pytest.raises(Refused, match="次数太多"):
        await actions.confirm_code(token, SIGN_IN, str(codes.shown(token)))


async def test_entering_the_password_again_buys_no_guesses(browser, monkeypatch):
    """Within the minute the same code serves again, with the tries it has left; and ten a day are all there are."""
    monkeypatch.setattr(actions, "settings", replace(settings, demo=False))
    await to_code(browser)
    for _ in range(codes.TRIES - 1):
        await confirm(browser, wrong_code(browser))
    browser.cookies.clear()
    await to_code(browser)
    assert codes.TRIED in (await confirm(browser, wrong_code(browser))).text
    browser.cookies.clear()
    assert "秒后再获取" in (await enter(browser, SECRETARY.phone)).text
    assert await one("SELECT count(*) FROM one_time_code") == 1


async def test_the_demonstration_sends_no_message_for_it_and_counts_none(browser):
    for _ in range(12):
        browser.cookies.clear()
        assert (await confirm(browser, await to_code(browser))).status_code == 303
    assert await one("SELECT count(*) FROM code_limit") == 0
    assert await one("SELECT count(*) FROM sms") == 0


async def test_one_code_signs_in_once_also_when_sent_ten_times_at_once(database):
    token = await actions.send_code(SIGN_IN, (await actor_of(SECRETARY)).account_id)
    code = str(codes.shown(token))
    told = await asyncio.gather(*(actions.confirm_code(token, SIGN_IN, code) for _ in range(10)),
                                return_exceptions=True)
    assert sum(isinstance(one, int) for one in told) == 1


async def test_after_five_minutes_the_code_is_over(browser, at):
    began = await at("2026-11-22 10:00")
    code = await to_code(browser)
    await at(began + timedelta(minutes=5, seconds=2))
    assert "验证码已过期" in (await confirm(browser, code)).text
    await to_code(browser)
    await at(now() + timedelta(minutes=4, seconds=50))
    assert (await confirm(browser, shown(browser))).status_code == 303


async def test_a_code_is_good_for_its_own_sign_in_only(database):
    async with Visitor() as visitor, Visitor() as other:
        mine, theirs = await visitor.client(None), await other.client(None)
        code = await to_code(mine, COMMITTEE.phone)
        await to_code(theirs, SECRETARY.phone)
        if shown(theirs) != code:
            assert (await confirm(theirs, code)).status_code == 422
        theirs.cookies.clear()
        assert "验证码已失效" in (await confirm(theirs, code)).text


# No session that somebody else chose ----------------------------------------------------------------------------------

async def test_a_session_cannot_be_chosen_beforehand(browser):
    browser.cookies.set(SESSION_COOKIE, "chosen-by-an-attacker")
    await enter(browser, MEMBER.phone)
    tokens = [cookie.value for cookie in browser.cookies.jar if cookie.name == SESSION_COOKIE]
    assert "王秀英" in (await browser.get("/me")).text
    assert await one("SELECT count(*) FROM session WHERE token_hash = $1", token_hash("chosen-by-an-attacker")) == 0
    assert max(map(len, tokens)) >= 43


async def test_every_sign_in_has_a_token_of_its_own_and_the_database_keeps_none(browser, owner):
    seen = set()
    for _ in range(3):
        browser.cookies.clear()
        await enter(browser, MEMBER.phone)
        seen.add(browser.cookies[SESSION_COOKIE])
    assert len(seen) == 3
    kept = str(await owner.fetch("SELECT * FROM session"))
    assert not any(token in kept for token in seen)


async def test_a_department_signs_in_with_a_code_too(browser):
    code = await to_code(browser, COUNTY.phone)
    assert (await confirm(browser, code)).status_code == 303
