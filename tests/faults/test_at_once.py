"""Many at once, and the same twice: one effect, one row of evidence, nobody lost."""
import asyncio
from time import monotonic

import httpx

from tests.cast import BRANCH_ADMIN, COMMITTEE, MEMBER, ORGANISER, PROBATIONARY, SECRETARY
from tests.faults.realm import HALL, Realm
from tests.starting.conftest import if_alone

EVIDENCE = "SELECT count(*) FROM audit_event WHERE verb = $1 AND subject_kind = 'meeting' AND subject_id = $2"
PRESENT = "SELECT count(*) FROM attendance WHERE meeting_id = $1 AND mark = '参加'"


async def test_fifty_taps_of_one_person_are_one_check_in(realm: Realm):
    meeting = await realm.meeting()
    async with realm.visitor(MEMBER) as member:
        answers = await asyncio.gather(*(realm.tap(member, meeting) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("您已签到" in answer.text for answer in answers)
    assert await realm.ask(PRESENT, meeting) == 1
    assert await realm.ask(EVIDENCE, "check_in", meeting) == 1


async def test_a_full_hall_checks_in_within_seconds_and_everybody_counts(realm: Realm):
    meeting = await realm.meeting(people=HALL + 10)
    hall = await realm.hall()
    async with realm.visitor(None) as phone:
        began = monotonic()
        answers = await asyncio.gather(*(phone.post(realm.scan(meeting), headers={"cookie": own}) for own in hall))
        took = monotonic() - began
    assert [answer.status_code for answer in answers] == [303] * HALL
    assert await realm.ask(PRESENT, meeting) == HALL
    assert await realm.ask(EVIDENCE, "check_in", meeting) == HALL
    assert took < if_alone(6)


async def test_a_grant_sent_by_two_at_once_serves_one(realm: Realm):
    meeting = await realm.meeting()
    async with realm.visitor(MEMBER) as member, realm.visitor(PROBATIONARY) as other:
        page = (await member.get(realm.scan(meeting))).text
        grant = "/c/" + page.split('action="/c/')[1].split('"')[0]
        answers = await asyncio.gather(*(somebody.post(grant) for somebody in (member, other) for _ in range(8)))
    assert sorted({answer.status_code for answer in answers}) == [303, 409]
    assert all("已经用过" in answer.text for answer in answers if answer.status_code == 409)
    assert await realm.ask(PRESENT, meeting) == 1


async def test_three_officers_marking_the_whole_list_at_once_mark_everybody_once(realm: Realm):
    meeting = await realm.meeting()
    everybody = await realm.expected(meeting)
    async with realm.visitor(SECRETARY) as one, realm.visitor(ORGANISER) as two, realm.visitor(BRANCH_ADMIN) as three:
        path = f"/meetings/{meeting}/attendance/rest"
        answers = await asyncio.gather(*(
            officer.post(path, data={"everybody": "1"}) for officer in (one, two, three)))
    assert {answer.status_code for answer in answers} == {303}
    assert await realm.ask(PRESENT, meeting) == everybody
    assert await realm.ask(EVIDENCE, "mark_rest", meeting) == 1


async def test_check_ins_and_officers_taps_at_once_stop_nobody(realm: Realm):
    meeting = await realm.meeting()
    people = [one async for one in ids(realm, 20)]
    async with realm.visitor(SECRETARY) as one, realm.visitor(ORGANISER) as two, realm.visitor(MEMBER) as member:
        taps = [officer.post(f"/meetings/{meeting}/attendance", data={"person": person, "mark": mark})
                for person in people for officer, mark in ((one, "参加"), (two, "缺席"))]
        answers = await asyncio.gather(*taps, member.post(realm.scan(meeting)))
    assert {answer.status_code for answer in answers[:-1]} == {303}
    assert answers[-1].status_code == 303
    marks = await realm.ask("SELECT count(*) FROM attendance WHERE meeting_id = $1 AND mark IS NOT NULL", meeting)
    assert marks == 21
    taken = await realm.ask(EVIDENCE, "mark_attendance", meeting)
    assert 20 <= taken <= 40, "each tap that changed something, and no other"


async def ids(realm: Realm, most: int):
    async with realm.database() as connection:
        for one in await connection.fetch(
                "SELECT id AS person_id FROM person WHERE name LIKE '党员%' ORDER BY id LIMIT $1", most):
            yield one["person_id"]


async def test_a_form_sent_twice_plans_one_meeting(realm: Realm):
    people = [one async for one in ids(realm, 3)]
    form = {"kinds": "党课", "topic": "两次点击", "place": "村委会", "people": people, "begins_at": "2036-11-23T19:30",
            "ends_at": "2036-11-23T20:30"}
    async with realm.visitor(SECRETARY) as one, realm.visitor(ORGANISER) as two:
        answers = await asyncio.gather(*(officer.post("/meetings", data=form) for officer in (one, one, two, two)))
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await realm.ask("SELECT count(*) FROM meeting WHERE topic = '两次点击'") == 1
    assert await realm.ask("SELECT count(*) FROM entry WHERE text = '两次点击'") == 1


async def test_a_message_sent_twice_is_said_once(realm: Realm):
    async with realm.visitor(MEMBER) as member, realm.visitor(PROBATIONARY) as other:
        thread = await forum(realm)
        path = f"/threads/{thread}/entries"
        answers = await asyncio.gather(*(member.post(path, data={"text": "收到"}) for _ in range(4)),
                                       other.post(path, data={"text": "收到"}))
    assert {answer.status_code for answer in answers} == {303}
    assert await realm.ask("SELECT count(*) FROM entry WHERE text = '收到'") == 2, "one of each"


async def forum(realm: Realm) -> int:
    async with realm.database() as connection:
        return await connection.fetchval("""
            INSERT INTO thread (kind, organisation_id) SELECT 'forum', id FROM organisation WHERE name = '前村支部'
            ON CONFLICT DO NOTHING RETURNING id""") or await connection.fetchval(
            "SELECT t.id FROM thread t JOIN organisation o ON o.id = t.organisation_id"
            " WHERE o.name = '前村支部' AND t.kind = 'forum'")


async def test_two_officers_writing_at_once_lose_nothing(realm: Realm):
    meeting = await realm.meeting()
    await long_ago(realm, meeting, hours=1)
    async with realm.visitor(SECRETARY) as one, realm.visitor(ORGANISER) as two:
        answers = await asyncio.gather(*(
            officer.post(f"/meetings/{meeting}/log", data={"minutes": text, "version": 0})
            for officer, text in ((one, "书记写的"), (two, "组织委员写的"))))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    stale = next(answer for answer in answers if answer.status_code == 409)
    assert "书记写的" in stale.text
    assert "组织委员写的" in stale.text, "both are shown"
    assert await realm.ask(EVIDENCE, "write_log", meeting) == 1


async def long_ago(realm: Realm, meeting: int, **ago: int) -> None:
    """Puts a meeting into the past, where no trigger lets anybody put it."""
    async with realm.database("postgres") as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("""
            UPDATE meeting SET begins_at = begins_at - make_interval(days => $2, hours => $3),
                ends_at = ends_at - make_interval(days => $2, hours => $3),
                lock_at = log_lock_moment(ends_at - make_interval(days => $2, hours => $3)) WHERE id = $1""",
                                 meeting, ago.get("days", 0), ago.get("hours", 0))


async def test_two_of_the_committee_amending_at_once_make_one_version(realm: Realm):
    meeting = await realm.meeting()
    await long_ago(realm, meeting, days=30)
    async with realm.visitor(SECRETARY) as secretary, realm.visitor(COMMITTEE) as one, realm.visitor(COMMITTEE) as two:
        explained = await asyncio.gather(*(
            secretary.post(f"/meetings/{meeting}/amendments", data={"explanation": "漏记议题"}) for _ in range(2)))
        assert sorted(answer.status_code for answer in explained) == [303, 409]
        amendment = await realm.ask("SELECT id FROM amendment WHERE meeting_id = $1", meeting)
        form = await amendment_form(one, meeting)
        answers = await asyncio.gather(*(
            officer.post(f"/meetings/{meeting}/amendments/{amendment}/version", data=form | {"topic": topic})
            for officer, topic in ((one, "学条例、议修路"), (two, "学条例、交党费"))))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert await realm.ask("SELECT count(*) FROM version WHERE subject_id = $1", meeting) == 1
    assert await realm.ask(EVIDENCE, "amend_log", meeting) == 1
    assert await realm.ask(EVIDENCE, "explain", meeting) == 1


async def amendment_form(officer: httpx.AsyncClient, meeting: int) -> dict[str, str]:
    """What the committee's form holds."""
    page = (await officer.get(f"/meetings/{meeting}/amendments")).text
    return {"kinds": "主题党日", "why": "已核对", "place": "村委会"} | {
        name: page.split(f'name="{name}"')[1].split('value="')[1].split('"')[0] for name in ("begins_at", "ends_at")}
