"""从名册选: who keeps a village's query accounts opens them for people of its register."""
import asyncio

import pytest

from server.core.database import rows
from tests.cast import (
    BRANCH_ADMIN,
    COMMITTEE,
    COUNTY,
    MEMBER,
    NEIGHBOUR,
    NEIGHBOUR_MEMBER,
    ORGANISER,
    PROBATIONARY,
    SECRETARY,
    SIDIAN,
    SUPERVISOR,
    VILLAGE_ADMIN,
    VILLAGER,
)
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, QIANCUN
from tests.meetings.stories import evidence, ids_of, one
from tests.officers.stories import messages
from tests.query_accounts.stories import grants, readers, village_open
from tests.visits import actor_of


async def choose(visit, *people, standing: str = "两委成员", by=VILLAGE_ADMIN, **more):
    return await visit(by, "POST", "/query-accounts/choice",
                       data={"standing": standing, "people": await ids_of(*people)} | more)


async def test_those_chosen_get_an_account_and_a_message_each(visit, at):
    await village_open(at)
    page = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/choice")).text
    assert all(words in page for words in ("赵德山（书记）", MEMBER.name, PROBATIONARY.name))
    assert NEIGHBOUR_MEMBER.name not in page
    answer = await choose(visit, ORGANISER, MEMBER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/query-accounts")
    assert sorted(await readers()) == sorted([
        (ORGANISER.name, "两委成员", True), (MEMBER.name, "两委成员", True)])
    assert await grants(MEMBER) == ["正式党员", "村民"]
    for person in (ORGANISER, MEMBER):
        sent = await messages(person.phone)
        assert len(sent) == 1
        assert "前村三务公开查询账号已开通" in sent[0]
        assert "用原来的手机号和密码登录" in sent[0]
    assert await evidence("open_reader") == 2
    listed = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts")).text
    assert all(person.name in listed for person in (ORGANISER, MEMBER))
    assert f'value="{(await ids_of(MEMBER))[0]}"' not in (await visit(
        VILLAGE_ADMIN, "GET", "/query-accounts/choice")).text


@pytest.mark.parametrize(("standing", "role"), [
    ("两委成员", "村民"), ("监督委员会成员", "村务监督委员会"), ("小组长", "村民"), ("代表", "村民"),
    ("村（居）民", "村民")])
async def test_who_is_of_the_supervision_committee_may_sign(visit, at, standing, role):
    await village_open(at)
    await choose(visit, MEMBER, standing=standing)
    assert await grants(MEMBER) == ["正式党员", role]


async def test_chosen_twice_it_is_one_account(visit, at):
    await village_open(at)
    await choose(visit, MEMBER)
    again = await choose(visit, MEMBER)
    assert (again.status_code, "名单刚才有变化" in again.text) == (422, True)
    assert await readers() == [(MEMBER.name, "两委成员", True)]
    assert len(await messages(MEMBER.phone)) == 1


async def test_chosen_by_two_at_once_it_is_one_account(visit, at):
    await village_open(at)
    answers = await asyncio.gather(*(choose(visit, MEMBER, PROBATIONARY, by=by)
                                     for by in (VILLAGE_ADMIN, ORGANISER, BRANCH_ADMIN)))
    assert {answer.status_code for answer in answers} <= {303, 422}
    assert len(await readers()) == 2
    assert len(await messages(MEMBER.phone)) == 1
    assert await one("SELECT count(*) FROM role_grant WHERE why LIKE '查询账号%'") == 2


async def test_nobody_opens_one_for_himself_and_then_nobody_gets_one(visit, at, owner):
    await village_open(at)
    before = await fingerprint(owner)
    answer = await choose(visit, MEMBER, SECRETARY, by=SECRETARY)
    assert (answer.status_code, "不能给自己开通" in answer.text) == (422, True)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("form", "words"), [
    ({"people": []}, "请选择给谁开通"), ({"people": ["x"]}, "重新选择"), ({"standing": "村长"}, "请选择身份"),
    ({"people": [999]}, "名单刚才有变化"), ({"village": HOUCUN}, "没有的内容")])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form, words):
    await village_open(at)
    before = await fingerprint(owner)
    answer = await choose(visit, MEMBER, **form)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert await fingerprint(owner) == before


async def test_people_of_another_register_or_of_none_are_not_chosen(visit, at, owner):
    await village_open(at)
    before = await fingerprint(owner)
    for person in (NEIGHBOUR_MEMBER, VILLAGER, COUNTY):
        assert (await choose(visit, MEMBER, person)).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("person", "status"), [
    (VILLAGER, 403), (SUPERVISOR, 403), (MEMBER, 403), (COUNTY, 403), (COMMITTEE, 404), (NEIGHBOUR, 404)])
async def test_nobody_else_chooses(visit, at, owner, person, status):
    await village_open(at)
    before = await fingerprint(owner)
    assert (await choose(visit, MEMBER, by=person)).status_code == status
    assert await fingerprint(owner) == before


async def test_a_village_that_is_not_opened_has_no_query_accounts(visit, at):
    await village_open(at, HOUCUN)
    for address in ("/query-accounts", "/query-accounts/choice", "/query-accounts/confirmation"):
        assert (await visit(VILLAGE_ADMIN, "GET", address)).status_code == 404
    assert (await choose(visit, MEMBER)).status_code == 404


async def test_whoever_left_the_branch_is_not_offered(visit, at, owner):
    await village_open(at)
    await owner.execute("UPDATE member SET left_on = '2026-08-01' WHERE person_id = $1", (await ids_of(MEMBER))[0])
    assert MEMBER.name not in (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/choice")).text
    assert (await choose(visit, MEMBER)).status_code == 422


# The list -------------------------------------------------------------------------------------------------------------

async def test_a_township_reads_the_lists_of_its_villages_and_no_other(visit, at):
    await village_open(at)
    await choose(visit, MEMBER)
    assert "1 个" in (await visit(COMMITTEE, "GET", "/query-accounts")).text
    assert MEMBER.name in (await visit(COMMITTEE, "GET", f"/query-accounts?village={QIANCUN}")).text
    assert (await visit(SIDIAN, "GET", f"/query-accounts?village={QIANCUN}")).status_code == 404
    made = (await rows("SELECT id FROM reader"))[0]["id"]
    for person, status in ((COMMITTEE, 200), (VILLAGE_ADMIN, 200), (ORGANISER, 200), (SIDIAN, 404), (NEIGHBOUR, 404),
                           (COUNTY, 403), (MEMBER, 403), (VILLAGER, 403)):
        assert (await visit(person, "GET", f"/query-accounts/{made}")).status_code == status, person.name
    assert (await visit(VILLAGE_ADMIN, "GET", "/query-accounts/999")).status_code == 404


async def test_the_list_goes_on_and_is_searched_by_name(visit, at, owner):
    await village_open(at)
    actor, keeper = await actor_of(MEMBER), await actor_of(VILLAGE_ADMIN)
    for number in range(35):
        person = await owner.fetchval("""INSERT INTO person (name, sort_key) VALUES ($1, $2) RETURNING id""",
                                      f"甲{number:02}", f"{number:04}")
        account = await owner.fetchval("INSERT INTO account (person_id) VALUES ($1) RETURNING id", person)
        grant = await owner.fetchval("""INSERT INTO role_grant (account_id, role, organisation_id)
                                        VALUES ($1, '村民', $2) RETURNING id""", account, actor.organisation_id)
        await owner.execute("""INSERT INTO reader (village_code, organisation_path, person_id, grant_id, standing, how,
                                                   who) VALUES ($1, $2, $3, $4, '村（居）民', '名单', '施村')""",
                            QIANCUN, keeper.organisation_path, person, grant)
    first = (await visit(VILLAGE_ADMIN, "GET", "/query-accounts")).text
    assert ("甲29" in first, "甲30" in first) == (True, False)
    onwards = first.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await visit(VILLAGE_ADMIN, "GET", onwards)).text
    assert ("甲29" in second, "甲30" in second, "甲34" in second) == (False, True, True)
    found = (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/search", data={"name": "甲07"})).text
    assert ("甲07" in found, "甲08" in found) == (True, False)
    assert "没有找到" in (await visit(VILLAGE_ADMIN, "POST", "/query-accounts/search", data={"name": "乙"})).text
