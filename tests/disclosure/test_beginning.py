"""A matter is begun from what is owed, or because something happened (随时); a draft is thrown away."""
import asyncio
from datetime import date

import pytest

from server.core.forms import Refused
from server.core.moves import WrongState
from server.disclosure import editing
from server.ledgers.tables import ledger
from tests.cast import COMMITTEE, COUNTY, MEMBER, SECRETARY, SUPERVISOR, VILLAGE_ADMIN, VILLAGER
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    HOUCUN,
    MEETINGS,
    OPENED,
    POOR,
    WORKS,
    begin,
    begin_at_once,
    begin_correction,
    clock_of,
    duty,
    edition,
    hand_on,
    item,
    its_village,
    matter,
    opened,
    owed,
    published,
    ready,
    returned,
    signing,
    submitted,
    withdrawn,
    written,
)
from tests.meetings.stories import evidence, one
from tests.visits import actor_of

QUARTER = "2026-Q3"


async def drop(matter_id: int, by=VILLAGE_ADMIN) -> None:
    await editing.drop(await actor_of(by), await matter(matter_id), await edition(matter_id))


async def test_begun_it_is_an_empty_draft_of_its_item(visit, at):
    await ready(at)
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"duty": await duty(POOR, QUARTER)})
    made = int(answer.headers["location"].split("/")[2])
    assert answer.headers["location"] == f"/disclosures/{made}/edit"
    its, first = await matter(made), await edition(made)
    assert (its["category"], its["form"], its["audience"], its["edition_id"]) == ("村务", "名单", "村（居）民", None)
    assert (first["state"], first["number"], first["version"]) == ("草稿", 1, 1)
    assert first["title"] == f"{POOR}（2026年第三季度）"
    assert await evidence("begin_matter") == 1
    assert (await clock_of(its["duty_id"]))["state"] == "open"
    assert (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/{made}/edit")).status_code == 200


async def test_begun_twice_or_by_two_at_once_it_is_one(at):
    await ready(at)
    assert len(set(await asyncio.gather(*(begin(POOR, QUARTER) for _ in range(4))))) == 1
    assert await begin(POOR, QUARTER) == await one("SELECT id FROM matter")
    assert await evidence("begin_matter") == await one("SELECT count(*) FROM edition") == 1


@pytest.mark.parametrize("story", [submitted, published])
async def test_what_is_on_its_way_or_published_is_the_matter_that_is_there(at, story):
    await ready(at)
    made = await story(POOR)
    assert await begin(POOR, QUARTER) == made
    assert await one("SELECT count(*) FROM edition") == 1


async def test_what_ended_before_the_village_was_opened_is_not_owed(visit, at):
    await ready(at)
    for day, status in (("2026-08-31", 422), ("2026-09-01", 303)):
        answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"item": await item(WORKS), "ended_on": day})
        assert answer.status_code == status, day


async def test_what_was_declared_as_nothing_is_not_begun(visit, at):
    await ready(at)
    its = await duty(POOR, QUARTER)
    await visit(VILLAGE_ADMIN, "POST", "/disclosures/nothing", data={"duties": its})
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"duty": its})
    assert answer.status_code == 422
    assert "这一项已经是“本期无”" in answer.text


@pytest.mark.parametrize("form", [{"duty": "0"}, {"duty": "甲"}, {"duty": ""}, {}, {"item": "1"}, {"more": "1"}])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form):
    await ready(at)
    before = await fingerprint(owner)
    assert (await visit(VILLAGE_ADMIN, "POST", "/disclosures", data=form)).status_code == 422
    assert await fingerprint(owner) == before


async def test_another_villages_duty_is_none(visit, at):
    await ready(at)
    await opened(HOUCUN)
    its = await duty(POOR, "2026-Q4", HOUCUN)
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"duty": its})
    assert answer.status_code == 422
    assert "没有这一项" in answer.text
    assert (await visit(VILLAGE_ADMIN, "GET", f"/disclosures/duties/{its}")).status_code == 404


@pytest.mark.parametrize("person", [VILLAGER, SUPERVISOR, MEMBER, SECRETARY, COMMITTEE, COUNTY])
async def test_only_the_villages_administrator_begins(visit, at, person):
    await ready(at)
    its = await duty(POOR, QUARTER)
    assert (await visit(person, "POST", "/disclosures", data={"duty": its})).status_code == 403
    assert (await visit(person, "GET", "/disclosures/new")).status_code == 403


async def test_before_the_village_is_opened_there_is_nothing_to_begin(visit, at):
    await at(OPENED)
    assert (await visit(VILLAGE_ADMIN, "GET", "/disclosures/new")).status_code == 404
    assert (await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"duty": "1"})).status_code == 404
    assert "还没有开通三务公开" in (await visit(VILLAGER, "GET", "/disclosures")).text


async def test_a_months_ledger_begins_with_its_month(at):
    await ready(at)
    its = await ledger((await edition(await begin(ACCOUNTS, "2026-09")))["id"])
    assert its is not None
    assert (its["month"], its["opening"], its["closing"], its["lines"]) == (date(2026, 9, 1), 0, 0, 0)


# 随时 -----------------------------------------------------------------------------------------------------------------

async def test_what_happened_is_owed_from_the_day_it_ended(visit, at):
    await ready(at)
    form = {"item": await item(WORKS), "ended_on": "2026-10-07"}
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data=form)
    assert answer.status_code == 303
    its = await matter(int(answer.headers["location"].split("/")[2]))
    clock = await clock_of(its["duty_id"])
    assert its["title"] == WORKS
    assert (clock["rule"], clock["due_at"]) == ("disclosure_publish", await at("2026-10-11 00:00"))
    assert await owed(WORKS) == [(f"matter-{its['id']}", "应公开")]


async def test_sent_twice_or_at_once_it_is_one(at):
    await ready(at)
    assert len(set(await asyncio.gather(*(begin_at_once() for _ in range(4))))) == 1
    await at("2026-10-08 09:02")
    await begin_at_once()  # a further one, some minutes later
    await begin_at_once(ended_on=date(2026, 10, 6))
    assert len(await owed(WORKS)) == 3


@pytest.mark.parametrize(("name", "day", "words"), [
    (WORKS, "2026-10-09", "还没有结束"), (WORKS, "2026-11-08", "还没有结束"), (MEETINGS, "2026-10-07", "按每季度公开"),
    (WORKS, "", "请填写事项结束日期"), (WORKS, "昨天", "要写成"), (WORKS, "1999-01-01", "年份不对"),
    ("村民自治章程、村规民约", "2026-10-07", "按长期公开")])
async def test_a_wrong_day_or_item_leaves_nothing_behind(visit, at, owner, name, day, words):
    await ready(at)
    before = await fingerprint(owner)
    answer = await visit(VILLAGE_ADMIN, "POST", "/disclosures", data={"item": await item(name), "ended_on": day})
    assert answer.status_code == 422
    assert words in answer.text
    assert await fingerprint(owner) == before


async def test_what_only_communities_have_did_not_happen_in_a_village(at):
    await ready(at)
    with pytest.raises(Refused, match="没有这一项"):
        await editing.begin_at_once(await actor_of(VILLAGE_ADMIN), await its_village(), 10**6, date(2026, 10, 7))


# 作废 -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("story", [written, returned])
async def test_thrown_away_it_is_owed_as_before_and_may_be_begun_again(visit, at, story):
    await ready(at)
    made = await story(POOR)
    assert (await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/dropping")).status_code == 303
    assert (await edition(made))["state"] == "已作废"
    assert (await owed(POOR))[0] == (QUARTER, "应公开")
    assert (await clock_of(await duty(POOR, QUARTER)))["state"] == "open"
    assert await evidence("drop_edition") == 1
    assert await begin(POOR, QUARTER) == made
    assert ((await edition(made))["number"], (await edition(made))["lines"]) == (2, "[]")


async def test_begun_anew_after_throwing_away_it_goes_the_whole_way(at):
    await ready(at)
    await drop(await written(MEETINGS))
    made = await submitted(MEETINGS)
    assert (await edition(made))["number"] == 2


async def test_what_did_not_happen_is_owed_no_more(at):
    await ready(at)
    made = await begin_at_once()
    await drop(made)
    duty_id = (await matter(made))["duty_id"]
    assert (await owed(WORKS))[0][1] == "不再要求"
    assert (await clock_of(duty_id))["state"] == "withdrawn"


async def test_a_correction_thrown_away_leaves_what_is_published(at):
    await ready(at)
    made = await published(POOR)
    await begin_correction(made)
    await drop(made)
    its = await matter(made)
    assert (its["number"], its["under_way"]) == (1, False)
    assert (await owed(POOR))[0] == (QUARTER, "已公开")


async def test_thrown_away_twice_it_is_thrown_away_once(visit, at):
    await ready(at)
    made = await written()
    answers = [await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/dropping") for _ in range(2)]
    assert answers[0].status_code == 303
    assert await evidence("drop_edition") == 1
    assert answers[1].status_code == 409, "404 没有找到这一页 tells somebody who pressed twice nothing"


async def test_dropped_and_handed_on_at_once_one_of_both_happens(at):
    await ready(at)
    made = await written()
    told = await asyncio.gather(drop(made), hand_on(made), drop(made), hand_on(made), return_exceptions=True)
    assert sum(isinstance(one, WrongState) for one in told) == 3, told
    assert (await edition(made))["state"] == ("待审核" if "待审核" in told else "已作废")


@pytest.mark.parametrize("story", [signing, submitted, published, withdrawn])
async def test_what_was_handed_on_is_not_thrown_away(visit, at, owner, story):
    await ready(at)
    made = await (story() if story is signing else story(MEETINGS))
    before = await fingerprint(owner)
    assert (await visit(VILLAGE_ADMIN, "POST", f"/disclosures/{made}/dropping")).status_code in (404, 409)
    with pytest.raises(WrongState, match="不能再改"):
        await drop(made)
    assert await fingerprint(owner) == before
