"""What villages owe is made from the catalogue: when a village opens, a catalogue is published, a night has passed."""
import asyncio
from datetime import date

import pytest

from server.catalogues import duties
from server.catalogues.duties import period_label
from server.catalogues.tables import OPEN_DRAFTS, open_duties
from server.core.database import rows, transaction
from tests.cast import COUNTY, OTHER_COUNTY, SECRETARY, SIDIAN, VILLAGE_ADMIN, ZHOUCHENG
from tests.databases import fingerprint
from tests.disclosure.stories import (
    ACCOUNTS,
    ASSETS,
    BEIMEN_CODE,
    CHARTER,
    DUES,
    GUIDE,
    HOUCUN,
    MEETINGS,
    NINGYANG,
    OPENED,
    POOR,
    QIANCUN,
    WORKS,
    XICUN_CODE,
    begin_at_once,
    catalogue,
    clock_of,
    duty,
    item,
    new_version,
    opened,
    owed,
    published,
    ready,
    written,
)
from tests.meetings.stories import one

COMMUNITY_CHARTER = "居民自治章程、居民公约"


async def made(below: str = NINGYANG) -> int:
    async with transaction():
        return await duties.make(NINGYANG, below)


async def test_a_village_owes_each_item_by_its_frequency(at):
    await at(OPENED)
    await catalogue()
    assert await one("SELECT count(*) FROM duty") == 0
    await opened()
    for name, period in ((ACCOUNTS, "2026-09"), (GUIDE, "2026-09"), (MEETINGS, "2026-Q3"), ("年度收支计划", "2026"),
                         (CHARTER, "长期")):
        assert await owed(name) == [(period, "应公开")], name
    assert await owed(WORKS) == []


async def test_a_village_opened_before_there_is_a_catalogue_owes_from_its_publication(at):
    await at("2026-08-03 09:00")
    await opened()
    assert await one("SELECT count(*) FROM duty") == 0
    await at(OPENED)
    await catalogue()
    assert await owed(ACCOUNTS) == [("2026-09", "应公开")]


async def test_done_again_it_makes_nothing(at, owner):
    await ready(at)
    before = await fingerprint(owner)
    assert await made() == 0
    await duties.renew_all()
    assert await fingerprint(owner) == before


async def test_two_workers_at_once_make_each_duty_once(at):
    await ready(at)
    await at("2026-11-03 09:00")
    counts = await asyncio.gather(*(made() for _ in range(4)))
    assert sorted(counts)[:3] == [0, 0, 0]
    assert max(counts) == 3  # three items each month
    clocks = await one("SELECT count(*) FROM deadline WHERE subject_kind = 'duty'")
    assert clocks == await one("SELECT count(*) FROM duty")


async def test_each_village_owes_for_itself_from_its_own_day(at):
    await ready(at)
    await at("2026-11-03 09:00")
    await opened(HOUCUN)
    await opened(XICUN_CODE, SIDIAN)
    await duties.renew_all()
    for code in (HOUCUN, XICUN_CODE):
        assert await owed(ACCOUNTS, code) == [("2026-11", "应公开")]
    assert [period for period, _ in await owed(ACCOUNTS)] == ["2026-09", "2026-10", "2026-11"]


async def test_a_night_that_was_missed_is_made_up_for(at):
    await ready(at)
    await at("2026-11-30 09:00")
    await duties.renew_all()
    assert [period for period, _ in await owed(ACCOUNTS)] == ["2026-09", "2026-10", "2026-11"]


async def test_another_countys_catalogue_asks_nothing_here(at):
    await at(OPENED)
    await opened()
    await catalogue(by=OTHER_COUNTY)
    assert await one("SELECT count(*) FROM duty") == 0
    await opened(BEIMEN_CODE, ZHOUCHENG)
    assert await owed(ACCOUNTS, BEIMEN_CODE) == [("2026-09", "应公开")]
    assert await owed(ACCOUNTS) == []


# Deadlines ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "period", "rule", "due"), [
    (ACCOUNTS, "2026-09", "disclosure_publish", "2026-10-11"),
    (MEETINGS, "2026-Q3", "disclosure_publish", "2026-10-11"),
    (CHARTER, "长期", "disclosure_publish", "2026-10-11"), (GUIDE, "2026-09", "convenience", "2026-10-01"),
    (GUIDE, "2026-10", "convenience", "2026-11-01"), (ACCOUNTS, "2026-10", "disclosure_publish", "2026-11-05")])
async def test_each_duty_has_its_clock(at, name, period, rule, due):
    await ready(at)
    clock = await clock_of(await duty(name, period))
    assert (clock["rule"], clock["state"]) == (rule, "open")
    assert clock["due_at"] == await at(f"{due} 00:00")


async def test_the_to_do_stands_with_the_villages_administrator_once_the_period_is_over(visit, at):
    await ready(at, "2026-09-29 23:00")
    assert ACCOUNTS not in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    assert GUIDE in (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    await at("2026-10-01 09:00")
    text = (await visit(VILLAGE_ADMIN, "GET", "/to-dos")).text
    assert f"公开 · {ACCOUNTS}（2026年9月）" in text
    for person in (SECRETARY, COUNTY):
        assert ACCOUNTS not in (await visit(person, "GET", "/to-dos")).text


@pytest.mark.parametrize(("key", "first", "label"), [
    ("2026-10", date(2026, 10, 1), "2026年10月"), ("2026-Q4", date(2026, 10, 1), "2026年第四季度"),
    ("2026-Q1", date(2026, 1, 1), "2026年第一季度"), ("2026", date(2026, 1, 1), "2026年"),
    ("长期", date(2026, 9, 1), ""),
    ("matter-17", date(2026, 9, 1), "")])
def test_periods_in_words(key, first, label):
    assert period_label(key, first) == label


# Villages and communities ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("community", [False, True])
async def test_what_is_owed_differs_by_variant(at, owner, community):
    await at(OPENED)
    await catalogue()
    if community:
        await owner.execute("UPDATE unit SET official_name = '花园社区居委会' WHERE code = $1", QIANCUN)
    await opened()
    its, others = (COMMUNITY_CHARTER, CHARTER) if community else (CHARTER, COMMUNITY_CHARTER)
    assert await owed(its) == [("长期", "应公开")]
    assert await owed(others) == []
    assert bool(await owed("宅基地审批")) is not community
    assert await owed(MEETINGS) != []


async def test_what_no_longer_applies_to_villages_is_no_longer_owed_by_them(at):
    await ready(at)
    await new_version({POOR: {"variant": "社区"}})
    assert {state for _, state in await owed(POOR)} == {"不再要求"}


# A new version --------------------------------------------------------------------------------------------------------

async def test_what_the_catalogue_drops_is_owed_no_more_and_what_is_published_stays(at):
    await ready(at)
    made = await published(POOR)
    await new_version({POOR: None, MEETINGS: None})
    assert await owed(POOR) == [("2026-Q3", "已公开"), ("2026-Q4", "不再要求")]
    assert await owed(MEETINGS) == [("2026-Q3", "不再要求"), ("2026-Q4", "不再要求")]
    assert (await clock_of(await duty(MEETINGS, "2026-Q3")))["state"] == "withdrawn"
    assert await one("SELECT withdrawn_at IS NULL FROM matter WHERE id = $1", made)


async def test_another_frequency_drops_what_has_not_ended_and_keeps_what_has(at):
    await ready(at)
    await new_version({MEETINGS: {"frequency": "每月"}})
    assert await owed(MEETINGS) == [("2026-Q3", "应公开"), ("2026-Q4", "不再要求"), ("2026-10", "应公开")]
    assert (await clock_of(await duty(MEETINGS, "2026-Q4")))["state"] == "withdrawn"
    assert (await clock_of(await duty(MEETINGS, "2026-10")))["state"] == "open"


async def test_a_frequency_changed_and_changed_back_is_owed_again(at):
    await ready(at)
    await new_version({MEETINGS: {"frequency": "每月"}})
    await at("2026-10-09 09:00")
    await new_version({MEETINGS: {"frequency": "每季度"}})
    assert ("2026-Q4", "应公开") in await owed(MEETINGS)
    assert (await clock_of(await duty(MEETINGS, "2026-Q4")))["state"] == "open"


async def test_other_words_for_an_item_change_nothing_that_is_owed(at):
    await ready(at)
    before = await owed(MEETINGS), await rows("SELECT id, due_at, state FROM deadline ORDER BY id")
    await new_version({MEETINGS: {"content": "每次会议的决定", "guidance": "逐条写"}})
    assert (await owed(MEETINGS), await rows("SELECT id, due_at, state FROM deadline ORDER BY id")) == before


async def test_what_happened_and_was_begun_stays_when_its_item_goes(at):
    await ready(at)
    made = await begin_at_once()
    await new_version({WORKS: None})
    assert await one("SELECT d.state FROM duty d JOIN matter m ON m.duty_id = d.id WHERE m.id = $1", made) == "应公开"


async def test_a_draft_is_counted_among_what_a_change_bears_on(at):
    await ready(at)
    await written(DUES)
    await written(ASSETS)
    number = await item(DUES)
    assert await OPEN_DRAFTS[0]([number]) == {number: 1}
    assert await open_duties([number]) == {number: 2}
