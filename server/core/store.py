"""Where files lie: a folder, or an S3-compatible store by settings. One small interface; nothing else knows which.

Names are ours (random, or counted), never a stranger's."""
import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import obstore
from obstore.store import LocalStore, S3Store

from server.settings import S3, settings

BLOCK = 256 * 1024  # bytes that are in memory at once while a file is read


class Missing(LookupError):
    """There is no file of that name."""


@dataclass(frozen=True)
class Lying:
    """A file as it lies in the store."""

    name: str
    size: int
    at: datetime


def folder() -> Path:
    """Where files lie when no other store is set."""
    return settings.data / "files"


def opened() -> LocalStore | S3Store:
    """The store that the settings name."""
    return bucket(settings.s3) if settings.s3 else local(folder())


@cache
def local(path: Path) -> LocalStore:
    """A folder of one's own, made where it is not there yet."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(path, automatic_cleanup=False)


@cache
def bucket(s3: S3) -> S3Store:
    """A bucket of an S3-compatible server."""
    return S3Store(
        s3.bucket, prefix=s3.prefix or None, endpoint=s3.endpoint, region=s3.region, access_key_id=s3.key_id,
        secret_access_key=s3.secret, virtual_hosted_style_request=s3.virtual_host,
        client_options={"allow_http": s3.endpoint.startswith("http://"), "timeout": "60s", "connect_timeout": "5s"},
        retry_config={"max_retries": 3})


async def put(name: str, content: bytes | Path, *, lasting: bool = True) -> None:
    """Stores `content` under `name`, wholly or not at all; `lasting`: so that a power cut does not take it back."""
    into = opened()
    await obstore.put_async(into, name, content)
    if lasting and isinstance(into, LocalStore):
        await asyncio.to_thread(settle, folder() / name)


def settle(path: Path) -> None:
    """Waits until a file and its name are on the disk."""
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def get(name: str) -> bytes:
    """All bytes of a small file. Missing when there is none."""
    try:
        return bytes(await (await obstore.get_async(opened(), name)).bytes_async())
    except FileNotFoundError as fault:
        raise Missing(name) from fault


async def stream(name: str, begin: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a file from `begin` up to `end`, a block at a time. Missing when there is none."""
    try:
        for at in range(begin, end, BLOCK):
            yield bytes(await obstore.get_range_async(opened(), name, start=at, end=min(at + BLOCK, end)))
    except FileNotFoundError as fault:
        raise Missing(name) from fault


async def whole(name: str) -> AsyncIterator[bytes]:
    """All bytes of a file as it lies there, a block at a time. Missing when there is none."""
    try:
        async for block in (await obstore.get_async(opened(), name)).stream(min_chunk_size=BLOCK):
            yield bytes(block)
    except FileNotFoundError as fault:
        raise Missing(name) from fault


async def digest(name: str) -> bytes:
    """SHA-256 of a file as it lies there. Missing when there is none."""
    counted = sha256()
    async for block in whole(name):
        await asyncio.to_thread(counted.update, block)
    return counted.digest()


async def delete(name: str) -> None:
    """Takes a file away; one that is not there is no fault."""
    try:
        await obstore.delete_async(opened(), name)
    except FileNotFoundError:
        return


async def clear(prefix: str) -> None:
    """Takes away everything under `prefix`."""
    async for found in listing(prefix):
        if found:
            await obstore.delete_async(opened(), [one.name for one in found])


async def listing(prefix: str) -> AsyncIterator[list[Lying]]:
    """What lies under `prefix` (the first part of names, without its slash), some hundreds at a time."""
    async for found in obstore.list(opened(), prefix, chunk_size=500):
        yield [Lying(one["path"], one["size"], one["last_modified"]) for one in found]
