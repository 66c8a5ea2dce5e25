"""The arq worker: woken by the application, and by its own clock when nobody wakes it."""
import json
import os
from typing import Any, ClassVar, cast

from arq.typing import WorkerCoroutine
from arq.worker import func

from server.core import database, live, logs, sms
from server.core.effects import QUEUE, SWEEP_JOB, spelled, worker_queue
from server.core.health import HEARTBEAT, SILENCE_S
from tasks import schedule

POOL = 3  # connections
YIELDS = 10  # by so much nicer than the web processes: whoever waits for a page goes first
LOG = logs.CONFIG


async def started(context: dict[str, Any]) -> None:
    os.nice(YIELDS)
    logs.begin_log()
    await database.open_pool(POOL)
    await schedule.sweep_effects(context)


async def stopped(_: dict[str, Any]) -> None:
    await live.close()
    await database.engine().close_connection_pool()


async def beat(_: dict[str, Any]) -> None:
    """Says that the worker lives (see /health)."""
    await live.redis().set(HEARTBEAT, "1", ex=SILENCE_S)


class WorkerSettings:
    """Read by arq: `arq tasks.worker.WorkerSettings`."""

    redis_settings = worker_queue()
    queue_name = QUEUE
    job_serializer = spelled
    job_deserializer = json.loads
    functions: ClassVar = [
        func(cast(WorkerCoroutine, job), name=name, keep_result=0)
        for name, job in ((SWEEP_JOB, schedule.sweep_effects), (sms.SWEEP_JOB, schedule.sweep_sms))]
    cron_jobs: ClassVar = [*schedule.LINES, schedule.line(beat, second=schedule.EVERY_5_S, run_at_startup=True)]
    on_startup = started
    on_shutdown = stopped
    max_jobs = 4
    job_timeout = 60
    handle_signals = True
    log_results = False
