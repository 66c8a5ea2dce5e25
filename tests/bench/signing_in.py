"""Twenty people sign in at once: what somebody else's page costs meanwhile. And what a session check is of a page."""
import asyncio
import time
from functools import partial
from pathlib import Path
from statistics import quantiles

import httpx

from server.demo.people import CAST, PASSWORD
from tests.bench.figures import Figure
from tests.bench.growth import token
from tests.bench.load import Request, compare, press
from tests.bench.stack import Stack

AT_ONCE = 20
ROUNDS = 15  # of twenty sign-ins each
PAUSE_S = 0.02  # between two pages of the one who only reads
P95_MS = 500
SHARE = 10  # per cent
READER = "13700000014"
VIEWER = token(0, 10)


def signing_in(folder: Path) -> list[Figure]:
    """On the demonstration, whose people have real passwords."""
    stack = Stack(folder, demo=True)
    stack.start()
    try:
        waited, took = asyncio.run(while_they_sign_in(stack.origin))
    finally:
        stack.stop()
    each = 1000 * sum(took) / len(took)
    return [Figure(f"a page while {AT_ONCE} sign in at once, p95", 1000 * quantiles(waited, n=20)[-1], "ms",
                   at_most=P95_MS, beside=f"{len(waited)} pages; a sign-in took {each:.0f} ms")]


async def while_they_sign_in(origin: str) -> tuple[list[float], list[float]]:
    """Seconds that each page took, and each sign-in."""
    waited: list[float] = []
    took: list[float] = []
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=origin, timeout=60) as reader, \
            httpx.AsyncClient(base_url=origin, timeout=60, limits=limits) as crowd:
        assert (await reader.post("/sign-in", data={"phone": READER, "password": PASSWORD})).status_code == 303
        reading = asyncio.create_task(read(reader, waited))
        for _ in range(ROUNDS):
            phones = [CAST[number % len(CAST)].phone for number in range(AT_ONCE)]
            await asyncio.gather(*(sign_in(crowd, phone, took) for phone in phones))
        reading.cancel()
    return waited, took


async def read(reader: httpx.AsyncClient, waited: list[float]) -> None:
    """Opens the thread list again and again."""
    while True:
        began = time.perf_counter()
        assert (await reader.get("/threads")).status_code == 200
        waited.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_S)


async def sign_in(crowd: httpx.AsyncClient, phone: str, took: list[float]) -> None:
    """One sign-in, on a browser without cookies; an officer's up to where the code is asked for."""
    began = time.perf_counter()
    answer = await crowd.post("/sign-in", data={"phone": phone, "password": PASSWORD}, headers={"Cookie": ""})
    assert answer.status_code in (200, 303), answer.status_code
    took.append(time.perf_counter() - began)


def session_check(stack: Stack) -> list[Figure]:
    """What the check costs: an answer that needs a session beside the same answer that needs none."""
    with stack.floor() as floor:
        checked = compare(partial(press, floor, [Request("/somebody", VIEWER)]),
                          partial(press, floor, [Request("/nobody")]))
        listed = compare(partial(press, stack.origin, [Request("/threads", VIEWER)]),
                         partial(press, floor, [Request("/nobody")]))
    cost, whole = 1 / checked.rate - 1 / checked.floor, 1 / listed.rate
    return [Figure("session check, of a thread list's time", 100 * cost / whole, "%", at_most=SHARE,
                   beside=f"{1e6 * cost:.0f} µs of {1e6 * whole:.0f} µs")]
