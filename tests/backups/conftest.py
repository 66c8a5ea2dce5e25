"""A backup of the tests' own template, the cast in it, and copies of it to be spoiled."""
import asyncio
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest

from server.backups import make, progress
from server.backups.manifest import Manifest
from server.backups.wrapping import Key
from server.core import store
from server.settings import settings
from tests.servers import url

STORED = b"a photograph, as it was stored" * 1000
FILE = """
INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by)
SELECT $1, '记录.jpg', 'image/jpeg', $2, 1, 1, $3, $3, min(id) FROM person"""
number = iter(range(1000))


async def as_postgres(*statements: str) -> None:
    connection = await asyncpg.connect(url("postgres", "postgres"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the cast and a file whose bytes lie in a folder; backups are made of it."""
    name = f"kept_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{next(number)}"
    asyncio.run(as_postgres(f"CREATE DATABASE {name} TEMPLATE ebranch OWNER ebranch_owner",
                            f"GRANT CONNECT ON DATABASE {name} TO ebranch_app"))
    place = "ab" + "0" * 30
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("files")
        patch.setattr(store, "folder", lambda: folder)
        patch.setattr(make, "settings", with_database(name))
        (folder / "ab").mkdir()
        (folder / "ab" / place).write_bytes(STORED)

        async def enter() -> None:
            connection = await asyncpg.connect(url("ebranch_owner", name))
            await connection.execute(FILE, place, len(STORED), sha256(STORED).digest())
            await connection.close()

        asyncio.run(enter())
        yield name
    asyncio.run(as_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


def with_database(name: str):
    """The settings, of an installation whose database is another."""
    from dataclasses import replace

    return replace(settings, database_url=url("ebranch_app", name), database_owner_url=url("ebranch_owner", name))


def back_up(folder: Path, key: Key | None = None) -> Manifest:
    with progress.Bars() as bars:
        return make.make_backup(folder, key, bars)


@pytest.fixture(scope="module")
def whole(installation: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that is never spoiled."""
    folder = tmp_path_factory.mktemp("backups") / "whole"
    back_up(folder)
    return folder


@pytest.fixture
def backup(whole: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "backup"))


def flat(said: str) -> str:
    """What a frame on the console holds, in one line."""
    return " ".join(word for word in said.split() if word.strip("─│╭╮╰╯"))
