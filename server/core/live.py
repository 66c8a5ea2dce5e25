"""What has just changed, told to whoever has it open: topics over Redis, to browsers as server-sent events.

An event carries a topic and nothing else ("meeting-7"); the browser then asks for the piece again, with its own
rights. Where Redis or the connection fails the pages ask every few seconds instead; no page ever waits for Redis."""
import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.core.database import after_commit, all_told, begin
from server.settings import settings

log = logging.getLogger(__name__)

CHANNEL = "live"
BEAT_S = 20  # a comment line keeps proxies from closing the stream; then it is asked, too, whether it may go on
TELL_S = 0.05  # what is to be told within it is told once
VILLAGE = "village-"  # and its code: the audience of its readers
ENDED = "sessions"  # what is told to a person one of whose sessions has ended; browsers do not hear of it
GATHER_S = 0.5  # what changes within it is told once: a hall checking in is two renewals a second, not fifty
PATIENCE_S = 1  # with Redis, for one answer
RESPITE_S = 2  # in which it is not asked again once it was silent


@dataclass(frozen=True, eq=False)
class Listener:
    """One open connection: it hears of its organisation's subtree, of what is published in its village, and of what
    concerns its person alone."""

    path: str | None
    person_id: int | None
    only: str | None = None  # the one topic a projected wall hears of
    village: str | None = None  # the code of the one whose readers are told
    waiting: dict[str, None] = field(default_factory=dict)  # topics to tell, in order, each once
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    def hears(self, audience: str) -> bool:
        """Whether what is told to `audience` is told to this one."""
        if audience.startswith("person-"):
            return audience == f"person-{self.person_id}"
        if audience.startswith(VILLAGE):
            return audience == f"{VILLAGE}{self.village}"
        return self.path is not None and audience.startswith(self.path)

    async def next(self, within_s: float) -> list[str]:
        """The topics that have changed, as soon as there are any; none after `within_s`."""
        try:
            await asyncio.wait_for(self.rung.wait(), within_s)
        except TimeoutError:
            return []
        self.rung.clear()
        topics = list(self.waiting)
        self.waiting.clear()
        return topics


_redis: Redis | None = None
_silent_until = 0.0  # by time.monotonic()
_listeners: set[Listener] = set()
_untold: dict[tuple[str, ...], None] = {}  # in order, each once


def redis() -> Redis:
    """The process's one client."""
    global _redis
    if _redis is None:
        _redis = Redis.from_url(settings.redis_url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S)
    return _redis


async def close() -> None:
    """Tells what is still to be told, then lets go of the client: the end of a process."""
    global _redis
    await all_told()
    _untold.clear()
    if _redis is not None:
        await _redis.aclose()
        _redis = None


async def attempt(call: Callable[[], Awaitable[object]], otherwise: str) -> None:
    """Makes a call to Redis that may as well be missed; while Redis is silent it is not even asked.

    otherwise: what happens instead, for the log."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        await asyncio.wait_for(call(), 2 * PATIENCE_S)
    except (RedisError, OSError) as fault:
        _silent_until = time.monotonic() + RESPITE_S
        log.warning("redis does not answer, %s: %s", otherwise, repr(fault))


def changed(audience: str, *topics: str) -> None:
    """Tells everybody who listens that `topics` changed, once the open transaction is committed.

    audience: an organisation's path ("1/17/301/"), heard there and above; "person-7"; of_readers(a village's code)."""
    async def tell() -> None:
        announce(audience, *topics)
    after_commit(tell)


def of_readers(village_code: str) -> str:
    """The audience of villagers, who hear of nothing else in an organisation."""
    return f"{VILLAGE}{village_code}"


def session_ended(person_id: int) -> None:
    """Has the open connections of a person asked at once whether they may go on, once the transaction is committed.
    Without Redis they are asked within BEAT_S."""
    changed(f"person-{person_id}", ENDED)


def announce(audience: str, *topics: str) -> None:
    """As `changed`, for what one statement has changed by itself, outside of a transaction."""
    if not _untold:
        begin([tell_all])
    _untold[audience, *topics] = None


async def tell_all() -> None:
    """Tells Redis in one message what is to be told, each thing once: halls that check in say it a thousand times."""
    await asyncio.sleep(TELL_S)
    message = json.dumps(list(_untold))
    _untold.clear()
    await attempt(lambda: redis().publish(CHANNEL, message), "open pages ask by themselves")


async def relay() -> None:
    """Runs for the life of a web process: takes topics from Redis and hands them to this process's listeners."""
    while True:
        try:
            async with redis().pubsub() as subscription:
                await subscription.subscribe(CHANNEL)
                while True:
                    message = await subscription.get_message(ignore_subscribe_messages=True, timeout=BEAT_S)
                    if message:
                        for audience, *topics in read(message["data"]):
                            hand_out(audience, topics)
        except Exception as fault:  # whatever it is, the next try may do
            log.warning("redis does not answer, live pages poll: %s", repr(fault))
            await asyncio.sleep(RESPITE_S)


@asynccontextmanager
async def relaying() -> AsyncIterator[None]:
    """The relay, for as long as a process serves."""
    task = asyncio.create_task(relay())
    try:
        yield
    finally:
        while not task.done():  # until Python 3.12 wait_for, with which redis-py sends, may swallow a cancellation
            task.cancel()
            await asyncio.wait([task], timeout=0.1)


def read(message: bytes) -> list[list[str]]:
    """What one message tells: each an audience and topics. One that is none of ours tells nothing."""
    try:
        return json.loads(message)
    except ValueError:
        log.warning("a message on %s is none of ours", CHANNEL)
        return []


def hand_out(audience: str, topics: list[str]) -> None:
    """Puts the topics before those who may know of them."""
    for listener in _listeners:
        told = [topic for topic in topics if listener.only in (None, topic) or topic == ENDED]
        if told and listener.hears(audience):
            listener.waiting.update(dict.fromkeys(told))
            listener.rung.set()


async def listen(path: str | None, person_id: int | None, only: str | None = None, *, village: str | None = None,
                 allowed: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """Server-sent events for one connection; ends when the browser goes, or once it is no longer `allowed`.

    path: of the organisation whose changes are told, None for who sees nothing of an organisation; person_id: whose
    own changes are told, None on a wall, which hears of the topic `only`; village: the code of the one for whose
    readers this is; allowed: asked every BEAT_S."""
    listener = Listener(path, person_id, only, village)
    _listeners.add(listener)
    try:
        yield "retry: 3000\n\n"
        asked = time.monotonic()
        while True:
            topics = await listener.next(max(0, asked + BEAT_S - time.monotonic()))
            if ENDED in topics or time.monotonic() >= asked + BEAT_S:
                if not await goes_on(allowed):
                    return
                asked = time.monotonic()
                yield ": still here\n\n"
            if told := [topic for topic in topics if topic != ENDED]:
                yield "".join(f"event: changed\ndata: {topic}\n\n" for topic in told)
                await asyncio.sleep(GATHER_S)
    finally:
        _listeners.discard(listener)


async def goes_on(allowed: Callable[[], Awaitable[bool]]) -> bool:
    """Whether a connection is still allowed; where that can't be found out it ends, and the browser comes again."""
    try:
        return await allowed()
    except Exception as fault:
        log.warning("whether a live connection may go on is not known, so it ends: %s", repr(fault))
        return False
