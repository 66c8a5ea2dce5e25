"""改期, 更正, 取消, 回复: works, too late, twice, with a reason, two officers at once, nothing left behind."""
import asyncio
from datetime import timedelta

import pytest
from asyncpg import PostgresError

from server.core.clock import now
from server.core.database import rows
from server.core.forms import wall_time
from server.core.moves import WrongState
from server.meetings import actions
from tests.cast import MEMBER, NEIGHBOUR_MEMBER, ORGANISER, PROBATIONARY, SECRETARY
from tests.databases import fingerprint
from tests.meetings.stories import HOUR, card_lines, deadline_of, evidence, meeting, one, planned
from tests.visits import actor_of

DAY = timedelta(days=1)
BEGINS = "2026-11-25 19:30"  # a Wednesday; the lock of what ends then is on 4 December, 24:00


def moved(begins, **fields):
    return {"begins_at": wall_time(begins), "ends_at": wall_time(begins + HOUR), "place": "党员活动室",
            "reason": "下雨", "version": 1} | fields


@pytest.fixture
async def meeting_id(at):
    """A meeting on Wednesday evening, looked at on Sunday before."""
    begins = await at(BEGINS)
    await at("2026-11-22 10:00")
    return await planned(begins)


async def post(visit, meeting_id: int, what: str, form, person=SECRETARY):
    return await visit(person, "POST", f"/meetings/{meeting_id}/{what}", data=form)


# 改期 -----------------------------------------------------------------------------------------------------------------

async def test_a_meeting_is_moved_with_a_reason_everybody_sees(visit, meeting_id):
    before = await meeting(meeting_id)
    answer = await post(visit, meeting_id, "move", moved(before["begins_at"] + 2 * DAY))
    assert answer.status_code == 303
    after = await meeting(meeting_id)
    assert after["begins_at"] == before["begins_at"] + 2 * DAY
    assert (after["place"], after["version"]) == ("党员活动室", 2)
    assert await card_lines() == ["改期：学条例、议修路"]
    assert "改期原因：下雨" in (await visit(MEMBER, "GET", f"/threads/{await thread()}")).text
    assert await evidence("move_meeting") == 1


async def thread() -> int:
    return await one("SELECT DISTINCT thread_id FROM entry WHERE card_kind = 'meeting'")


async def test_the_lock_its_deadline_and_the_reminder_follow(visit, meeting_id):
    before = await meeting(meeting_id)
    await post(visit, meeting_id, "move", moved(before["begins_at"] + 2 * DAY))
    after = await meeting(meeting_id)
    assert after["lock_at"] == before["lock_at"] + 4 * DAY  # Friday's week counts Monday to Tuesday
    assert (await deadline_of(meeting_id))["due_at"] == after["lock_at"]
    reminders = await rows("SELECT state, due_at FROM effect WHERE kind = 'meeting_reminder' ORDER BY id")
    assert [one["state"] for one in reminders] == ["cancelled", "waiting"]
    assert reminders[1]["due_at"] - reminders[0]["due_at"] == 2 * DAY


async def test_moved_twice_at_once_it_moves_once(visit, meeting_id):
    begins = (await meeting(meeting_id))["begins_at"]
    answers = await asyncio.gather(*(post(visit, meeting_id, "move", moved(begins + days * DAY), person)
                                     for days, person in ((1, SECRETARY), (2, ORGANISER))))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert any("刚才已被改过" in answer.text for answer in answers)
    assert (await meeting(meeting_id))["version"] == 2
    assert await evidence("move_meeting") == 1


@pytest.mark.parametrize(("changed", "message", "where"), [
    ({"reason": ""}, "请填写原因", "reason"), ({"reason": "长" * 301}, "原因最多 300 个字", "reason"),
    ({"begins_at": "明天"}, "开始时间要写成", "begins_at"),
    ({"ends_at": "2026-11-25T08:00"}, "晚于开始时间", "ends_at"),
    ({"begins_at": "2026-11-21T08:00", "ends_at": "2026-11-21T09:00"}, "已经过了", "ends_at"),
    ({"place": "长" * 61}, "地点最多 60 个字", "place"), ({"version": "x"}, "版本不对", None),
])
async def test_a_wrong_move_is_told_beside_the_field(visit, owner, meeting_id, changed, message, where):
    form = moved((await meeting(meeting_id))["begins_at"] + DAY, reason="停电了") | changed
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "move", form)
    assert answer.status_code == 422
    assert message in answer.text
    assert where is None or f'id="{where}-error"' in answer.text
    assert all(typed in answer.text for typed in (form["begins_at"], form["place"], form["reason"]))
    assert await fingerprint(owner) == before


@pytest.mark.parametrize(("moment", "words"), [
    ("2026-11-25 19:30:01", "会议已经开始，不能改期"), ("2026-11-25 20:31", "会议已经开始，不能改期"),
    ("2026-12-05 00:00", "已超7个工作日，禁止更改"),
])
async def test_what_has_begun_is_not_moved(visit, at, owner, meeting_id, moment, words):
    await at(moment)
    before = await fingerprint(owner)
    for method, form in (("GET", None), ("POST", moved(now() + DAY))):
        answer = await visit(SECRETARY, method, f"/meetings/{meeting_id}/move", data=form)
        assert answer.status_code == 409
        assert words in answer.text
    assert await fingerprint(owner) == before


async def test_what_has_begun_meanwhile_is_not_moved_by_an_old_page(at, meeting_id):
    """Seen as planned, and begun before the change reaches the database."""
    old = await meeting(meeting_id)
    await at(BEGINS)
    changed = {"begins_at": now() + DAY, "ends_at": now() + DAY + HOUR, "place": ""}
    with pytest.raises(WrongState):
        await actions.move(await actor_of(SECRETARY), old | {"begins_at": now() + HOUR}, changed, "下雨", 1)
    assert (await meeting(meeting_id))["version"] == 1


async def test_a_past_end_moves_no_later_whoever_asks_the_database(at, as_app, meeting_id):
    await at("2026-11-25 21:00")
    with pytest.raises(PostgresError, match="a past end moves no later"):
        await as_app.execute("UPDATE meeting SET ends_at = ends_at + interval '1 hour'")
    await as_app.execute("UPDATE meeting SET ends_at = ends_at - interval '10 minutes'")


# 更正 -----------------------------------------------------------------------------------------------------------------

def corrected(begins, **fields):
    return {"kinds": ["党课", "主题党日"], "topic": "学条例", "begins_at": wall_time(begins), "place": "村委会",
            "ends_at": wall_time(begins + HOUR), "version": 1} | fields


async def test_until_the_lock_the_facts_are_put_right(visit, at, meeting_id):
    begins = await at(BEGINS)
    await at("2026-12-04 23:59")
    answer = await post(visit, meeting_id, "facts", corrected(begins - HOUR))
    assert answer.status_code == 303
    after = await meeting(meeting_id)
    assert (after["kinds"], after["topic"], after["begins_at"]) == (["党课", "主题党日"], "学条例", begins - HOUR)
    assert await card_lines() == ["更正：学条例"]
    assert await evidence("correct_meeting") == 1


async def test_what_is_to_come_keeps_its_times_when_its_topic_is_put_right(visit, meeting_id):
    before = await meeting(meeting_id)
    await post(visit, meeting_id, "facts", corrected(before["begins_at"] + DAY))
    after = await meeting(meeting_id)
    assert (after["topic"], after["begins_at"], after["ends_at"]) == ("学条例", before["begins_at"], before["ends_at"])


@pytest.mark.parametrize(("hours", "words"), [(1, "不能再往后改"), (72, "不能改到以后")])
async def test_no_correction_makes_it_later(visit, at, owner, meeting_id, hours, words):
    begins = await at(BEGINS)
    await at("2026-11-26 09:00")
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "facts", corrected(begins + hours * HOUR))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="ends_at-error"' in answer.text
    assert await fingerprint(owner) == before


async def test_a_slip_of_the_date_locks_nothing(visit, at, owner, meeting_id):
    """Corrected to last month by mistake, the log would be locked at once, and the branch could not take it back."""
    begins = await at(BEGINS)
    await at("2026-11-26 09:00")
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "facts", corrected(begins - 30 * DAY))
    assert answer.status_code == 422
    assert 'id="ends_at-error"' in answer.text
    assert await fingerprint(owner) == before


# 取消 -----------------------------------------------------------------------------------------------------------------

async def test_a_meeting_is_called_off_and_says_why_for_ever(visit, at, meeting_id):
    answer = await post(visit, meeting_id, "cancellation", {"reason": "停电"})
    assert answer.status_code == 303
    assert await card_lines() == ["取消：学条例、议修路"]
    assert (await deadline_of(meeting_id))["state"] == "withdrawn"
    assert await one("SELECT state FROM effect WHERE kind = 'meeting_reminder'") == "cancelled"
    await at("2027-03-01 10:00")
    page = (await visit(MEMBER, "GET", f"/meetings/{meeting_id}")).text
    assert "已取消" in page
    assert "停电" in page
    assert await evidence("cancel_meeting") == 1


async def test_one_that_was_not_held_is_called_off_afterwards(visit, at, meeting_id):
    await at("2026-11-26 09:00")
    assert (await post(visit, meeting_id, "cancellation", {"reason": "没有人来"})).status_code == 303
    assert (await meeting(meeting_id))["state"] == "cancelled"


async def test_called_off_twice_is_once_and_says_so(visit, meeting_id):
    await post(visit, meeting_id, "cancellation", {"reason": "停电"})
    answer = await post(visit, meeting_id, "cancellation", {"reason": "下雨"}, ORGANISER)
    assert answer.status_code == 409
    assert "已经取消" in answer.text
    assert (await meeting(meeting_id))["reason"] == "停电"
    assert await evidence("cancel_meeting") == len(await card_lines()) == 1


async def test_what_is_called_off_stays_so(visit, owner, meeting_id):
    await post(visit, meeting_id, "cancellation", {"reason": "停电"})
    before = await fingerprint(owner)
    begins = (await meeting(meeting_id))["begins_at"]
    forms = {"move": moved(begins, version=2), "facts": corrected(begins, version=2), "reply": {"reply": "参加"},
             "attendance/rest": {"everybody": "1"}, "log": {"minutes": "开了", "version": 0}}
    for what, form in forms.items():
        assert (await post(visit, meeting_id, what, form)).status_code == 409, what
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("moment", ["2026-12-05 00:00", "2027-03-01 09:00"])
async def test_locked_or_recorded_it_cannot_be_called_off(visit, at, owner, meeting_id, moment):
    await at("2026-11-25 20:45")
    await post(visit, meeting_id, "attendance/rest", {"everybody": "1"})
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "cancellation", {"reason": "停电"})
    assert answer.status_code == 409
    assert "已经记为开过的会议不能取消" in answer.text
    await at(moment)
    answer = await post(visit, meeting_id, "cancellation", {"reason": "停电"})
    assert answer.status_code == 409
    assert "已超7个工作日，禁止更改" in answer.text
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("reason", ["", " \n", "长" * 301, "\x00"])
async def test_without_a_reason_nothing_is_called_off(visit, owner, meeting_id, reason):
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "cancellation", {"reason": reason})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert await fingerprint(owner) == before


# 回复 -----------------------------------------------------------------------------------------------------------------

async def replies(meeting_id: int) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["reply"], one["reply_note"]) for one in await rows(
        "SELECT name, reply, reply_note FROM attendance WHERE meeting_id = $1 AND reply IS NOT NULL", meeting_id)}


async def test_the_invited_answer_and_answer_anew(visit, meeting_id):
    await post(visit, meeting_id, "reply", {"reply": "参加"}, MEMBER)
    await post(visit, meeting_id, "reply", {"reply": "请假", "note": "去县医院"}, PROBATIONARY)
    await post(visit, meeting_id, "reply", {"reply": "请假", "note": "走亲戚"}, MEMBER)
    assert await replies(meeting_id) == {"王秀英": ("请假", "走亲戚"), "李小虎": ("请假", "去县医院")}
    assert "您已回复：请假" in (await visit(MEMBER, "GET", f"/meetings/{meeting_id}")).text
    assert await evidence("reply") == 3


async def test_the_same_answer_twice_is_one(visit, meeting_id):
    for _ in range(3):
        assert (await post(visit, meeting_id, "reply", {"reply": "参加"}, MEMBER)).status_code == 303
    assert await evidence("reply") == 1


async def test_who_is_not_invited_answers_nothing(visit, at, owner):
    begins = await at(BEGINS)
    await at("2026-11-22 10:00")
    made = await planned(begins, people=(SECRETARY, ORGANISER))
    before = await fingerprint(owner)
    await post(visit, made, "reply", {"reply": "参加"}, MEMBER)
    assert (await post(visit, made, "reply", {"reply": "参加"}, NEIGHBOUR_MEMBER)).status_code == 404
    assert await fingerprint(owner) == before


@pytest.mark.parametrize("form", [{}, {"reply": "也许"}, {"reply": "缺席"}, {"reply": "参加", "note": "长" * 101}])
async def test_no_answer_is_no_answer(visit, owner, meeting_id, form):
    before = await fingerprint(owner)
    assert (await post(visit, meeting_id, "reply", form, MEMBER)).status_code == 422
    assert await fingerprint(owner) == before


async def test_once_it_has_begun_the_answer_is_to_check_in(visit, at, owner, meeting_id):
    await at("2026-11-25 19:31")
    before = await fingerprint(owner)
    answer = await post(visit, meeting_id, "reply", {"reply": "请假"}, MEMBER)
    assert answer.status_code == 409
    assert "不能再回复" in answer.text
    assert await fingerprint(owner) == before
