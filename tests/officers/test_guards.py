"""What the database refuses by itself, whatever the application asks of it: as the application's role."""
import asyncio
from datetime import timedelta

import asyncpg
import pytest

from server.core.clock import now
from server.officers.rules import APPOINTED, DUTY, ROLES_AT
from server.organisations.rules import OrganisationKind
from server.permissions import Role
from tests.cast import AUDITOR, CITY, COMMITTEE, COUNTY, MEMBER, PROBATIONARY, PROVINCE, SAFETY, SECRETARY, VILLAGER
from tests.databases import connected
from tests.officers.stories import account_of, place, roles, second_safety_officer

GRANT = "INSERT INTO role_grant (account_id, role, organisation_id, granted_by, until) VALUES ($1, $2, $3, $4, $5)"
END = "UPDATE role_grant SET until = ebranch_clock(), ended_by = $2 WHERE id = $1"
CLOSE = "UPDATE account SET closed_at = ebranch_clock(), switched_by = $2 WHERE id = $1"
NOT_IN_CHARGE, LAST, OVER, NO_SUCH = "EB011", "EB012", "EB013", "EB014"


async def refused(code: str, connection, sql: str, *values) -> None:
    with pytest.raises(asyncpg.PostgresError) as fault:
        await connection.execute(sql, *values)
    assert fault.value.sqlstate == code


async def grant_of(owner, person, role: str) -> int:
    return await owner.fetchval("SELECT id FROM role_grant WHERE account_id = $1 AND role = $2",
                                await account_of(person), role)


async def test_the_table_of_roles_is_the_one_in_python(owner):
    rows = await owner.fetch("SELECT role, kind FROM role_place WHERE comes_from = '安全员'")
    assert {(one["role"], one["kind"]) for one in rows} == {
        (str(role), str(kind)) for kind, its in ROLES_AT.items() for role in its}
    every = await owner.fetch("SELECT role FROM role_place")
    assert {one["role"] for one in every} == {str(role) for role in Role}
    duties = {role: await owner.fetchval("SELECT duty_of($1)", str(role)) for role in Role}
    assert {role: duty for role, duty in duties.items() if duty} == dict(DUTY)
    assert set(DUTY) < APPOINTED


async def test_each_organisation_is_in_the_care_of_the_next_department_above(owner):
    for below, above in (("city", "province"), ("county", "city"), ("other_county", "city"), ("committee", "county"),
                         ("qiancun", "county"), ("beimen", "other_county")):
        department = await owner.fetchval("SELECT department_id FROM organisation WHERE id = $1", await place(below))
        assert department == await place(above)


@pytest.mark.parametrize("granter", [COUNTY, AUDITOR, COMMITTEE, SECRETARY, None])
async def test_only_a_safety_officer_grants(as_app, granter):
    by = await account_of(granter) if granter else None
    await refused(NOT_IN_CHARGE, as_app, GRANT, await account_of(MEMBER), "书记", await place("houcun"), by, None)


@pytest.mark.parametrize(("role", "at"), [
    ("县级管理员", "other_county"), ("党委管理员", "zhoucheng"), ("书记", "beimen"), ("市级管理员", "city"),
    ("村民", "houcun")])  # whom the village itself gives it
async def test_and_only_within_the_departments_care(as_app, role, at):
    await refused(NOT_IN_CHARGE, as_app, GRANT, await account_of(MEMBER), role, await place(at),
                  await account_of(SAFETY), None)


@pytest.mark.parametrize(("role", "at"), [
    ("书记", "committee"), ("党委管理员", "houcun"), ("安全员", "committee"), ("村民", "committee"), ("皇帝", "houcun"),
    ("市级管理员", "county")])
async def test_and_only_roles_that_stand_there(as_app, role, at):
    await refused(NO_SUCH, as_app, GRANT, await account_of(MEMBER), role, await place(at), await account_of(SAFETY),
                  None)


async def test_membership_comes_from_the_register_alone(as_app):
    await refused(NOT_IN_CHARGE, as_app, GRANT, await account_of(VILLAGER), "正式党员", await place("qiancun"),
                  await account_of(SAFETY), None)
    await refused(NOT_IN_CHARGE, as_app, GRANT, await account_of(PROBATIONARY), "正式党员", await place("qiancun"),
                  None, None)
    await as_app.execute(GRANT, await account_of(SECRETARY), "正式党员", await place("qiancun"), None, None)


async def test_nobody_grants_to_oneself(as_app):
    me = await account_of(SAFETY)
    await refused("23514", as_app, GRANT, me, "党委管理员", await place("committee"), me, None)


async def test_a_closed_or_former_safety_officer_grants_nothing(owner, as_app):
    await second_safety_officer(owner)
    values = (await account_of(MEMBER), "书记", await place("houcun"), await account_of(SAFETY), None)
    await owner.execute("UPDATE account SET closed_at = now() WHERE id = $1", await account_of(SAFETY))
    await refused(NOT_IN_CHARGE, as_app, GRANT, *values)
    await owner.execute("UPDATE account SET closed_at = NULL")
    await owner.execute("UPDATE role_grant SET until = ebranch_now() WHERE role = '安全员'")
    await refused(NOT_IN_CHARGE, as_app, GRANT, *values)


@pytest.mark.parametrize(("person", "role", "at"), [
    (COUNTY, "安全员", "county"), (COUNTY, "审计员", "city"), (AUDITOR, "县级管理员", "other_county"),
    (CITY, "审计员", "county"), (SAFETY, "审计员", "other_county"), (PROVINCE, "安全员", "other_county")])
async def test_the_three_duties_exclude_one_another_even_for_the_owner(owner, person, role, at):
    with pytest.raises(asyncpg.ExclusionViolationError, match="role_grant_three_duties"):
        await owner.execute("INSERT INTO role_grant (account_id, role, organisation_id) VALUES ($1, $2, $3)",
                            await account_of(person), role, await place(at))


async def test_one_duty_may_follow_another_but_not_overlap_it(owner):
    me, at = await account_of(AUDITOR), await place("other_county")
    await owner.execute("UPDATE role_grant SET until = '2026-01-01' WHERE account_id = $1", me)
    add = "INSERT INTO role_grant (account_id, role, organisation_id, since) VALUES ($1, '县级管理员', $2, $3)"
    with pytest.raises(asyncpg.ExclusionViolationError):
        await owner.execute(add, me, at, now().replace(year=2025))
    await owner.execute(add, me, at, now())


async def test_two_exclusive_duties_granted_at_once_leave_one(owner, database):
    await second_safety_officer(owner)
    me = await account_of(MEMBER)

    async def give(role: str) -> None:
        async with connected("ebranch_app", database) as connection:
            await connection.execute(GRANT, me, role, await place("county"), await account_of(SAFETY), None)

    told = await asyncio.gather(*(give(role) for role in ("安全员", "审计员", "县级管理员")), return_exceptions=True)
    assert [type(one) for one in told if one].count(asyncpg.ExclusionViolationError) == 2
    assert len([one for one in await roles(me) if one[1] == "宁阳县委组织部"]) == 1


# Ending ---------------------------------------------------------------------------------------------------------------

async def test_who_is_not_in_charge_ends_nothing_and_what_ended_stays_ended(owner, as_app):
    grant = await grant_of(owner, COMMITTEE, "党委管理员")
    for person in (COUNTY, COMMITTEE, AUDITOR):
        await refused(NOT_IN_CHARGE, as_app, END, grant, await account_of(person))
    await refused(NOT_IN_CHARGE, as_app, END, grant, None)
    await as_app.execute(END, grant, await account_of(SAFETY))
    await refused(OVER, as_app, END, grant, await account_of(SAFETY))
    await refused(OVER, as_app, "UPDATE role_grant SET until = NULL WHERE id = $1", grant)


async def test_membership_ends_with_the_register_alone(owner, as_app):
    grant = await grant_of(owner, MEMBER, "正式党员")
    await refused(NOT_IN_CHARGE, as_app, END, grant, await account_of(SAFETY))
    await owner.execute("UPDATE member SET left_on = '2026-11-01'")
    assert await owner.fetchval("SELECT until IS NOT NULL FROM role_grant WHERE id = $1", grant), "by itself"


async def test_the_last_safety_officer_is_neither_ended_nor_closed_nor_only_for_a_time(owner, as_app):
    me, grant = await account_of(SAFETY), await grant_of(owner, SAFETY, "安全员")
    citys = await second_safety_officer(owner, "city", serial=76)
    await refused(LAST, as_app, END, grant, citys)
    await refused(LAST, as_app, CLOSE, me, citys)
    await refused(LAST, as_app, "UPDATE role_grant SET until = ebranch_now() + interval '1 day', ended_by = $2"
                  " WHERE id = $1", grant, citys)


async def test_neither_a_waiting_nor_a_closed_nor_a_temporary_one_takes_the_last_ones_place(owner, as_app):
    grant = await grant_of(owner, SAFETY, "安全员")
    citys = await second_safety_officer(owner, "city", serial=76)
    other = await second_safety_officer(owner, active=False)
    await refused(LAST, as_app, END, grant, citys)
    await owner.execute("UPDATE account SET password_hash = 'x', closed_at = now() WHERE id = $1", other)
    await refused(LAST, as_app, END, grant, citys)
    await owner.execute("UPDATE account SET closed_at = NULL WHERE id = $1", other)
    await owner.execute("UPDATE role_grant SET until = '2030-01-01' WHERE account_id = $1", other)
    await refused(LAST, as_app, END, grant, citys)
    await owner.execute("UPDATE role_grant SET until = NULL WHERE account_id = $1", other)
    await as_app.execute(END, grant, citys)


async def test_a_safety_officer_for_a_time_stands_beside_a_lasting_one(owner, as_app):
    citys = await second_safety_officer(owner, "city", serial=76)
    until = now() + timedelta(days=30)
    await as_app.execute(GRANT, await account_of(MEMBER), "安全员", await place("county"), citys, until)
    await refused(LAST, as_app, GRANT, await account_of(SECRETARY), "安全员", await place("other_county"), citys, until)


@pytest.mark.parametrize("leaving", [
    "UPDATE role_grant SET until = ebranch_clock(), ended_by = $2 WHERE account_id = $1 AND role = '安全员'", CLOSE])
async def test_the_last_two_cannot_leave_at_once(owner, database, leaving):
    citys = await second_safety_officer(owner, "city", serial=76)
    two = [await account_of(SAFETY), await second_safety_officer(owner)]

    async def leave(account: int) -> None:
        async with connected("ebranch_app", database) as connection, connection.transaction():
            await connection.execute(leaving, account, citys)
            await asyncio.sleep(0.2)

    told = await asyncio.gather(*map(leave, two), return_exceptions=True)
    assert sorted(getattr(one, "sqlstate", "left") for one in told) == [LAST, "left"]


async def test_the_two_may_not_remove_one_another_at_once(owner, database):
    """Each by the other: one of them goes, and the other stays."""
    two = [await account_of(SAFETY), await second_safety_officer(owner)]

    async def remove(account: int, by: int) -> None:
        async with connected("ebranch_app", database) as connection, connection.transaction():
            await connection.execute(CLOSE, account, by)
            await asyncio.sleep(0.2)

    told = await asyncio.gather(remove(*two), remove(*two[::-1]), return_exceptions=True)
    assert [one is None for one in told].count(True) == 1


# Accounts, codes, nominations -----------------------------------------------------------------------------------------

async def test_an_account_is_made_without_a_password_and_keeps_the_one_it_gets(owner, as_app):
    person = await owner.fetchval("INSERT INTO person (name, sort_key) VALUES ('某', 'a') RETURNING id")
    await refused("42501", as_app, "INSERT INTO account (person_id, password_hash) VALUES ($1, 'x')", person)
    await as_app.execute("INSERT INTO account (person_id) VALUES ($1)", person)
    await as_app.execute("UPDATE account SET password_hash = 'x' WHERE person_id = $1", person)
    await refused(OVER, as_app, "UPDATE account SET password_hash = NULL WHERE person_id = $1", person)


async def test_an_account_is_closed_and_opened_by_the_safety_officer_in_charge(owner, as_app):
    me = await account_of(COMMITTEE)
    for person in (COUNTY, COMMITTEE, SECRETARY):
        await refused(NOT_IN_CHARGE, as_app, CLOSE, me, await account_of(person))
    await as_app.execute(CLOSE, me, await account_of(SAFETY))
    reopen = "UPDATE account SET closed_at = NULL, switched_by = $2 WHERE id = $1"
    await refused(NOT_IN_CHARGE, as_app, reopen, me, await account_of(COUNTY))
    await as_app.execute(reopen, me, await account_of(SAFETY))


async def test_a_code_that_is_used_replaced_or_over_stays_so(owner, as_app):
    me, by = await account_of(COMMITTEE), await account_of(SAFETY)
    add = "INSERT INTO authorisation (account_id, code_hash, expires_at, issued_by) VALUES ($1, $2, $3, $4)"
    await refused(NOT_IN_CHARGE, as_app, add, me, bytes(32), now() + timedelta(days=7), by)  # it is activated
    await owner.execute("UPDATE account SET password_hash = NULL WHERE id = $1", me)
    await as_app.execute(add, me, bytes(32), now() + timedelta(seconds=1), by)
    await refused("23505", as_app, add, me, bytes(32), now() + timedelta(days=7), by)
    await asyncio.sleep(1)
    await refused(OVER, as_app, "UPDATE authorisation SET used_at = ebranch_now()")
    await as_app.execute("UPDATE authorisation SET replaced_at = ebranch_now()")
    await refused(OVER, as_app, "UPDATE authorisation SET replaced_at = NULL")


async def test_organisations_of_every_kind_have_a_place_in_the_table_or_no_officers(owner):
    assert set(OrganisationKind) - set(ROLES_AT) == {OrganisationKind.GENERAL_BRANCH, OrganisationKind.GROUP}
