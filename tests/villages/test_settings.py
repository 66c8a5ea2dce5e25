"""What a county settles: which categories are signed, how many working days an answer may take."""
import asyncio

import pytest

from server.core.moves import WrongState
from server.villages.actions import settle
from server.villages.tables import settings_of
from tests.cast import COMMITTEE, COUNTY, OTHER_COUNTY, SECRETARY
from tests.databases import fingerprint
from tests.disclosure.stories import MEETINGS, NINGYANG, OPENED, hand_on, ready, written
from tests.meetings.stories import evidence
from tests.visits import actor_of

FORM = {"signed": ["财务", "村务"], "answer_days": "3", "version": "0"}


async def test_unless_a_county_settles_it_only_finance_is_signed(at):
    await at(OPENED)
    assert await settings_of(NINGYANG) == {"signed": ["财务"], "answer_days": 5, "version": 0}


async def test_a_county_settles_it_for_itself(visit, at):
    await at(OPENED)
    assert (await visit(COUNTY, "POST", "/county-settings", data=FORM)).status_code == 303
    assert await settings_of(NINGYANG) == {"signed": ["村务", "财务"], "answer_days": 3, "version": 1}
    assert (await settings_of("370923"))["version"] == 0
    assert await evidence("settle_county") == 1
    assert 'value="3"' in (await visit(COUNTY, "GET", "/county-settings")).text
    assert (await visit(OTHER_COUNTY, "POST", "/county-settings", data=FORM)).status_code == 303


async def test_what_is_settled_is_signed_from_then_on(visit, at):
    await ready(at)
    made = await written(MEETINGS)
    await visit(COUNTY, "POST", "/county-settings", data=FORM)
    assert await hand_on(made) == "待签字"


async def test_a_county_may_do_without_signatures(visit, at):
    await at(OPENED)
    await visit(COUNTY, "POST", "/county-settings", data={"answer_days": "5", "version": "0"})
    assert (await settings_of(NINGYANG))["signed"] == []


async def test_an_old_page_changes_nothing(visit, at, owner):
    await at(OPENED)
    await visit(COUNTY, "POST", "/county-settings", data=FORM)
    before = await fingerprint(owner)
    answer = await visit(COUNTY, "POST", "/county-settings", data=FORM | {"answer_days": "9"})
    assert answer.status_code == 409
    assert "刚才被别人改过" in answer.text
    assert await fingerprint(owner) == before
    assert (await visit(COUNTY, "POST", "/county-settings", data=FORM | {"version": "1"})).status_code == 303


@pytest.mark.parametrize("version", [0, 1])
async def test_two_at_once_settle_it_once(at, version):
    await at(OPENED)
    actor = await actor_of(COUNTY)
    if version:
        await settle(actor, ["财务"], 5, 0)
    told = await asyncio.gather(*(settle(actor, [], days, version) for days in (2, 3, 4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["NoneType", "WrongState", "WrongState"]
    assert (await settings_of(NINGYANG))["version"] == version + 1


@pytest.mark.parametrize("form", [
    {"answer_days": "0"}, {"answer_days": "16"}, {"answer_days": ""}, {"answer_days": "五"}, {"signed": ["党费"]},
    {"version": "x"}, {"more": "1"}])
async def test_a_wrong_form_leaves_nothing_behind(visit, at, owner, form):
    await at(OPENED)
    before = await fingerprint(owner)
    assert (await visit(COUNTY, "POST", "/county-settings", data=FORM | form)).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("person", [COMMITTEE, SECRETARY])
async def test_nobody_below_settles_anything(visit, at, person):
    await at(OPENED)
    assert (await visit(person, "POST", "/county-settings", data=FORM)).status_code == 403
    assert (await visit(person, "GET", "/county-settings")).status_code == 403


async def test_an_older_version_is_told_when_called_directly(at):
    await at(OPENED)
    with pytest.raises(WrongState):
        await settle(await actor_of(COUNTY), ["财务"], 5, 7)


@pytest.mark.parametrize("days", ["00150000", "0015999999999999", "0", "61", "５", "-1", "", "5.0"])
async def test_a_number_of_days_that_is_none_is_told(visit, days):
    answer = await visit(COUNTY, "POST", "/county-settings", data=FORM | {"answer_days": days})
    assert answer.status_code == 422
    assert (await settings_of(NINGYANG))["answer_days"] == 5
