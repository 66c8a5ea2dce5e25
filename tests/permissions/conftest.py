"""One database for the whole matrix: what changes something is done to a thing of its own."""
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from server.core import checkpoints
from server.core.health import HEARTBEAT
from server.core.live import redis
from tests.databases import fresh_database
from tests.permissions.world import World
from tests.servers import url
from tests.visits import Visitor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The things the matrix is tried on."""
    folder = tmp_path_factory.mktemp("checkpoints")
    async with fresh_database() as name:
        connection = await asyncpg.connect(url("postgres", name))
        made = World(connection)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoints, "folder", lambda: folder)
            await made.settle()
            await redis().set(HEARTBEAT, time.time() + 600)  # as if a worker were there
            yield made
            await redis().delete(HEARTBEAT)
        await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitor(world: World) -> AsyncIterator[Visitor]:
    """Everybody of the cast, signed in."""
    async with Visitor() as everybody:
        yield everybody
