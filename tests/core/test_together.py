"""What many ask at the same time is asked once, and nobody is answered by a question sent before his own."""
import asyncio
from contextvars import ContextVar

import pytest

from server.core.together import Kept, Together

transaction_of: ContextVar[str | None] = ContextVar("transaction_of", default=None)


class Asked:
    """A database that answers when it is told to, and notes what it was asked."""

    def __init__(self) -> None:
        self.questions: list[list[str]] = []
        self.answers: asyncio.Queue[dict[str, str] | Exception] = asyncio.Queue()
        self.seen: list[str | None] = []
        self.together = Together(self.ask_all)

    async def ask_all(self, keys):
        self.questions.append(list(keys))
        self.seen.append(transaction_of.get())
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def someone_asks(self, key: str) -> asyncio.Task[str | None]:
        """Begun, and as far as it comes without an answer."""
        task = asyncio.create_task(self.together.ask(key))
        await asyncio.sleep(0.01)
        return task


async def test_who_comes_while_a_question_is_on_its_way_goes_with_the_next_one():
    asked = Asked()
    first = await asked.someone_asks("a")
    others = [await asked.someone_asks(key) for key in ("b", "a", "c")]
    assert asked.questions == [["a"]]
    asked.answers.put_nowait({"a": "before"})
    assert await first == "before"
    asked.answers.put_nowait({"a": "after", "b": "B"})
    assert await asyncio.gather(*others) == ["B", "after", None]
    assert asked.questions == [["a"], ["b", "a", "c"]]


async def test_a_fault_is_told_to_those_it_was_asked_for_and_the_next_are_answered():
    asked = Asked()
    first, second = await asked.someone_asks("a"), await asked.someone_asks("b")
    asked.answers.put_nowait(ConnectionError("gone"))
    asked.answers.put_nowait({"b": "B"})
    with pytest.raises(ConnectionError):
        await first
    assert await second == "B"
    last = await asked.someone_asks("a")
    asked.answers.put_nowait({"a": "A"})
    assert await last == "A"


@pytest.mark.parametrize("answer", [{"a": "A", "b": "B"}, ConnectionError("gone")], ids=["answer", "fault"])
async def test_who_goes_while_waiting_takes_nobody_along(answer):
    asked = Asked()
    gone, stays = (asyncio.create_task(asked.together.ask(key)) for key in "ab")
    await asyncio.sleep(0.01)
    assert asked.questions == [["a", "b"]]
    gone.cancel()
    asked.answers.put_nowait(answer)
    if isinstance(answer, Exception):
        with pytest.raises(ConnectionError):
            await stays
    else:
        assert await stays == "B"
    asked.answers.put_nowait({"c": "C"})
    assert await asked.together.ask("c") == "C"


async def test_it_is_asked_in_nobodys_transaction():
    asked = Asked()
    asked.answers.put_nowait({})
    mark = transaction_of.set("mine")
    try:
        assert await asked.together.ask("a") is None
    finally:
        transaction_of.reset(mark)
    assert asked.seen == [None]


async def test_what_many_want_at_once_is_made_once_and_kept():
    kept, made = Kept(2), []

    async def make() -> str:
        made.append(transaction_of.get())
        await asyncio.sleep(0.01)
        return "made"

    transaction_of.set("mine")
    assert await asyncio.gather(*(kept.get("a", make) for _ in range(5))) == ["made"] * 5
    assert await kept.get("a", make) == "made"
    assert made == [None], "once, in nobody's transaction"
    for key in ("b", "c", "a"):
        await kept.get(key, make)
    assert len(made) == 4, "the two that were wanted last are kept"


async def test_what_could_not_be_made_is_told_to_all_who_wait_and_made_again_for_the_next():
    kept, tries = Kept(2), []

    async def fail_once() -> str:
        tries.append(1)
        await asyncio.sleep(0.01)
        if len(tries) == 1:
            raise ValueError("once")
        return "made"

    told = await asyncio.gather(*(kept.get("a", fail_once) for _ in range(3)), return_exceptions=True)
    assert [str(fault) for fault in told] == ["once"] * 3
    assert await kept.get("a", fail_once) == "made"


async def test_one_who_leaves_stops_it_for_nobody():
    kept = Kept(2)

    async def make() -> str:
        await asyncio.sleep(0.02)
        return "made"

    leaves = asyncio.create_task(kept.get("a", make))
    stays = asyncio.create_task(kept.get("a", make))
    await asyncio.sleep(0.01)
    leaves.cancel()
    assert await stays == "made"
