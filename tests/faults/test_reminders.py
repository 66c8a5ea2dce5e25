"""Reminders: who gets them, when, once; what has changed meanwhile is not reminded of; one card a person and day."""
import asyncio
import json
from datetime import datetime, timedelta

import pytest

from server.core import deadlines, effects
from server.core.clock import BEIJING, now
from server.core.database import row, rows, transaction
from server.meetings import actions, check_in, corrections
from server.meetings.rules import Mark, Reply
from tests.cast import (
    BRANCH_ADMIN,
    COMMITTEE,
    IN_QIANCUN,
    MEMBER,
    NEIGHBOUR,
    ORGANISER,
    PROBATIONARY,
    SECRETARY,
    Person,
)
from tests.meetings.stories import ids_of, meeting, planned
from tests.visits import actor_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERYBODY = sorted(person.name for person in IN_QIANCUN)
OFFICERS = sorted(person.name for person in (SECRETARY, ORGANISER, BRANCH_ADMIN))


@pytest.fixture(autouse=True)
def the_carriers():
    import tasks.schedule  # noqa: F401  (declares who carries out what)


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, whose 22nd is a Sunday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=BEIJING)


async def sweep_everything() -> None:
    """What the worker's clock does."""
    async with transaction():
        await deadlines.sweep(now())
    await asyncio.gather(effects.sweep(), effects.sweep())


async def cards() -> dict[str, list[list[str]]]:
    """Everybody's card of reminders as it stands: name → lines."""
    found = await rows("""
        SELECT p.name, e.card::text FROM entry e JOIN thread t ON t.id = e.thread_id JOIN person p ON p.id = t.person_id
        WHERE t.kind = 'reminders' AND e.superseded_at IS NULL ORDER BY e.id""")
    lines: dict[str, list[list[str]]] = {}
    for one in found:
        lines.setdefault(one["name"], []).extend(json.loads(one["card"])["lines"])
    return lines


async def reminded() -> list[str]:
    """The names on whose phones a reminder has arrived, once for each line."""
    return sorted(name for name, lines in (await cards()).items() for _ in lines)


async def days_of(person: Person) -> list[int]:
    """The days somebody has a card for that stands, once for each card."""
    found = await rows("""SELECT e.subject_id FROM entry e JOIN thread t ON t.id = e.thread_id
                          JOIN person p ON p.id = t.person_id
                          WHERE p.name = $1 AND e.superseded_at IS NULL ORDER BY 1""", person.name)
    return [one["subject_id"] for one in found]


async def test_everybody_invited_is_reminded_once_the_evening_before(at):
    await at(beijing(20, 10))
    await planned(beijing(22, 19, 30), place="村委会会议室")
    await at(beijing(21, 17, 59))
    await sweep_everything()
    assert await reminded() == []
    await at(beijing(21, 18))
    for _ in range(3):
        await sweep_everything()
    assert await reminded() == EVERYBODY
    assert (await cards())["王秀英"][0][1].startswith("学条例、议修路")
    await at(beijing(22, 18, 31))
    await sweep_everything()
    assert await reminded() == EVERYBODY


async def test_of_a_meeting_called_at_short_notice_an_hour_before(at):
    await at(beijing(22, 10))
    await planned(beijing(22, 19, 30))
    await at(beijing(22, 18, 29))
    await sweep_everything()
    assert await reminded() == []
    await at(beijing(22, 18, 30))
    await sweep_everything()
    assert await reminded() == EVERYBODY


async def test_who_asked_for_leave_is_not_reminded_and_who_comes_is(at):
    await at(beijing(20, 10))
    made = await planned(beijing(22, 19, 30))
    await actions.answer(await actor_of(MEMBER), await meeting(made), Reply.EXCUSED, "去县城看病")
    await actions.answer(await actor_of(PROBATIONARY), await meeting(made), Reply.COMING, "")
    await at(beijing(21, 18))
    await sweep_everything()
    assert await reminded() == [name for name in EVERYBODY if name != MEMBER.name]


async def test_who_is_marked_already_is_not_reminded(at):
    await at(beijing(22, 10))
    made = await planned(beijing(22, 19, 30))
    await at(beijing(22, 19, 10))
    await check_in.mark(await actor_of(SECRETARY), await meeting(made), (await ids_of(MEMBER))[0], Mark.PRESENT)
    await sweep_everything()
    assert MEMBER.name not in await reminded()


async def moved(made: int, begins: datetime) -> None:
    its = await meeting(made)
    changed = {"begins_at": begins, "ends_at": begins + HOUR, "place": its["place"]}
    await actions.move(await actor_of(SECRETARY), its, changed, "下雨", its["version"])


async def test_a_moved_meeting_reminds_of_its_new_time_only(at):
    await at(beijing(18, 10))
    made = await planned(beijing(20, 19, 30))
    await moved(made, beijing(22, 19, 30))
    await at(beijing(19, 18, 1))
    await sweep_everything()
    assert await reminded() == []
    await at(beijing(21, 18, 1))
    await sweep_everything()
    assert await reminded() == EVERYBODY


async def test_a_meeting_moved_there_and_back_reminds_once(at):
    await at(beijing(18, 10))
    made = await planned(beijing(22, 19, 30))
    await moved(made, beijing(24, 19, 30))
    await moved(made, beijing(22, 19, 30))
    await at(beijing(21, 18, 1))
    await sweep_everything()
    assert await reminded() == EVERYBODY


async def test_a_meeting_moved_while_its_reminder_is_due_reminds_of_the_new_time(at):
    await at(beijing(18, 10))
    made = await planned(beijing(20, 19, 30))
    await at(beijing(19, 18, 1))
    await moved(made, beijing(22, 19, 30))
    await sweep_everything()
    assert await reminded() == []


async def test_a_cancelled_meeting_reminds_nobody(at):
    await at(beijing(20, 10))
    made = await planned(beijing(22, 19, 30))
    await actions.cancel(await actor_of(SECRETARY), await meeting(made), "与农忙冲突")
    await at(beijing(21, 18, 1))
    await sweep_everything()
    assert await reminded() == []


async def test_a_meeting_whose_topic_was_put_right_still_reminds_and_by_its_new_name(at):
    await at(beijing(20, 10))
    made = await planned(beijing(22, 19, 30))
    its = await meeting(made)
    facts = {name: its[name] for name in corrections.FACTS} | {"topic": "议修路"}
    await corrections.correct(await actor_of(SECRETARY), its, facts, its["version"])
    await at(beijing(21, 18, 1))
    await sweep_everything()
    assert await reminded() == EVERYBODY
    assert (await cards())["王秀英"][0][1].startswith("议修路")


async def test_a_reminder_that_could_not_be_carried_out_in_time_is_dropped(at):
    await at(beijing(20, 10))
    await planned(beijing(22, 19, 30))
    await at(beijing(22, 19, 31))
    await sweep_everything()
    assert await reminded() == []


async def test_what_comes_together_on_a_day_is_one_card_and_one_unread(at, visit):
    await at(beijing(20, 10))
    for topic in ("学条例", "议修路", "交党费"):
        await planned(beijing(22, 19, 30), topic=topic)
    await at(beijing(21, 18, 1))
    await sweep_everything()
    assert await days_of(MEMBER) == [20261121]
    assert sorted(line[1][:3] for line in (await cards())[MEMBER.name]) == ["交党费", "学条例", "议修路"]
    thread = await row("SELECT t.id FROM thread t JOIN person p ON p.id = t.person_id WHERE p.name = $1", MEMBER.name)
    page = (await visit(MEMBER, "GET", f"/threads/{thread['id']}")).text
    assert page.count("11月21日 周六 要办的事") == 1, "the cards it replaced are not shown"


async def test_the_next_day_has_a_card_of_its_own(at):
    await at(beijing(20, 10))
    await planned(beijing(22, 19, 30), topic="学条例")
    await planned(beijing(23, 19, 30), topic="议修路")
    for day in (21, 22):
        await at(beijing(day, 18, 1))
        await sweep_everything()
    assert await days_of(MEMBER) == [20261121, 20261122]


async def test_the_days_to_record_remind_the_branch_s_officers_and_nobody_else(at):
    """Ended on Friday the 6th: the seventh working day is Tuesday the 17th, three before it is Thursday the 12th."""
    await at(beijing(6, 18))
    await planned(beijing(6, 19, 30))
    await at(beijing(12, 8, 59))
    await sweep_everything()
    assert await reminded() == []
    await at(beijing(12, 9))
    await sweep_everything()
    await sweep_everything()
    assert await reminded() == OFFICERS
    await at(beijing(16, 9))
    await sweep_everything()
    assert await reminded() == sorted(OFFICERS * 2)


async def test_what_is_recorded_reminds_nobody(at):
    await at(beijing(6, 19))
    made = await planned(beijing(6, 19, 30))
    await at(beijing(6, 21))
    await check_in.mark_rest(await actor_of(SECRETARY), await meeting(made), everybody_came=True)
    await at(beijing(30, 9))
    await sweep_everything()
    assert await reminded() == []


async def test_overdue_it_reaches_the_committee_once(at):
    await at(beijing(6, 19))
    await planned(beijing(6, 19, 30))
    await at(datetime(2026, 11, 18, tzinfo=BEIJING) - timedelta(seconds=1))
    await sweep_everything()
    assert COMMITTEE.name not in await reminded()
    await at(beijing(18, 0, 1))
    for _ in range(3):
        await sweep_everything()
    told = await reminded()
    assert told.count(COMMITTEE.name) == 1
    assert NEIGHBOUR.name not in told
    line = (await cards())[COMMITTEE.name][0]
    assert "学条例、议修路" in line[1]


async def test_overdue_below_a_general_branch_it_reaches_the_committee_too(at, owner):
    await owner.execute("""
        WITH above AS (INSERT INTO organisation (parent_id, unit_code, kind, name, official_name)
                       SELECT id, unit_code, '党总支', '前村总支', '前村总支'
                       FROM organisation WHERE name = '东疏镇党委' RETURNING id, path)
        UPDATE organisation o SET parent_id = above.id, path = above.path || o.id || '/' FROM above
        WHERE o.name = '前村支部'""")
    await at(beijing(6, 19))
    await planned(beijing(6, 19, 30))
    await at(beijing(18, 0, 1))
    await sweep_everything()
    assert (await reminded()).count(COMMITTEE.name) == 1


async def test_a_closed_account_and_an_ended_role_are_not_reminded(at, owner):
    await owner.execute("UPDATE account SET closed_at = now() FROM person p WHERE p.id = person_id AND p.name = $1",
                        ORGANISER.name)
    await owner.execute("UPDATE role_grant SET until = '2026-11-10' WHERE role = 'e支部管理员'")
    await at(beijing(6, 19))
    await planned(beijing(6, 19, 30))
    await at(beijing(12, 9))
    await sweep_everything()
    assert await reminded() == [SECRETARY.name]
