"""审核分工: a township divides the review among its offices; the queue says whose a matter is and how long is left."""
import asyncio

import pytest

from server.core.forms import Refused
from server.disclosure import reviewing
from server.disclosure.todos import open_drafts
from tests.cast import COMMITTEE, COMMITTEE_ORGANISER, COUNTY, SECRETARY, SIDIAN
from tests.databases import fingerprint
from tests.disclosure.stories import ASSETS, MEETINGS, POOR, item, ready, submitted, written
from tests.meetings.stories import evidence, one
from tests.visits import actor_of


async def account(person) -> int:
    return (await actor_of(person)).account_id


async def form(name: str = "民政办", items=(POOR,), people=(COMMITTEE_ORGANISER,), **more) -> dict:
    return {"name": name, "items": [await item(one) for one in items], "id": "",
            "accounts": [await account(person) for person in people]} | more


async def kept(visit, person=COMMITTEE, **more):
    return await visit(person, "POST", "/reviews/offices", data=await form(**more))


async def test_an_office_has_its_items_and_people(visit, at):
    await ready(at)
    assert (await kept(visit)).status_code == 303
    page = (await visit(COMMITTEE, "GET", "/reviews/offices")).text
    for word in ("民政办", "卫组", POOR):
        assert word in page
    assert await evidence("divide_review") == 1


async def test_the_queue_says_whose_it_is(visit, at):
    await ready(at)
    await kept(visit)
    await submitted(POOR)
    await submitted(MEETINGS)
    whole, mine = [(await visit(COMMITTEE, "GET", path)).text for path in ("/reviews", "/reviews?show=mine")]
    assert "民政办" in whole
    assert POOR in whole
    assert POOR not in mine
    assert MEETINGS in mine  # what the division gives to nobody is everybody's
    assert POOR in (await visit(COMMITTEE_ORGANISER, "GET", "/reviews?show=mine")).text


async def test_the_queue_counts_the_working_days_that_are_left(visit, at):
    await ready(at)
    await submitted(MEETINGS)
    for moment, left in (("2026-10-08 10:00", "2"), ("2026-10-10 10:00", "1"), ("2026-10-12 10:00", "−1")):
        await at(moment)
        assert f">{left}</b>工作日" in (await visit(COMMITTEE, "GET", "/reviews")).text, moment


async def test_changed_it_is_the_same_office(visit, at):
    await ready(at)
    await kept(visit)
    its = await one("SELECT id FROM office")
    assert (await kept(visit, items=(POOR, ASSETS), id=its)).status_code == 303
    assert await one("SELECT cardinality(items) FROM office") == 2
    assert "民政办" in (await visit(COMMITTEE, "GET", f"/reviews/offices?office={its}")).text


async def test_taken_away_it_divides_nothing_and_gone_it_changes_nothing(visit, at):
    await ready(at)
    await kept(visit)
    address = f"/reviews/offices/{await one('SELECT id FROM office')}/removal"
    assert [(await visit(COMMITTEE, "POST", address)).status_code for _ in range(2)] == [303, 303]
    assert await evidence("divide_review") == 2
    assert (await kept(visit, id=await one("SELECT id FROM office"))).status_code == 409
    assert (await kept(visit)).status_code == 303  # the name is free again


@pytest.mark.parametrize(("more", "words"), [
    ({"name": ""}, "请填写科室"), ({"name": "长" * 21}, "科室最多"), ({"items": "全部"}, "选择不对"),
    ({"more": "1"}, "没有的内容")])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, more, words):
    await ready(at)
    before = await fingerprint(owner)
    answer = await visit(COMMITTEE, "POST", "/reviews/offices", data=await form() | more)
    assert answer.status_code == 422
    assert words in answer.text or "items" in more
    assert await fingerprint(owner) == before


async def test_the_same_name_twice_and_people_from_elsewhere_are_refused(visit, at):
    await ready(at)
    await kept(visit)
    again = await kept(visit)
    assert again.status_code == 422
    assert "已经有这个科室了" in again.text
    for person in (SIDIAN, SECRETARY, COUNTY):
        with pytest.raises(Refused, match="只能选本镇街"):
            await reviewing.keep_office(await actor_of(COMMITTEE), None, "财政所", [], [await account(person)])


async def test_another_townships_office_is_not_touched(visit, at):
    await ready(at)
    await kept(visit)
    its = await one("SELECT id FROM office")
    assert (await kept(visit, SIDIAN, name="财政所", people=(), id=its)).status_code == 409
    await visit(SIDIAN, "POST", f"/reviews/offices/{its}/removal")
    assert await one("SELECT name FROM office WHERE closed_at IS NULL") == "民政办"


@pytest.mark.parametrize("person", [COMMITTEE_ORGANISER, COUNTY, SECRETARY])
async def test_only_the_townships_administrator_divides(visit, at, person):
    await ready(at)
    assert (await kept(visit, person)).status_code == 403


async def test_what_waits_elsewhere_is_not_in_this_queue(visit, at):
    await ready(at)
    await submitted(MEETINGS)
    assert MEETINGS not in (await visit(SIDIAN, "GET", "/reviews")).text
    for person in (COUNTY, SECRETARY):
        assert (await visit(person, "GET", "/reviews")).status_code == 403


async def test_drafts_are_counted_by_item(at):
    await ready(at)
    await written(POOR)
    await submitted(MEETINGS)
    numbers = [await item(name) for name in (POOR, MEETINGS, ASSETS)]
    assert await open_drafts(numbers) == {numbers[0]: 1}


async def test_nothing_is_wrong_before_anything_was_typed(visit, at):
    await ready(at)
    page = (await visit(COMMITTEE, "GET", "/reviews/offices")).text
    assert "built-in" not in page
    assert "field--wrong" not in page


async def test_kept_twice_at_once_it_is_one(visit, at):
    await ready(at)
    answers = await asyncio.gather(*(kept(visit, name="财政所") for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [303, 422, 422]
    assert await one("SELECT count(*) FROM office") == 1
