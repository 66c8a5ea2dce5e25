"""Redis falls silent between WATCH and EXEC, where its client says WatchError: the worker looks again, and stays."""
import asyncio
import json
from contextlib import suppress
from uuid import uuid4

import pytest
from redis.asyncio.client import Pipeline
from redis.exceptions import WatchError

from server.core.effects import spelled, worker_queue
from tasks.lasting import Lasting
from tasks.schedule import line


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
async def worker(done, database):
    async def note(_: dict) -> None:
        done.append("by the clock")

    worker = Lasting(
        functions=[], cron_jobs=[line(note, second=0, run_at_startup=True)],
        redis_settings=worker_queue(), queue_name=f"lasting:{uuid4()}", max_jobs=1, poll_delay=0.01,
        job_serializer=spelled, job_deserializer=json.loads, handle_signals=False, ctx={})
    yield worker
    await worker.close()


@pytest.mark.parametrize("command", ["exists", "zscore"])
async def test_a_connection_lost_while_watching_takes_no_place_and_loses_nothing(command, worker, done, monkeypatch):
    real, lost = getattr(Pipeline, command), []

    def fails_thrice(pipe: Pipeline, *arguments: object) -> object:
        if len(lost) < 3:
            lost.append(arguments)
            raise WatchError("A ConnectionError occurred on while watching one or more keys")
        return real(pipe, *arguments)

    monkeypatch.setattr(Pipeline, command, fails_thrice)
    places = worker.sem._value
    works = asyncio.create_task(worker.async_run())
    for _ in range(200):
        if done or works.done():
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)
    assert not works.done(), "the worker stays"
    works.cancel()
    with suppress(asyncio.CancelledError):
        await works
    assert len(lost) == 3
    assert done == ["by the clock"]
    assert (worker.job_counter, worker.sem._value) == (0, places), "as many places as before"
