"""The application as `make run` starts it, with a data folder and a port of its own, and the floor's server beside."""
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from asyncpg import Record

from server.settings import ROOT, socket_folder

START_S = 180
OURS = ("EBRANCH_", "DATABASE_", "REDIS_URL", "PORT")  # the settings of whoever measures are not the measured one's


class Stack:
    """One data folder and what serves it. demo: with the demonstration in it."""

    def __init__(self, folder: Path, *, demo: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.data, self.said = folder / "data", folder / "said"
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.sockets = socket_folder(self.data)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environ = kept | {"EBRANCH_DATA": str(self.data), "PORT": str(self.port), "EBRANCH_DEMO": "01"[demo]}

    def start(self) -> float:
        """Starts everything, as `make run` does once everything is installed; seconds until the first page is there."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [ROOT / ".venv/bin/ebranch", "run"], cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL,
            stdout=self.said.open("w"), stderr=subprocess.STDOUT, start_new_session=True)
        until_answers(f"{self.origin}/sign-in", self.process, self.said)
        return time.monotonic() - began

    def stop(self) -> None:
        """Ctrl-C, and what it leaves."""
        end(self.process)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def url(self, role: str) -> str:
        return f"postgresql://{role}@/ebranch?host={self.sockets}"

    def ask(self, sql: str, *values: Any) -> list[Record]:
        """The rows of one statement, as the tables' owner."""
        async def asked() -> list[Record]:
            connection = await asyncpg.connect(self.url("ebranch_owner"))
            try:
                return await connection.fetch(sql, *values)
            finally:
                await connection.close()
        return asyncio.run(asked())

    @contextmanager
    def floor(self, app: str = "tests.bench.floor:app") -> Iterator[str]:
        """The floor's server (or another `app`), started by the Procfile's own line, on this stack's database; its
        origin."""
        web = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web: "))
        port = free_port()
        line = web.removeprefix("web: ").replace("server.app:app", app)
        floor = subprocess.Popen(["/bin/sh", "-c", f"exec {line}"], cwd=ROOT, env=self.environ | {"PORT": str(port)},
                                 stdin=subprocess.DEVNULL, stdout=self.said.open("a"), stderr=subprocess.STDOUT,
                                 start_new_session=True)
        try:
            until_answers(f"http://127.0.0.1:{port}/sign-in", floor, self.said)
            yield f"http://127.0.0.1:{port}"
        finally:
            end(floor)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until_answers(address: str, process: subprocess.Popen[bytes], said: Path) -> None:
    """Returns when a page is there; SystemExit with what was said if it never comes."""
    given_up = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < given_up:
        try:
            if httpx.get(address).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    end(process)
    raise SystemExit(f"Nothing answers at {address}:\n{said.read_text()[-2000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
