"""参加情况 on the officer's list, and when a meeting counts as 记入: the four facts of M2§6."""
import asyncio
from datetime import timedelta

import pytest

from server.core.clock import now
from server.core.database import transaction
from server.core.keys import key
from server.meetings import tokens
from server.meetings.check_in import KEY_PURPOSE, record_if_complete
from tests.cast import BRANCH_ADMIN, IN_QIANCUN, MEMBER, NEIGHBOUR_MEMBER, ORGANISER, PROBATIONARY, SECRETARY
from tests.databases import fingerprint
from tests.meetings.stories import HOUR, deadline_of, evidence, ids_of, marks, meeting, one, planned

BEGINS = "2026-11-25 19:30"
MINUTE = timedelta(minutes=1)


async def mark(visit, meeting_id: int, who, given: str, person=ORGANISER):
    about = (await ids_of(who))[0]
    return await visit(person, "POST", f"/meetings/{meeting_id}/attendance", data={"person": about, "mark": given})


async def rest(visit, meeting_id: int, *, everybody: bool = True, person=SECRETARY):
    form = {"everybody": "1"} if everybody else {}
    return await visit(person, "POST", f"/meetings/{meeting_id}/attendance/rest", data=form)


@pytest.fixture
async def meeting_id(at):
    """A meeting that has been on for ten minutes."""
    made = await planned(await at(BEGINS))
    await at("2026-11-25 19:40")
    return made


# One tap a person -----------------------------------------------------------------------------------------------------

async def test_each_mark_can_be_given_and_changed(visit, meeting_id):
    for given in ("参加", "请假", "缺席", "列席", "参加"):
        assert (await mark(visit, meeting_id, MEMBER, given)).status_code == 303
        assert (await marks(meeting_id))["王秀英"] == given
    assert await evidence("mark_attendance") == 5


async def test_the_same_tap_twice_is_one(visit, meeting_id):
    for person in (ORGANISER, ORGANISER, SECRETARY):
        await mark(visit, meeting_id, MEMBER, "请假", person)
    assert await evidence("mark_attendance") == 1


async def test_two_officers_tapping_at_once_both_count_in_order(visit, meeting_id):
    answers = await asyncio.gather(*(mark(visit, meeting_id, MEMBER, given, person) for given, person in (
        ("请假", ORGANISER), ("缺席", SECRETARY), ("请假", BRANCH_ADMIN))))
    assert {answer.status_code for answer in answers} == {303}
    last = await one("SELECT after->>'mark' FROM audit_event WHERE verb = 'mark_attendance' ORDER BY id DESC LIMIT 1")
    assert (await marks(meeting_id))["王秀英"] == last


async def test_who_is_not_on_the_list_gets_no_mark(visit, owner, meeting_id):
    before = await fingerprint(owner)
    answer = await mark(visit, meeting_id, NEIGHBOUR_MEMBER, "参加")
    assert answer.status_code == 409
    assert "不在名单里" in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("form", [
    {}, {"person": "x", "mark": "参加"}, {"person": "1", "mark": "迟到"}, {"mark": "参加"},
    {"person": "-1", "mark": "参加"}, {"person": "9" * 30, "mark": "参加"}])
async def test_there_is_no_late_and_no_other_mark(visit, owner, meeting_id, form):
    before = await fingerprint(owner)
    assert (await visit(ORGANISER, "POST", f"/meetings/{meeting_id}/attendance", data=form)).status_code == 422
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("moment", "status"), [
    ("2026-11-25 18:59:50", 409), ("2026-11-25 19:00:01", 303), ("2026-12-04 23:59:50", 303),
    ("2026-12-05 00:00:01", 409)])
async def test_the_list_is_open_from_check_in_until_the_lock(visit, at, meeting_id, moment, status):
    await at(moment)
    assert (await mark(visit, meeting_id, MEMBER, "参加")).status_code == status
    assert (await rest(visit, meeting_id)).status_code == status
    late = await visit(ORGANISER, "POST", f"/meetings/{meeting_id}/attendance/people",
                       data={"person": (await ids_of(MEMBER))[0]})
    assert late.status_code == status
    page = (await visit(ORGANISER, "GET", f"/meetings/{meeting_id}/attendance")).text
    assert ("全部到会" in page) is (status == 303)


# The rest -------------------------------------------------------------------------------------------------------------

async def test_everybody_came_but_who_was_tapped_away(visit, meeting_id):
    await mark(visit, meeting_id, MEMBER, "缺席")
    await rest(visit, meeting_id)
    assert await marks(meeting_id) == {person.name: "缺席" if person is MEMBER else "参加" for person in IN_QIANCUN}
    assert await evidence("mark_rest") == 1


async def test_finishing_takes_who_asked_for_leave_as_excused_and_the_rest_as_absent(visit, at):
    begins = await at(BEGINS)
    await at(begins - HOUR)
    made = await planned(begins)
    await visit(MEMBER, "POST", f"/meetings/{made}/reply", data={"reply": "请假"})
    await visit(PROBATIONARY, "POST", f"/meetings/{made}/reply", data={"reply": "参加"})
    await at(begins + MINUTE)
    await mark(visit, made, SECRETARY, "参加")
    await rest(visit, made, everybody=False)
    found = await marks(made)
    assert (found["王秀英"], found["李小虎"], found["赵德山"], found["孙桂兰"]) == ("请假", "缺席", "参加", "缺席")


async def test_the_rest_twice_changes_nothing_more(visit, owner, meeting_id):
    await rest(visit, meeting_id)
    before = await fingerprint(owner)
    assert (await rest(visit, meeting_id, everybody=False, person=ORGANISER)).status_code == 303
    assert await fingerprint(owner) == before


async def test_a_forgotten_member_is_put_on_the_list_once(visit, at):
    made = await planned(await at(BEGINS), people=(SECRETARY, ORGANISER))
    person = (await ids_of(MEMBER))[0]
    path = f"/meetings/{made}/attendance/people"
    assert "王秀英" in (await visit(SECRETARY, "GET", f"/meetings/{made}/attendance")).text
    for _ in range(2):
        assert (await visit(SECRETARY, "POST", path, data={"person": person})).status_code == 303
    assert (await marks(made))["王秀英"] is None
    assert await evidence("add_person") == 1
    stranger = (await ids_of(NEIGHBOUR_MEMBER))[0]
    assert (await visit(SECRETARY, "POST", path, data={"person": stranger})).status_code == 409
    assert len(await marks(made)) == 3


# 记入 -----------------------------------------------------------------------------------------------------------------

async def test_with_the_last_mark_the_four_facts_are_there(visit, meeting_id):
    for person in IN_QIANCUN[:-1]:
        await mark(visit, meeting_id, person, "参加")
    assert (await meeting(meeting_id))["recorded_at"] is None
    await mark(visit, meeting_id, IN_QIANCUN[-1], "请假")
    assert (await meeting(meeting_id))["recorded_at"] is not None
    assert (await deadline_of(meeting_id))["state"] == "met"


async def test_before_it_begins_nothing_is_recorded_as_held(visit, at):
    begins = await at(BEGINS)
    await at(begins - 10 * MINUTE)
    made = await planned(begins)
    await rest(visit, made)
    assert (await meeting(made))["recorded_at"] is None
    async with transaction():
        assert await record_if_complete() == []
    await at(begins + MINUTE)
    async with transaction():
        assert await record_if_complete() == [made]
        assert await record_if_complete() == []
    assert (await meeting(made))["recorded_at"] is not None


async def test_by_qr_alone_it_is_recorded_too(visit, meeting_id):
    """Nobody keeps the list: the worker notices that everybody has come."""
    for person in IN_QIANCUN:
        await visit(person, "POST", f"/c/{tokens.scan_token(key(KEY_PURPOSE), meeting_id, now())}")
    assert set((await marks(meeting_id)).values()) == {"参加"}
    async with transaction():
        assert await record_if_complete() == [meeting_id]
    assert (await deadline_of(meeting_id))["state"] == "met"


async def test_who_scans_after_being_marked_absent_is_present(visit, meeting_id):
    await mark(visit, meeting_id, MEMBER, "缺席")
    await visit(MEMBER, "POST", f"/c/{tokens.scan_token(key(KEY_PURPOSE), meeting_id, now())}")
    assert (await marks(meeting_id))["王秀英"] == "参加"


async def test_a_guest_stays_a_guest(visit, meeting_id):
    await mark(visit, meeting_id, MEMBER, "列席")
    scan = f"/c/{tokens.scan_token(key(KEY_PURPOSE), meeting_id, now())}"
    assert "您已签到" in (await visit(MEMBER, "POST", scan, follow_redirects=True)).text
    assert (await marks(meeting_id))["王秀英"] == "列席"


async def test_after_the_lock_what_is_missing_stays_missing(visit, at, meeting_id):
    await mark(visit, meeting_id, MEMBER, "参加")
    await at("2026-12-05 00:00:01")
    async with transaction():
        assert await record_if_complete() == []
    page = (await visit(MEMBER, "GET", f"/meetings/{meeting_id}")).text
    assert "未记入" in page
