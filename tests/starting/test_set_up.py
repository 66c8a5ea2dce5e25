"""./set-up.sh: what it says when something is missing, and that it does nothing twice."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import ROOT

TOOLS = ("sh", "cat", "dirname", "sha256sum", "grep", "tail", "id", "mkdir", "cp", "rm")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine's /bin with Python and npm in it, for a clone that was never set up."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    has(folder, "python3", "exit 0")
    has(folder, "npm", "echo 10.8.2")
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("set-up.sh", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "package-lock.json"):
        shutil.copy(ROOT / name, clone)
    return folder


def has(machine: Path, name: str, script: str) -> None:
    (machine / name).unlink(missing_ok=True)  # it may be a link to the real one
    (machine / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / name).chmod(0o755)


def set_up(machine: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["./set-up.sh", *wanted], cwd=machine.parent / "clone", env={"PATH": str(machine)},
                          capture_output=True, text=True)


def refusal(machine: Path, *wanted: str) -> str:
    """What is said when it does not go on."""
    done = set_up(machine, *wanted)
    assert done.returncode == 1
    return done.stderr


def test_no_python(machine):
    (machine / "python3").unlink()
    assert refusal(machine) == "Python 3.11 or newer is needed; found: none.\n"


def test_an_old_python(machine):
    has(machine, "python3", 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    assert refusal(machine) == "Python 3.11 or newer is needed; found: Python 3.9.2.\n"


def test_a_newer_python_beside_an_old_one_is_found(machine):
    has(machine, "python3", "exit 1")
    has(machine, "python3.12", "exit 0")
    (machine / "npm").unlink()
    assert "npm" in set_up(machine).stderr, "it came as far as asking for npm"


def test_a_python_without_venv(machine):
    has(machine, "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    assert refusal(machine) == "Python's venv is missing; on Debian: apt-get install python3-venv\n"


def test_no_npm(machine):
    (machine / "npm").unlink()
    assert refusal(machine) == "npm 8 or newer is needed (it comes with Node.js); found: none.\n"


def test_an_old_npm(machine):
    has(machine, "npm", "echo 6.14.4")
    assert refusal(machine) == "npm 8 or newer is needed (it comes with Node.js); found: 6.14.4.\n"


def test_what_the_tests_need_is_named_to_who_may_not_install_it(machine):
    has(machine, "id", "echo 1000")
    said = refusal(machine, "tests")
    assert said.startswith("The tests need chromium")
    assert "sudo apt-get install chromium" in said


def test_what_is_installed_is_not_installed_again(machine):
    clone = machine.parent / "clone"
    has(machine, "python3", 'case "$2" in venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python; esac; echo "$@" >>calls')
    has(machine, "npm", 'echo 10.8.2; echo "npm $@" >>calls; mkdir -p node_modules/htmx.org/dist; '
                        'echo htmx >node_modules/htmx.org/dist/htmx.min.js')
    assert set_up(machine).returncode == 0
    assert (clone / "static/vendor/htmx.min.js").read_text() == "htmx\n"
    (clone / "calls").unlink()
    assert set_up(machine).returncode == 0
    assert "install" not in (clone / "calls").read_text()
    (clone / "requirements.txt").write_text("something else")
    assert set_up(machine).returncode == 0
    installs = "-m pip install -qq --no-compile --no-deps --require-hashes -r requirements.txt"
    assert installs in (clone / "calls").read_text()


def test_a_skipped_test_fails_where_ci_is_set(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('no browser')\n")
    command = [sys.executable, "-m", "pytest", "-c", tmp_path / "pytest.ini", "-p", "tests.skips", tmp_path]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    outside, inside = (subprocess.run(command, cwd=ROOT, env=alone | {"CI": ci}, capture_output=True, text=True)
                       for ci in ("", "true"))
    assert outside.returncode == 0
    assert inside.returncode == 1
    assert "no browser" in inside.stdout
