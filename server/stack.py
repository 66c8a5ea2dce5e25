"""Starts the Procfile's processes on this machine and keeps them: one that dies is started again, Ctrl-C ends all.

A process manager from the shelf would leave to us the data folder's lock, the port, the order of stopping and the
orphans of a `kill -9`. Only the standard library is imported: this process stays as long as the stack does.
"""
import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from server.embedded import CannotServe
from server.journal import Journal
from server.machine import MARK, end_orphans, hold_data, probe_port
from server.settings import ROOT, settings

SERVERS = ("database", "redis")  # first to start, last to stop
FIRST_PAGE_S = 60.0  # what the web server may take to answer
FILES = 16_384  # open files and connections of a process
GRACE_S = 2.0  # what each of the two rounds of stopping may take before SIGKILL

stop = threading.Event()
journal = Journal(settings.data / "logs")


class Child:
    """A command line, running. Its process leads a group of its own, out of Ctrl-C's reach, and ends if we do."""

    def __init__(self, name: str, line: str) -> None:
        self.name, self.line = name, line
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self.line}"], cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | MARK,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGINT))  # 1: PR_SET_PDEATHSIG
        if self.process.stdout:
            journal.follow(self.name, self.process.stdout)
        self.started = time.monotonic()

    def kill_group(self) -> None:
        """Also what a killed process left behind: granian's workers would go on serving."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def keep(children: list[Child], until: Callable[[], bool] | None = None, limit_s: float = float("inf")) -> None:
    """Starts again whoever dies, at most once a second, until asked to stop (SystemExit).

    With `until`, returns once that is so; before it, a child that gives up or `limit_s` gone by is CannotServe.
    """
    limit = time.monotonic() + limit_s
    while not (until and until()):
        if stop.wait(0.2):
            raise SystemExit(0)
        for child in (child for child in children if child.process.poll() is not None):
            if until and child.process.returncode > 0:  # it ended itself; nobody killed it
                raise CannotServe(f"{child.name} does not start: what it said is above.")
            if time.monotonic() > child.started + 1:
                print(f"{child.name} has ended ({child.process.returncode}): starting it again.", flush=True)
                child.kill_group()
                child.start()
        if time.monotonic() > limit:
            raise CannotServe(f"{children[-1].name} does not answer for {limit_s:.0f} s: what it said is above.")


def end(children: list[Child]) -> None:
    """Ends them all, the servers last. SIGINT makes each finish what it is at, without waiting for its clients."""
    for last in (False, True):
        batch = [child for child in children if (child.name in SERVERS) == last]
        for child in batch:
            child.process.send_signal(signal.SIGINT)
        limit = time.monotonic() + GRACE_S
        while any(child.process.poll() is None for child in batch) and time.monotonic() < limit:
            time.sleep(0.02)
        for child in batch:
            child.kill_group()
            child.process.wait()
    journal.close()


def web_answers() -> bool:
    with suppress(OSError, HTTPException):
        connection = HTTPConnection(settings.host, settings.port, timeout=5)
        connection.request("GET", "/health")
        return connection.getresponse().status > 0
    return False


def start(children: list[Child]) -> None:
    """Brings everything up in order: the servers, what `ebranch prepare` does with them, then the application."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    embedded = {"database": settings.embedded_database, "redis": settings.embedded_redis}
    children += [Child(name, lines[name]) for name in SERVERS if embedded[name]]
    prepare = subprocess.Popen([ROOT / ".venv/bin/ebranch", "prepare"], env=os.environ | MARK, start_new_session=True)
    try:
        keep(children, until=lambda: prepare.poll() is not None)
    finally:
        prepare.kill()
    if prepare.returncode:
        raise SystemExit(1)  # it has said why
    children += [Child(name, line) for name, line in lines.items() if name not in SERVERS]
    keep(children, until=web_answers, limit_s=FIRST_PAGE_S)
    print(f"\n灯塔 e支部: {settings.origin}   (Ctrl-C ends it)", flush=True)


def raise_limit() -> None:
    """A process may hold as many connections as the machine lets it, not the thousand that a shell begins with."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, enough), most))


def main() -> None:
    raise_limit()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    lock = hold_data()
    children: list[Child] = []
    try:
        end_orphans()
        probe_port()
        start(children)
        keep(children)
    finally:
        end(children)
        os.close(lock)


if __name__ == "__main__":
    main()
