"""Not losing it: the demonstration is backed up while it is written to, wiped, restored, and is what it was."""
import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pyrage import decrypt, x25519

from server.backups.servers import running
from server.demo.people import PASSWORD
from server.embedded import prepare_postgres
from server.settings import socket_folder
from tests.databases import fingerprint
from tests.faults.photographs import photograph
from tests.faults.realm import SIGN_IN
from tests.starting.conftest import Stack

SECRETARY = """
SELECT a.id FROM account a JOIN role_grant g ON g.account_id = a.id JOIN organisation o ON o.id = g.organisation_id
WHERE g.role = '书记' AND g.until IS NULL AND o.name = '前村支部'"""
PLAN = """
INSERT INTO meeting (branch_id, branch_path, origin, kinds, topic, place, begins_at, ends_at, lock_at, created_by)
SELECT o.id, '', 'planned', '{主题党日}', '备份', '村委会', ebranch_now() - interval '2 hours',
       ebranch_now() - interval '1 hour', ebranch_now(), a.person_id
FROM organisation o, account a WHERE o.name = '前村支部' AND a.id = $1 RETURNING id"""
EVENT = """
INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, source)
VALUES ('platform', '测试', '', 'written', 'test', $1, 'test')"""
HEADS = """SELECT jsonb_object_agg(chain, number || encode(digest, 'hex')) FROM (
    SELECT DISTINCT ON (chain) chain, number, digest FROM audit_seal ORDER BY chain, number DESC) AS head"""
WAITING_SMS = """
INSERT INTO sms (key, kind, phone, phone_index, words, created_at, due_at)
VALUES ('late', 'notice', '', sha256(''), '', ebranch_now(), ebranch_now() + interval '1 day')"""
ENDED_OR_NEW = {"half_sign_in", "one_time_code", "sms", "switch", "restoration", "migration", "guess"}


class Kept(Stack):
    """The demonstration, and the command line beside it."""

    def ask(self, sql: str, *values: Any, role: str = "ebranch_owner") -> Any:
        return asyncio.run(self.on_database(lambda connection: connection.fetchval(sql, *values), role))

    async def on_database(self, call: Any, role: str = "ebranch_owner") -> Any:
        connection = await asyncpg.connect(f"postgresql://{role}@/ebranch?host={socket_folder(self.data)}")
        try:
            return await call(connection)
        finally:
            await connection.close()

    def state(self) -> tuple[Any, Any]:
        """Every table's count and the sum over its rows, and the heads of the chains, while the stack is stopped: a
        worker would add what is due by itself."""
        folder, sockets = self.data / "postgres", socket_folder(self.data)
        with running(folder, prepare_postgres(folder, sockets), f"postgresql://ebranch_owner@/ebranch?host={sockets}"):
            found = asyncio.run(self.on_database(fingerprint))
            return {table: sums for table, sums in found.items() if table not in ENDED_OR_NEW}, self.ask(HEADS)

    def cookie_of_the_secretary(self, token: str) -> dict[str, str]:
        self.ask(SIGN_IN, token.encode(), self.ask(SECRETARY))
        return {"cookie": f"ebranch={token}"}

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, f"http://localhost:{self.port}{path}", timeout=20, **more)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    stack = Kept(tmp_path / "data", EBRANCH_DEMO="1")
    yield stack
    stack.clear()


@contextmanager
def written_to(stack: Kept) -> Iterator[None]:
    """Meanwhile somebody writes into two tables at once, again and again."""
    enough = threading.Event()

    async def write(connection: asyncpg.Connection) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            async with connection.transaction():
                await connection.execute(EVENT, number)
                await connection.execute("INSERT INTO guess VALUES ($1, 1, now())", f"written {number}")

    thread = threading.Thread(target=lambda: asyncio.run(stack.on_database(write, "ebranch_app")))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def lead_over_guesses(tables: dict[str, int]) -> int:
    return tables["audit_event"] - tables["guess"]


def lead_now(kept: Kept) -> int:
    """Grows by what happens by itself, such as the night's look at every file; each guess is an event of its own."""
    return lead_over_guesses({name: kept.ask(f"SELECT count(*) FROM {name}") for name in ("audit_event", "guess")})


def photograph_in_a_log(kept: Kept, cookie: dict[str, str]) -> str:
    """Hands a photograph in; the address that shows it."""
    meeting = kept.ask(PLAN, kept.ask(SECRETARY))
    handed_in = kept.request("POST", f"/meetings/{meeting}/log", headers=cookie, data={"version": 0},
                             files={"log_photos_file": ("记录.jpg", photograph(), "image/jpeg")})
    assert handed_in.status_code == 303, handed_in.text
    return f"/meetings/{meeting}/photos/{kept.ask('SELECT max(id) FROM file')}"


def back_up_while_it_is_written_to(kept: Kept, backup: Path, key: Path, identity: x25519.Identity) -> None:
    """Twice, the second time over the first."""
    before = lead_now(kept)
    with written_to(kept):
        for _ in range(2):
            done = kept.ebranch("backup", backup, "--key", key)
            assert done.returncode == 0, done.stderr
    assert "keep that folder too" in flat(done.stdout)
    assert "NOT encrypted" not in done.stdout
    manifest = json.loads(decrypt((backup / "manifest.json.age").read_bytes(), [identity]))
    rows = {table["name"]: table["rows"] for table in manifest["tables"]}
    assert rows["guess"] > 0
    assert before <= lead_over_guesses(rows) <= lead_now(kept), "one moment of the database, not one for each table"
    pictures = [one["name"].endswith("-small") for one in manifest["files"]]
    assert pictures.count(True) == pictures.count(False) >= 1, "the photograph is in it, large and small"
    assert kept.ebranch("restore", backup, "--key", key).returncode == 1, "not into a stack that runs"


def wipe_and_restore(kept: Kept, backup: Path, key: Path) -> None:
    """The data folder is gone; the keys that were kept apart come back first, then the backup."""
    apart = kept.data.with_name("keys-kept-apart")
    shutil.copytree(kept.data / "keys", apart)
    shutil.rmtree(kept.data)
    assert "put back the keys" in flat(kept.ebranch("restore", backup, "--key", key).stderr), "not without the keys"
    shutil.copytree(apart, kept.data / "keys", dirs_exist_ok=True)
    done = kept.ebranch("restore", backup, "--key", key)
    assert done.returncode == 0, done.stderr
    assert "SMS are off" in done.stdout
    assert "holds an installation already" in flat(kept.ebranch("restore", backup, "--key", key).stderr)


@pytest.mark.timeout(400)
def test_what_is_backed_up_wiped_and_restored_is_what_it_was(kept: Kept, tmp_path: Path):
    identity, key, backup = x25519.Identity.generate(), tmp_path / "backup.key", tmp_path / "backups" / "today"
    key.write_text(f"# to open the backups\n{identity}\n")
    kept.start().until_started()
    cookie = kept.cookie_of_the_secretary("before")
    shown = photograph_in_a_log(kept, cookie)
    picture = kept.request("GET", shown, headers=cookie)
    assert picture.headers["content-type"] == "image/jpeg"
    back_up_while_it_is_written_to(kept, backup, key, identity)

    kept.ask(WAITING_SMS)
    kept.interrupt()
    state = kept.state()
    done = kept.ebranch("backup", backup, "--key", key)  # the stopped stack's database is started for it
    assert done.returncode == 0, done.stderr
    done = kept.ebranch("verify-backup", backup, "--key", key)
    assert done.returncode == 0, done.stderr
    assert "Good: " in done.stdout
    wipe_and_restore(kept, backup, key)
    assert kept.state() == state

    kept.start().until_started()
    assert kept.ebranch("verify-audit").returncode == 0
    assert kept.request("GET", "/threads", headers=cookie).status_code == 303, "everybody signs in again"
    signed_in = kept.request("POST", "/sign-in", data={"phone": "13700000010", "password": PASSWORD})
    assert signed_in.status_code == 303, signed_in.text
    assert "ebranch=" in signed_in.headers["set-cookie"]
    again = kept.request("GET", shown, headers=kept.cookie_of_the_secretary("after"))
    assert again.content == picture.content
    assert kept.ask("SELECT state FROM sms WHERE key = 'late'") == "failed", "what was to leave then leaves no more"
    assert kept.ask('SELECT "on" FROM switch') is False
    assert kept.ebranch("sms", "on").stdout.strip() == "SMS are on."
    assert kept.ask('SELECT "on" FROM switch') is True


def flat(said: str) -> str:
    """What a frame holds, without it."""
    return " ".join(word for word in said.split() if word.strip("─│╭╮╰╯"))
