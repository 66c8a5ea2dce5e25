"""24:00 of the seventh working day, to the second, across 国庆 with its 调休, whatever the phone's own clock says."""
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import asyncpg
import httpx
import pytest

from server.core.clock import BEIJING
from tests.cast import COMMITTEE, MEMBER, ORGANISER, SECRETARY
from tests.databases import sums
from tests.faults.photographs import photograph
from tests.meetings.stories import evidence, ids_of, planned

# 28 September 2026 is a Monday. The State Council's notice: 1 to 7 October off, Sunday 20 September and Saturday
# 10 October worked. So the working days after it are 29, 30 September, 8, 9, 10, 12, 13 October.
BEGAN = datetime(2026, 9, 28, 19, 30, tzinfo=BEIJING)
LAST_SECOND = datetime(2026, 10, 13, 23, 59, 59, tzinfo=BEIJING)
SECOND = timedelta(seconds=1)
WRONG_CLOCKS = {"a day behind": -timedelta(days=1), "a year ahead": timedelta(days=365), "right": timedelta(0)}


@pytest.fixture
async def meeting(at):
    """A meeting that ended on 28 September at 20:30, with nothing recorded yet."""
    await at(BEGAN - timedelta(hours=1))
    return await planned(BEGAN)


async def to_write(visit, meeting: int, said: str = "议了修路", version: int = 0, **headers: str) -> httpx.Response:
    return await visit(SECRETARY, "POST", f"/meetings/{meeting}/log", data={"minutes": said, "version": version},
                       headers=headers)


@pytest.mark.parametrize("wrong", WRONG_CLOCKS.values(), ids=WRONG_CLOCKS)
async def test_at_the_last_second_it_is_taken_and_a_second_later_refused(visit, at, meeting, wrong):
    phone = {"Date": format_datetime(LAST_SECOND + wrong), "If-Unmodified-Since": format_datetime(LAST_SECOND + wrong)}
    await at(LAST_SECOND)
    assert (await to_write(visit, meeting, **phone)).status_code == 303
    await at(LAST_SECOND + SECOND)
    answer = await to_write(visit, meeting, "改了", 1, **phone)
    assert answer.status_code == 409
    assert "已超7个工作日，禁止更改" in answer.text
    assert await evidence("write_log") == 1


async def change_everything(visit, meeting: int) -> dict[str, httpx.Response]:
    """Everything a branch can do to a meeting that was held."""
    person = (await ids_of(MEMBER))[0]
    path = f"/meetings/{meeting}"
    forms: dict[str, dict[str, Any]] = {
        f"{path}/log": {"minutes": "改了", "version": 0},
        f"{path}/log/draft": {"minutes": "改了", "version": 0},
        f"{path}/attendance": {"person": person, "mark": "缺席"},
        f"{path}/attendance/rest": {"everybody": "1"},
        f"{path}/attendance/people": {"person": person},
        f"{path}/cancellation": {"reason": "没有开成"},
        f"{path}/facts": {"kinds": "党课", "topic": "改了", "begins_at": "2026-09-28T19:30", "version": 1,
                          "ends_at": "2026-09-28T20:30"},
        f"{path}/move": {"begins_at": "2026-10-20T19:30", "ends_at": "2026-10-20T20:30", "reason": "改期",
                         "version": 1},
    }
    answers = {address: await visit(SECRETARY, "POST", address, data=form) for address, form in forms.items()}
    answers["photo"] = await visit(SECRETARY, "POST", f"{path}/log", data={"version": 0},
                                   files={"log_photos_file": ("a.jpg", photograph())})
    answers["reply"] = await visit(MEMBER, "POST", f"{path}/reply", data={"reply": "请假"})
    answers["check-in"] = await visit(MEMBER, "POST", f"{path}/check-in", data={"code": "123456"})
    return answers


async def test_a_second_after_the_last_nothing_of_the_branch_s_changes_anything(visit, at, meeting, owner):
    await at(LAST_SECOND + SECOND)
    before = await everything_about(owner)
    refused = await change_everything(visit, meeting)
    assert {address: answer.status_code for address, answer in refused.items()} == dict.fromkeys(refused, 409)
    assert await everything_about(owner) == before


async def everything_about(owner) -> dict[str, tuple[int, int]]:
    return await sums(owner, ("meeting", "attendance", "meeting_log", "log_photo", "log_draft", "entry", "audit_event",
                              "deadline", "effect"))


async def test_the_page_says_until_when_and_from_then_on_why_not(visit, at, meeting):
    await at(LAST_SECOND)
    page = (await visit(SECRETARY, "GET", f"/meetings/{meeting}")).text
    assert "10月13日 24:00 截止" in page
    await at(LAST_SECOND + SECOND)
    page = (await visit(SECRETARY, "GET", f"/meetings/{meeting}")).text
    assert "已超7个工作日，禁止更改" in page
    assert "更改说明" in page


async def test_what_was_never_planned_is_entered_until_the_same_second(visit, at):
    form = {"kinds": "主题党日", "topic": "学条例", "place": "村委会", "people": await ids_of(MEMBER),
            "begins_at": "2026-09-28T19:30", "ends_at": "2026-09-28T20:30"}
    await at(LAST_SECOND)
    assert (await visit(SECRETARY, "POST", "/meetings/held", data=form)).status_code == 303
    await at(LAST_SECOND + SECOND)
    answer = await visit(ORGANISER, "POST", "/meetings/held", data=form | {"topic": "议修路"})
    assert answer.status_code == 422
    assert "请写明为什么没有按时记入" in answer.text


async def test_the_committee_can_be_asked_from_that_second_on_and_not_before(visit, at, meeting):
    explanation = {"explanation": "漏记一人"}
    await at(LAST_SECOND)
    early = await visit(SECRETARY, "POST", f"/meetings/{meeting}/amendments", data=explanation)
    assert early.status_code == 409
    await at(LAST_SECOND + SECOND)
    assert (await visit(SECRETARY, "POST", f"/meetings/{meeting}/amendments", data=explanation)).status_code == 303
    assert "漏记一人" in (await visit(COMMITTEE, "GET", f"/meetings/{meeting}/amendments")).text


async def test_no_typed_time_moves_the_lock(visit, at, meeting, owner):
    await at(LAST_SECOND)
    lock = await owner.fetchval("SELECT lock_at FROM meeting")
    later = {"kinds": "党课", "topic": "学条例", "version": 1, "begins_at": "2026-10-12T19:30",
             "ends_at": "2026-10-12T20:30"}
    answer = await visit(SECRETARY, "POST", f"/meetings/{meeting}/facts", data=later)
    assert answer.status_code == 422
    assert "结束时间已过，不能再往后改" in answer.text
    assert await owner.fetchval("SELECT lock_at FROM meeting") == lock == LAST_SECOND + SECOND


@pytest.mark.parametrize("statement", [
    "UPDATE meeting SET topic = '改了'", "UPDATE meeting SET lock_at = '2030-01-01'",
    "UPDATE meeting SET ends_at = ends_at + interval '9 days', lock_at = '2030-01-01'",
    "UPDATE attendance SET mark = '参加', how = '名单', marked_at = now(), marked_by = person_id",
    "INSERT INTO meeting_log (meeting_id, written_by) SELECT id, created_by FROM meeting",
    "DELETE FROM attendance", "UPDATE clock SET offset_s = 0", "SET session_replication_role = replica"])
async def test_no_statement_of_the_application_s_role_gets_past_the_second(at, meeting, as_app, statement):
    await at(LAST_SECOND + SECOND)
    with pytest.raises(asyncpg.PostgresError, match=r"locked|permission denied"):
        await as_app.execute(statement)
