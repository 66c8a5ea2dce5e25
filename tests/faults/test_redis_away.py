"""Redis stopped, hanging or emptied: everything people do goes on at its usual pace; what waited is done once."""
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import httpx
import pytest

from server.core.clock import now
from tests.cast import MEMBER, SECRETARY
from tests.faults.realm import Realm
from tests.passwords import PASSWORD
from tests.starting.conftest import if_alone

PATIENCE_S = 1.5  # what a page may take because of Redis
PRESENT = "SELECT count(*) FROM attendance WHERE meeting_id = $1 AND mark = '参加'"
HOW = {"stopped": signal.SIGKILL, "hanging": signal.SIGSTOP}


@pytest.fixture(params=HOW.values(), ids=HOW)
def away(realm: Realm, request):
    """`async with away():` there is no Redis meanwhile, or one that never answers."""
    return lambda: realm.without("redis", request.param)


async def timed(answer, status: int) -> httpx.Response:
    began = monotonic()
    found = await answer
    assert found.status_code == status, found.text
    assert monotonic() - began < if_alone(PATIENCE_S), f"{found.request.url} took {monotonic() - began:.1f} s"
    return found


async def test_pages_sign_in_check_in_and_lock_go_on_at_their_usual_pace(realm: Realm, away):
    meeting = await realm.meeting()
    locked = await realm.meeting(topic="要锁定的")
    await lock_soon(realm, locked, seconds=6)
    async with realm.visitor(MEMBER) as member, realm.visitor(SECRETARY) as secretary, realm.visitor(None) as anybody:
        async with away():
            for path in ("/threads", f"/meetings/{meeting}", "/meetings", "/me", "/tabs"):
                await timed(member.get(path), 200)
            await timed(anybody.post("/sign-in", data={"phone": MEMBER.phone, "password": PASSWORD}), 303)
            assert "您已签到" in (await timed(realm.tap(member, meeting), 200)).text
            await timed(secretary.post(f"/meetings/{meeting}/attendance/rest", data={"everybody": "1"}), 303)
            await timed(secretary.get(f"/meetings/{meeting}/check-in-wall"), 200)
            people = await realm.ask("SELECT person_id FROM attendance WHERE meeting_id = $1 LIMIT 1", meeting)
            plan = {"kinds": "党课", "topic": f"没有 Redis {monotonic()}", "people": people,
                    "begins_at": "2036-11-23T19:30", "ends_at": "2036-11-23T20:30"}
            await timed(secretary.post("/meetings", data=plan), 303)
            await realm.until(20, lambda: is_locked(realm, locked))
            log = {"minutes": "改了", "version": 0}
            assert "已超7个工作日" in (await timed(secretary.post(f"/meetings/{locked}/log", data=log), 409)).text
            assert realm.health()["status"] == 503
            assert '"redis":"down: ' in realm.health()["body"]
        assert await realm.ask(PRESENT, meeting) == await realm.expected(meeting)


async def lock_soon(realm: Realm, meeting: int, seconds: int) -> None:
    """A meeting that was held long enough ago to lock in a few seconds."""
    async with realm.database("postgres") as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("""
            UPDATE meeting SET begins_at = begins_at - interval '12 days', ends_at = ends_at - interval '12 days',
                lock_at = now() + make_interval(secs => $2) WHERE id = $1""", meeting, seconds)


async def is_locked(realm: Realm, meeting: int) -> bool:
    return await realm.ask("SELECT lock_at <= ebranch_now() FROM meeting WHERE id = $1", meeting)


async def test_reminders_that_fell_due_meanwhile_arrive_once_when_it_is_back(realm: Realm, away):
    meeting = await realm.meeting(now() + timedelta(hours=1))
    async with away():
        await realm.lay_reminder(meeting)
        await asyncio.sleep(2)
    everybody = await realm.expected(meeting)
    await realm.until(20, lambda: realm.is_told(meeting))
    await asyncio.sleep(1)
    assert await realm.reminders_of(meeting) == [everybody]


@asynccontextmanager
async def flushing(realm: Realm, every_s: float = 0.05) -> AsyncIterator[None]:
    """Meanwhile Redis is emptied again and again."""
    async def flush() -> None:
        redis = realm.redis()
        while True:
            await redis.flushall()
            await asyncio.sleep(every_s)

    flusher = asyncio.create_task(flush())
    try:
        yield
    finally:
        flusher.cancel()


async def test_emptied_all_the_time_it_loses_and_doubles_nothing(realm: Realm):
    meetings = [await realm.meeting(now() + timedelta(hours=1), topic=f"第{number}次") for number in range(6)]
    async with flushing(realm):
        for number, meeting in enumerate(meetings):
            await realm.lay_reminder(meeting, timedelta(seconds=number / 2))
        await asyncio.sleep(4)
    await realm.until(20, lambda: realm.is_told(*meetings))
    everybody = await realm.expected(meetings[0])
    assert await realm.reminders_of(*meetings) == [everybody] * 6


async def test_emptied_once_the_worker_says_soon_that_it_lives(realm: Realm):
    await realm.redis().flushall()
    assert '"worker":"down: no sign of life"' in realm.health()["body"]
    await asyncio.to_thread(realm.until_healthy, if_alone(8))


async def test_evidence_left_meanwhile_is_sealed_when_it_is_back(realm: Realm, away):
    meeting = await realm.meeting()
    async with realm.visitor(MEMBER) as member, away():
        await timed(member.post(realm.scan(meeting)), 303)
    await realm.until(10, realm.is_sealed)


async def test_live_pages_hear_again_once_it_is_back(realm: Realm, away):
    async with realm.visitor(MEMBER) as member, away():
        await timed(member.get("/threads"), 200)
    meeting = await realm.meeting()
    async with realm.visitor(SECRETARY) as secretary, realm.visitor(MEMBER) as member:

        async def hears() -> bool:
            async with member.stream("GET", "/live", timeout=5) as stream:
                heard = asyncio.create_task(until_told(stream, f"meeting-{meeting}"))
                await asyncio.sleep(0.3)
                form = {"person": await realm.ask("SELECT min(person_id) FROM attendance"),
                        "mark": ["参加", "缺席"][int(monotonic()) % 2]}
                await secretary.post(f"/meetings/{meeting}/attendance", data=form)
                return await heard

        await realm.until(15, hears)


async def until_told(stream: httpx.Response, topic: str) -> bool:
    """Whether `topic` is told within a moment."""
    try:
        async with asyncio.timeout(2):
            async for line in stream.aiter_lines():
                if line == f"data: {topic}":
                    return True
    except TimeoutError:
        pass
    return False
