"""A server under a steady trickle of requests: one every so often, whether the ones before were answered or not."""
import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from statistics import quantiles

import httpx

from server.accounts.authentication import SESSION_COOKIE
from tests.bench.load import Request, WrongAnswers

EVERY_S = 0.04


async def steady(origin: str, requests: Sequence[Request], going: Callable[[], bool]) -> list[float]:
    """Milliseconds of each answer, as long as `going` says so; WrongAnswers if one was no success."""
    taken: list[float] = []

    async def ask(one: Request, client: httpx.AsyncClient) -> None:
        began = time.monotonic()
        answer = await client.request(one.method, one.path, headers={"Cookie": f"{SESSION_COOKIE}={one.token}"})
        if answer.status_code != 200:
            raise WrongAnswers(f"{one}: {answer.status_code}")
        taken.append((time.monotonic() - began) * 1000)

    async with httpx.AsyncClient(base_url=origin, timeout=30) as client, asyncio.TaskGroup() as asked:
        for one in cycle(requests):
            if not going():
                break
            asked.create_task(ask(one, client))
            await asyncio.sleep(EVERY_S)
    return taken


def one_by_one(address: str, token: str, times: int) -> list[float]:
    """Milliseconds of each of so many answers, asked for one after the other."""
    taken = []
    with httpx.Client(cookies={SESSION_COOKIE: token}, timeout=60) as client:
        for _ in range(times):
            began = time.monotonic()
            assert client.get(address).status_code == 200
            taken.append((time.monotonic() - began) * 1000)
    return taken


def p95(taken: Sequence[float]) -> float:
    """What the slowest twentieth takes at least."""
    return quantiles(taken, n=20)[-1]
