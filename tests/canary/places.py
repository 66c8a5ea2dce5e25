"""Where a personal value must not be: each place is searched, and says what was found in it."""
import re
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis

from tests.canary.values import leaks, spellings

ADDRESSES = re.compile(
    r"""\s(href|action|src|srcset|poster|cite|formaction|ping|hx-[a-z:-]+|data-[a-z-]*(?:src|href|live|autosave))\s*=\s*"([^"]*)\"""")
ERROR_PAGE = 'class="empty error"'

Found = list[str]


def in_addresses(page: str, values: tuple[str, ...]) -> Found:
    """Every address that a page carries, whatever carries it."""
    return [f"{name}={value!r}: {leak}" for name, value in ADDRESSES.findall(page)
            for leak in leaks(unescape(value), values)]


def in_answer(answer: httpx.Response, values: tuple[str, ...]) -> Found:
    """An answer's headers, the addresses in it, and all of it when it is a page that says what went wrong."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    found = [f"header: {leak}" for leak in leaks(head, values)]
    if answer.headers.get("content-type", "").startswith("text/"):
        found += in_addresses(answer.text, values)
    if ERROR_PAGE in answer.text or answer.status_code >= 500:
        found += [f"error page: {leak}" for leak in leaks(answer.text, values)]
    return [f"{answer.request.method} {answer.request.url.path} {answer.status_code}: {one}" for one in found]


def in_files(*folders: Path, values: tuple[str, ...]) -> Found:
    """Every file below these folders, by name and by content."""
    found = []
    for file in (file for folder in folders for file in ([folder] if folder.is_file() else folder.rglob("*"))):
        if file.is_file():
            found += [f"{file.name}: {leak}" for leak in leaks(file.name.encode() + b"\n" + read(file), values)]
    return found


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # taken away by its owner meanwhile
        return b""


async def in_redis(redis: Redis, values: tuple[str, ...]) -> Found:
    """Every key and value there is, the arguments of jobs among them."""
    found = []
    async for key in redis.scan_iter():
        found += [f"Redis {key!r}: {leak}" for leak in leaks(key + b"\n" + await kept(redis, key), values)]
    return found


async def kept(redis: Redis, key: bytes) -> bytes:
    """A key's value as bytes, of whatever type."""
    read_as: dict[bytes, Any] = {
        b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers,
        b"list": lambda key: redis.lrange(key, 0, -1), b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"stream": redis.xrange}
    value = await read_as[await redis.type(key)](key) if await redis.exists(key) else b""
    return value if isinstance(value, bytes) else b"\n".join(flat(value))


def flat(value: Any) -> list[bytes]:
    """All the bytes in lists, sets and dictionaries in one another."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set):
        return [one for part in value for one in flat(part)]
    return [value if isinstance(value, bytes) else str(value).encode()]


async def in_database(owner: asyncpg.Connection, values: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Every column of every table, text or not: table, column, and which value stands there in clear."""
    columns = await owner.fetch("""
        SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'
          AND c.data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY', 'tsvector')""")
    found = set()
    for table, column, kind in columns:
        held = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
        for one in values:
            hit = await owner.fetchval(
                f'SELECT EXISTS (SELECT FROM "{table}" t, unnest($1::bytea[]) AS s (spelled)'
                f" WHERE position(s.spelled IN {held}) > 0)", sorted(spelled(one)))
            found |= {(table, column, one)} if hit else set()
    return found


def spelled(value: str) -> set[bytes]:
    """As a column may hold it; a name's key for sorting is the name itself, which stands beside it."""
    return spellings(value) - {value.encode("gb18030").hex().encode()}


# What a browser keeps when the page is gone, and what its history says.
IN_BROWSER = """async () => JSON.stringify([
    {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state, name,
    (await indexedDB.databases()).map(one => one.name),
    await Promise.all((await caches.keys()).map(async name =>
        (await (await caches.open(name)).keys()).map(one => one.url)))
])"""
