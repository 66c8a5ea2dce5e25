"""What a branch officer confirms by a code first: asked for at the gate, good for a quarter of an hour, once a code."""
from datetime import timedelta
from urllib.parse import quote

import pytest

from server.accounts.authentication import HALF_COOKIE, SESSION_COOKIE
from server.accounts.rules import AT_A_DESK, CONFIRMED_FOR
from server.core import codes, guard
from server.permissions import BRANCH_OFFICERS, LONG_SESSION, OFFICERS, STEP_UP, Can, Role, wants_code
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SECRETARY
from tests.meetings.stories import evidence, one
from tests.visits import Visitor, actor_of, session_token

SECOND = timedelta(seconds=1)


@pytest.fixture
async def browser(database, at, monkeypatch):
    """The 书记's phone, twenty minutes after the last code; keeping meetings is among what asks for one."""
    began = await at("2026-11-22 10:00")
    everything = frozenset({Can.MEETING_KEEP, *STEP_UP})
    monkeypatch.setattr(guard, "wants_code", lambda role, can: can in everything and role in BRANCH_OFFICERS)
    async with Visitor() as visitor:
        client = await visitor.client(None)
        client.cookies.set(SESSION_COOKIE, await session_token(SECRETARY), domain="testserver.local")
        await at(began + CONFIRMED_FOR + SECOND)
        yield client


async def ask_for_code(browser, onwards: str = "/meetings/new") -> str:
    """The code that is then awaited."""
    answer = await browser.post("/step-up/code", data={"next": onwards})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/step-up?next={quote(onwards)}")
    return codes.shown(browser.cookies[HALF_COOKIE])


def other(code: str) -> str:
    return "000000" if code != "000000" else "111111"


def test_only_who_keeps_the_long_session_is_asked():
    for can in STEP_UP:
        assert {role for role in Role if wants_code(role, can)} == LONG_SESSION
    assert LONG_SESSION | AT_A_DESK == OFFICERS
    assert not any(wants_code(role, Can.THREAD_READ) for role in Role)


async def test_a_page_leads_to_the_code_and_back(browser):
    asked = await browser.get("/meetings/new?held=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/step-up?next=/meetings/new%3Fheld%3D1")
    told = await browser.get(asked.headers["location"])
    assert "确认是您本人" in told.text
    assert 'value="/meetings/new?held=1"' in told.text
    code = await ask_for_code(browser, "/meetings/new?held=1")
    assert code in (await browser.get("/step-up?next=/meetings/new")).text
    before = browser.cookies[SESSION_COOKIE]
    done = await browser.post("/step-up", data={"code": code, "next": "/meetings/new?held=1"})
    assert (done.status_code, done.headers["location"]) == (303, "/meetings/new?held=1")
    assert browser.cookies[SESSION_COOKIE] != before, "who knew the old token has gained nothing"
    assert (await browser.get("/meetings/new?held=1")).status_code == 200
    assert await one("SELECT count(*) FROM session") == 1
    assert await evidence("confirm_by_code") == 1
    assert (await browser.get("/step-up?next=/to-dos")).headers["location"] == "/to-dos"


async def test_it_is_good_for_a_quarter_of_an_hour(browser, at):
    code = await ask_for_code(browser)
    began = await at("2026-11-22 10:16")
    await browser.post("/step-up", data={"code": code})
    for passed, status in ((CONFIRMED_FOR - SECOND, 200), (CONFIRMED_FOR + SECOND, 303)):
        await at(began + passed)
        assert (await browser.get("/meetings/new")).status_code == status


async def test_a_form_waits_for_the_code_and_goes_on(browser):
    form = {"kinds": ["主题党日", "党课"], "topic": "学条例\n谈体会", "begins_at": "2026-11-25T19:30",
            "ends_at": "2026-11-25T21:00", "place": "村委会", "people": str((await actor_of(SECRETARY)).person_id)}
    asked = await browser.post("/meetings", data=form, headers={"referer": "http://testserver/meetings/new"})
    assert asked.status_code == 303
    parked = asked.headers["location"].removeprefix("/step-up?next=")
    code = await ask_for_code(browser, parked)
    assert (await browser.post("/step-up", data={"code": code, "next": parked})).headers["location"] == parked
    page = (await browser.get(parked)).text
    assert all(words in page for words in ("主题党日、党课", "谈体会", "2026-11-25 19:30", "继续提交", "/meetings/new"))
    assert await one("SELECT count(*) FROM meeting") == 0
    sent = await browser.post(f"/meetings?parked={parked.rpartition('/')[2]}", data=form)
    assert sent.status_code == 303
    assert await one("SELECT count(*) FROM meeting") == 1


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "12\x003"])
async def test_what_is_no_code_is_told_beside_the_field(browser, code):
    await ask_for_code(browser)
    answer = await browser.post("/step-up", data={"code": code})
    assert answer.status_code == 422
    assert 'id="code-error"' in answer.text


async def test_five_wrong_ones_are_enough_for_a_code(browser):
    code = await ask_for_code(browser)
    for _ in range(codes.TRIES):
        assert (await browser.post("/step-up", data={"code": other(code)})).status_code == 422
    answer = await browser.post("/step-up", data={"code": code})
    assert answer.status_code == 422
    assert codes.TRIED in answer.text
    assert await evidence("confirm_by_code") == 0


async def test_an_old_code_and_a_used_one_confirm_nothing(browser, at):
    code = await ask_for_code(browser)
    began = await at("2026-11-22 10:20")
    await at(began + codes.LIFE)
    assert "验证码已过期" in (await browser.post("/step-up", data={"code": code})).text
    code = await ask_for_code(browser)
    half = browser.cookies[HALF_COOKIE]
    assert (await browser.post("/step-up", data={"code": code})).status_code == 303
    browser.cookies.set(HALF_COOKIE, half, domain="testserver.local")
    assert "验证码已" in (await browser.post("/step-up", data={"code": code})).text


async def test_somebody_elses_code_confirms_nothing(browser):
    code = await ask_for_code(browser)
    half = browser.cookies[HALF_COOKIE]
    async with Visitor() as visitor:
        neighbour = await visitor.client(NEIGHBOUR)
        neighbour.cookies.set(HALF_COOKIE, half)
        assert "验证码已失效" in (await neighbour.post("/step-up", data={"code": code})).text
    assert await evidence("confirm_by_code") == 0


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
async def test_it_leads_nowhere_else(browser, elsewhere):
    assert "evil.example" not in (await browser.get("/step-up", params={"next": elsewhere})).text
    answer = await browser.post("/step-up/code", data={"next": elsewhere})
    assert answer.headers["location"] == "/step-up?next=/"
    code = codes.shown(browser.cookies[HALF_COOKIE])
    assert (await browser.post("/step-up", data={"code": code, "next": elsewhere})).headers["location"] == "/"


async def test_members_and_committees_are_never_asked(database):
    async with Visitor() as visitor:
        for person, path in ((MEMBER, "/meetings"), (COMMITTEE, "/to-dos")):
            assert (await visitor.visit(person, "GET", path)).status_code == 200
