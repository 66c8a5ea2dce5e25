"""记组织生活 and 补记: planned, entered afterwards, too late for the branch."""
import asyncio
from datetime import timedelta

import pytest
from asyncpg import PostgresError
from litestar.exceptions import ClientException

from server.core.database import rows
from server.meetings import actions
from tests.cast import COMMITTEE, IN_QIANCUN, MEMBER, NEIGHBOUR_MEMBER, ORGANISER, PROBATIONARY, SECRETARY
from tests.databases import fingerprint
from tests.meetings.stories import (
    HOUR,
    card_lines,
    deadline_of,
    evidence,
    gathering,
    ids_of,
    marks,
    meeting,
    one,
    planned,
)
from tests.visits import actor_of

DAY = timedelta(days=1)


async def plan(visit, form, person=SECRETARY) -> str:
    answer = await visit(person, "POST", "/meetings", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_plan_reaches_everybody_on_its_list(visit, at):
    begins = await at("2026-11-20 09:00") + 2 * DAY
    address = await plan(visit, gathering(begins, await ids_of(*IN_QIANCUN)))
    made = int(address.rpartition("/")[2])
    row = await meeting(made)
    assert (row["origin"], row["state"], row["kinds"]) == ("planned", "open", ["主题党日"])
    assert (row["begins_at"], row["ends_at"]) == (begins, begins + HOUR)
    assert list(await marks(made)) == ["赵德山", "孙桂兰", "李小虎", "钱永军", "王秀英"]  # by seat, then by name
    assert await card_lines() == ["学条例、议修路"]
    assert await evidence("plan_meeting") == 1
    for person in (MEMBER, PROBATIONARY):
        thread = await visit(person, "GET", "/threads")
        assert "学条例、议修路" in thread.text


async def test_a_plan_starts_the_seven_working_days_and_lays_a_reminder(at):
    made = await planned(await at("2026-09-28 09:00") + 10 * HOUR)
    due = await deadline_of(made)
    assert due["state"] == "open"
    assert due["due_at"] == (await meeting(made))["lock_at"] == await at("2026-10-14 00:00")
    assert [dict(found) for found in await rows("SELECT kind, state FROM effect WHERE key LIKE 'meeting:%'")] == [
        {"kind": "meeting_reminder", "state": "waiting"}]


async def test_a_meeting_may_be_planned_that_has_just_begun(visit, at):
    begins = await at("2026-11-22 19:30") - timedelta(minutes=10)
    address = await plan(visit, gathering(begins, await ids_of(MEMBER)))
    assert "进行中" in (await visit(SECRETARY, "GET", address)).text


async def test_the_same_plan_twice_is_one_meeting(visit, at):
    form = gathering(await at("2026-11-22 10:00") + DAY, await ids_of(*IN_QIANCUN))
    assert await plan(visit, form) == await plan(visit, form) == await plan(visit, form, ORGANISER)
    assert await one("SELECT count(*) FROM meeting") == await evidence("plan_meeting") == len(await card_lines()) == 1


async def test_two_officers_at_once_plan_one_meeting(at):
    begins = await at("2026-11-22 10:00") + DAY
    made = await asyncio.gather(*(planned(begins, by=person) for person in (SECRETARY, ORGANISER) * 3))
    assert len(set(made)) == 1
    assert await evidence("plan_meeting") == 1


async def test_another_topic_is_another_meeting(visit, at):
    form = gathering(await at("2026-11-22 10:00") + DAY, await ids_of(*IN_QIANCUN))
    assert await plan(visit, form) != await plan(visit, form | {"topic": "评议党员"})


@pytest.mark.parametrize(("changed", "message"), [
    ({"kinds": []}, "请选择类别"), ({"kinds": ["联欢会"]}, "请选择类别"), ({"topic": " "}, "请填写主题"),
    ({"topic": "长" * 61}, "主题最多 60 个字"), ({"begins_at": ""}, "请填写开始时间"),
    ({"begins_at": "明晚"}, "开始时间要写成"),
    ({"ends_at": "2026-11-22T08:00"}, "结束时间"), ({"ends_at": "2026-11-30T08:00"}, "不超过24小时"),
    ({"people": []}, "请选择应到党员"), ({"people": ["all"]}, "选择不对"), ({"place": "长" * 61}, "地点最多 60 个字"),
])
async def test_a_wrong_plan_leaves_nothing_behind(visit, at, owner, changed, message):
    form = gathering(await at("2026-11-22 10:00") + DAY, await ids_of(*IN_QIANCUN)) | changed
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings", data=form)
    assert answer.status_code == 422
    assert message in answer.text
    assert await fingerprint(owner) == before


async def test_nobody_of_another_branch_can_be_invited(visit, at, owner):
    form = gathering(await at("2026-11-22 10:00") + DAY, await ids_of(MEMBER, NEIGHBOUR_MEMBER))
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings", data=form)
    assert answer.status_code in (400, 422)
    assert "名单里有人不是本支部党员" in answer.text
    assert await fingerprint(owner) == before


async def test_what_is_over_cannot_be_planned(visit, at):
    begins = await at("2026-11-22 10:00") - 3 * HOUR
    answer = await visit(SECRETARY, "POST", "/meetings", data=gathering(begins, await ids_of(MEMBER)))
    assert answer.status_code == 422
    assert "补记" in answer.text


# 补记 -----------------------------------------------------------------------------------------------------------------

async def test_what_was_held_without_a_plan_is_entered_within_seven_working_days(visit, at):
    held = await at("2026-11-22 10:00") - 3 * DAY
    answer = await visit(ORGANISER, "POST", "/meetings/held", data=gathering(held, await ids_of(*IN_QIANCUN)))
    assert answer.status_code == 303
    made = int(answer.headers["location"].split("/")[2])
    assert (await meeting(made))["origin"] == "held"
    assert (await deadline_of(made))["state"] == "open"
    assert await evidence("enter_meeting") == 1
    assert await card_lines() == []


async def test_entered_twice_it_is_one(visit, at):
    form = gathering(await at("2026-11-22 10:00") - 3 * DAY, await ids_of(*IN_QIANCUN))
    addresses = {(await visit(SECRETARY, "POST", "/meetings/held", data=form)).headers["location"] for _ in range(2)}
    assert len(addresses) == await evidence("enter_meeting") == 1


@pytest.mark.parametrize("begins", [timedelta(minutes=-30), DAY], ids=["still on", "not begun"])
async def test_what_is_not_over_cannot_be_entered_as_held(visit, at, owner, begins):
    form = gathering(await at("2026-11-22 10:00") + begins, await ids_of(MEMBER))
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings/held", data=form)
    assert answer.status_code == 422
    assert "还没有结束，不能补记" in answer.text
    assert await fingerprint(owner) == before


async def test_nor_by_going_round_the_form(at, owner):
    begins = await at("2026-11-22 10:00") + DAY
    facts = {"kinds": ["党课"], "topic": "学条例", "place": "", "begins_at": begins, "ends_at": begins + HOUR}
    before = await fingerprint(owner)
    with pytest.raises(PostgresError, match="not held yet"):
        await actions.enter_held(await actor_of(SECRETARY), facts, await ids_of(MEMBER))
    with pytest.raises(ClientException, match="不是本支部党员"):
        await actions.plan(await actor_of(SECRETARY), facts, await ids_of(NEIGHBOUR_MEMBER))
    assert await fingerprint(owner) == before


async def test_too_late_asks_why_and_keeps_what_was_typed(visit, at, owner):
    form = gathering(await at("2026-11-22 10:00") - 30 * DAY, await ids_of(MEMBER), topic="补一次党课")
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings/held", data=form)
    assert answer.status_code == 422
    for word in ("已超过 7 个工作日", "请写明为什么没有按时记入", "补一次党课", 'id="explanation-error"'):
        assert word in answer.text
    assert await fingerprint(owner) == before


async def test_too_late_goes_to_the_committee_with_who_came(visit, at):
    form = gathering(await at("2026-11-22 10:00") - 30 * DAY, await ids_of(MEMBER, PROBATIONARY),
                     explanation="一直没有网络")
    answer = await visit(SECRETARY, "POST", "/meetings/held", data=form)
    assert answer.status_code == 303
    made = int(answer.headers["location"].split("/")[2])
    assert (await meeting(made))["origin"] == "late"
    assert (await meeting(made))["recorded_at"] is None
    assert await marks(made) == {}
    assert await card_lines("东疏镇党委", "reports") == ["前村支部：学条例、议修路"]
    assert "一直没有网络" in (await visit(COMMITTEE, "GET", "/to-dos")).text
    assert "未记入" in (await visit(MEMBER, "GET", f"/meetings/{made}")).text
    again = await visit(SECRETARY, "POST", "/meetings/held", data=form)
    assert again.headers["location"] == answer.headers["location"]
    assert await evidence("explain") == 1


async def test_too_late_names_members_of_the_branch_only(visit, at, owner):
    form = gathering(await at("2026-11-22 10:00") - 30 * DAY, await ids_of(NEIGHBOUR_MEMBER), explanation="没有网络")
    before = await fingerprint(owner)
    answer = await visit(SECRETARY, "POST", "/meetings/held", data=form)
    assert answer.status_code in (400, 422)
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("years", [-5, -9, 14, 60])
async def test_a_year_the_calendar_does_not_know_is_a_wrong_year(visit, at, years):
    begins = await at("2026-11-22 10:00")
    form = gathering(begins.replace(year=begins.year + years), await ids_of(MEMBER), explanation="没有网络")
    for path in ("/meetings", "/meetings/held"):
        answer = await visit(SECRETARY, "POST", path, data=form)
        assert answer.status_code in (303, 422), path
