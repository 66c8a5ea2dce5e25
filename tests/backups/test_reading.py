"""What is no good backup is told from one, before anything is changed and in words that say what to do."""
import json
import threading
from pathlib import Path

import pytest
from pyrage import x25519

from server.backups import restore, wrapping
from server.backups.manifest import NAME, check_pieces, open_backup
from server.backups.refusal import Refused
from server.backups.restore import check_schema
from server.backups.wrapping import Key, read_key
from server.core import crypto
from tests.backups.conftest import back_up


def read(folder: Path, key: Key | None = None) -> None:
    """All that is looked at before anything is changed."""
    found = open_backup(folder, key)
    check_schema(found)
    check_pieces(found, lambda _: None)


def refused(words: str, folder: Path, key: Key | None = None) -> None:
    with pytest.raises(Refused, match=words):
        read(folder, key)


def test_a_good_one_is_good(backup):
    read(backup)


def test_a_folder_that_is_not_there_or_is_no_backup(tmp_path):
    refused("is not there", tmp_path / "nowhere")
    refused("is no backup: it has no manifest", tmp_path)


def pieces(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_one_flipped_byte_anywhere_is_found(backup):
    found = [path for path in pieces(backup) if path.stat().st_size]
    assert any("files" in path.parts for path in found)
    for path in found:
        whole = path.read_bytes()
        for at in {0, 9, len(whole) // 2, len(whole) - 1}:  # 9 is a byte of gzip's head that nothing else looks at
            spoiled = bytearray(whole)
            spoiled[min(at, len(whole) - 1)] ^= 1
            path.write_bytes(spoiled)
            with pytest.raises(Refused):
                read(backup)
        path.write_bytes(whole)
    read(backup)


@pytest.mark.parametrize("kind", ["tables", "files"])
def test_a_piece_that_is_missing_or_ends_too_early(backup, kind):
    path = max((backup / kind).rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    path.write_bytes(path.read_bytes()[:-20])
    refused(f"{path.name} is not what was written", backup)
    path.unlink()
    refused(f"{path.name} is missing", backup)


@pytest.mark.parametrize(("field", "value"), [
    ("heads", {"platform": [1, "00"]}), ("files", []),
    ("made_at", "2020-01-01T00:00:00+00:00"), ("lost", ["x"]), ("sealed_with", "secret"),
    ("seal", ""), ("sealed_with", "../keys/personal-1"),
])
def test_a_changed_manifest(backup, field, value):
    stated = json.loads((backup / NAME).read_text())
    stated[field] = value
    (backup / NAME).write_text(json.dumps(stated))
    refused("not the one that was written", backup)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe", b'{"keys": 7}'])
def test_a_manifest_that_is_none(backup, body):
    (backup / NAME).write_bytes(body)
    refused("manifest is damaged|has format", backup)


def test_a_format_of_another_time(backup):
    stated = json.loads((backup / NAME).read_text()) | {"format": 9}
    (backup / NAME).write_text(json.dumps(stated))
    refused("has format 9, this program knows 1", backup)


def test_a_schema_that_is_newer_than_the_program(backup, monkeypatch):
    monkeypatch.setattr(restore.schema, "known", lambda: ["0001", "0002"])
    refused(r"newer than this program's \(0002\): install the newer program first", backup)


def test_keys_that_are_lacking_or_another_installations(backup, monkeypatch, tmp_path):
    open_keys, keys = json.loads((backup / NAME).read_text())["keys"], tmp_path / "keys"
    assert "personal-1" in open_keys
    keys.mkdir()
    monkeypatch.setattr(crypto, "folder", lambda: keys)
    refused("The key .* is not in .*keys: put back the keys that you kept apart", backup)
    for name in open_keys:
        (keys / name).write_bytes(b"another" * 5)
    refused("another installation's: put back the kept one", backup)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "key"
    path.write_text(text)
    return path


IDENTITY, OTHER = x25519.Identity.generate(), x25519.Identity.generate()


def test_a_key_opens_what_it_closed_and_no_other_does(installation, tmp_path):
    folder = tmp_path / "encrypted"
    back_up(folder, read_key(written(tmp_path, f"# made today\n{IDENTITY.to_public()}\n")))
    read(folder, read_key(written(tmp_path, f"{IDENTITY}\n")))
    refused("does not open manifest.json.age", folder, Key(identity=OTHER))
    refused("encrypted: give its key with --key FILE", folder)
    refused("reading one needs its identity", folder, Key(recipient=IDENTITY.to_public()))
    refused("made with another kind of key", folder, Key(phrase="a sentence that nobody guesses"))
    stored = next(path for path in pieces(folder / "files"))
    assert b"photograph" not in stored.read_bytes()
    assert all(path.suffix == ".age" for path in pieces(folder))


def test_a_passphrase_opens_what_it_closed_and_no_other_does(installation, tmp_path):
    folder = tmp_path / "encrypted"
    back_up(folder, Key(phrase="a sentence that nobody guesses"))
    read(folder, Key(phrase="a sentence that nobody guesses"))
    refused("passphrase does not open this backup", folder, Key(phrase="a sentence that somebody guesses"))
    locked = folder / wrapping.KEY_OF_THIS_BACKUP
    locked.write_bytes(locked.read_bytes()[:-1])
    refused("passphrase does not open this backup", folder, Key(phrase="a sentence that nobody guesses"))
    locked.write_bytes(b"")
    refused("passphrase does not open this backup", folder, Key(phrase="a sentence that nobody guesses"))


def test_what_is_not_encrypted_wants_no_key(backup):
    refused("not encrypted: leave out --key", backup, Key(identity=IDENTITY))


@pytest.mark.parametrize(("text", "words"), [
    ("", "must hold one line"), ("# nothing\n\n", "must hold one line"),
    ("a line\nand another\n", "must hold one line"),
    ("too short\n", "shorter than 16 characters"), ("AGE-SECRET-KEY-1NONSENSE\n", "is no key"),
    ("age1nonsense\n", "is no key"),
])
def test_a_key_that_is_none(tmp_path, text, words):
    with pytest.raises(Refused, match=words):
        read_key(written(tmp_path, text))


def test_a_key_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(Refused, match="can't be read: No such file"):
        read_key(tmp_path / "nowhere")
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refused, match="is no key"):
        read_key(tmp_path / "key")


def test_a_disk_that_is_full_is_told_as_such_also_from_behind_the_encryption():
    class Full:
        def write(self, block: bytes) -> int:
            raise OSError(28, "No space left on device")

    def fill() -> None:
        with wrapping.encrypted(wrapping.Through(Full()), IDENTITY.to_public()) as into:  # type: ignore[arg-type]
            for _ in range(100):
                into.write(bytes(100_000))

    with pytest.raises(OSError, match="No space left on device"):
        fill()


def test_what_was_not_yet_handed_on_does_not_hide_why_somebody_stopped():
    def half() -> None:
        given.write(b"not yet flushed")
        written.set()
        stopped.wait(0.2)

    def stop() -> None:
        run(half, given)
        written.wait(10)
        raise KeyError

    written, stopped = threading.Event(), threading.Event()
    with pytest.raises(KeyError), wrapping.aside() as (_taken, given, run):
        stop()


def test_who_stops_reading_in_the_middle_waits_for_nobody(tmp_path):
    with wrapping.writing(tmp_path / "piece", IDENTITY.to_public()) as piece:
        piece.write(bytes(5_000_000))

    def stop() -> None:
        with wrapping.reading(tmp_path / "piece", IDENTITY) as piece:
            piece.read(10)
            raise KeyError

    with pytest.raises(KeyError):
        stop()
