"""Sessions: how long they live, what ends them, which role is active, how large the letters are."""
from datetime import timedelta

import pytest

from server.accounts import actions
from server.accounts.authentication import SESSION_COOKIE
from server.accounts.rules import DEPARTMENT_IDLE, MEMBER_SESSION, OFFICER_SESSION
from server.accounts.tables import token_hash
from server.core.clock import now
from server.core.database import rows
from server.permissions import Role
from tests.cast import COMMITTEE, COUNTY, MEMBER, NEIGHBOUR, PROBATIONARY, SECRETARY, VILLAGER
from tests.meetings.stories import evidence, one
from tests.passwords import PASSWORD
from tests.visits import Visitor, actor_of, session_token

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


async def as_(browser, token: str, path: str = "/threads", **headers: str) -> int:
    """The status of a page asked for with that session."""
    browser.cookies.set(SESSION_COOKIE, token)
    return (await browser.get(path, headers=headers)).status_code


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
    token, told = await actions.sign_in((await actor_of(person)).account_id, device="test", source="test")
    assert told == life
    used = began
    while used + DEPARTMENT_IDLE / 2 < began + life and life == OFFICER_SESSION:
        used = await at(used + DEPARTMENT_IDLE / 2)
        assert await as_(browser, token) == 200
    await at(began + life - MINUTE)
    assert await as_(browser, token) == 200
    await at(began + life + MINUTE)
    assert await as_(browser, token) == 303


async def test_who_is_an_officer_too_has_the_shorter_life_whatever_role_is_active(database, owner):
    await second_role(owner, MEMBER, "组织员", "东疏镇党委")
    _, life = await actions.sign_in((await actor_of(MEMBER)).account_id, device="test", source="test")
    assert life == OFFICER_SESSION


async def test_a_department_left_alone_for_a_quarter_of_an_hour_signs_in_again(browser, at):
    began = await at("2026-11-22 10:00")
    token = await session_token(COUNTY)
    await at(began + DEPARTMENT_IDLE - MINUTE)
    assert await as_(browser, token) == 200
    await at(now() + DEPARTMENT_IDLE - MINUTE)
    assert await as_(browser, token) == 200
    await at(now() + DEPARTMENT_IDLE + MINUTE)
    assert await as_(browser, token) == 303


async def test_a_page_that_stays_open_is_no_sign_of_its_owner(browser, at):
    began = await at("2026-11-22 10:00")
    token = await session_token(COUNTY)
    for minutes in range(2, 15, 3):
        await at(began + minutes * MINUTE)
        assert await as_(browser, token, "/tabs") == 200
        assert await as_(browser, token, "/to-dos", **{"x-passive": "1", "hx-request": "true"}) == 200
    await at(began + DEPARTMENT_IDLE + MINUTE)
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
    assert await as_(browser, token, "/meetings") == 403
    assert "后村支部" in (await browser.get("/threads")).text
    assert (await browser.post(f"/me/roles/{own}")).status_code == 303
    assert await as_(browser, token, "/meetings") == 200
    assert await evidence("switch_role") == 2


async def test_switching_concerns_this_session_only(browser, owner):
    villager = await second_role(owner, PROBATIONARY, "村民", "后村支部")
    mine, other = await session_token(PROBATIONARY), await session_token(PROBATIONARY)
    browser.cookies.set(SESSION_COOKIE, mine)
    await browser.post(f"/me/roles/{villager}")
    assert [await as_(browser, token, "/meetings") for token in (mine, other)] == [403, 200]


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
