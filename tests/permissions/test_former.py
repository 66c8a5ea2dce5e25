"""Who was somebody once: a closed account, a role, an organisation or a session that has ended is nobody from then on,
and who has moved sees nothing of where he was."""
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from server.accounts.authentication import SESSION_COOKIE
from server.core.tokens import token_hash
from server.permissions import Role
from tests.cast import SECRETARY, Person, enter
from tests.passwords import HASH, PASSWORD
from tests.permissions.forms import address, body
from tests.permissions.table import TABLE
from tests.permissions.test_matrix import about
from tests.permissions.world import World, id_of
from tests.visits import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDS = {  # $1: the account
    "closed account": "UPDATE account SET closed_at = ebranch_now() WHERE id = $1",
    "ended role": "UPDATE role_grant SET until = ebranch_now() WHERE account_id = $1",
    "closed organisation": "UPDATE organisation o SET closed_at = ebranch_now() FROM role_grant g"
                           " WHERE g.organisation_id = o.id AND g.account_id = $1",
    "ended session": "UPDATE session SET revoked_at = ebranch_now() WHERE account_id = $1",
    "session that is over": "UPDATE session SET expires_at = ebranch_now() WHERE account_id = $1",
}
EVERY_END = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)


async def somebody(world: World, role: Role) -> tuple[int, str, str]:
    """A new person's account at an organisation of its own, phone, and the token of a session."""
    phone = f"138{secrets.randbelow(10**8):08}"
    token = secrets.token_urlsafe(32)
    parent = world.paths["committee"]
    organisation = await world.postgres.fetchval("""
        WITH fresh AS (SELECT nextval(pg_get_serial_sequence('organisation', 'id')) AS id)
        INSERT INTO organisation (id, parent_id, unit_code, kind, name, official_name, path)
        OVERRIDING SYSTEM VALUE
        SELECT fresh.id, o.id, unit_code, '党支部', $2, $2, path || fresh.id || '/' FROM organisation o, fresh
        WHERE o.id = $1 RETURNING id""", id_of(parent), f"旧支部{phone[3:]}")
    account = await world.postgres.fetchval(
        "INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id",
        await enter(world.postgres, "旧人", phone), HASH)
    grant = await world.postgres.fetchval(
        "INSERT INTO role_grant (account_id, role, organisation_id, since) VALUES ($1, $2, $3, '2020-07-01')"
        " RETURNING id", account, str(role), organisation)
    await world.postgres.execute(
        "INSERT INTO session (token_hash, account_id, grant_id, device, used_at, expires_at)"
        " VALUES ($1, $2, $3, 'test', ebranch_now(), ebranch_now() + interval '1 day')",
        token_hash(token), account, grant)
    return account, phone, token


@pytest.fixture
async def client(visitor: Visitor) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=visitor.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as one:
        yield one


@EVERY_END
async def test_whatever_the_role_it_ends_with_the_next_request(world: World, client: httpx.AsyncClient, end: str):
    for role in Role:
        account, _, token = await somebody(world, role)
        client.cookies.set(SESSION_COOKIE, token)
        assert (await client.get("/me")).status_code == 200, role
        await world.postgres.execute(end, account)
        for path in ("/threads", "/me", "/tabs"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers.get("location", "")[:8]) == (303, "/sign-in"), (role, path)
        assert (await client.post("/settings/large", data={"large": "1"})).status_code == 401, role


@EVERY_END
async def test_every_address_takes_who_was_somebody_for_nobody(world: World, client: httpx.AsyncClient, end: str):
    account, _, token = await somebody(world, Role.SECRETARY)
    await world.postgres.execute(end, account)
    client.cookies.set(SESSION_COOKIE, token)
    asked = [(sentence, await anext(about(world, sentence, SECRETARY))) for sentence in TABLE
             if sentence.anonymous is None]
    before = await world.fingerprint()
    for sentence, thing in asked:
        path = address(sentence.path, thing)
        if sentence.method == "GET":
            assert (await client.get(path)).headers["location"].startswith("/sign-in?next="), str(sentence)
        else:
            thing.facts.setdefault("own_people", [])
            sent = body(sentence.path, thing)
            assert (await client.post(path, **sent)).status_code == 401, str(sentence)
    assert await world.fingerprint() == before


@pytest.mark.parametrize("end", [one for name, one in ENDS.items() if "session" not in name],
                         ids=[name for name in ENDS if "session" not in name])
async def test_nobody_of_them_signs_in_again(world: World, client: httpx.AsyncClient, end: str):
    account, phone, _ = await somebody(world, Role.MEMBER)
    await world.postgres.execute(end, account)
    answer = await client.post("/sign-in", data={"phone": phone, "password": PASSWORD})
    assert answer.status_code >= 400
    assert SESSION_COOKIE not in client.cookies


async def test_who_has_moved_sees_nothing_of_the_branch_that_was(world: World, visitor: Visitor):
    """The former membership and role stand in the history; they open nothing, and can't be switched to."""
    moved = Person("13900000077", "迁出", Role.MEMBER, "houcun")
    meeting, forum = await world.meeting("qiancun", "amended"), await world.thread("qiancun", "forum")
    person = await enter(world.postgres, moved.name, moved.phone)
    account = await world.postgres.fetchval(
        "INSERT INTO account (person_id, password_hash) VALUES ($1, $2) RETURNING id", person, HASH)
    grants = [await world.postgres.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id, since, until)
        VALUES ($1, $2, $3, '2020-07-01', CASE WHEN $4 THEN ebranch_now() END) RETURNING id""", account, str(role),
        id_of(world.paths[branch]), ended) for role, branch, ended in (
            (Role.PROBATIONARY, "qiancun", True), (Role.MEMBER, "houcun", False))]
    await world.postgres.execute(
        "INSERT INTO attendance (meeting_id, person_id, name, place_in_list) VALUES ($1, $2, '迁出', 99)",
        meeting.ids["meeting_id"], person)
    assert (await visitor.visit(moved, "GET", "/me")).status_code == 200
    for path in (f"/meetings/{meeting.ids['meeting_id']}", f"/threads/{forum.ids['thread_id']}",
                 f"/meetings/{meeting.ids['meeting_id']}/photos/{world.photo}",
                 f"/organisations/{id_of(world.paths['qiancun'])}"):
        assert (await visitor.visit(moved, "GET", path)).status_code == 404, path
    switch = await visitor.visit(moved, "POST", f"/me/roles/{grants[0]}", data={})
    assert switch.status_code == 404
    assert f"/me/roles/{grants[0]}" not in (await visitor.visit(moved, "GET", "/me")).text
