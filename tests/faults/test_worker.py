"""The worker killed in the middle, doubled, busy: each effect once, evidence sealed in seconds, memory as before."""
import asyncio
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from server.core import checkpoints
from server.core.clock import now
from server.core.keys import derived, secret
from server.core.verify_audit import verify
from server.threads.actions import THREAD_LOCK
from tests.cast import MEMBER
from tests.faults.realm import Realm
from tests.starting.conftest import if_alone

BUSY = """SELECT count(*) FROM pg_stat_activity
          WHERE wait_event = 'advisory' AND datname = 'ebranch' AND usename = 'ebranch_app'"""
LATER = timedelta(hours=1)


@asynccontextmanager
async def held_up(realm: Realm) -> AsyncIterator[None]:
    """Meanwhile a reminder gets as far as 李小虎, and no farther."""
    async with realm.database() as connection, connection.transaction():
        thread = await connection.fetchval("""
            INSERT INTO thread (kind, person_id) SELECT 'reminders', id FROM person WHERE name = '李小虎'
            ON CONFLICT DO NOTHING RETURNING id""")
        thread = thread or await connection.fetchval(
            "SELECT t.id FROM thread t JOIN person p ON p.id = t.person_id WHERE p.name = '李小虎'")
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2::int)", THREAD_LOCK, thread)
        yield


async def is_in_the_middle(realm: Realm) -> bool:
    async with realm.database("postgres") as connection:  # others don't see what a session waits for
        return await connection.fetchval(BUSY) == 1


async def once(realm: Realm, meeting: int, within_s: float = 20) -> None:
    """Asserts that everybody is reminded of the meeting, once."""
    await realm.until(within_s, lambda: realm.is_told(meeting))
    assert await realm.reminders_of(meeting) == [await realm.expected(meeting)]


async def open_thread_of_reminders(realm: Realm) -> None:
    """So that what is waited for is the lock, not the thread's row."""
    first = await realm.meeting(now() + LATER)
    await realm.lay_reminder(first)
    await once(realm, first)


async def test_killed_in_the_middle_of_an_effect_it_does_it_once(realm: Realm):
    await open_thread_of_reminders(realm)
    meeting = await realm.meeting(now() + LATER)
    async with held_up(realm):
        await realm.lay_reminder(meeting)
        await realm.until(15, lambda: is_in_the_middle(realm))
        realm.child("worker").kill()
        await asyncio.sleep(3)
        assert await realm.reminders_of(meeting) == [-1], "the other one does not begin what this one still holds"
    await once(realm, meeting)


async def test_killed_again_and_again_it_does_each_effect_once(realm: Realm):
    meetings = [await realm.meeting(now() + LATER, topic=f"第{number}次") for number in range(5)]
    for number, meeting in enumerate(meetings):
        await realm.lay_reminder(meeting, timedelta(seconds=number))
    for _ in range(3):
        await asyncio.sleep(1.5)
        realm.child("worker").send_signal(signal.SIGKILL)
    for meeting in meetings:
        await once(realm, meeting, 40)


async def test_ended_politely_in_the_middle_it_does_it_once(realm: Realm):
    await open_thread_of_reminders(realm)
    meeting = await realm.meeting(now() + LATER)
    async with held_up(realm):
        await realm.lay_reminder(meeting)
        await realm.until(15, lambda: is_in_the_middle(realm))
        realm.child("worker").send_signal(signal.SIGTERM)
        await asyncio.sleep(1)
    await once(realm, meeting)


@asynccontextmanager
async def second_worker(realm: Realm) -> AsyncIterator[None]:
    """Meanwhile there are two."""
    line = next(line for line in (realm.clone / "Procfile").read_text().splitlines() if line.startswith("worker: "))
    second = await asyncio.create_subprocess_exec(*line.removeprefix("worker: ").split(), cwd=realm.clone,
                                                  env=realm.environ, stdout=DEVNULL, stderr=DEVNULL)
    await asyncio.sleep(if_alone(2))
    assert second.returncode is None
    try:
        yield
    finally:
        second.send_signal(signal.SIGINT)
        await asyncio.wait_for(second.wait(), 20)


async def test_two_of_them_double_neither_effects_nor_seals(realm: Realm, monkeypatch):
    meetings = [await realm.meeting(now() + LATER, topic=f"第{number}次") for number in range(4)]
    checked_in = await realm.meeting()
    async with second_worker(realm), realm.visitor(None) as phone:
        for meeting in meetings:
            await realm.lay_reminder(meeting, timedelta(seconds=1))
        for own in await realm.hall(40):
            await phone.post(realm.scan(checked_in), headers={"cookie": own})
        for meeting in meetings:
            await once(realm, meeting)
        await realm.until(10, realm.is_sealed)
    monkeypatch.setattr(checkpoints, "key", lambda purpose: derived(secret(realm.data / "keys"), purpose))
    monkeypatch.setattr(checkpoints, "folder", lambda: realm.data / "checkpoints")
    async with realm.database() as connection:
        found = await verify(connection)
    assert (found.fault, found.unsealed) == (None, 0)
    assert found.sealed == await realm.ask("SELECT count(*) FROM audit_event")


async def test_evidence_is_sealed_within_five_seconds(realm: Realm):
    meeting = await realm.meeting()
    async with realm.visitor(MEMBER) as member:
        await member.post(realm.scan(meeting))
    began = monotonic()
    await realm.until(5, realm.is_sealed)
    assert monotonic() - began < if_alone(5)


async def test_a_meeting_complete_by_check_ins_alone_is_recorded_by_itself(realm: Realm):
    meeting = await realm.meeting(now() - timedelta(minutes=1))
    async with realm.database() as connection:
        await connection.execute("DELETE FROM attendance WHERE meeting_id = $1 AND name <> '王秀英'", meeting)
    async with realm.visitor(MEMBER) as member:
        assert "您已签到" in (await realm.tap(member, meeting)).text

    async def recorded() -> bool:
        return await realm.ask("SELECT recorded_at IS NOT NULL FROM meeting WHERE id = $1", meeting)

    await realm.until(8, recorded)


async def test_much_work_leaves_its_memory_and_redis_as_they_were(realm: Realm):
    async def work(times: int) -> int:
        async with realm.database() as connection:
            await connection.execute("""
                INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, source)
                SELECT 'platform', '王秀英', '正式党员', 'say', 'entry', n, '::1' FROM generate_series(1, $1::int) n""",
                                     times)
            await connection.execute("""
                INSERT INTO effect (key, kind, payload, due_at) SELECT gen_random_uuid(), 'meeting_reminder',
                    '{"meeting": 0, "begins_at": "2026-11-22T19:30+08:00"}', now() FROM generate_series(1, $1::int)""",
                                     times)
        await realm.until(60, realm.is_sealed)
        await realm.until(60, nothing_waits)
        return realm.child("worker").memory_full_info().uss

    async def nothing_waits() -> bool:
        return not await realm.ask("SELECT EXISTS (SELECT FROM effect WHERE state = 'waiting' AND due_at < now())")

    before = await work(500)
    after = await work(1500)
    assert after - before < 8 * 2**20
    assert await realm.redis().dbsize() < 200


async def test_it_says_nothing_of_its_ordinary_work(realm: Realm):
    said = realm.output()
    assert not [word for word in ("→", "←", "Starting worker", "redis_version") if word in said], said
