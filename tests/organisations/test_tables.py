"""Who sees which organisation, and the small queries about the tree."""
import pytest

from server.organisations.tables import (
    Organisation,
    branches_under,
    committee_above,
    groups_of,
    has_committee,
    organisation,
)
from tests.cast import (
    CITY,
    COMMITTEE,
    COUNTY,
    MEMBER,
    OTHER_COUNTY,
    PROVINCE,
    SECRETARY,
    SIDIAN,
    VILLAGER,
    organisation_id,
)


@pytest.mark.parametrize(("person", "seen", "unseen"), [
    (MEMBER, {"前村支部"}, {"后村支部", "东疏镇党委"}),
    (SECRETARY, {"前村支部"}, {"后村支部", "东疏镇党委"}),
    (VILLAGER, {"前村支部"}, {"后村支部"}),
    (COMMITTEE, {"东疏镇党委", "前村支部", "后村支部"}, {"泗店镇党委", "西村支部", "宁阳县委组织部"}),
    (SIDIAN, {"泗店镇党委", "西村支部"}, {"东疏镇党委", "前村支部"}),
    (COUNTY, {"宁阳县委组织部", "东疏镇党委", "西村支部"}, {"泰安市委组织部", "东平县委组织部", "北门支部"}),
    (OTHER_COUNTY, {"东平县委组织部", "北门支部"}, {"宁阳县委组织部", "前村支部"}),
    (CITY, {"泰安市委组织部", "东平县委组织部", "前村支部"}, {"省委组织部"}),
    (PROVINCE, {"省委组织部", "北门支部"}, set()),
])
async def test_everybody_sees_the_own_organisation_and_what_is_below(owner, actor, person, seen, unseen):
    rows = await Organisation.select(Organisation.name).where(Organisation.visible_to(await actor(person)))
    names = {row["name"] for row in rows}
    assert seen <= names
    assert not unseen & names


async def test_a_path_that_begins_with_the_same_digits_is_not_below(owner, actor):
    committee = await actor(COMMITTEE)
    lookalike = committee.organisation_path.rstrip("/") + "9/"
    await owner.execute("ALTER TABLE organisation DISABLE TRIGGER USER")
    await owner.execute("""INSERT INTO organisation (parent_id, unit_code, kind, name, official_name, path)
                           VALUES (1, '37', '市委组织部', '相似', '相似', $1)""", lookalike)
    rows = await Organisation.select(Organisation.name).where(Organisation.visible_to(committee))
    assert "相似" not in {row["name"] for row in rows}


async def test_one_organisation_with_the_name_of_its_unit(owner):
    found = await organisation(await organisation_id(owner, "前村支部"))
    assert (found["name"], found["unit_name"], found["kind"]) == ("前村支部", "前村", "党支部")
    assert await organisation(10**12) is None


async def test_the_committee_a_branch_belongs_to(owner):
    assert (await committee_above(await organisation_id(owner, "前村支部")))["name"] == "东疏镇党委"
    assert (await committee_above(await organisation_id(owner, "东疏镇党委")))["name"] == "东疏镇党委"
    assert await committee_above(await organisation_id(owner, "宁阳县委组织部")) is None


async def test_the_branches_below_come_in_pages(owner, actor):
    path = (await actor(COMMITTEE)).organisation_path
    first = await branches_under(path, limit=1)
    rest = await branches_under(path, after=first[0]["id"])
    assert [one["name"] for one in [*first, *rest]] == ["前村支部", "后村支部"]


async def test_a_branch_closed_is_no_branch_below(owner, actor):
    path = (await actor(COMMITTEE)).organisation_path
    await owner.execute("UPDATE organisation SET closed_at = ebranch_now() WHERE name = '后村支部'")
    assert [one["name"] for one in await branches_under(path)] == ["前村支部"]


async def test_the_groups_of_a_branch(owner):
    branch = await organisation_id(owner, "前村支部")
    assert await groups_of(branch) == []
    for name in ("第一党小组", "第二党小组"):
        await owner.execute("""INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
                               VALUES ($1, '370921102201', '党小组', $2, $2)""", branch, name)
    assert [group["name"] for group in await groups_of(branch)] == ["第一党小组", "第二党小组"]


async def test_a_branch_has_a_committee_when_somebody_sits_beside_the_secretary(owner):
    assert await has_committee(await organisation_id(owner, "前村支部"))
    assert not await has_committee(await organisation_id(owner, "后村支部"))


async def test_the_application_can_read_the_units_and_not_write_them(as_app):
    assert await as_app.fetchval("SELECT count(*) FROM unit") > 0
    for change in ("INSERT INTO unit VALUES ('1', NULL, 'province', '甲', '甲', '1/')", "UPDATE unit SET name = '乙'",
                   "DELETE FROM unit"):
        with pytest.raises(Exception, match="permission denied"):
            await as_app.execute(change)
