"""Things to do once. The database holds every due effect; a sweep carries it out in the transaction of its result.

arq only wakes the sweep: emptying Redis at any moment loses nothing, and a worker killed in the middle of an effect
has done it wholly or not at all."""
import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from arq.connections import ArqRedis, RedisSettings
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from server.core import live
from server.core.clock import now
from server.core.database import after_commit, row, rows, transaction
from server.core.logs import code_of
from server.settings import settings

log = logging.getLogger(__name__)

Carry = Callable[[dict[str, Any]], Awaitable[None]]
CARRIERS: dict[str, Carry] = {}
MOST_TRIES = 8  # then the effect stays as 'failed', with its fault, for somebody to look at
RETRY_AFTER = timedelta(seconds=5)  # the first time
QUEUE = "ebranch"
SWEEP_JOB = "sweep_effects"


def carries(kind: str) -> Callable[[Carry], Carry]:
    """Declares the function that carries out effects of `kind`; it runs inside the sweep's transaction."""
    def declare(carry: Carry) -> Carry:
        CARRIERS[kind] = carry
        return carry
    return declare


async def later(key: str, kind: str, payload: dict[str, Any], due_at: datetime, *, waking: bool = True) -> None:
    """Puts down something to be done once at `due_at`; a `key` that is there already changes nothing.

    payload: ids only, no personal data; waking: whether what is due already has the worker sweep at once, rather than
    go on by itself with what follows from what it is at."""
    await rows(
        "INSERT INTO effect (key, kind, payload, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
        key, kind, json.dumps(payload), due_at)
    if waking and due_at <= now():
        after_commit(wake)


async def cancel(key_prefix: str) -> None:
    """Cancels what waits under keys that begin with `key_prefix`."""
    await rows("UPDATE effect SET state = 'cancelled' WHERE state = 'waiting' AND starts_with(key, $1)", key_prefix)


async def wake(job: str = SWEEP_JOB) -> None:
    """Tells the worker to sweep now. Without Redis the worker's own clock does it a few seconds later."""
    queue = ArqRedis(live.redis().connection_pool, job_serializer=spelled, default_queue_name=QUEUE)
    await live.attempt(lambda: queue.enqueue_job(job), "effects wait for the worker's clock")


def spelled(job: dict[str, Any]) -> bytes:
    """A job as it stands in Redis: JSON, for what is read from there must not be able to run."""
    return json.dumps(job, default=str).encode()


def worker_queue() -> RedisSettings:
    """How the worker reaches its queue: half a minute without Redis does not end it."""
    every_half_second = Retry(ConstantBackoff(0.5), 60)
    return replace(RedisSettings.from_dsn(settings.redis_url), retry=every_half_second, retry_on_error=[
        RedisConnectionError, OSError])


async def sweep(for_s: float = 30, resting: float = 0) -> int:
    """Carries out what is due, one transaction each, as long as there is any or for `for_s`; returns how many.

    resting: how long it leaves the machine to those who look at pages after each, in times of what that took. Sweeps
    may run side by side."""
    done, began = 0, time.monotonic()
    until = began + for_s
    while began < until and await carry_one():
        done += 1
        await asyncio.sleep(resting * (time.monotonic() - began))
        began = time.monotonic()
    return done


async def carry_one() -> bool:
    """Carries out the next due effect; False when there is none left."""
    effect = None
    try:
        async with transaction():
            effect = await row("""
                SELECT id, kind, payload FROM effect WHERE state = 'waiting' AND due_at <= ebranch_now()
                ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""")
            if effect is None:
                return False
            await CARRIERS[effect["kind"]](json.loads(effect["payload"]))
            await rows("UPDATE effect SET state = 'done', done_at = ebranch_now(), tries = tries + 1 WHERE id = $1",
                       effect["id"])
    except Exception as fault:
        if effect is None:
            raise
        log.exception("effect %s (%s) failed", effect["id"], effect["kind"])
        await put_off(effect["id"], f"{type(fault).__qualname__} {code_of(fault)}".strip())
    return True


async def put_off(effect_id: int, fault: str) -> None:
    """Tries a failed effect again later, each time after twice as long; after MOST_TRIES it stays as failed.

    fault: by its type and numbers; its words may quote what somebody typed."""
    tried = await row("""
        UPDATE effect SET tries = tries + 1, fault = $2,
            state = CASE WHEN tries + 1 >= $3 THEN 'failed' ELSE 'waiting' END,
            due_at = ebranch_now() + $4::interval * power(2, tries)
        WHERE id = $1 AND state = 'waiting' RETURNING key, tries, state""",
                      effect_id, fault[:500], MOST_TRIES, RETRY_AFTER)
    if tried and tried["state"] == "failed":
        log.error("effect %s (%s) is given up after %s tries: %s", effect_id, tried["key"], tried["tries"], fault)
