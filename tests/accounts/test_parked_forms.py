"""A form in progress is never lost: kept for its own account when the session was over, and sent on by it, once."""
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from server.accounts.authentication import SESSION_COOKIE
from server.accounts.rules import MEMBER_SESSION, OFFICER_IDLE
from server.core import parked
from server.core.parked import KEPT_FOR, MOST, sweep_parked
from tests.cast import COMMITTEE, MEMBER, NEIGHBOUR, SECRETARY
from tests.databases import fingerprint
from tests.meetings.stories import evidence, one
from tests.passwords import PASSWORD
from tests.visits import Visitor, actor_of, session_token

SECOND = timedelta(seconds=1)
FORM = {"kinds": "主题党日", "topic": "学条例<script>alert(1)</script>", "begins_at": "2026-12-25T19:30",
        "ends_at": "2026-12-25T21:00", "place": "村委会的会议室", "people": "1"}


@pytest.fixture
async def browser(database):
    async with Visitor() as visitor:
        yield await visitor.client(None)


@pytest.fixture
async def late(browser, at):
    """A browser whose session, the 书记's, was over a moment ago."""
    began = await at("2026-11-01 10:00")
    put(browser, await session_token(SECRETARY, MEMBER_SESSION))
    await at(began + MEMBER_SESSION + SECOND)
    return browser


def put(browser, token: str) -> None:
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, token, domain="testserver.local")


async def again(browser, person) -> None:
    """Somebody signs in on this browser."""
    put(browser, await session_token(person))


def address_in(answer) -> str:
    """Where the page says that the form is kept."""
    assert answer.status_code == 401
    assert "登录后接着办" in answer.text
    onwards = answer.headers["x-onwards"]
    assert f'href="{onwards}"' in answer.text
    return parse_qs(urlsplit(onwards).query)["next"][0]


async def test_what_came_too_late_is_kept_and_goes_on_after_signing_in(late):
    kept = address_in(await late.post("/meetings", data=FORM, headers={"referer": "http://testserver/meetings/new"}))
    assert await one("SELECT count(*) FROM meeting") == 0
    assert (await late.get(kept)).headers["location"] == f"/sign-in?next={kept}"
    await again(late, SECRETARY)
    page = (await late.get(kept)).text
    assert "/meetings?parked=" in page
    assert all(words in page for words in ("村委会的会议室", "2026-12-25 19:30", "另有 1 项", "继续提交"))
    assert "<script>alert" not in page
    action, form = f"/meetings?parked={kept.rpartition('/')[2]}", FORM | {"people": await own_person()}
    assert (await late.post(action, data=form)).status_code == 303
    assert await one("SELECT count(*) FROM meeting") == 1
    assert await evidence("plan_meeting") == 1
    twice = await late.post(action, data=form)
    assert (twice.status_code, "已经提交过了" in twice.text) == (409, True)
    assert await one("SELECT count(*) FROM meeting") == 1
    told = (await late.get(kept)).text
    assert "已经提交过了" in told
    assert "继续提交" not in told
    assert "村委会的会议室" in told, "what was typed can still be copied"


async def own_person() -> int:
    return (await actor_of(SECRETARY)).person_id


async def test_the_way_there_leads_through_the_sign_in_page(late):
    kept = address_in(await late.post("/meetings", data=FORM))
    late.cookies.clear()
    answer = await late.post("/sign-in", data={"phone": MEMBER.phone, "password": PASSWORD, "next": kept})
    assert answer.headers["location"] == kept
    assert (await late.get(kept)).status_code == 404, "it was the 书记's"


async def test_nobody_else_sees_it_or_sends_it_on(late):
    kept = address_in(await late.post("/meetings", data=FORM))
    await again(late, NEIGHBOUR)
    for path in (kept, "/parked/unknown", "/parked/" + "x" * 500):
        assert (await late.get(path)).status_code == 404
    answer = await late.post(f"/meetings?parked={kept.rpartition('/')[2]}", data=FORM)
    assert answer.status_code == 404
    assert await one("SELECT count(*) FROM meeting") == 0
    assert await one("SELECT used_at FROM parked_form") is None


async def test_what_is_kept_can_be_read_in_the_database_by_nobody(late, owner):
    await late.post("/meetings", data=FORM)
    kept = bytes((await owner.fetchrow("SELECT fields FROM parked_form"))["fields"])
    assert "会议室".encode() not in kept
    assert b"u4f1a" not in kept.lower()


async def test_every_way_a_session_ends_keeps_the_form(browser, at, owner):
    began = await at("2026-11-22 10:00")
    put(browser, await session_token(COMMITTEE))
    await at(began + OFFICER_IDLE + SECOND)
    assert address_in(await browser.post("/settings/large", data={"large": "1"}))
    token = await session_token(SECRETARY)
    await owner.execute("UPDATE session SET revoked_at = ebranch_now() WHERE revoked_at IS NULL")
    put(browser, token)
    assert address_in(await browser.post("/meetings", data=FORM))
    put(browser, await session_token(SECRETARY))
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE role = '书记'")
    assert address_in(await browser.post("/meetings", data=FORM))


async def test_what_no_person_types_is_not_called_a_tick_and_what_one_types_is_told(late, browser):
    who = (await actor_of(MEMBER)).person_id
    form = {"what": "身份证号", "why": "核对身份", "press": "p" * 22}
    kept = address_in(await late.post(f"/members/{who}/openings", data=form))
    again_typed = address_in(await late.post(f"/members/{who}/phone", data={"phone": "1", "again": "13800000099"}))
    await again(late, SECRETARY)
    page = (await late.get(kept)).text
    assert "核对身份" in page
    assert "项勾选" not in page
    assert "13800000099" in (await late.get(again_typed)).text, "another form hides a field of that name"


async def test_what_no_account_is_known_for_is_not_kept(browser, owner):
    before = await fingerprint(owner)
    for token in ("", "nobody's"):
        put(browser, token)
        answer = await browser.post("/meetings", data=FORM)
        assert answer.status_code == 401
        assert "请先登录" in answer.text
        assert "x-onwards" not in answer.headers
    closed = await session_token(SECRETARY)
    await owner.execute("UPDATE account SET closed_at = ebranch_now()")
    put(browser, closed)
    assert "x-onwards" not in (await browser.post("/meetings", data=FORM)).headers
    await owner.execute("UPDATE account SET closed_at = NULL")
    assert await fingerprint(owner) == before
    assert await one("SELECT count(*) FROM parked_form") == 0


async def test_passwords_and_codes_are_never_kept(late):
    kept = address_in(await late.post("/meetings", data=FORM | {
        "password": "Dengta2026", "old_password": "Dengta2026", "code": "123456", "again_password": "x",
        "authorisation_code": "A1B2", "picture": "k3x9"}))
    account = (await actor_of(SECRETARY)).account_id
    form = await parked.parked_under(kept.rpartition("/")[2], account)
    assert {name for name, _, _ in form.fields} == set(FORM)


async def test_files_are_to_be_chosen_again_and_the_rest_is_kept(late):
    kept = address_in(await late.post("/meetings", data=FORM, files={"photo": ("a.jpg", b"\xff\xd8", "image/jpeg")}))
    await again(late, SECRETARY)
    page = (await late.get(kept)).text
    assert "请再选一次" in page
    assert 'type="file" name="photo"' in page
    assert "村委会的会议室" in page


@pytest.mark.parametrize("sent", [
    {"content": b"\xff\xfe", "headers": {"content-type": "multipart/form-data; boundary=b"}},
    {"data": {"topic": "x" * 500_000}}, {"data": {"topic": "x"}, "headers": {"x-draft": "1"}},
])
async def test_what_is_no_form_or_too_large_or_a_draft_is_not_kept(late, sent):
    answer = await late.post("/meetings", **sent)
    assert answer.status_code == 401
    assert await one("SELECT count(*) FROM parked_form") == 0


async def test_signing_out_is_not_what_one_comes_back_for(late):
    answer = await late.post("/sign-out", data={"everywhere": "1"})
    assert answer.status_code == 401
    assert "x-onwards" not in answer.headers


async def test_only_the_newest_are_kept_and_for_an_hour(late, at):
    addresses = [address_in(await late.post("/meetings", data=FORM)) for _ in range(MOST + 3)]
    assert await one("SELECT count(*) FROM parked_form") == MOST
    await again(late, SECRETARY)
    found = [(await late.get(path)).status_code for path in addresses]
    assert found == [404] * 3 + [200] * MOST
    await at("2026-12-01 10:00:01")
    put(late, await session_token(SECRETARY))
    began = await at("2026-12-01 12:00:00")
    kept = await parked.keep(parked.Owner(*await ids_of(SECRETARY)), "/meetings", "", parked.spelled([], []))
    await at(began + KEPT_FOR + SECOND)
    assert (await late.get(f"/parked/{kept}")).status_code == 404
    await sweep_parked()
    assert await one("SELECT count(*) FROM parked_form") == 0


async def ids_of(person) -> tuple[int, int]:
    actor = await actor_of(person)
    return actor.account_id, actor.grant_id


async def test_what_was_filled_in_under_another_role_says_so_and_leads_there(browser, owner):
    account, grant = await ids_of(SECRETARY)
    member = await owner.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id)
        SELECT $1, '正式党员', organisation_id FROM role_grant WHERE id = $2 RETURNING id""", account, grant)
    kept = await parked.keep(parked.Owner(account, member), "/threads/1/entries", "", parked.spelled([], []))
    await again(browser, SECRETARY)
    page = (await browser.get(f"/parked/{kept}")).text
    assert "切换到 正式党员" in page
    assert "继续办理" not in page
    switched = await browser.post(f"/me/roles/{member}", data={"next": f"/parked/{kept}"})
    assert switched.headers["location"] == f"/parked/{kept}"
    assert "继续办理" in (await browser.get(f"/parked/{kept}")).text
