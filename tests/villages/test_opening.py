"""A village of the directory is opened by its township (M3§4, §6)."""
import asyncio

import pytest
from litestar.exceptions import NotFoundException

from server.core import effects
from server.core.database import rows
from server.core.moves import WrongState
from server.villages import actions
from server.villages.tables import branches_in, village
from tests.cast import (
    COMMITTEE,
    COMMITTEE_ORGANISER,
    COUNTY,
    SECRETARY,
    SIDIAN,
    VILLAGE_ADMIN,
    VILLAGER,
    ZHOUCHENG,
)
from tests.databases import fingerprint
from tests.disclosure.stories import HOUCUN, OPENED, QIANCUN, XICUN_CODE, catalogue, clock_of, duty, opened, owed
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

OF_VILLAGERS = ["village_party", "village_affairs", "village_finance", "village_convenience"]


async def press(visit, person=COMMITTEE, code=QIANCUN, **form):
    branch = (await branches_in(QIANCUN))[0]["id"]
    return await visit(person, "POST", f"/villages/{code}/opening", data={"branch": branch} | form)


async def test_a_village_is_opened_and_owes_from_that_day(visit, at):
    await at(OPENED)
    await catalogue()
    answer = await press(visit)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/villages/{QIANCUN}")
    its = await village(QIANCUN)
    assert its is not None
    assert (its["state"], its["organisation"], its["community"]) == ("已开通", "前村支部", False)
    assert await owed("财务收支逐笔明细") == []  # the worker makes them
    await effects.sweep()
    assert await owed("财务收支逐笔明细") == [("2026-09", "应公开")]
    assert (await clock_of(await duty("财务收支逐笔明细", "2026-09")))["due_at"] == await at("2026-10-11 00:00")
    assert await evidence("open_village") == 1
    assert "已开通" in (await visit(COMMITTEE, "GET", f"/villages/{QIANCUN}")).text


async def test_its_threads_are_there_from_the_first_moment(visit, at):
    await at(OPENED)
    assert "财务公开" not in (await visit(VILLAGER, "GET", "/threads")).text
    await opened()
    found = await rows("""SELECT t.kind FROM thread t JOIN organisation o ON o.id = t.organisation_id
                          WHERE o.name = '前村支部' AND t.kind <> ALL('{meetings,forum}') ORDER BY t.id""")
    assert {one["kind"] for one in found} == {"disclosures", "party_affairs", *OF_VILLAGERS}
    assert "财务公开" in (await visit(VILLAGER, "GET", "/threads")).text


@pytest.mark.parametrize(("person", "status"), [
    (COMMITTEE_ORGANISER, 403), (COUNTY, 403), (SECRETARY, 403), (VILLAGE_ADMIN, 403), (VILLAGER, 403),
    (SIDIAN, 404), (ZHOUCHENG, 404), (None, 401)])
async def test_only_its_own_township_opens_it(visit, at, owner, person, status):
    await at(OPENED)
    before = await fingerprint(owner)
    assert (await press(visit, person)).status_code == status
    assert await fingerprint(owner) == before


async def test_opened_twice_it_is_opened_once(visit, at):
    await at(OPENED)
    await press(visit)
    again = await press(visit)
    assert again.status_code == 409
    assert "这个村已经开通了" in again.text
    assert await evidence("open_village") == 1


async def test_two_at_once_open_one_village(at):
    await at(OPENED)
    actor = await actor_of(COMMITTEE)
    told = await asyncio.gather(*(actions.open_village(actor, QIANCUN, None) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["NoneType"] + ["WrongState"] * 3
    assert await evidence("open_village") == 1


async def test_a_village_without_a_branch_cannot_be_opened(visit, at, owner):
    await at(OPENED)
    await owner.execute("UPDATE organisation SET closed_at = ebranch_now() WHERE name = '后村支部'")
    answer = await visit(COMMITTEE, "POST", f"/villages/{HOUCUN}/opening", data={"branch": 0})
    assert answer.status_code == 404
    assert "还没有党支部，不能开通" in (await visit(COMMITTEE, "GET", "/villages")).text
    assert await one("SELECT count(*) FROM village") == 0


@pytest.mark.parametrize("branch", ["houcun", "xicun"])
async def test_another_villages_branch_does_not_answer_for_it(visit, at, owner, branch):
    await at(OPENED)
    wrong = (await branches_in({"houcun": HOUCUN, "xicun": XICUN_CODE}[branch]))[0]["id"]
    assert (await press(visit, branch=wrong)).status_code == 404
    assert await one("SELECT count(*) FROM village") == 0


@pytest.mark.parametrize("form", [{"branch": ""}, {"branch": "前村"}, {"branch": -1}, {"extra": "1"}])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form):
    await at(OPENED)
    before = await fingerprint(owner)
    assert (await press(visit, **form)).status_code == 422
    assert await fingerprint(owner) == before


async def test_no_township_or_unknown_unit_is_a_village(visit, at):
    await at(OPENED)
    for code in ("370921102", "370921", "370921102999", "x"):
        assert (await press(visit, code=code)).status_code == 404, code


async def test_a_community_is_opened_with_its_own_words(visit, at, owner):
    await at(OPENED)
    await owner.execute("UPDATE unit SET official_name = '花园社区居委会' WHERE code = $1", QIANCUN)
    await opened()
    its = await village(QIANCUN)
    assert its is not None
    assert its["community"]
    for person in (VILLAGER, VILLAGE_ADMIN):
        text = (await visit(person, "GET", "/disclosures")).text
        assert "居务" in text
        assert "村务公开" not in text


async def test_with_two_branches_the_chosen_one_answers(visit, at, owner):
    await at(OPENED)
    second = await owner.fetchval("""
        INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
        SELECT parent_id, unit_code, kind, '前村第二支部', '前村第二支部' FROM organisation WHERE name = '前村支部'
        RETURNING id""")
    await press(visit, branch=second)
    its = await village(QIANCUN)
    assert its is not None
    assert its["organisation"] == "前村第二支部"


async def test_reopened_after_an_exemption_the_branch_now_chosen_answers(visit, at, owner):
    """The village was exempt under its first branch; what is chosen when it is opened is what counts."""
    await at(OPENED)
    first = (await branches_in(QIANCUN))[0]["id"]
    await owner.execute("""INSERT INTO village (code, path, community, state, organisation_id, organisation_path)
                           VALUES ($1, '', false, '暂不开通', $2, '')""", QIANCUN, first)
    second = await owner.fetchval("""
        INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
        SELECT parent_id, unit_code, kind, '前村第二支部', '前村第二支部' FROM organisation WHERE id = $1
        RETURNING id""", first)
    await press(visit, branch=second)
    its = await village(QIANCUN)
    assert its is not None
    assert its["organisation"] == "前村第二支部"


async def test_called_directly_it_stays_within_the_subtree(at):
    await at(OPENED)
    with pytest.raises(NotFoundException):
        await actions.open_village(await actor_of(SIDIAN), QIANCUN, None)
    await opened()
    with pytest.raises(WrongState):
        await actions.open_village(await actor_of(COMMITTEE), QIANCUN, None)


# The directory --------------------------------------------------------------------------------------------------------

async def test_the_directory_counts_level_by_level(visit, at):
    await at(OPENED)
    await opened()
    assert "已开通" in (await visit(COMMITTEE, "GET", "/villages")).text
    for person, address in ((COUNTY, "/villages"), (COUNTY, "/villages/370921102"),
                            (COMMITTEE, f"/villages/{QIANCUN}")):
        answer = await visit(person, "GET", address)
        assert answer.status_code == 200, address
    assert (await visit(COUNTY, "GET", "/villages/370923")).status_code == 404
    assert (await visit(SIDIAN, "GET", f"/villages/{QIANCUN}")).status_code == 404
    for person in (VILLAGER, SECRETARY, VILLAGE_ADMIN):
        assert (await visit(person, "GET", "/villages")).status_code == 403
