"""What somebody may counts from the next request: a role taken away, an organisation closed, duties for another."""
from dataclasses import replace

import pytest

from server.accounts import authentication
from server.accounts.authentication import SESSION_COOKIE
from server.accounts.tables import who_is
from server.core import live
from server.permissions import Role
from server.settings import settings
from tests.cast import BRANCH_ADMIN, MEMBER, ORGANISER, SECRETARY
from tests.meetings.stories import one
from tests.visits import Visitor, session_token

END = "UPDATE role_grant SET until = ebranch_now() WHERE role = $1"
SECOND_ROLE = """
INSERT INTO role_grant (account_id, role, organisation_id)
SELECT a.id, $2, g.organisation_id FROM account a JOIN person p ON p.id = a.person_id
JOIN role_grant g ON g.account_id = a.id WHERE p.name = $1 RETURNING id"""


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        client = await visitor.client(None)
        client.cookies.set(SESSION_COOKIE, await session_token(SECRETARY), domain="testserver.local")
        yield client


async def test_a_role_taken_away_counts_from_the_next_request_on_page_form_piece_and_stream(browser, owner):
    form = {"kinds": "党课", "topic": "学条例", "begins_at": "2026-12-25T19:30", "ends_at": "2026-12-25T21:00"}
    assert (await browser.get("/meetings/new")).status_code == 200
    await owner.execute(END, "书记")
    assert (await browser.get("/meetings/new")).headers["location"] == "/sign-in?next=/meetings/new"
    assert (await browser.get("/tabs", headers={"hx-request": "true"})).status_code == 401
    assert (await browser.get("/live")).status_code == 303
    late = await browser.post("/meetings", data=form)
    assert late.status_code == 401
    assert late.headers["x-onwards"].startswith("/sign-in?next=/parked/")
    assert await one("SELECT count(*) FROM meeting") == 0


WHY_OVER = {
    "UPDATE role_grant SET until = ebranch_now() WHERE role = '书记'": "您的“书记”身份有变动",
    "UPDATE session SET revoked_at = ebranch_now()": "从别处退出、密码改过，或系统恢复过",
    "UPDATE account SET closed_at = ebranch_now()": "这个账号已停用",
    "UPDATE session SET expires_at = ebranch_now()": "离开时间长了"}


@pytest.mark.parametrize(("change", "words"), WHY_OVER.items(), ids=WHY_OVER.values())
async def test_where_one_signs_in_again_stands_why(browser, owner, change, words):
    await owner.execute(change)
    assert words in (await browser.get("/meetings/new", follow_redirects=True)).text
    late = await browser.post("/meetings", data={"topic": "学条例"})
    if "停用" not in words:
        assert "刚才填的内容留着" in (await browser.get(late.headers["x-onwards"])).text


async def test_who_signs_out_or_was_never_signed_in_is_told_nothing(browser):
    await browser.post("/sign-out")
    assert "请重新登录" not in (await browser.get("/sign-in")).text
    browser.cookies.set(SESSION_COOKIE, "nonsense", domain="testserver.local")
    assert "请重新登录" not in (await browser.get("/sign-in")).text


async def test_who_keeps_another_role_sees_what_was_typed_but_cannot_send_it_on(browser, owner):
    await owner.fetchval(SECOND_ROLE, SECRETARY.name, "正式党员")
    await owner.execute(END, "书记")
    late = await browser.post("/meetings", data={"topic": "学条例"})
    kept = late.headers["x-onwards"].removeprefix("/sign-in?next=")
    browser.cookies.set(SESSION_COOKIE, await session_token_of(SECRETARY, Role.MEMBER), domain="testserver.local")
    page = (await browser.get(kept)).text
    assert "学条例" in page, "nothing typed is lost"
    answer = await browser.post(f"/meetings?parked={kept.rpartition('/')[2]}", data={"topic": "学条例"})
    assert answer.status_code == 403
    assert (await browser.get(kept)).status_code == 200
    assert await one("SELECT used_at FROM parked_form") is None


async def session_token_of(person, role: Role) -> str:
    return await session_token(replace(person, role=role))


async def test_who_acts_for_another_sees_for_whom_and_until_when(browser, owner):
    await owner.execute("""
        UPDATE role_grant g SET acting_for = (SELECT a.id FROM account a JOIN person p ON p.id = a.person_id
                                              WHERE p.name = $1), until = '2031-01-01 00:00+08'
        WHERE g.role = '书记'""", MEMBER.name)
    page = (await browser.get("/me")).text
    assert f"（代{MEMBER.name}）" in page
    await owner.fetchval(SECOND_ROLE, SECRETARY.name, "正式党员")
    assert f"代{MEMBER.name}，到 2030年12月31日 周二" in (await browser.get("/me")).text


@pytest.mark.parametrize(("proxies", "passed", "source"), [
    (0, "203.0.113.9", "127.0.0.1"), (1, "10.9.9.9, 203.0.113.9", "203.0.113.9"),
    (2, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
    (1, "nonsense", "127.0.0.1"), (2, "203.0.113.9", "127.0.0.1"), (1, "", "127.0.0.1")])
async def test_where_a_request_came_from_is_what_the_proxy_in_front_says(
        browser, monkeypatch, proxies, passed, source):
    monkeypatch.setattr(authentication, "settings", replace(settings, proxies=proxies))
    await browser.post("/me/roles/0", headers={"x-forwarded-for": passed})
    await browser.post("/sign-out", headers={"x-forwarded-for": passed})
    assert await one("SELECT source FROM audit_event WHERE verb = 'sign_out'") == source


async def test_an_open_stream_ends_with_the_role_it_began_with(database, owner):
    token, asked = await session_token(ORGANISER), []

    async def allowed() -> bool:
        actor = await who_is(token, "test", active=False)
        asked.append(actor)
        return actor is not None

    heard = live.listen("1/", 1, allowed=allowed)
    assert await anext(heard) == "retry: 3000\n\n"
    await owner.execute(END, "组织委员")
    live.hand_out("person-1", [live.ENDED])
    with pytest.raises(StopAsyncIteration):
        await anext(heard)
    assert asked == [None]


async def test_who_acts_for_another_is_named_with_both(database, owner):
    substituted = await owner.fetchval("SELECT a.id FROM account a JOIN person p ON p.id = a.person_id"
                                       " WHERE p.name = $1", SECRETARY.name)
    await owner.execute("UPDATE role_grant SET acting_for = $1 WHERE role = 'e支部管理员'", substituted)
    actor = await who_is(await session_token(BRANCH_ADMIN), "test", active=False)
    assert actor
    assert actor.signature == f"{BRANCH_ADMIN.name}（代{SECRETARY.name}） · e支部管理员"
    member = await who_is(await session_token(MEMBER), "test", active=False)
    assert member
    assert member.acting_for is None
