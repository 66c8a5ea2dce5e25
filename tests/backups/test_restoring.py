"""Restoring: into an empty system only, whole or not at all, again after an interruption; verifying does it aside."""
import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server import schema
from server.backups import make
from server.backups.progress import Bars
from server.core import crypto
from server.piccolo_conf import DB
from server.settings import ROOT
from tests.backups.conftest import STORED, as_postgres, back_up, flat, with_database
from tests.databases import fingerprint
from tests.servers import url

EBRANCH = """
import os, signal, sys, time
from server.backups import restore, rows, verify
from server.commands import main

def slowly(call):
    async def slow(*given):
        print("now", flush=True)
        time.sleep(0.1)
        return await call(*given)
    return slow

async def wrong(connection):
    return {"platform": (1, "00")}

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
if os.environ.get("SPOILT") == "slow":
    rows.copy_in = slowly(rows.copy_in)
if os.environ.get("SPOILT") == "wrong":
    rows.heads = wrong
main()
"""
GUARDS = """
SELECT conname AS name, conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) AS said FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype = 'f'
UNION ALL SELECT tgname, tgrelid::regclass::text || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT relname, coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
ORDER BY 1, 2"""
FILE = "ab/ab" + "0" * 30


class Target:
    """An installation's database and data folder, both empty but for the keys."""

    def __init__(self, data: Path) -> None:
        self.data, self.name = data, f"target_{secrets.token_hex(4)}"
        data.mkdir()
        crypto.versions()
        shutil.copytree(crypto.folder(), data / "keys")
        asyncio.run(as_postgres(f"CREATE DATABASE {self.name} OWNER ebranch_owner",
                                f"GRANT CONNECT ON DATABASE {self.name} TO ebranch_app"))

    def start(self, *arguments: str | Path, spoilt: str = "") -> subprocess.Popen[str]:
        environ = os.environ | {
            "DATABASE_URL": url("ebranch_app", self.name), "DATABASE_OWNER_URL": url("ebranch_owner", self.name),
            "EBRANCH_DATA": str(self.data), "SPOILT": spoilt, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen([sys.executable, "-c", EBRANCH, *map(str, arguments)], env=environ, text=True, cwd=ROOT,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ebranch(self, *arguments: str | Path, spoilt: str = "") -> tuple[int, str]:
        """How a command ended, and what it said."""
        process = self.start(*arguments, spoilt=spoilt)
        said, fault = process.communicate()
        assert "Traceback" not in fault, fault
        return process.returncode, flat(said + fault)

    def ask(self, call: Callable[[asyncpg.Connection], Any], role: str = "ebranch_owner") -> Any:
        async def run() -> Any:
            connection = await asyncpg.connect(url(role, self.name))
            try:
                return await call(connection)
            finally:
                await connection.close()

        return asyncio.run(run())

    def value(self, sql: str) -> Any:
        return self.ask(lambda connection: connection.fetchval(sql))

    def is_untouched(self) -> bool:
        """No table, no file, no mark."""
        tables = self.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        left = [path for path in (self.data / "files").rglob("*") if path.is_file()]
        return tables == 0 and not left and not (self.data / "restoring").exists()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    made = Target(tmp_path / "target")
    yield made
    asyncio.run(as_postgres(f"DROP DATABASE {made.name} WITH (FORCE)"))


def as_it_was(target: Target, installation: str) -> bool:
    """Whether the target holds what the installation holds: rows, guards and files."""
    async def look(name: str) -> tuple[Any, Any]:
        connection = await asyncpg.connect(url("ebranch_owner", name))
        try:
            every = await fingerprint(connection)
            for skipped in ("switch", "restoration", "migration"):
                del every[skipped]
            return every, [tuple(one) for one in await connection.fetch(GUARDS)]
        finally:
            await connection.close()

    assert asyncio.run(look(target.name)) == asyncio.run(look(installation))
    return (target.data / "files" / FILE).read_bytes() == STORED and not (target.data / "restoring").exists()


def test_rows_guards_and_files_are_what_they_were_and_sms_are_off(target, whole, installation):
    code, said = target.ebranch("restore", whole)
    assert code == 0, said
    assert as_it_was(target, installation)
    assert target.value('SELECT "on" FROM switch') is False
    assert target.value("SELECT count(*) FROM restoration") == 1
    assert target.value("SELECT nextval('person_id_seq') > max(id) FROM person")


def test_a_database_that_has_been_migrated_and_holds_nobody_is_empty_too(target, whole, installation):
    assert target.ebranch("migrate")[0] == 0
    code, said = target.ebranch("restore", whole)
    assert code == 0, said
    assert as_it_was(target, installation)


def test_what_is_not_empty_is_not_restored_into(target, whole):
    assert target.ebranch("restore", whole)[0] == 0
    before = target.ask(fingerprint)
    code, said = target.ebranch("restore", whole)
    assert code == 1
    assert "holds an installation already" in said
    assert target.ask(fingerprint) == before
    assert (target.data / "files" / FILE).read_bytes() == STORED


def test_a_database_with_tables_of_somebody_else(target, whole):
    target.ask(lambda connection: connection.execute("CREATE TABLE letters (words text)"))
    code, said = target.ebranch("restore", whole)
    assert code == 1
    assert "tables that are not ours" in said
    assert target.value("SELECT count(*) FROM letters") == 0


def test_a_folder_with_files_in_it(target, whole):
    (target.data / "files").mkdir()
    (target.data / "files" / "mine").write_text("kept")
    code, said = target.ebranch("restore", whole)
    assert code == 1
    assert "files in the store already" in said
    assert (target.data / "files" / "mine").read_text() == "kept"


def test_a_database_that_the_application_is_at_work_in(target, whole):
    async def meanwhile(_: asyncpg.Connection) -> tuple[int, str]:
        return await asyncio.to_thread(target.ebranch, "restore", whole)

    code, said = target.ask(meanwhile, "ebranch_app")
    assert code == 1
    assert "application is connected" in said
    assert target.is_untouched()


def test_without_the_keys_nothing_is_changed(target, whole):
    shutil.rmtree(target.data / "keys")
    code, said = target.ebranch("restore", whole)
    assert code == 1
    assert "put back the keys that you kept apart" in said
    assert target.is_untouched()


def test_what_fails_in_the_middle_leaves_nothing(target, whole):
    code, said = target.ebranch("restore", whole, spoilt="wrong")
    assert code == 1
    assert "do not end where the manifest says. Nothing was restored." in said
    assert target.is_untouched()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_is_interrupted_says_so_and_can_be_begun_again(target, whole, installation, how):
    process = target.start("restore", whole, spoilt="slow")
    for _ in range(5):
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
    process.send_signal(how)
    process.communicate()
    if how is signal.SIGKILL:
        code, said = target.ebranch("prepare")
        assert code == 1
        assert "A restore" in said
        assert "was interrupted: run `ebranch restore` again" in said
    code, said = target.ebranch("restore", whole)
    assert code == 0, said
    assert as_it_was(target, installation)


def test_what_was_interrupted_at_the_very_end_had_been_complete(target, whole, installation):
    assert target.ebranch("restore", whole)[0] == 0
    (target.data / "restoring").write_text(target.value("SELECT token FROM restoration"))
    code, said = target.ebranch("restore", whole)
    assert code == 0
    assert "had been complete" in said
    assert as_it_was(target, installation)


def test_a_backup_of_an_older_schema_is_brought_up_to_date(target, tmp_path, monkeypatch):
    older = Target(tmp_path / "older")
    monkeypatch.setattr(DB, "pool", None)  # a migration is a process of its own
    try:
        async def make_it() -> None:
            async with schema.as_owner(url("ebranch_owner", older.name)):
                await schema.go_forwards("0006")

        asyncio.run(make_it())
        older.ask(lambda connection: connection.execute(
            "INSERT INTO person (id, name, sort_key) OVERRIDING SYSTEM VALUE VALUES (7, '王秀英', 'w')"))
        monkeypatch.setattr(make, "settings", with_database(older.name))
        assert back_up(tmp_path / "backup").schema == "0006"
    finally:
        asyncio.run(as_postgres(f"DROP DATABASE {older.name} WITH (FORCE)"))
    code, said = target.ebranch("restore", tmp_path / "backup")
    assert code == 0, said
    assert target.value("SELECT name FROM person WHERE id = 7") == "王秀英"
    assert target.value("SELECT array_agg(name ORDER BY name) FROM migration") == schema.known()


def test_verifying_restores_aside_and_touches_nothing(target, whole, tmp_path):
    code, said = target.ebranch("verify-backup", whole)
    assert code == 0, said
    assert "Good: " in said
    assert target.is_untouched()
    code, said = target.ebranch("verify-backup", tmp_path)
    assert code == 1
    assert "can't be relied on" in said


def test_verifying_finds_evidence_that_was_tampered_with_before_it_was_backed_up(installation, tmp_path, monkeypatch):
    from server.backups.manifest import open_backup
    from server.backups.refusal import Refused
    from server.backups.verify import verify_backup

    spoilt = f"spoilt_{secrets.token_hex(4)}"
    asyncio.run(as_postgres(f"CREATE DATABASE {spoilt} TEMPLATE ebranch OWNER ebranch_owner"))
    try:
        async def tamper() -> None:
            connection = await asyncpg.connect(url("ebranch_owner", spoilt))
            await connection.execute("""
                INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, source)
                VALUES ('platform', '王', '', 'told', 'test', 1, 'test'); SELECT seal_events(10, 10);
                ALTER TABLE audit_event DISABLE TRIGGER USER; UPDATE audit_event SET person_name = '李'""")
            await connection.close()

        asyncio.run(tamper())
        monkeypatch.setattr(make, "settings", with_database(spoilt))
        back_up(tmp_path / "backup")
    finally:
        asyncio.run(as_postgres(f"DROP DATABASE {spoilt} WITH (FORCE)"))
    with Bars() as bars, pytest.raises(Refused, match="evidence is not what was sealed: chain platform, number 1"):
        verify_backup(open_backup(tmp_path / "backup", None), bars)
