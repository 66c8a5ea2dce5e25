"""The list of a branch's members: its order, its figures, and who sees whom."""
import pytest

from server.members.tables import Member, Person, full_member_count, member_count, members_of
from server.people.rules import sort_key
from tests.cast import (
    APPLICANT,
    COMMITTEE,
    IN_QIANCUN,
    MEMBER,
    NEIGHBOUR,
    OTHER_COUNTY,
    PROBATIONARY,
    SECRETARY,
    VILLAGER,
    XICUN,
    organisation_id,
)


async def test_the_committee_comes_first_by_rank_then_the_others_by_name(owner):
    qiancun = await organisation_id(owner, "前村支部")
    for name in ("陈𬶮", "阿依努尔·吐尔逊"):
        person = await owner.fetchval(
            "INSERT INTO person (name, sort_key) VALUES ($1, $2) RETURNING id", name, sort_key(name))
        await owner.execute(
            "INSERT INTO member (person_id, branch_id, standing, since) VALUES ($1, $2, '正式党员', '2020-01-01')",
            person, qiancun)
    assert [(one["name"], one["office"]) for one in await members_of(qiancun)] == [
        ("赵德山", "书记"), ("孙桂兰", "组织委员"), ("阿依努尔·吐尔逊", None), ("陈𬶮", None), ("李小虎", None),
        ("钱永军", None), ("王秀英", None)]


async def test_who_has_left_is_neither_listed_nor_counted(owner):
    qiancun = await organisation_id(owner, "前村支部")
    assert await member_count(qiancun) == len(IN_QIANCUN)
    assert await full_member_count(qiancun) == len(IN_QIANCUN) - 1
    await owner.execute("""UPDATE member SET left_on = '2026-01-01'
                           WHERE person_id = (SELECT id FROM person WHERE name = '王秀英')""")
    assert await member_count(qiancun) == len(IN_QIANCUN) - 1
    assert "王秀英" not in {one["name"] for one in await members_of(qiancun)}


async def test_somebody_with_two_seats_stands_in_the_list_once_under_the_higher(owner):
    qiancun = await organisation_id(owner, "前村支部")
    await owner.execute("""INSERT INTO seat (branch_id, person_id, office, rank, since)
                           SELECT $1, id, '纪检委员', 5, '2024-01-01' FROM person WHERE name = '孙桂兰'""", qiancun)
    assert [one["office"] for one in await members_of(qiancun) if one["name"] == "孙桂兰"] == ["组织委员"]


@pytest.mark.parametrize(("person", "seen", "unseen"), [
    (MEMBER, {"王秀英", "赵德山"}, {"李长河", "沈西"}),
    (PROBATIONARY, {"王秀英"}, {"李长河"}),
    (SECRETARY, {"王秀英"}, {"李长河", "沈西"}),
    (NEIGHBOUR, {"李长河", "吴凤英"}, {"王秀英"}),
    (COMMITTEE, {"王秀英", "李长河"}, {"沈西", "朱北"}),
    (OTHER_COUNTY, {"朱北"}, {"王秀英", "沈西"}),
    (XICUN, {"沈西"}, {"王秀英"}),
    (VILLAGER, set(), {"王秀英", "李长河"}),
    (APPLICANT, set(), {"王秀英"}),
])
async def test_members_are_seen_in_the_own_branch_or_subtree_and_by_nobody_else(owner, actor, person, seen, unseen):
    rows = await Member.select(Member.person_id.name).where(Member.visible_to(await actor(person)))
    names = {row["person_id.name"] for row in rows}
    assert seen <= names
    assert not unseen & names


async def test_one_person_is_a_member_of_one_branch_at_a_time(owner):
    with pytest.raises(Exception, match="member_once"):
        await owner.execute("""INSERT INTO member (person_id, branch_id, standing, since)
                               SELECT p.id, o.id, '正式党员', '2026-01-01' FROM person p, organisation o
                               WHERE p.name = '王秀英' AND o.name = '后村支部'""")


async def test_a_person_is_kept_with_the_key_the_lists_are_sorted_by(owner):
    found = await Person.select(Person.sort_key).where(Person.name == "王秀英").first()
    assert found == {"sort_key": sort_key("王秀英")}
