"""Real servers for the tests: PostgreSQL and Valkey in a folder of their own, started once for all workers.

EBRANCH_TEST_POSTGRES names the folder of another PostgreSQL's programs (Debian's 15), for the same tests to run on."""
import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest

OTHER = "EBRANCH_TEST_POSTGRES"
KEPT = (OTHER, "EBRANCH_FUZZ_S", "EBRANCH_FUZZ_SEED")  # of the environment: what is for the tests themselves
BEGIN = datetime(2026, 11, 24, 10, tzinfo=timezone(timedelta(hours=8)))  # for every test, whatever day it is run on
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
        "max_connections": 200}
MEMORY, ROOM = Path("/dev/shm"), 2_000_000_000  # bytes; a database for every test is a thousand files each time


def quickest_place() -> Path | None:
    """Where the servers' folders are made: in memory, where there is room. None: the temporary folder."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    return None


class Servers:
    """The two servers, and how to reach them. Nothing of the application is imported before they are known."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ebranch-tests-", dir=quickest_place()))
        self.folder.chmod(0o755)
        self.sockets = Path(tempfile.mkdtemp(prefix="eb-", dir="/tmp"))
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Starts both; they answer a moment later."""
        from server.embedded import prepare_postgres, prepare_redis  # after the environment says where everything is

        other = os.environ.get(OTHER)
        database, redis = self.folder / "postgres", self.folder / "redis"
        postgres = (prepare_postgres(database, self.sockets, binaries=Path(other), locale=["--locale=C.UTF-8"], **FAST)
                    if other else prepare_postgres(database, self.sockets, **FAST))
        for command, folder in ((postgres, database), (prepare_redis(redis, self.sockets), redis)):
            self.processes.append(subprocess.Popen(command, cwd=folder, start_new_session=True))

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    async def connect(self, role: str = "postgres", database: str = "postgres") -> asyncpg.Connection:
        """A connection, once the server answers."""
        given_up = time.monotonic() + 20
        while True:
            try:
                return await asyncpg.connect(self.url(role, database))
            except (OSError, asyncpg.CannotConnectNowError):
                if time.monotonic() > given_up:
                    raise
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Ends both."""
        for process in self.processes:
            process.send_signal(2)
        for process in self.processes:
            process.wait(20)


SERVERS = pytest.StashKey[Servers]()


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the application is imported: where its servers will be. Workers inherit it."""
    if "EBRANCH_TEST_SOCKETS" in os.environ:
        return
    for name in [name for name in os.environ if name.startswith(("EBRANCH_", "DATABASE_")) and name not in KEPT]:
        del os.environ[name]
    servers = early_config.stash[SERVERS] = Servers()
    os.environ.update(
        EBRANCH_DATA=str(servers.folder / "data"), DATABASE_URL=servers.url("ebranch_app", "ebranch"),
        DATABASE_OWNER_URL=servers.url("ebranch_owner", "ebranch"), REDIS_URL=f"unix://{servers.sockets}/redis.sock",
        EBRANCH_TEST_SOCKETS=str(servers.sockets), EBRANCH_DEMO="1", EBRANCH_ORIGIN="http://testserver")


def pytest_configure(config: pytest.Config) -> None:
    """Starts the servers, once, and makes the template of all test databases."""
    servers = config.stash.get(SERVERS, None)
    if servers:
        servers.start()
        asyncio.run(make_template(servers))


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(SERVERS, None)
    if servers:
        servers.stop()
        shutil.rmtree(servers.folder, ignore_errors=True)
        shutil.rmtree(servers.sockets, ignore_errors=True)
        os.environ.pop("EBRANCH_TEST_SOCKETS")


async def make_template(servers: Servers) -> None:
    """Migrates the servers' database and puts the cast into it; every test's own is a copy of it."""
    from server.commands import migrate
    from tests.cast import settle

    await (await servers.connect()).close()
    await migrate()
    owner = await servers.connect("ebranch_owner", "ebranch")
    await owner.execute("UPDATE clock SET offset_s = $1", (BEGIN - datetime.now(UTC)).total_seconds())
    await settle(owner)
    await owner.close()


def url(role: str, database: str) -> str:
    """The address of one of the tests' databases."""
    return f"postgresql://{role}@/{database}?host={os.environ['EBRANCH_TEST_SOCKETS']}"
