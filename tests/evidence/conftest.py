"""Sealed evidence that a test may tamper with, and what the command line says of it."""
import asyncio
from dataclasses import replace

import asyncpg
import pytest
from click.testing import CliRunner

from server.core import audit, checkpoints, commands
from server.settings import settings
from tests.evidence.lots import leave_evidence
from tests.servers import url


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of checkpoints for the test alone."""
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


@pytest.fixture
async def sealed(database):
    """A connection as superuser, which every guard can be taken from, to three chains of sealed evidence."""
    await leave_evidence()
    assert await audit.seal() == 40
    connection = await asyncpg.connect(url("postgres", database))
    await connection.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    yield connection
    await connection.close()


@pytest.fixture
def terminal(database, monkeypatch):
    """terminal("--option", …) runs `ebranch verify-audit` on the test's database."""
    monkeypatch.setattr(commands, "settings", replace(settings, database_url=url("ebranch_app", database)))
    return lambda *options: asyncio.to_thread(CliRunner().invoke, commands.verify_audit_command, [*map(str, options)])
