"""What many requests ask at the same time is asked once, and what they want to see is made once.

While one question is on its way to the database, those that come meanwhile wait, and go together as the next one. Each
is answered by a statement that was sent after it was asked, so nobody is told what was true before."""
import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from cachetools import LRUCache

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Together(Generic[Key, Answer]):
    """Asks for one key what `ask_all` answers for many, each of them once. In nobody's transaction: what one of them
    has changed and not committed is not seen."""

    def __init__(self, ask_all: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]]) -> None:
        self.ask_all = ask_all
        self.waiting: list[tuple[Key, asyncio.Future[Answer | None]]] = []
        self.asking: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Answer | None:
        """The answer for one key, None where there is none; raises what `ask_all` raises."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self.waiting.append((key, answer))
        if self.asking is None:
            self.asking = asyncio.create_task(self.go_on(), context=Context())
        return await answer

    async def go_on(self) -> None:
        """Asks for whoever waits, until nobody does."""
        try:
            while self.waiting:
                together, self.waiting = self.waiting, []
                await self.ask_for(together)
        finally:
            self.asking = None

    async def ask_for(self, together: Sequence[tuple[Key, asyncio.Future[Answer | None]]]) -> None:
        """Asks once for all of them, and tells each of those who have not gone meanwhile."""
        try:
            answers = await self.ask_all(list(dict.fromkeys(key for key, _ in together)))
        except Exception as fault:
            for _, answer in together:
                if not answer.done():
                    answer.set_exception(fault)
        else:
            for key, answer in together:
                if not answer.done():
                    answer.set_result(answers.get(key))


class Kept(Generic[Key, Answer]):
    """What was made for a key, as long as it is among the `most` that were wanted last. Who wants it while it is being
    made waits for that; what could not be made is made again for the next. In nobody's transaction, as `Together`."""

    def __init__(self, most: int) -> None:
        self.made: LRUCache[Key, Answer] = LRUCache(most)
        self.making: dict[Key, asyncio.Task[Answer]] = {}

    async def get(self, key: Key, make: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
        """What `make` makes for the key; raises what it raises."""
        if key in self.made:
            return self.made[key]
        if key not in self.making:
            task = self.making[key] = asyncio.create_task(make(), context=Context())
            task.add_done_callback(lambda done: self.keep(key, done))
        return await asyncio.shield(self.making[key])  # one who leaves stops it for nobody

    def keep(self, key: Key, done: asyncio.Task[Answer]) -> None:
        del self.making[key]
        if not done.cancelled() and done.exception() is None:
            self.made[key] = done.result()

    def clear(self) -> None:
        """Forgets everything."""
        self.made.clear()
