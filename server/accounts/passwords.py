"""Passwords, hashed with argon2id: never on the event loop, and never so that it starves what is on it."""
import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# OWASP's second choice (19 MiB, two passes), which a village's server can do for twenty people at once; one lane, for
# more would take every core there is.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
THREADS = 1  # of each web process
NICE = 15  # how far behind the pages they stand, for the kernel

HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
_nobody: str | None = None


def _stand_back() -> None:
    """Puts this one thread behind the others (Linux counts priorities by thread)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="argon2", initializer=_stand_back)


def _fits(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _nobody_fits(password: str) -> bool:
    global _nobody
    if _nobody is None:
        _nobody = HASHER.hash("nobody's password")
    _fits(_nobody, password)
    return False


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def turn() -> asyncio.Semaphore:
    """Whose turn it is in this process, first come, first served: `async with turn():` around what hashes."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(THREADS))


def outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(stored)


async def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_threads, HASHER.hash, password)


async def fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed in `stored`; with None it takes as long and is False, so that the time of
    an answer doesn't tell which phone numbers are known."""
    loop = asyncio.get_running_loop()
    if stored is None:
        return await loop.run_in_executor(_threads, _nobody_fits, password)
    return await loop.run_in_executor(_threads, _fits, stored, password)
