"""家人代看, 停用, and whoever reads without a query account: the members of the branch."""
import asyncio

import pytest

from server.accounts.authentication import SESSION_COOKIE
from server.core.moves import WrongState
from server.query_accounts import opening
from server.query_accounts.tables import reader
from tests.cast import (
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, QIANCUN, published, ready
from tests.meetings.stories import evidence, ids_of, one
from tests.query_accounts.stories import ANOTHER, NEW, grants, readers, verified, village_open
from tests.villages.test_guards import refused
from tests.visits import Visitor, actor_of, session_token

HOUSEHOLD = [("李桂芝", "妻子"), ("冯小宝", "孙子")]
WHY = "迁走了"


async def members(reader_id: int) -> list[str]:
    return [one["name"] for one in await opening.rows(
        "SELECT name FROM household_member WHERE reader_id = $1 AND ended_at IS NULL ORDER BY id", reader_id)]


async def member(name: str) -> int:
    return await one("SELECT max(id) FROM household_member WHERE name = $1", name)


async def end(visit, made: int, by=VILLAGE_ADMIN, why: str = WHY):
    return await visit(by, "POST", f"/query-accounts/{made}/ending", data={"why": why})


# 家人代看 -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("person", [VILLAGE_ADMIN, COMMITTEE])
async def test_who_keeps_the_accounts_takes_one_of_a_household_off(visit, at, person):
    await village_open(at)
    made = await verified(household=HOUSEHOLD)
    for _ in range(2):
        answer = await visit(person, "POST", f"/query-accounts/{made}/household", data={
            "member": await member("冯小宝")})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/query-accounts/{made}")
    assert await members(made) == ["李桂芝"]
    text = (await visit(person, "GET", f"/query-accounts/{made}")).text
    assert ("李桂芝" in text, "冯小宝" in text) == (True, False)
    assert await evidence("take_off_household") == 1
    assert await one("SELECT end_who FROM household_member WHERE name = '冯小宝'") == (
        await actor_of(person)).signature


async def test_the_owner_sees_the_household_and_takes_one_off(visit, at):
    await village_open(at)
    made = await verified(household=HOUSEHOLD)
    text = (await visit(NEW, "GET", "/query-accounts/own")).text
    assert all(words in text for words in ("李桂芝", "妻子", "冯小宝", "村（居）民"))
    answer = await visit(NEW, "POST", "/query-accounts/own/household", data={"member": await member("李桂芝")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/query-accounts/own")
    assert await members(made) == ["冯小宝"]
    assert "李桂芝" not in (await visit(NEW, "GET", "/query-accounts/own")).text


async def test_nobody_takes_anybody_off_another_household(visit, at, owner):
    await village_open(at, QIANCUN, HOUCUN)
    made = await verified(household=HOUSEHOLD)
    other = await verified(ANOTHER, household=[("陈大爷", "丈夫")])
    before = await fingerprint(owner)
    its = {"member": await member("李桂芝")}
    assert (await visit(ANOTHER, "POST", "/query-accounts/own/household", data=its)).status_code == 303
    assert (await visit(VILLAGE_ADMIN, "POST", f"/query-accounts/{other}/household", data=its)).status_code == 303
    for person, status in ((NEIGHBOUR, 404), (SIDIAN, 404), (COUNTY, 403), (VILLAGER, 403), (NEW, 403)):
        assert (await visit(person, "POST", f"/query-accounts/{made}/household", data=its)).status_code == status
    assert (await visit(VILLAGER, "POST", "/query-accounts/own/household", data=its)).status_code == 404
    assert (await visit(VILLAGE_ADMIN, "POST", f"/query-accounts/{made}/household", data={})).status_code == 422
    assert await fingerprint(owner) == before


async def test_a_villager_whom_no_list_names_has_no_household(visit, at):
    await village_open(at)
    assert "没有查询账号的登记" in (await visit(VILLAGER, "GET", "/query-accounts/own")).text
    assert (await visit(MEMBER, "GET", "/query-accounts/own")).status_code == 403


# 停用 -----------------------------------------------------------------------------------------------------------------

async def test_ended_it_opens_nothing_from_that_moment_on(visit, at):
    await ready(at)
    matter = await published()
    made = await verified()
    async with Visitor() as visitor:
        browser = await visitor.client(None)
        browser.cookies.set(SESSION_COOKIE, await session_token(NEW))
        assert (await browser.get(f"/disclosures/{matter}")).status_code == 200
        answer = await end(visit, made)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/query-accounts/{made}")
        for path in ("/disclosures", f"/disclosures/{matter}", "/threads", "/query-accounts/own"):
            assert (await browser.get(path)).headers["location"].startswith("/sign-in")
    assert await readers() == [(NEW.name, "村（居）民", False)]
    assert await grants(NEW) == []
    assert await one("SELECT why FROM audit_event WHERE verb = 'end_reader'") == WHY
    text = (await visit(VILLAGE_ADMIN, "GET", f"/query-accounts/{made}")).text
    assert all(words in text for words in ("已停用", WHY))
    assert NEW.name not in (await visit(VILLAGE_ADMIN, "GET", "/query-accounts")).text


async def test_ended_twice_it_is_ended_once(visit, at):
    await village_open(at)
    made = await verified()
    answers = await asyncio.gather(*(end(visit, made, by) for by in (VILLAGE_ADMIN, COMMITTEE, VILLAGE_ADMIN)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert await evidence("end_reader") == 1
    actor = await actor_of(VILLAGE_ADMIN)
    with pytest.raises(WrongState):
        await opening.end(actor, await reader(made), WHY)


async def test_an_ended_account_can_be_opened_again(at):
    await village_open(at)
    made = await verified()
    await opening.end(await actor_of(VILLAGE_ADMIN), await reader(made), WHY)
    assert await verified() != made
    assert await readers() == [(NEW.name, "村（居）民", False), (NEW.name, "村（居）民", True)]
    assert await grants(NEW) == ["村民"]


async def test_nobody_else_ends_it(visit, at, owner):
    await village_open(at, QIANCUN, HOUCUN)
    made = await verified()
    before = await fingerprint(owner)
    for person, status in ((NEIGHBOUR, 404), (SIDIAN, 404), (COUNTY, 403), (SUPERVISOR, 403), (NEW, 403)):
        assert (await end(visit, made, person)).status_code == status, person.name
    for why in ("", "因" * 201, f"换号 {NEW.phone}"):
        assert (await end(visit, made, why=why)).status_code == 422
    assert await fingerprint(owner) == before


async def test_the_applications_sql_has_one_account_of_a_person_at_a_village(at, as_app):
    await village_open(at)
    await verified()
    await refused("23505", as_app, """
        INSERT INTO reader (village_code, organisation_path, person_id, grant_id, standing, how, who)
        SELECT village_code, organisation_path, person_id, (SELECT max(id) FROM role_grant WHERE id <> r.grant_id),
               standing, how, who FROM reader r""")
    await refused("42501", as_app, "UPDATE reader SET person_id = 1")
    await refused("42501", as_app, "DELETE FROM reader")
    await refused("23514", as_app, "UPDATE reader SET ended_at = ebranch_now()")


# Members --------------------------------------------------------------------------------------------------------------

async def test_a_member_of_the_branch_reads_without_a_query_account(visit, at):
    await ready(at)
    matter = await published()
    assert (await visit(MEMBER, "GET", f"/disclosures/{matter}")).status_code == 200
    assert await readers() == []


async def test_a_member_loses_it_with_leaving_the_branch(visit, at, owner):
    await ready(at)
    matter = await published()
    assert (await visit(MEMBER, "GET", f"/disclosures/{matter}")).status_code == 200
    await owner.execute("UPDATE member SET left_on = '2026-10-08' WHERE person_id = $1", (await ids_of(MEMBER))[0])
    assert (await visit(MEMBER, "GET", f"/disclosures/{matter}")).status_code != 200
