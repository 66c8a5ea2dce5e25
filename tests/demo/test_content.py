"""What the demonstration holds: real places, everybody of the list, a lawful year, and every state of a meeting."""
from itertools import pairwise

import asyncpg
import pytest

from server.accounts.actions import check_password
from server.accounts.activation import Claim
from server.core.clock import now
from server.demo.people import CAST, NEWCOMER, PASSWORD, PEOPLE
from server.meetings.rules import Stage
from server.meetings.tables import times
from server.members.registration import in_register
from server.members.tables import members_of
from server.organisations.rules import OrganisationKind, may_stand_under, owes_committee
from server.organisations.tables import branches_under, has_committee
from server.permissions import Role
from tests.cast import Person


async def branch(owner, name: str) -> asyncpg.Record:
    return await owner.fetchrow("SELECT * FROM organisation WHERE name = $1", name)


async def test_who_is_named_as_not_registered_stands_in_the_register_and_has_no_account(demonstration):
    name, id_number, phone = NEWCOMER
    found = await in_register(Claim(phone=phone, name=name, id_number=id_number))
    assert (found["same_phone"], found["account_id"]) == (True, None)


async def test_every_village_of_dongshu_has_its_branch_and_1087_members_in_all(demonstration):
    committee = await branch(demonstration, "东疏镇党委")
    found = await branches_under(committee["path"], limit=100)
    assert len(found) == 49
    assert (found[0]["name"], found[1]["name"]) == ("前村支部", "后村支部")
    assert found[0]["official_name"] == "中共宁阳县东疏镇前村支部委员会"
    members = await demonstration.fetch("""
        SELECT branch_id, count(*), count(*) FILTER (WHERE standing = '预备党员') AS probationary FROM member
        GROUP BY branch_id""")
    size = {row["branch_id"]: row for row in members}
    assert sum(size[one["id"]]["count"] for one in found) == 1087
    assert size[found[0]["id"]]["count"] == 23
    assert {row["probationary"] for row in members} == {2}


async def test_every_organisation_stands_where_it_may_and_every_branch_has_its_committee(demonstration):
    for row in await demonstration.fetch("""
            SELECT o.kind, p.kind AS above FROM organisation o LEFT JOIN organisation p ON p.id = o.parent_id"""):
        assert may_stand_under(OrganisationKind(row["kind"]), row["above"] and OrganisationKind(row["above"]))
    for row in await demonstration.fetch("""
            SELECT branch_id, count(*) FROM member WHERE standing = '正式党员' GROUP BY branch_id"""):
        assert await has_committee(row["branch_id"]) == owes_committee(row["count"])


async def test_everybody_of_the_list_signs_in_with_the_roles_it_names(demonstration):
    assert [phone for phone, _ in PEOPLE] == [f"137000000{number:02}" for number in range(1, 20)]
    for someone in CAST:
        account = await check_password(someone.phone, PASSWORD)
        held = await demonstration.fetch("""
            SELECT g.role, o.name FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
            WHERE g.account_id = $1""", account)
        assert {(Role(row["role"]), row["name"]) for row in held} == set(someone.roles)


async def test_every_member_of_qiancun_and_houcun_can_sign_in(demonstration):
    for name in ("前村支部", "后村支部"):
        people = [one["person_id"] for one in await members_of((await branch(demonstration, name))["id"])]
        assert len(people) >= 20
        assert await demonstration.fetchval(
            "SELECT count(*) FROM account WHERE person_id = ANY($1)", people) == len(people)


async def test_the_list_of_members_begins_with_the_committee_and_goes_on_by_name(demonstration):
    members = await members_of((await branch(demonstration, "前村支部"))["id"])
    assert [(one["name"], one["office"]) for one in members[:3]] == [
        ("赵德山", "书记"), ("孙桂兰", "组织委员"), ("钱永军", "宣传委员")]
    names = [one["name"] for one in members]
    assert names[3:5] == ["阿依努尔·吐尔逊", "陈𬶮"]
    assert names.index("王秀英") < names.index("张建国")


async def test_a_year_of_meetings_three_quarters_and_more_attended(demonstration):
    assert await demonstration.fetchval("SELECT count(*) FROM meeting") > 1500
    present = await demonstration.fetch("""
        SELECT count(*) FILTER (WHERE mark = '参加')::float / count(*) AS share
        FROM attendance a JOIN meeting m ON m.id = a.meeting_id WHERE m.recorded_at IS NOT NULL GROUP BY m.id""")
    assert min(one["share"] for one in present) >= 0.75
    months = await demonstration.fetch("""
        SELECT DISTINCT date_trunc('month', begins_at AT TIME ZONE 'Asia/Shanghai')::date AS month FROM meeting
        WHERE '主题党日' = ANY(kinds) ORDER BY 1""")
    assert len(months) == 12
    assert all((later["month"] - earlier["month"]).days < 32 for earlier, later in pairwise(months))


async def test_every_lock_is_the_one_the_database_computes_and_every_clock_agrees(demonstration):
    assert await demonstration.fetchval("SELECT count(*) FROM meeting WHERE lock_at <> log_lock_moment(ends_at)") == 0
    assert await demonstration.fetchval("""
        SELECT count(*) FROM meeting m LEFT JOIN deadline d ON d.subject_kind = 'meeting' AND d.subject_id = m.id
            AND d.due_at = m.lock_at AND (d.state = 'met') = (m.recorded_at IS NOT NULL)
        WHERE d.id IS NULL""") == 0
    assert await demonstration.fetchval(
        "SELECT count(*) FROM meeting WHERE recorded_at >= lock_at OR recorded_at < begins_at") == 0


async def test_what_is_locked_is_locked_again_after_the_loading(demonstration, as_app):
    locked = await demonstration.fetchval("SELECT id FROM meeting WHERE lock_at < ebranch_now() LIMIT 1")
    for change in ("UPDATE meeting_log SET minutes = '' WHERE meeting_id = $1",
                   "UPDATE attendance SET mark = '参加' WHERE meeting_id = $1",
                   "UPDATE meeting SET topic = '改' WHERE id = $1"):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await as_app.execute(change, locked)
        assert refusal.value.sqlstate == "EB001"


async def test_qiancun_shows_a_meeting_in_every_state(demonstration):
    qiancun = await branch(demonstration, "前村支部")
    found = await demonstration.fetch("""
        SELECT m.*, EXISTS (SELECT FROM version WHERE subject_id = m.id) AS amended,
               EXISTS (SELECT FROM log_check WHERE meeting_id = m.id) AS checked
        FROM meeting m WHERE branch_id = $1 ORDER BY begins_at DESC""", qiancun["id"])
    told = [(times(one).stage(now()), one["kinds"][0], one["checked"]) for one in found[:4]]
    assert told == [(Stage.PLANNED, "主题党日", False), (Stage.RECORDED, "支部委员会会议", False),
                    (Stage.RECORDED, "支部党员大会", True), (Stage.TO_RECORD, "党小组会", False)]
    assert any(one["amended"] for one in found)
    replies = await demonstration.fetchval(
        "SELECT count(*) FROM attendance WHERE meeting_id = $1 AND reply IS NOT NULL", found[0]["id"])
    assert replies == 17


async def test_houcun_waits_for_its_committee_and_three_villages_have_lapsed(demonstration):
    assert await demonstration.fetchval("""
        SELECT o.name FROM amendment a JOIN meeting m ON m.id = a.meeting_id JOIN organisation o ON o.id = m.branch_id
        WHERE a.state = '待处理'""") == "后村支部"
    committee = await branch(demonstration, "东疏镇党委")
    assert await demonstration.fetchval(
        "SELECT count(*) FROM deadline WHERE rule = 'log_lock' AND state = 'open' AND escalated_to = $1",
        committee["path"]) == 4


async def test_its_pages_open(demonstration, visit):
    thread = await demonstration.fetchval("""
        SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id
        WHERE o.name = '前村支部' AND t.kind = 'meetings'""")
    in_branch = ("/threads", "/meetings", f"/threads/{thread}", "/me")
    over = ("/threads", "/meetings", "/to-dos", "/me")
    for phone, role, pages in (
        ("13700000010", Role.MEMBER, in_branch), ("13700000007", Role.SECRETARY, (*in_branch, "/to-dos")),
        ("13700000006", Role.COMMITTEE_ADMIN, over), ("13700000003", Role.COUNTY_ADMIN, over),
        ("13700000012", Role.VILLAGER, ("/threads", "/me")),
    ):
        for page in pages:
            assert (await visit(Person(phone, "", role, ""), "GET", page)).status_code == 200, (role, page)
