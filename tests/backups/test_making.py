"""The former backup stays good whatever happens to the next one, and nothing of ours is left lying about."""
import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from server.backups import files, folder, make
from server.backups.manifest import open_backup
from server.backups.refusal import Refused
from server.core import store
from server.settings import ROOT, settings
from tests.backups.conftest import STORED, back_up
from tests.backups.test_reading import pieces, read
from tests.servers import url
from tests.starting.conftest import AS_ORDINARY_USER, if_alone, within


def left_beside(place: Path) -> set[str]:
    return {path.name for path in place.parent.iterdir()} - {place.name, "key"}


def test_one_takes_the_place_of_the_former_and_leaves_nothing_beside(backup):
    before = open_backup(backup, None).manifest.made_at
    back_up(backup)
    read(backup)
    assert open_backup(backup, None).manifest.made_at > before
    assert left_beside(backup) == set()
    assert all(path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600) for path in backup.rglob("*"))


def test_also_where_the_file_system_can_not_exchange_two_names(backup, monkeypatch):
    monkeypatch.setattr(folder, "exchange", lambda *_: False)
    before = open_backup(backup, None).manifest.made_at
    back_up(backup)
    read(backup)
    assert open_backup(backup, None).manifest.made_at > before
    assert left_beside(backup) == set()


def test_a_kill_between_the_going_of_the_former_and_the_coming_of_the_new_loses_none(backup):
    backup.rename(folder.former_beside(backup))
    folder.settle(backup)
    read(backup)


def test_what_fails_in_the_middle_changes_nothing(backup, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(make, "write_manifest", fail)
    before = open_backup(backup, None).manifest.made_at
    with pytest.raises(OSError, match="No space left"):
        back_up(backup)
    assert open_backup(backup, None).manifest.made_at == before
    assert left_beside(backup) == set()


MAKE = """
import signal, sys
from pathlib import Path
from server.backups import files, rows
from server.core import store
from server.backups.commands import backup_command
store.folder = lambda: Path(sys.argv[2])
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background

def slowly(call):
    import time
    async def slow(*given):
        print("now", flush=True)
        time.sleep(0.1)
        return await call(*given)
    return slow

rows.copy_out, files.copy_out = slowly(rows.copy_out), slowly(files.copy_out)
backup_command([sys.argv[1]])
"""


def start_a_slow_one(backup: Path, installation: str) -> subprocess.Popen[str]:
    environ = os.environ | {"DATABASE_URL": url("ebranch_app", installation), "PYTHONPATH": str(ROOT),
                            "DATABASE_OWNER_URL": url("ebranch_owner", installation)}
    command = [sys.executable, "-c", MAKE, str(backup), str(store.folder())]
    return subprocess.Popen(command, env=environ, text=True, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def reaches(process: subprocess.Popen[str], times: int) -> None:
    for _ in range(times):
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"


@pytest.mark.parametrize("tables", [1, 5, 20])
def test_kill_9_in_the_middle_leaves_the_former_one_and_the_next_clears_up(backup, installation, tables):
    before = open_backup(backup, None).manifest.made_at
    process = start_a_slow_one(backup, installation)
    reaches(process, tables)
    process.kill()
    process.wait()
    assert folder.fresh_beside(backup).exists()
    read(backup)
    assert open_backup(backup, None).manifest.made_at == before
    back_up(backup)
    read(backup)
    assert left_beside(backup) == set()


def test_ctrl_c_leaves_the_former_one_and_nothing_beside(backup, installation):
    process = start_a_slow_one(backup, installation)
    reaches(process, 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(if_alone(10)) == 1
    read(backup)
    assert left_beside(backup) == set()


def test_two_at_once_do_not_write_into_each_other(backup, installation):
    process = start_a_slow_one(backup, installation)
    reaches(process, 1)
    with pytest.raises(Refused, match="is being written just now"):
        back_up(backup)
    process.kill()
    process.wait()
    back_up(backup)
    read(backup)


def test_a_place_that_is_no_place_for_a_backup(installation, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother").write_text("dear")
    (tmp_path / "file").write_text("")
    for place, words in ((tmp_path / "letters", "holds something else"), (tmp_path / "file", "holds something else"),
                         (settings.data / "backup", "lies in the data folder"), (Path("/proc"), "is a mount point")):
        with pytest.raises(Refused, match=words):
            back_up(place)
    assert (tmp_path / "letters" / "to-mother").read_text() == "dear"


def test_a_place_that_may_not_be_written_is_said_in_words(installation, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    command = [*AS_ORDINARY_USER, sys.executable, "-c", MAKE, str(closed / "backup"), str(store.folder())]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
                          check=False)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert "No backup was made" in done.stderr
    assert "Traceback" not in done.stderr


def row_of(installation: str, sql: str, *values: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url("ebranch_owner", installation))
        await connection.execute("ALTER TABLE file DISABLE TRIGGER USER")
        await connection.execute(sql, *values)
        await connection.execute("ALTER TABLE file ENABLE TRIGGER USER")
        await connection.close()

    asyncio.run(run())


AGAIN = """INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by)
SELECT $1, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by FROM file LIMIT 1"""


def test_a_file_that_vanishes_meanwhile_with_its_row_is_no_fault(installation, tmp_path, monkeypatch):
    place, copy_out = "cd" + "0" * 30, files.copy_out
    row_of(installation, AGAIN, place)

    async def vanish(*given):
        done = await copy_out(*given)
        row_of_in_thread("DELETE FROM file WHERE place = $1", place)
        return done

    def row_of_in_thread(sql: str, *values: object) -> None:
        from threading import Thread

        thread = Thread(target=row_of, args=(installation, sql, *values))
        thread.start()
        thread.join()

    monkeypatch.setattr(files, "copy_out", vanish)
    made = back_up(tmp_path / "backup")
    assert (made.vanished, made.lost) == ([place], [])
    assert [one.name for one in made.files] == ["ab/ab" + "0" * 30]
    read(tmp_path / "backup")


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_file_that_the_installation_lost_is_named_and_the_rest_is_kept(installation, tmp_path, how):
    path = store.folder() / "ab" / ("ab" + "0" * 30)
    try:
        path.unlink() if how == "missing" else path.write_bytes(STORED[:-1])
        made = back_up(tmp_path / "backup")
    finally:
        path.write_bytes(STORED)
    assert (made.lost, made.files) == (["ab/" + path.name], [])
    read(tmp_path / "backup")
    assert [one.name for one in pieces(tmp_path / "backup" / "files")] == []


def test_it_does_not_hold_up_who_writes(installation, tmp_path):
    """A lock that a reader's transaction needs is one that writers do not wait for."""
    process = start_a_slow_one(tmp_path / "backup", installation)
    reaches(process, 2)
    began = time.monotonic()
    row = "INSERT INTO guess VALUES ($1, 1, now())"

    async def write() -> None:
        connection = await asyncpg.connect(url("ebranch_app", installation))
        await connection.execute(row, "while it is backed up")
        await connection.close()

    asyncio.run(write())
    assert time.monotonic() - began < if_alone(2)
    assert process.poll() is None
    process.communicate()
    within(5, lambda: process.poll() == 0)
    read(tmp_path / "backup")
