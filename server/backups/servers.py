"""The databases that backups work on: the installation's own, and one aside that is thrown away again."""
import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.backups.refusal import Refused
from server.embedded import CannotServe, prepare_postgres
from server.machine import hold_data
from server.piccolo_conf import wait_for_database
from server.settings import settings

ASIDE = "ebranch-aside-"  # then the process id of whoever made it
# Nothing in it is to be kept.
FAST: dict[str, Any] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def own_database(*, alone: bool) -> Iterator[None]:
    """The installation's database, up: the embedded one is started meanwhile where the stack does not run.

    alone: Refused while the stack runs, and it can't be started meanwhile."""
    held = None
    if settings.embedded_database or alone:
        try:
            held = hold_data()
        except CannotServe as refusal:
            if alone:
                raise Refused(f"{refusal} End it first (Ctrl-C).") from None
    try:
        if held is None or not settings.embedded_database:
            yield
        elif not alone and not (settings.data / "postgres" / "PG_VERSION").exists():
            raise Refused(f"There is nothing to back up in {settings.data}: no database was ever started there.")
        else:
            folder = settings.data / "postgres"
            with running(folder, prepare_postgres(folder, settings.sockets), settings.database_owner_url):
                yield
    finally:
        if held is not None:
            os.close(held)


@contextmanager
def database_aside() -> Iterator[str]:
    """The address, as its owner, of an empty database in the temporary folder (TMPDIR); it is gone when this ends."""
    clear_former()
    with tempfile.TemporaryDirectory(prefix=f"{ASIDE}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        cluster, sockets = Path(folder) / "postgres", Path(folder) / "s"
        url = f"postgresql://ebranch_owner@/ebranch?host={sockets}"
        with running(cluster, prepare_postgres(cluster, sockets, **FAST), url):
            yield url


def clear_former() -> None:
    """Removes what verifications left that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{ASIDE}*-*"):
        pid = left.name.removeprefix(ASIDE).split("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def running(folder: Path, command: list[str], url: str) -> Iterator[None]:
    """A PostgreSQL that runs meanwhile, and ends also if we are killed."""
    server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True,
                              preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGINT))  # 1: PR_SET_PDEATHSIG
    try:
        asyncio.run(wait_for_database(url))
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
