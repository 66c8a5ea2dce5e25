"""Sessions: how long they live, what ends them, which role is active, how large the letters are."""
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from asyncpg.exceptions import InsufficientPrivilegeError

from server.accounts import sessions
from server.accounts.authentication import SESSION_COOKIE
from server.accounts.devices import in_words
from server.accounts.rules import (
    CONFIRMED_FOR,
    MEMBER_SESSION,
    OFFICER_IDLE,
    OFFICER_SESSION,
    switching_asks_for_code,
)
from server.accounts.tables import who_is
from server.core.clock import now
from server.core.database import rows
from server.core.tokens import token_hash
from server.permissions import Role
from tests.cast import COMMITTEE, COUNTY, MEMBER, NEIGHBOUR, NEIGHBOUR_MEMBER, PROBATIONARY, SECRETARY, VILLAGER
from tests.meetings.stories import evidence, one
from tests.passwords import PASSWORD
from tests.visits import Visitor, actor_of, session_token

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


async def as_(browser, token: str, path: str = "/threads", **headers: str) -> int:
    """The status of a page asked for with that session."""
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, token)
    return (await browser.get(path, headers=headers)).status_code


def given(answer) -> str:
    """The token of the session that an answer gives to the browser."""
    return SimpleCookie(answer.headers["set-cookie"])[SESSION_COOKIE].value


async def second_role(owner, person, role: str, organisation: str) -> int:
    return await owner.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id)
        SELECT a.id, $2, o.id FROM account a JOIN person p ON p.id = a.person_id, organisation o
        WHERE p.name = $1 AND o.name = $3 RETURNING id""", person.name, role, organisation)


# Ending ---------------------------------------------------------------------------------------------------------------

async def test_signing_out_ends_this_session_only(browser):
    mine, other = await session_token(MEMBER), await session_token(MEMBER)
    browser.cookies.set(SESSION_COOKIE, mine)
    answer = await browser.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert await as_(browser, mine) == 303
    assert await as_(browser, other) == 200
    assert await evidence("sign_out") == 1


async def test_signing_out_everywhere_ends_all_of_them_at_once(browser):
    mine, other, neighbours = [await session_token(person) for person in (MEMBER, MEMBER, NEIGHBOUR)]
    browser.cookies.set(SESSION_COOKIE, mine)
    await browser.post("/sign-out", data={"everywhere": "1"})
    assert [await as_(browser, token) for token in (mine, other, neighbours)] == [303, 303, 200]
    assert await evidence("sign_out_everywhere") == 1


async def test_an_ended_session_never_comes_back(browser):
    """Not by a slow request that was under way, and not by another that uses it."""
    token = await session_token(MEMBER)
    browser.cookies.set(SESSION_COOKIE, token)
    await browser.post("/sign-out")
    for _ in range(2):
        assert await as_(browser, token) == 303
        assert (await browser.post("/sign-out")).status_code == 401
    assert await one("SELECT count(*) FROM session WHERE revoked_at IS NULL") == 0


async def test_a_closed_account_or_a_closed_organisation_ends_every_session_at_once(browser, owner):
    member, secretary, neighbour = [await session_token(person) for person in (MEMBER, SECRETARY, NEIGHBOUR)]
    await owner.execute("UPDATE account SET closed_at = ebranch_now() FROM person p"
                        " WHERE p.id = person_id AND p.name = $1", MEMBER.name)
    assert await as_(browser, member) == 303
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE role = '书记'")
    assert [await as_(browser, token) for token in (secretary, neighbour)] == [303, 303]
    villager = await session_token(VILLAGER)
    await owner.execute("UPDATE organisation SET closed_at = ebranch_now() WHERE name = '前村支部'")
    assert await as_(browser, villager) == 303


# How long -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("person", "life"), [(MEMBER, MEMBER_SESSION), (SECRETARY, MEMBER_SESSION),
                                              (COMMITTEE, OFFICER_SESSION), (COUNTY, OFFICER_SESSION)])
async def test_a_session_lives_as_long_as_the_role_allows(browser, person, life, at):
    began = await at("2026-11-22 10:00")
    token, told = await sessions.sign_in((await actor_of(person)).account_id, device="test", source="test")
    assert told == life
    used = began
    while used + OFFICER_IDLE / 2 < began + life and life == OFFICER_SESSION:
        used = await at(used + OFFICER_IDLE / 2)
        assert await as_(browser, token) == 200
    await at(began + life - MINUTE)
    assert await as_(browser, token) == 200
    await at(began + life + MINUTE)
    assert await as_(browser, token) == 303


async def test_who_is_an_officer_too_has_the_shorter_life_whatever_role_is_active(database, owner):
    await second_role(owner, MEMBER, "组织员", "东疏镇党委")
    _, life = await sessions.sign_in((await actor_of(MEMBER)).account_id, device="test", source="test")
    assert life == OFFICER_SESSION


async def test_a_department_left_alone_for_a_quarter_of_an_hour_signs_in_again(browser, at):
    began = await at("2026-11-22 10:00")
    token = await session_token(COUNTY)
    for moment in (began + OFFICER_IDLE - SECOND, began + 2 * OFFICER_IDLE - 2 * SECOND):
        await at(moment)
        assert await as_(browser, token) == 200
    await at(began + 2 * OFFICER_IDLE - SECOND / 2)  # half a minute ago would have been kept as a minute ago
    assert await as_(browser, token) == 200
    await at(began + 3 * OFFICER_IDLE + SECOND)
    assert await as_(browser, token) == 303


async def test_a_page_that_stays_open_is_no_sign_of_its_owner(browser, at):
    began = await at("2026-11-22 10:00")
    token = await session_token(COUNTY)
    for minutes in range(2, 15, 3):
        await at(began + minutes * MINUTE)
        assert await as_(browser, token, "/tabs") == 200
        assert await as_(browser, token, "/to-dos", **{"x-passive": "1", "hx-request": "true"}) == 200
    await at(began + OFFICER_IDLE + MINUTE)
    assert await as_(browser, token) == 303


async def test_a_member_may_leave_the_phone_alone_for_weeks(browser, at):
    began = await at("2026-11-01 10:00")
    token = await session_token(MEMBER, MEMBER_SESSION)
    await at(began + timedelta(days=29))
    assert await as_(browser, token) == 200


# Roles ----------------------------------------------------------------------------------------------------------------

async def test_one_person_is_several_things_and_the_screens_follow(browser, owner):
    own = (await actor_of(PROBATIONARY)).grant_id
    villager = await second_role(owner, PROBATIONARY, "村民", "后村支部")
    token = await session_token(PROBATIONARY)
    assert await as_(browser, token, "/meetings") == 200
    assert "后村支部" in (await browser.get("/me")).text
    assert (await browser.post(f"/me/roles/{villager}")).headers["location"] == "/"
    assert (await browser.get("/meetings")).status_code == 403
    assert "<h1>后村</h1>" in (await browser.get("/threads")).text  # a villager reads the village, not its branch
    assert (await browser.post(f"/me/roles/{own}", data={"next": "/meetings"})).headers["location"] == "/meetings"
    assert (await browser.get("/meetings")).status_code == 200
    assert await evidence("switch_role") == 2


async def test_every_role_has_a_token_of_its_own(browser, owner):
    villager = await second_role(owner, PROBATIONARY, "村民", "后村支部")
    token = await session_token(PROBATIONARY)
    browser.cookies.set(SESSION_COOKIE, token)
    renewed = given(await browser.post(f"/me/roles/{villager}"))
    assert await as_(browser, token) == 303
    assert await as_(browser, renewed) == 200
    assert await one("SELECT count(*) FROM session") == 1
    answer = await browser.post(f"/me/roles/{villager}")
    assert (answer.status_code, answer.headers.get("set-cookie")) == (303, None), "the active one stays, and its token"


async def test_switching_concerns_this_session_only(browser, owner):
    villager = await second_role(owner, PROBATIONARY, "村民", "后村支部")
    mine, other = await session_token(PROBATIONARY), await session_token(PROBATIONARY)
    browser.cookies.set(SESSION_COOKIE, mine)
    await browser.post(f"/me/roles/{villager}")
    assert (await browser.get("/meetings")).status_code == 403
    browser.cookies.clear()
    assert await as_(browser, other, "/meetings") == 200


async def test_nobody_elses_role_and_no_ended_one_can_be_taken(browser, owner):
    ended, closed = [await second_role(owner, MEMBER, role, place) for role, place in (
        ("书记", "前村支部"), ("村民", "西村支部"))]
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE id = $1", ended)
    await owner.execute("UPDATE organisation SET closed_at = ebranch_now() WHERE name = '西村支部'")
    foreign = (await actor_of(SECRETARY)).grant_id
    token = await session_token(MEMBER)
    for grant in (foreign, ended, closed, 999_999, 0):
        browser.cookies.set(SESSION_COOKIE, token)
        assert (await browser.post(f"/me/roles/{grant}")).status_code == 404
        assert await as_(browser, token, "/to-dos") == 403
    assert await evidence("switch_role") == 0


async def test_who_signs_in_begins_with_the_role_that_has_most_to_do(browser, owner):
    await second_role(owner, VILLAGER, "正式党员", "前村支部")
    await browser.post("/sign-in", data={"phone": VILLAGER.phone, "password": PASSWORD})
    assert "正式党员" in (await browser.get("/threads")).text
    assert (await rows("SELECT g.role FROM session s JOIN role_grant g ON g.id = s.grant_id"))[0]["role"] == Role.MEMBER


# Letters --------------------------------------------------------------------------------------------------------------

async def test_large_letters_are_turned_on_and_off_for_the_person_on_every_device(browser):
    token, other = await session_token(MEMBER), await session_token(MEMBER)
    for wanted in ("1", "1", "0", "0", "1"):
        browser.cookies.set(SESSION_COOKIE, token)
        assert (await browser.post("/settings/large", data={"large": wanted})).headers["location"] == "/me"
        browser.cookies.set(SESSION_COOKIE, other)
        assert ('data-size="large"' in (await browser.get("/threads")).text) is (wanted == "1")
    browser.cookies.set(SESSION_COOKIE, await session_token(NEIGHBOUR))
    assert 'data-size="large"' not in (await browser.get("/threads")).text


async def test_only_the_hash_of_a_token_is_looked_up(browser):
    token = await session_token(MEMBER)
    for wrong in (token[:-1], token + "A", token.swapcase(), token_hash(token).hex(), "", "null"):
        assert await as_(browser, wrong) == 303, wrong
    assert await as_(browser, token) == 200


# Becoming an officer within a session ---------------------------------------------------------------------------------

async def test_an_officers_role_is_taken_up_only_with_a_code_and_has_the_officers_life_from_then_on(browser, owner, at):
    """Whatever the session was opened as: thirty days of a member's phone are no way round the officers' limits."""
    began = await at("2026-11-22 10:00")
    opened, _ = await sessions.sign_in((await actor_of(MEMBER)).account_id, device="test", source="test")
    committee = await second_role(owner, MEMBER, "组织员", "东疏镇党委")
    browser.cookies.set(SESSION_COOKIE, opened)
    asked = await browser.post(f"/me/roles/{committee}")
    assert asked.headers["location"].startswith("/step-up?next=/parked/")
    assert await as_(browser, opened, "/to-dos") == 403
    token, _ = await sessions.confirm(await who_is(opened, "test", active=False))
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, token)
    switched = given(await browser.post(f"/me/roles/{committee}"))
    assert await as_(browser, switched, "/to-dos") == 200
    assert await one("SELECT expires_at FROM session") < began + OFFICER_SESSION + MINUTE
    await at(now() + OFFICER_IDLE + SECOND)
    assert await as_(browser, switched) == 303


async def test_a_quarter_of_an_hour_is_not_waited_out_under_a_role_that_may_be_left_alone(browser, owner, at):
    began = await at("2026-11-22 10:00")
    member = await second_role(owner, COMMITTEE, "正式党员", "前村支部")
    own = (await actor_of(COMMITTEE)).grant_id
    browser.cookies.set(SESSION_COOKIE, await session_token(COMMITTEE))
    there = given(await browser.post(f"/me/roles/{member}"))
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, there)
    back = given(await browser.post(f"/me/roles/{own}"))
    assert await as_(browser, back, "/to-dos") == 200
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, back)
    left_alone = given(await browser.post(f"/me/roles/{member}"))
    await at(began + CONFIRMED_FOR + SECOND)
    assert await as_(browser, left_alone) == 200
    assert "/step-up" in (await browser.post(f"/me/roles/{own}")).headers["location"]


@pytest.mark.parametrize(("role", "present", "confirmed", "lately", "asks"), [
    (Role.MEMBER, Role.VILLAGER, False, False, False), (Role.MEMBER, Role.COUNTY_ADMIN, True, False, False),
    (Role.SECRETARY, Role.MEMBER, False, False, True), (Role.SECRETARY, Role.MEMBER, True, False, False),
    (Role.COUNTY_ADMIN, Role.MEMBER, True, False, True), (Role.COUNTY_ADMIN, Role.SECRETARY, True, False, True),
    (Role.COUNTY_ADMIN, Role.MEMBER, True, True, False), (Role.AUDITOR, Role.COUNTY_ADMIN, True, False, False),
    (Role.AUDITOR, Role.COUNTY_ADMIN, False, False, True),
])
def test_when_another_role_asks_for_a_code(role, present, confirmed, lately, asks):
    assert switching_asks_for_code(role, present, confirmed=confirmed, lately=lately) is asks


async def test_no_session_is_made_longer_not_even_by_our_own_sql(database, as_app):
    await session_token(MEMBER)
    with pytest.raises(InsufficientPrivilegeError, match="lives no longer"):
        await as_app.execute("UPDATE session SET expires_at = expires_at + interval '1 second'")


# The list of them -----------------------------------------------------------------------------------------------------

PHONE = "Mozilla/5.0 (Linux; Android 14; PGT-AN00) Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0"


async def test_where_one_is_signed_in_is_told_in_plain_words(browser):
    account = (await actor_of(MEMBER)).account_id
    for agent, source in ((PHONE, "10.1.2.3"), (DESK, "10.9.8.7")):
        await sessions.sign_in(account, device=agent, source=source)
    token = await session_token(MEMBER)
    browser.cookies.set(SESSION_COOKIE, token)
    told = (await browser.get("/me/sessions")).text
    assert all(words in told for words in ("微信 · 安卓手机", "Edge浏览器 · 电脑", "10.1.2.3", "10.9.8.7", "这台设备"))
    assert "Mozilla" not in told
    assert "3 处登录着" in (await browser.get("/me")).text


async def test_a_session_is_ended_from_another_device(browser):
    mine, other, neighbours = [await session_token(person) for person in (MEMBER, MEMBER, NEIGHBOUR)]
    there, foreign = [await one("SELECT id FROM session WHERE token_hash = $1", token_hash(token))
                      for token in (other, neighbours)]
    browser.cookies.set(SESSION_COOKIE, mine)
    for _ in range(2):
        answer = await browser.post(f"/me/sessions/{there}/ending")
        assert (answer.status_code, answer.headers["location"]) == (303, "/me/sessions")
    assert (await browser.post(f"/me/sessions/{foreign}/ending")).status_code == 404
    assert [await as_(browser, token) for token in (mine, other, neighbours)] == [200, 303, 200]
    assert await evidence("sign_out_there") == 1


async def test_what_was_left_alone_too_long_is_no_longer_listed(browser, at):
    began = await at("2026-11-22 10:00")
    await session_token(COUNTY)
    await at(began + OFFICER_IDLE + SECOND)
    browser.cookies.set(SESSION_COOKIE, await session_token(COUNTY))
    assert (await browser.get("/me/sessions")).text.count('id="session-') == 1


@pytest.mark.parametrize(("agent", "words"), [
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
     "Safari浏览器 · 苹果手机"),
    ("Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) Chrome/114.0 HuaweiBrowser/15.0 Mobile Safari/537.36",
     "华为浏览器 · 华为手机"),
    ("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/124.0 Safari/537.36", "谷歌浏览器 · 安卓平板"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "火狐浏览器 · 电脑"),
    ("curl/8.5", "另外的程序"), ("", "另外的程序"), ("<script>", "另外的程序"),
])
def test_a_device_in_words(agent, words):
    assert in_words(agent) == words


async def test_signing_in_anew_ends_what_this_browser_had(browser):
    former, other = await session_token(NEIGHBOUR_MEMBER), await session_token(MEMBER)
    browser.cookies.set(SESSION_COOKIE, former)
    renewed = given(await browser.post("/sign-in", data={"phone": MEMBER.phone, "password": PASSWORD}))
    assert [await as_(browser, token) for token in (former, other, renewed)] == [303, 200, 200]
