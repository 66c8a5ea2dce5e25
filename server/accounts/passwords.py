"""Passwords, hashed with argon2id in two threads of their own: never on the event loop, never a stampede."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_nobody: str | None = None


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _nobody_fits(password: str) -> bool:
    global _nobody
    if _nobody is None:
        _nobody = _hasher.hash("nobody's password")
    _fits(_nobody, password)
    return False


async def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed in `stored`; with None it takes as long and is False, so that the time of
    an answer doesn't tell which phone numbers are known."""
    loop = asyncio.get_running_loop()
    if stored is None:
        return await loop.run_in_executor(_threads, _nobody_fits, password)
    return await loop.run_in_executor(_threads, _fits, stored, password)
