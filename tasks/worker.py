"""The arq worker: woken by the application, and by its own clock when nobody wakes it."""
import json
import os
from typing import Any, cast

from arq.typing import WorkerCoroutine
from arq.worker import func

from server.core import database, live, logs, sms
from server.core.effects import QUEUE, SWEEP_JOB, spelled, worker_queue
from server.core.health import HEARTBEAT, SILENCE_S
from tasks import schedule
from tasks.lasting import Lasting

POOL = 3  # connections
YIELDS = 10  # by so much nicer than the web processes: whoever waits for a page goes first


async def started(ctx: dict[Any, Any]) -> None:
    os.nice(YIELDS)
    logs.begin_log()
    await database.open_pool(POOL)
    await schedule.sweep_effects(ctx)


async def stopped(ctx: dict[Any, Any]) -> None:
    await live.close()
    await database.engine().close_connection_pool()


async def beat(_: dict[str, Any]) -> None:
    """Says that the worker lives (see /health)."""
    await live.redis().set(HEARTBEAT, "1", ex=SILENCE_S)


FUNCTIONS = [func(cast(WorkerCoroutine, job), name=name, keep_result=0)
             for name, job in ((SWEEP_JOB, schedule.sweep_effects), (sms.SWEEP_JOB, schedule.sweep_sms))]
CRON_JOBS = [*schedule.LINES, schedule.line(beat, second=schedule.EVERY_5_S, run_at_startup=True)]


def worker() -> Lasting:
    """The worker of the Procfile."""
    return Lasting(
        FUNCTIONS, cron_jobs=CRON_JOBS, redis_settings=worker_queue(), queue_name=QUEUE, job_serializer=spelled,
        job_deserializer=json.loads, on_startup=started, on_shutdown=stopped, max_jobs=4, job_timeout=60,
        log_results=False)
