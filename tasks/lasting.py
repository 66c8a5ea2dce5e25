"""arq's worker, for which a restart of Redis is a pause.

Between WATCH and EXEC redis-py answers a lost connection with WatchError, whatever it is told to try again; arq lets
that end the worker."""
from datetime import datetime

from arq.worker import Worker
from redis.exceptions import WatchError


class Lasting(Worker):
    """A worker that looks again where Redis fell silent between WATCH and EXEC."""

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Starts jobs as arq does; one that was asked for in vain is still queued, and gives back its place."""
        try:
            await super().start_jobs(job_ids)
        except WatchError:
            self.job_counter -= 1
            self.sem.release()

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Queues what is due as arq does; what was not queued is due again at the next look, in half a second."""
        due = [job.next_run for job in self.cron_jobs]
        try:
            await super().run_cron(n, delay, num_windows)
        except WatchError:
            for job, when in zip(self.cron_jobs, due, strict=True):
                job.next_run = when  # those that were queued are known by their ids
