"""What a safety officer may do with officers' accounts, and where the actions say no."""
import asyncio
from dataclasses import replace

import pytest
from litestar.exceptions import NotFoundException

from server.accounts.authorisations import CodeState, authorisation_state, issue, use
from server.accounts.tables import actor_under
from server.core.database import rows, transaction
from server.core.forms import Refused
from server.core.moves import WrongState
from server.officers import actions
from server.permissions import Role
from tests.cast import (
    AUDITOR,
    BRANCH_ADMIN,
    COMMITTEE,
    COUNTY,
    MEMBER,
    OTHER_COUNTY,
    PROVINCE,
    SAFETY,
    SECRETARY,
    VILLAGER,
)
from tests.meetings.stories import evidence, one
from tests.officers.stories import (
    account_of,
    activate,
    known,
    messages,
    opened,
    place,
    roles,
    second_safety_officer,
    somebody,
)
from tests.visits import actor_of, session_token

IN_CARE = [(Role.COUNTY_ADMIN, "county"), (Role.AUDITOR, "county"), (Role.COMMITTEE_ADMIN, "committee"),
           (Role.COMMITTEE_ORGANISER, "sidian"), (Role.SECRETARY, "xicun"), (Role.VILLAGE_ADMIN, "houcun")]
NOT_IN_CARE = [(Role.CITY_ADMIN, "city"), (Role.PROVINCE_ADMIN, "province"), (Role.COUNTY_ADMIN, "other_county"),
               (Role.COMMITTEE_ADMIN, "zhoucheng"), (Role.SECRETARY, "beimen")]


async def code_sent_to(phone: str) -> str:
    return (await messages(phone))[-1].partition("授权码 ")[2][:8]


# Opening --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("role", "at"), IN_CARE)
async def test_the_safety_officer_opens_accounts_for_all_that_is_in_the_departments_care(database, role, at):
    officer = await somebody(role=role, at=at)
    account = (await opened(officer)).account_id
    assert await roles(account) == [(role, (await name_of(at)))]
    assert await evidence("grant_role") == 1
    assert await one("SELECT password_hash IS NULL AS waits FROM account WHERE id = $1", account)


async def name_of(at: str) -> str:
    return await one("SELECT name FROM organisation WHERE id = $1", await place(at))


@pytest.mark.parametrize(("role", "at"), NOT_IN_CARE)
async def test_what_is_not_in_the_departments_care_is_not_there(database, role, at):
    officer = await somebody(role=role, at=at)
    with pytest.raises(NotFoundException):
        await opened(officer)
    assert await rows("SELECT FROM person WHERE name = $1", officer.name) == []


async def test_a_citys_safety_officer_opens_a_countys_three_officers_and_nothing_below(owner, at):
    await owner.execute("UPDATE role_grant SET organisation_id = $1 WHERE role = '安全员'", await place("city"))
    for number, role in enumerate((Role.COUNTY_ADMIN, Role.SAFETY_OFFICER, Role.AUDITOR)):
        assert await roles((await opened(await somebody(number, role, "other_county"))).account_id)
    for role, below in ((Role.COMMITTEE_ADMIN, "zhoucheng"), (Role.SECRETARY, "beimen")):
        with pytest.raises(NotFoundException):
            await opened(await somebody(9, role, below))


@pytest.mark.parametrize(("role", "at"), [(Role.SECRETARY, "committee"), (Role.AUDITOR, "committee"),
                                          (Role.COMMITTEE_ADMIN, "houcun"), (Role.MEMBER, "houcun"),
                                          (Role.CITY_ADMIN, "county")])
async def test_a_role_stands_only_where_it_belongs(database, role, at):
    with pytest.raises(actions.Refused, match="没有") as refused:
        await opened(await somebody(role=role, at=at))
    assert refused.value.field == "role"


async def test_the_code_comes_by_sms_is_easy_to_type_and_good_for_a_week(owner, at):
    await at("2026-11-23 10:00")
    officer = await somebody()
    account = (await opened(officer)).account_id
    words, = await messages(officer.phone)
    code = await code_sent_to(officer.phone)
    assert len(code) == 8
    assert not set(code) & set("01OI")
    assert "后村支部e支部管理员" in words
    assert "11月30日24时前" in words
    assert await authorisation_state(account, f" {code[:4].lower()}-{code[4:]} ") is CodeState.OK
    await at("2026-11-30 23:59:59")
    assert await authorisation_state(account, code) is CodeState.OK
    await at("2026-12-01 00:00")
    assert await authorisation_state(account, code) is CodeState.EXPIRED
    async with transaction():
        assert not await use(account, code)


async def test_a_code_is_used_once_and_is_nobody_elses(database):
    officer, other = await somebody(1), await somebody(2)
    account, another = (await opened(officer)).account_id, (await opened(other)).account_id
    code = await code_sent_to(officer.phone)
    assert await authorisation_state(another, code) is CodeState.WRONG
    assert await authorisation_state(account, "AAAAAAAA") is CodeState.WRONG
    async with transaction():
        assert await use(account, code)
        assert not await use(account, code)
    assert await authorisation_state(account, code) is CodeState.USED


async def test_only_the_hmac_of_a_code_is_kept(owner):
    officer = await somebody()
    await opened(officer)
    code = await code_sent_to(officer.phone)
    assert code not in str(await owner.fetch("SELECT * FROM authorisation"))


async def test_who_is_known_gets_the_role_at_once_and_is_told(database):
    await opened(await known(SECRETARY, Role.SECRETARY, "xicun"))
    assert ("书记", "西村支部") in await roles(await account_of(SECRETARY))
    assert await rows("SELECT FROM authorisation") == []
    assert "您新增了身份：西村支部 书记" in (await messages(SECRETARY.phone))[0]


async def test_a_second_role_before_activation_keeps_the_first_code(database):
    officer = await somebody()
    account = (await opened(officer)).account_id
    code = await code_sent_to(officer.phone)
    await opened(await somebody(at="xicun"))
    assert "仍用此前收到的授权码" in (await messages(officer.phone))[1]
    assert await authorisation_state(account, code) is CodeState.OK


async def test_an_officer_who_stands_in_the_register_is_a_member_in_the_account_too(owner):
    person = await owner.fetchval("SELECT id FROM person WHERE name = $1", MEMBER.name)
    await owner.execute("DELETE FROM session")
    await owner.execute("DELETE FROM role_grant WHERE account_id = $1", await account_of(MEMBER))
    await owner.execute("DELETE FROM account WHERE person_id = $1", person)
    account = (await opened(await known(MEMBER, Role.AUDITOR, "county"))).account_id
    assert await roles(account) == [("审计员", "宁阳县委组织部"), ("正式党员", "前村支部")]


async def test_opened_twice_or_at_once_is_opened_once(database):
    officer = await somebody()
    answers = await asyncio.gather(*(opened(officer) for _ in range(5)))
    assert len({one.account_id for one in answers}) == 1
    assert [one.known for one in answers].count(False) == 1
    assert await evidence("grant_role") == len(await messages(officer.phone)) == 1


async def test_a_number_that_is_somebody_elses_is_told_and_nothing_is_left(database):
    with pytest.raises(actions.Refused, match="另一个姓名") as refused:
        await opened(await somebody(name="冒名", id_number=MEMBER.id_number))
    assert refused.value.field == "name"
    assert await evidence("grant_role") == 0


async def test_the_phone_of_an_account_in_use_is_not_changed_in_passing(database):
    with pytest.raises(actions.Refused, match=r"137\*\*\*\*0007") as refused:
        await opened(await somebody(name=SECRETARY.name, id_number=SECRETARY.id_number, at="xicun"))
    assert refused.value.field == "phone"


async def test_the_phone_of_an_account_that_waits_becomes_the_new_one(database):
    officer = await somebody()
    await opened(officer)
    await opened(await somebody(at="xicun", phone="13912345678"))
    assert len(await messages("13912345678")) == 1
    assert await evidence("change_phone") == 1


async def test_nobody_grants_to_oneself(database):
    with pytest.raises(actions.Refused, match="不能给自己"):
        await opened(await known(SAFETY, Role.SECRETARY, "houcun"))
    with pytest.raises(actions.Refused, match="不能给自己"):
        await actions.add_role(await actor_of(SAFETY), await account_of(SAFETY), Role.COMMITTEE_ADMIN,
                               await place("committee"), "兼任")


@pytest.mark.parametrize(("person", "role"), [
    (COUNTY, Role.AUDITOR), (COUNTY, Role.SAFETY_OFFICER), (AUDITOR, Role.COUNTY_ADMIN),
    (AUDITOR, Role.SAFETY_OFFICER), (OTHER_COUNTY, Role.AUDITOR), (PROVINCE, Role.SAFETY_OFFICER)])
async def test_the_three_duties_exclude_one_another_whatever_the_organisation(database, person, role):
    with pytest.raises(actions.Refused, match="三个人分别担任"):
        await opened(await known(person, role, "county"))


async def test_the_three_duties_hinder_nobody_below_and_not_the_same_duty(database):
    await opened(await known(AUDITOR, Role.COMMITTEE_ADMIN, "committee"))
    await opened(await known(OTHER_COUNTY, Role.COUNTY_ADMIN, "county"))


# Codes ----------------------------------------------------------------------------------------------------------------

async def test_a_new_code_kills_the_old_one(database):
    officer = await somebody()
    account = (await opened(officer)).account_id
    old = await code_sent_to(officer.phone)
    newest = await one("SELECT max(id) FROM authorisation")
    for _ in range(2):  # the second tap of an impatient thumb
        await actions.issue_code(await actor_of(SAFETY), account, newest)
    assert len(await messages(officer.phone)) == 2
    assert await authorisation_state(account, old) is CodeState.REPLACED
    assert await authorisation_state(account, await code_sent_to(officer.phone)) is CodeState.OK
    assert await evidence("issue_code") == 1


async def test_an_activated_account_gets_no_code(database):
    account = (await opened(await somebody())).account_id
    await activate(account)
    with pytest.raises(WrongState):
        await actions.issue_code(await actor_of(SAFETY), account, await one("SELECT max(id) FROM authorisation"))


async def test_two_safety_officers_may_work_on_each_others_account_at_once(database, owner):
    theirs, mine = await second_safety_officer(owner), await account_of(SAFETY)
    one_of_them, other = await actor_of(SAFETY), await actor_under(
        await one("SELECT id FROM role_grant WHERE account_id = $1", theirs), "test")
    for key in ("houcun", "qiancun"):
        where = await place(key)
        await asyncio.gather(actions.add_role(one_of_them, theirs, Role.ORGANISER, where, "换届"),
                             actions.add_role(other, mine, Role.ORGANISER, where, "换届"))
    for account in (theirs, mine):
        assert {("组织委员", "后村支部"), ("组织委员", "前村支部")} <= set(await roles(account))


# Ending, closing, opening again ---------------------------------------------------------------------------------------

async def grant_of(account: int, role: str) -> int:
    return await one("SELECT id FROM role_grant WHERE account_id = $1 AND role = $2", account, role)


async def test_a_role_is_ended_with_a_reason_and_only_once(database):
    account = await account_of(SECRETARY)
    grant = await grant_of(account, "书记")
    for _ in range(2):
        await actions.end_role(await actor_of(SAFETY), account, grant, "届满离任")
    assert await roles(account) == [("正式党员", "前村支部")], "a member stays one, and can sign in"
    assert await one("SELECT end_why FROM role_grant WHERE id = $1", grant) == "届满离任"
    assert await evidence("end_role") == 1


async def test_a_role_beyond_the_departments_care_is_not_there_to_be_ended(database):
    for person in (OTHER_COUNTY, PROVINCE):
        account = await account_of(person)
        with pytest.raises(NotFoundException):
            await actions.end_role(await actor_of(SAFETY), account, await grant_of(account, str(person.role)), "不该")


async def test_with_the_last_role_the_code_goes(database):
    officer = await somebody()
    account = (await opened(officer)).account_id
    await actions.end_role(await actor_of(SAFETY), account, await grant_of(account, "e支部管理员"), "报错了人")
    assert await authorisation_state(account, await code_sent_to(officer.phone)) is CodeState.REPLACED


async def test_closing_ends_all_sessions_at_once_and_opening_again_restores_the_roles(database):
    account = await account_of(COMMITTEE)
    await session_token(COMMITTEE)
    await session_token(COMMITTEE)
    for _ in range(2):
        await actions.close_account(await actor_of(SAFETY), account, "手机丢失")
    assert await one("SELECT count(*) FROM session WHERE account_id = $1 AND revoked_at IS NULL", account) == 0
    with pytest.raises(actions.Refused, match="已停用"):
        await opened(await known(COMMITTEE, Role.COMMITTEE_ORGANISER, "sidian"))
    for _ in range(2):
        await actions.reopen(await actor_of(SAFETY), account, "补了卡")
    assert await roles(account) == [("党委管理员", "东疏镇党委")]
    assert await evidence("close_account") == await evidence("reopen_account") == 1


async def test_nobody_closes_the_own_account_or_one_beyond_the_departments_care(database):
    with pytest.raises(WrongState):
        await actions.close_account(await actor_of(SAFETY), await account_of(SAFETY), "不干了")
    for person in (OTHER_COUNTY, PROVINCE):
        with pytest.raises(NotFoundException):
            await actions.close_account(await actor_of(SAFETY), await account_of(person), "不该")


async def test_who_serves_higher_up_is_not_closed_from_below(owner):
    """An officer in one of the county's villages who is one of the province, or of another county."""
    for person in (PROVINCE, OTHER_COUNTY):
        account = await account_of(person)
        await owner.execute("INSERT INTO role_grant (account_id, role, organisation_id) VALUES ($1, '书记', $2)",
                            account, await place("houcun"))
        with pytest.raises(actions.WrongState, match="别的部门还有职务"):
            await actions.close_account(await actor_of(SAFETY), account, "不该")
        with pytest.raises(Exception, match="safety officer in charge"):
            await rows("UPDATE account SET closed_at = now(), switched_by = $2, switch_why = '不该' WHERE id = $1",
                       account, await account_of(SAFETY))


# Another phone --------------------------------------------------------------------------------------------------------

async def test_somebody_elses_officer_or_member_gets_no_other_phone_by_a_further_role(owner):
    """Whoever has the phone has the account: it is changed by those in charge alone."""
    elsewhere = await somebody(1, at="other_county", role=Role.COUNTY_ADMIN)
    await actions.open_account(replace(await actor_of(SAFETY), organisation_id=await place("other_county"),
                                       account_id=await second_safety_officer(owner, "other_county")), elsewhere)
    with pytest.raises(Refused, match="在别处已有登记"):
        await opened(replace(elsewhere, role=Role.BRANCH_ADMIN, organisation_id=await place("houcun"),
                             phone="13800009999"))
    own = await somebody(2)
    await opened(own)
    await opened(replace(own, role=Role.SECRETARY, phone="13800009998"))
    assert len(await messages("13800009998")) == 1


async def test_the_safety_officer_changes_an_officers_phone_and_all_sessions_end(visit):
    account = await account_of(BRANCH_ADMIN)
    form = {"phone": "13800009997", "again": "13800009997", "why": "换了号码，当面核对了身份证"}
    for sent, words in (({"again": "13800009996"}, "两次填的不一样"), ({"why": ""}, "请填写事由"),
                        ({"phone": BRANCH_ADMIN.phone, "again": BRANCH_ADMIN.phone}, "已经是这个手机号码")):
        answer = await visit(SAFETY, "POST", f"/accounts/{account}/phone", data=form | sent)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert (await visit(BRANCH_ADMIN, "GET", "/me")).status_code == 200
    assert (await visit(SAFETY, "POST", f"/accounts/{account}/phone", data=form)).status_code == 303
    assert (await visit(BRANCH_ADMIN, "GET", "/me")).status_code == 303
    assert await one("SELECT count(*) FROM audit_event WHERE verb = 'change_phone'") == 1
    assert f"已由{SAFETY.name} · 安全员更改" in (await messages(BRANCH_ADMIN.phone))[-1]
    own = await visit(SAFETY, "POST", f"/accounts/{await account_of(SAFETY)}/phone", data=form)
    assert "自己的手机号码由上级" in own.text


async def test_a_members_lost_phone_can_be_closed(database):
    await actions.close_account(await actor_of(SAFETY), await account_of(VILLAGER), "手机丢失")
    await actions.close_account(await actor_of(SAFETY), await account_of(MEMBER), "手机丢失")


# The last safety officer ----------------------------------------------------------------------------------------------

async def test_the_last_safety_officer_stays_until_the_next_one_is_active(owner):
    other = await second_safety_officer(owner, active=False)
    grant = await grant_of(await account_of(SAFETY), "安全员")
    with pytest.raises(Exception, match="the last safety officer stays"):
        await actions.end_role(await actor_of(SAFETY), await account_of(SAFETY), grant, "调离")
    await activate(other)
    await actions.end_role(await actor_of(SAFETY), await account_of(SAFETY), grant, "调离")
    assert await roles(await account_of(SAFETY)) == []


async def test_a_code_for_somebody_not_in_charge_is_refused_by_the_database_too(owner):
    account = (await opened(await somebody())).account_id
    with pytest.raises(Exception, match="safety officer in charge"):
        async with transaction():
            await issue(account, await account_of(COMMITTEE))
