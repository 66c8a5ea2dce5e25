"""A township approves, and five hundred phones of the village show it: each hears of it over its open connection, asks
for its list of threads again as the script in the page does, and finds the matter in it."""
import asyncio
import random
import re
import time

import httpx

from server.accounts.authentication import SESSION_COOKIE
from server.disclosure.rules import SECRECY, Verdict
from server.settings import ROOT
from tests.bench.figures import Figure
from tests.bench.one_village import LISTENERS, MATTERS_FROM, TOWNSHIP, WAITING, at_work
from tests.bench.stack import Stack
from tests.bench.steady import p95

VISIBLE_S = 1
GATHER_S, SPREAD_S = (
    int(found) / 1000 for found in re.findall(r"(?:GATHER|SPREAD) = (\d+)", (ROOT / "static/js/live.js").read_text()))
GIVEN_UP_S = 15
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Phone:
    """One villager's phone with the list of threads open."""

    def __init__(self, stack: Stack, number: int) -> None:
        self.port, self.cookie = stack.port, f"Cookie: {SESSION_COOKIE}=listener-{number}\r\n"
        self.wanted, self.seen = b"", asyncio.Event()
        self.seen_at = 0.0

    async def connect(self) -> None:
        """Opens the page and its stream, each on a connection of its own that stays, as a browser's do."""
        self.stream, self.told = await asyncio.open_connection("127.0.0.1", self.port)
        self.told.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.cookie}\r\n".encode())
        assert b" 200 " in await self.stream.readline()
        self.pages, self.asked = await asyncio.open_connection("127.0.0.1", self.port)
        await self.threads()

    async def listen(self) -> None:
        """Renews the list whenever it has changed, as long as the stream is open."""
        while line := await self.stream.readline():
            if line.strip() == b"data: threads":
                await asyncio.sleep(GATHER_S + random.random() * SPREAD_S)
                if self.wanted in await self.threads() and not self.seen.is_set():
                    self.seen_at = time.monotonic()
                    self.seen.set()

    async def threads(self) -> bytes:
        """The list of threads as it is now."""
        self.asked.write(f"GET /threads HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.cookie}HX-Request: true\r\n"
                         "X-Passive: 1\r\n\r\n".encode())
        head = await self.pages.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        assert length, head
        return await self.pages.readexactly(int(length[1]))


def publishing(stack: Stack) -> list[Figure]:
    """From the township's tap until the phones show the matter."""
    asyncio.run(at_work(stack))
    taken = asyncio.run(published(stack))
    return [Figure(f"published, seen on {LISTENERS} phones, p95", p95(taken), "s", at_most=VISIBLE_S,
                   beside=f"{WAITING} matters; slowest {max(taken):.2f} s; of it each phone waits {GATHER_S} to "
                          f"{GATHER_S + SPREAD_S:.2f} s by itself")]


async def published(stack: Stack) -> list[float]:
    """Seconds of each phone and matter."""
    phones = [Phone(stack, number) for number in range(1, LISTENERS + 1)]
    for phone in phones:
        await phone.connect()
    taken: list[float] = []
    listening = [asyncio.create_task(phone.listen()) for phone in phones]
    try:
        async with httpx.AsyncClient(base_url=stack.origin, cookies={SESSION_COOKIE: TOWNSHIP}, timeout=60) as client:
            for number in range(MATTERS_FROM + 1, MATTERS_FROM + WAITING + 1):
                for phone in phones:
                    phone.wanted, phone.seen = f"待公开 {number}".encode(), asyncio.Event()
                began = time.monotonic()
                answer = await client.post(f"/disclosures/{number}/review", data={
                    "version": "1", "verdict": str(Verdict.PASSED), "checked": list(SECRECY)})
                assert answer.status_code == 303, answer.text
                async with asyncio.timeout(GIVEN_UP_S):
                    await asyncio.gather(*(phone.seen.wait() for phone in phones))
                taken += [phone.seen_at - began for phone in phones]
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for phone in phones:
            phone.told.close()
            phone.asked.close()
    return taken
