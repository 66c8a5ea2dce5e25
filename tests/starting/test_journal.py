"""What the processes say is kept in files, and what the console shows is for a person."""
import json
import threading
from io import BytesIO
from pathlib import Path

import pytest

from server import journal
from server.journal import Journal

ANSWERED = b'{"time":"2026-11-24T18:25:18.951+00:00","level":"INFO","logger":"server.request","message":"answered"}\n'
FAULT = json.dumps({
    "time": "2026-11-24T18:25:18.951+00:00", "level": "ERROR", "logger": "server.core.answers", "message": "fault 5d0e",
    "request": "5d0e", "method": "GET", "path": "/threads/{thread_id}",
    "fault": [{"type": "A", "code": "", "frames": ["a:1 b"]}, {"type": "B", "code": "13", "frames": []}],
}).encode() + b"\n"


def spoken(folder: Path, *words: bytes) -> list[str]:
    """What is kept of some lines."""
    Journal(folder).write("web", BytesIO(b"".join(words)))
    return (folder / "web.log").read_text().splitlines()


def test_every_line_is_kept_and_a_warning_is_shown_for_a_person(tmp_path, capfd):
    assert len(spoken(tmp_path, ANSWERED, FAULT, ANSWERED)) == 3
    assert capfd.readouterr().out == (
        "18:25:18 ERROR server.core.answers: fault 5d0e request=5d0e method=GET path=/threads/{thread_id}\n"
        "    A\n      a:1 b\n    because of B 13\n")


def test_what_is_no_line_of_ours_is_shown_as_it_is_and_kept_without_what_may_be_personal(tmp_path, capfd):
    said = "Traceback: ValueError: 张大爷 13712345678".encode()
    kept = [json.loads(line) for line in spoken(tmp_path, said + b"\n", b"{broken\n", b"\xff\x00\n", b"[1]\n", b"{}\n")]
    assert kept[0] == {"level": "RAW", "logger": "web", "message": "Traceback: ValueError: … …"}
    assert len(kept) == 5
    assert "Traceback" in capfd.readouterr().out


def test_only_the_owner_reads_it_and_what_is_old_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "KEPT_BYTES", 1000)
    monkeypatch.setattr(journal, "KEPT_FILES", 2)
    spoken(tmp_path / "logs", *[ANSWERED] * 200)
    kept = sorted((tmp_path / "logs").iterdir())
    assert [one.name for one in kept] == ["web.log", "web.log.1", "web.log.2"]
    assert all(one.stat().st_size <= 1000 and one.stat().st_mode & 0o077 == 0 for one in kept)
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0


def test_a_full_disk_stops_nobody(tmp_path):
    (tmp_path / "web.log").symlink_to("/dev/full")
    stream = BytesIO(ANSWERED * 100)
    Journal(tmp_path).write("web", stream)
    assert stream.read() == b"", "all of it was taken from the process, which would wait otherwise"


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "logs").write_text("a file")
    stream = BytesIO(ANSWERED * 100)
    Journal(tmp_path / "logs").write("web", stream)
    assert stream.read() == b""


def test_the_last_words_are_waited_for(tmp_path):
    told, wait = Journal(tmp_path), threading.Event()

    class Slow(BytesIO):
        def readline(self, *given: int) -> bytes:
            wait.wait(0.2)
            return super().readline(*given)

    told.follow("web", Slow(ANSWERED))
    told.close()
    assert (tmp_path / "web.log").read_bytes() == ANSWERED


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_whole_stack_keeps_lines_of_json_and_shows_none(running, name):
    running.health()
    kept = (running.data / "logs" / f"{name}.log").read_text().splitlines()
    assert all("level" in json.loads(line) for line in kept)
    assert '{"' not in running.output()
