"""Where Piccolo finds the database and the applications that have tables in it."""
import asyncio
import time
from typing import Any

import asyncpg
from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

from server.settings import settings

PATIENCE_S = 5.0  # with a server that has just fallen silent
CONNECT_S = 3.0  # for one attempt

_silent_since: float | None = None


class Unreachable(SystemExit):
    """A server that does not answer, or does not let us in; the message is the one line the console shows."""


async def wait_for_database(url: str) -> None:
    """Returns when the server behind `url` lets us in; Unreachable if it refuses, or is silent for `wait_s`."""
    given_up = time.monotonic() + settings.wait_s
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=5)
            return await connection.close()
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as refusal:
            raise Unreachable(f"The database refuses us: {refusal}.") from None
        except (OSError, TimeoutError, asyncpg.PostgresError) as silence:
            if time.monotonic() > given_up:
                raise Unreachable(f"The database does not answer, {settings.wait_s:.0f} s long: {silence}") from None
        await asyncio.sleep(0.1)


async def connect(*arguments: Any, **options: Any) -> asyncpg.Connection:
    """Connects for the pool. A server that is being started again is waited for, so that a restart is a slow page and
    no error: all together for PATIENCE_S since it fell silent, after which each asks once. ConnectionError if in vain.
    """
    global _silent_since
    began = time.monotonic()
    while True:
        try:
            connection = await asyncpg.connect(*arguments, timeout=CONNECT_S, **options)
        except (OSError, asyncpg.CannotConnectNowError) as silence:
            _silent_since = _silent_since or began
            if time.monotonic() > _silent_since + PATIENCE_S:
                raise ConnectionError(f"the database does not answer: {silence}") from silence
            await asyncio.sleep(0.1)
        else:
            _silent_since = None
            return connection


class Engine(PostgresEngine):
    async def check_version(self) -> None:
        """Asks nothing: Piccolo would connect whenever this module is imported, also while the server is down."""

    async def start_connection_pool(self, **options: Any) -> None:
        """Waits for a server that is being started again, as it may be when a process starts."""
        await wait_for_database(self.config["dsn"])
        await super().start_connection_pool(connect=connect, **options)


DB = Engine(config={"dsn": settings.database_url})
APP_REGISTRY = AppRegistry(apps=["server.piccolo_app"])
