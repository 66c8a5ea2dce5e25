"""The picture code at sign-in: after a mistake, or always; for unknown numbers too; and what a hash costs."""
import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from server.accounts import actions, passwords
from server.accounts.authentication import SESSION_COOKIE
from server.core import picture_code
from server.settings import settings
from tests.cast import MEMBER
from tests.meetings.stories import one
from tests.passwords import PASSWORD
from tests.visits import Visitor

STRANGER = "13788888888"


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


async def enter(browser, phone: str, password: str = PASSWORD, **more: str):
    return await browser.post("/sign-in", data={"phone": phone, "password": password, **more})


def picture(typed: str | None = None) -> dict[str, str]:
    token = picture_code.new()
    return {"picture": token, "picture_code": str(picture_code.shown(token)) if typed is None else typed}


async def test_the_first_right_try_needs_nothing_more(browser):
    assert "图形验证码" not in (await browser.get("/sign-in")).text
    assert (await enter(browser, MEMBER.phone)).status_code == 303


@pytest.mark.parametrize("phone", [MEMBER.phone, STRANGER])
async def test_from_the_first_mistake_on_a_picture_is_asked_for_whether_or_not_the_number_is_known(browser, phone):
    assert 'name="picture_code"' in (await enter(browser, phone, "Wrong2026x")).text
    for more, words in (({}, "请填写图形验证码"), (picture(""), "请填写图形验证码"), (picture("0"), "图形验证码不对"),
                        ({"picture": "x", "picture_code": "1234"}, "图形验证码不对")):
        answer = await enter(browser, phone, **more)
        assert (answer.status_code, words in answer.text) == (422, True)
        assert 'id="picture_code-error"' in answer.text
    assert SESSION_COOKIE not in browser.cookies
    assert await one("SELECT max(failures) FROM guess") == 1, "without the picture the password is not looked at"


async def test_with_the_picture_the_right_password_opens_and_forgets_the_mistake(browser):
    await enter(browser, MEMBER.phone, "Wrong2026x")
    assert (await enter(browser, MEMBER.phone, **picture())).status_code == 303
    browser.cookies.clear()
    assert (await enter(browser, MEMBER.phone)).status_code == 303


async def test_a_picture_serves_once(browser):
    await enter(browser, MEMBER.phone, "Wrong2026x")
    shown = picture()
    assert "密码不对" in (await enter(browser, MEMBER.phone, "Wrong2026x", **shown)).text
    assert "图形验证码不对" in (await enter(browser, MEMBER.phone, **shown)).text


async def test_twenty_who_sign_in_at_once_with_one_number_are_no_mistakes(database):
    done = await asyncio.gather(*(actions.check_password(MEMBER.phone, PASSWORD) for _ in range(20)))
    assert len(set(done)) == 1
    assert not await actions.wants_picture(MEMBER.phone)


async def test_others_are_not_asked_for_one_persons_mistakes(browser):
    await enter(browser, STRANGER, "Wrong2026x")
    assert (await enter(browser, MEMBER.phone)).status_code == 303


async def test_it_can_be_asked_for_always(browser, monkeypatch):
    monkeypatch.setattr(actions, "settings", replace(settings, picture_code="always"))
    assert 'name="picture_code"' in (await browser.get("/sign-in")).text
    assert "请填写图形验证码" in (await enter(browser, MEMBER.phone)).text
    assert (await enter(browser, MEMBER.phone, **picture())).status_code == 303


async def test_a_hash_of_other_parameters_is_made_anew_at_the_next_sign_in(browser, owner):
    old = PasswordHasher(time_cost=3, memory_cost=1024, parallelism=4).hash(PASSWORD)
    account = await owner.fetchval("UPDATE account SET password_hash = $1 FROM person p WHERE p.id = person_id"
                                   " AND p.name = $2 RETURNING account.id", old, MEMBER.name)
    await enter(browser, MEMBER.phone)
    fresh = await owner.fetchval("SELECT password_hash FROM account WHERE id = $1", account)
    assert fresh != old
    assert f"m={passwords.MEMORY_KIB},t={passwords.PASSES},p={passwords.LANES}" in fresh
    browser.cookies.clear()
    assert (await enter(browser, MEMBER.phone)).status_code == 303
    assert await owner.fetchval("SELECT password_hash FROM account WHERE id = $1", account) == fresh
