"""Effects: each once, whoever sweeps and whatever fails meanwhile; what fails is tried again, then given up aloud."""
import asyncio
import logging
import time
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from server.core import effects, live
from server.core.clock import now
from server.core.database import all_told, row, rows, transaction
from server.core.effects import CARRIERS, MOST_TRIES, cancel, later, sweep
from server.core.live import redis
from tests.servers import url

SOON = timedelta(minutes=1)


@pytest.fixture
async def done(owner, monkeypatch):
    """What has been carried out, told by the table it is written to; kinds 'note' and 'stumble' (after writing)."""
    await owner.execute("CREATE TABLE note (id int); GRANT ALL ON note TO ebranch_app")

    async def note(payload):
        await rows("INSERT INTO note VALUES ($1)", payload["id"])

    async def stumble(payload):
        await note(payload)
        raise ValueError("stumbled")

    monkeypatch.setitem(CARRIERS, "note", note)
    monkeypatch.setitem(CARRIERS, "stumble", stumble)

    async def told():
        return sorted(one["id"] for one in await rows("SELECT id FROM note"))

    return told


async def put_down(*numbers: int, kind: str = "note", due=None) -> None:
    async with transaction():
        for number in numbers:
            await later(f"test:{number}", kind, {"id": number}, due or now())


async def effect(number: int = 1) -> asyncpg.Record:
    return await row("SELECT state, tries, fault, due_at - ebranch_now() AS wait FROM effect WHERE key = $1",
                     f"test:{number}")


async def test_what_is_due_is_done_once(done):
    await put_down(1)
    assert await sweep() == 1
    assert await sweep() == 0
    assert await done() == [1]
    assert (await effect())["state"] == "done"


async def test_what_is_put_down_twice_is_done_once(done):
    await put_down(1)
    await put_down(1)
    await sweep()
    await put_down(1)
    await sweep()
    assert await done() == [1]


async def test_what_is_not_due_yet_waits(done, at):
    moment = await at("2026-11-22 19:30")
    await put_down(1, due=moment + SOON)
    assert await sweep() == 0
    await at(moment + SOON)
    assert await sweep() == 1


async def test_what_was_missed_while_nobody_swept_is_done_later(done, at):
    moment = await at("2026-11-22 19:30")
    await put_down(1, due=moment + SOON)
    await at(moment + timedelta(days=3))
    await sweep()
    assert await done() == [1]


async def test_with_the_transaction_that_fails_goes_what_it_put_down(done):
    async def put_down_and_fail() -> None:
        async with transaction():
            await later("test:1", "note", {"id": 1}, now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await put_down_and_fail()
    assert await sweep() == 0


async def test_what_is_cancelled_is_not_done(done):
    await put_down(1, 2)
    async with transaction():
        await cancel("test:1")
    await sweep()
    assert await done() == [2]


async def test_two_sweeps_at_once_share_the_work(done):
    await put_down(*range(40))
    assert sum(await asyncio.gather(*(sweep() for _ in range(5)))) == 40
    assert await done() == list(range(40))


async def test_a_sweep_rests_after_each_as_long_as_it_is_told(done, monkeypatch):
    async def slow(payload: dict) -> None:
        await asyncio.sleep(0.1)

    monkeypatch.setitem(CARRIERS, "slow", slow)
    await put_down(1, 2, kind="slow")
    began = time.monotonic()
    assert await sweep(resting=2) == 2
    assert time.monotonic() - began > 2 * (0.1 + 0.2)


async def test_a_sweep_passes_over_what_another_one_is_at(done, owner):
    await put_down(1, 2)
    async with owner.transaction():
        await owner.execute("SELECT FROM effect WHERE key = 'test:1' FOR UPDATE")
        assert await asyncio.wait_for(sweep(), 5) == 1
    assert await done() == [2]
    await sweep()
    assert await done() == [1, 2]


async def test_what_fails_leaves_nothing_behind_and_is_tried_again_after_twice_as_long(done, at):
    moment = await at("2026-11-22 19:30")
    await put_down(1, kind="stumble")
    for tried, seconds in enumerate((5, 10, 20, 40), 1):
        await sweep()
        found = await effect()
        assert (found["state"], found["tries"], found["fault"]) == ("waiting", tried, "ValueError")
        assert timedelta(seconds=seconds - 2) < found["wait"] <= timedelta(seconds=seconds)
        assert await sweep() == 0, "not before its time"
        moment = await at(moment + timedelta(seconds=seconds + 1))
    assert await done() == []


async def test_what_fails_does_not_hold_up_the_others(done):
    await put_down(1, kind="stumble")
    await put_down(2)
    await sweep()
    assert await done() == [2]


async def test_what_comes_right_in_the_end_is_done_once(done, at, monkeypatch):
    moment = await at("2026-11-22 19:30")
    await put_down(1, kind="stumble")
    await sweep()
    monkeypatch.setitem(CARRIERS, "stumble", CARRIERS["note"])
    await at(moment + timedelta(seconds=6))
    await sweep()
    assert await done() == [1]
    assert (await effect())["tries"] == 2


async def test_after_eight_tries_it_is_given_up_and_the_log_says_so(done, at, caplog):
    moment = await at("2026-11-22 19:30")
    await put_down(1, kind="stumble")
    for _ in range(MOST_TRIES):
        assert await sweep() == 1
        moment = await at(moment + timedelta(hours=1))
    assert (await effect())["state"] == "failed"
    assert await sweep() == 0
    errors = [said.getMessage() for said in caplog.records if said.levelno == logging.ERROR]
    given_up = [said for said in errors if "given up" in said]
    assert len(given_up) == 1
    assert "(test:1)" in given_up[0]
    assert "ValueError" in given_up[0]


async def test_what_nobody_carries_is_given_up_too(done, at):
    await put_down(1, kind="nobody's")
    await sweep()
    assert (await effect())["fault"].startswith("KeyError")


async def test_a_lost_connection_in_the_middle_does_nothing_by_halves(done, owner, database, monkeypatch):
    admin = await asyncpg.connect(url("postgres", database))

    async def cut(payload):
        await rows("INSERT INTO note VALUES ($1)", payload["id"])
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE state = 'idle in transaction' AND datname = current_database()")
        await rows("SELECT 1")

    monkeypatch.setitem(CARRIERS, "cut", cut)
    await put_down(1, kind="cut")
    await sweep()
    await admin.close()
    assert await done() == []
    assert (await effect())["tries"] == 1
    await put_down(2)
    assert await sweep() == 1, "the next one has a connection that works"


async def test_the_worker_is_woken_for_what_is_due_now_by_a_job_in_json(done, monkeypatch):
    monkeypatch.setattr(effects, "QUEUE", f"arq:{uuid4()}")  # tests of other processes fill the usual one
    await put_down(1)
    await all_told()
    jobs = await redis().zrange(effects.QUEUE, 0, -1)
    assert len(jobs) == 1
    job = await redis().get(b"arq:job:" + jobs[0])
    assert job.startswith(b'{"')
    assert b'"sweep_effects"' in job
    assert b"test:1" not in job, "what there is to do stands in the database only"


async def test_nobody_waits_for_a_redis_that_is_not_there(done, monkeypatch):
    monkeypatch.setattr(live, "_redis", redis().from_url("unix:///nowhere/redis.sock"))
    monkeypatch.setattr(live, "_silent_until", 0.0)
    began = asyncio.get_running_loop().time()
    await put_down(1)
    await sweep()
    assert asyncio.get_running_loop().time() - began < 1
    assert await done() == [1]


async def test_what_follows_from_what_a_sweep_is_at_wakes_no_other(done, monkeypatch):
    woken = []

    async def wake() -> None:
        woken.append(1)

    monkeypatch.setattr(effects, "wake", wake)
    async with transaction():
        await later("test:1", "note", {"id": 1}, now(), waking=False)
    await all_told()
    assert woken == []
    await put_down(2)
    await all_told()
    assert woken == [1]
    assert await sweep() == 2
