"""Every clock line in one place: what happens by itself, and how often. The jobs are shallow: they call one action."""
from collections.abc import Awaitable, Callable
from typing import Any, cast

from arq import cron
from arq.cron import CronJob
from arq.typing import WorkerCoroutine

import server.catalogues.telling
import server.disclosure.plain
import server.disclosure.reviewing
import server.evidence.actions
import server.ledgers.imports
import server.ledgers.part
import server.meetings.reminders
import server.officers.imports
import server.query_accounts.imports
import server.questions.cards
import server.todos.reminders  # noqa: F401  (they declare who carries out what)
from server.catalogues import duties as renewing
from server.core import audit, checkpoints, deadlines, effects, file_checks, sms
from server.core.clock import now
from server.core.database import transaction
from server.core.parked import sweep_parked
from server.meetings.check_in import record_if_complete
from server.query_accounts import yearly
from server.supervision import tables as supervision

Job = Callable[[dict[str, Any]], Awaitable[None]]
REST = 1.5  # how long a sweep rests after each thing it does, in times of what that took: who looks at pages goes first
EVERY_3_S, EVERY_5_S = {*range(0, 60, 3)}, {*range(0, 60, 5)}


async def sweep_effects(_: dict[str, Any]) -> None:
    """What is due to be done once."""
    await effects.sweep(resting=REST)


async def sweep_sms(_: dict[str, Any]) -> None:
    """SMS that wait, those of a dead worker, and those that are late."""
    await sms.sweep()


async def sweep_deadlines(_: dict[str, Any]) -> None:
    """What has become overdue or has to be urged."""
    more = True
    while more:
        async with transaction():
            more = bool(await deadlines.sweep(now()))


async def record_meetings(_: dict[str, Any]) -> None:
    """Meetings whose four facts are complete by check-ins alone."""
    async with transaction():
        await record_if_complete()


async def seal(_: dict[str, Any]) -> None:
    """Evidence into its chains, within seconds."""
    while await audit.seal():
        pass


async def seal_all(_: dict[str, Any]) -> None:
    """Evidence that was committed very late, too."""
    await audit.seal(looking_back=None)


async def sign_checkpoint(context: dict[str, Any]) -> None:
    """How the evidence's chains stand, signed hour by hour; what was just written is sealed before."""
    await seal(context)
    await checkpoints.make_due()


async def sweep_unsaved(_: dict[str, Any]) -> None:
    """Files that nobody saved within a day."""
    while await file_checks.sweep_unsaved():
        pass


async def look_at_files(_: dict[str, Any]) -> None:
    """A slice of the night's look at every file."""
    await file_checks.look_at_files()


async def renew_duties(_: dict[str, Any]) -> None:
    """What villages owe in the month that has begun."""
    await renewing.renew_all()
    await yearly.owe_the_look()


async def fold_figures(_: dict[str, Any]) -> None:
    """What changed in how villages keep to it, into the figures by month."""
    while await supervision.fold():
        pass


async def forget_parked_forms(_: dict[str, Any]) -> None:
    """Forms that nobody came back for within the hour."""
    await sweep_parked()


def line(job: Job, **when: Any) -> CronJob:
    """One clock line; nothing is kept of it, for the database knows what was done."""
    return cron(cast(WorkerCoroutine, job), keep_result=0, **when)


LINES = [
    line(sweep_effects, second=EVERY_5_S),
    line(sweep_sms, second=EVERY_5_S),
    line(record_meetings, second=EVERY_5_S),
    line(seal, second=EVERY_3_S),
    line(sweep_deadlines, second={0, 30}),
    line(fold_figures, second={10, 40}),
    line(forget_parked_forms, minute={7, 22, 37, 52}, second={0}),
    line(seal_all, minute={17}, second={0}),
    line(sign_checkpoint, minute={*range(0, 60, 5)}, second={20}, run_at_startup=True),
    line(sweep_unsaved, minute={41}, second={0}),
    line(renew_duties, hour={0, 6, 12, 18}, minute={3}, second={0}, run_at_startup=True),
    line(look_at_files, second={20}),
]
