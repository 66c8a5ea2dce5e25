"""A stack of real processes for each test that wants one, with a data folder and a port of its own."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import pytest

from server.settings import ROOT, socket_folder

STARTS = {"database": "postgres", "redis": "valkey-server", "web": "granian", "worker": "tasks"}
OURS = ("EBRANCH_", "DATABASE_", "REDIS_URL", "PORT")  # settings of whoever runs the tests are not the tests'
AS_ORDINARY_USER = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"] if os.geteuid() == 0 else []


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def if_alone(seconds: float) -> float:
    """`seconds` of a machine that does nothing else: longer when its processors are wanted by others too, besides the
    one that is waited for."""
    return seconds * max(1.0, (1 + os.getloadavg()[0]) / (os.cpu_count() or 1))


class Stack:
    """`python -m server.stack` in a clone, with its own data folder and port."""

    def __init__(self, data: Path, *, clone: Path = ROOT, servant: list[str] | None = None, **settings: str) -> None:
        self.data, self.clone, self.servant = data, clone, servant or []
        self.port = int(settings.pop("PORT", free_port()))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environ = kept | {"EBRANCH_DATA": str(data), "PORT": str(self.port), "EBRANCH_DEMO": "0",
                               "PYTHONPATH": str(clone), **settings}
        self.said = data.with_name(f"{data.name}.said")

    def start(self) -> "Stack":
        command = [*self.servant, sys.executable, "-m", "server.stack"]
        self.process = subprocess.Popen(command, cwd=self.clone, env=self.environ, stdin=subprocess.DEVNULL,
                                        stdout=self.said.open("w"), stderr=subprocess.STDOUT, start_new_session=True)
        return self

    def ebranch(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of the command line, on this data folder."""
        return subprocess.run([ROOT / ".venv/bin/ebranch", *arguments], env=self.environ, capture_output=True,
                              text=True, cwd=self.clone, check=False)

    def output(self) -> str:
        return self.said.read_text()

    def health(self) -> dict[str, int | str]:
        """What /health says; status 0 if nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return {"status": answer.status, "body": answer.read().decode()}
        except (OSError, HTTPException) as silence:
            return {"status": 0, "body": str(silence)}
        finally:
            connection.close()

    def until_healthy(self, limit_s: float = 60) -> float:
        """Seconds until /health is 200; fails the test with what the stack said if it takes longer than `limit_s`."""
        return within(limit_s, lambda: self.health()["status"] == 200, lambda: f"{self.health()}\n{self.output()}")

    def until_started(self) -> float:
        """Seconds until the address is printed and /health is 200, which is when the whole stack is up."""
        return within(if_alone(60), lambda: "Ctrl-C ends it" in self.output(), self.output) + self.until_healthy()

    def until_it_gives_up(self, limit_s: float = 20) -> str:
        """What a stack that can't start says; it ends with 1."""
        assert self.process.wait(if_alone(limit_s)) == 1
        return self.output().strip()

    def child(self, name: str) -> psutil.Process:
        """The process of one line of the Procfile."""
        children = psutil.Process(self.process.pid).children()
        alive = (child for child in children if child.status() != psutil.STATUS_ZOMBIE)
        return next(child for child in alive if any(STARTS[name] in word for word in child.cmdline()[:3]))

    def everything(self) -> list[psutil.Process]:
        """The stack and all below it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def interrupt(self) -> float:
        """Ctrl-C; seconds until the stack has ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return time.monotonic() - began

    def left_over(self) -> list[psutil.Process]:
        """Processes that still belong to this data folder, whoever's children they are by now."""
        return [process for process in psutil.process_iter() if belongs(process, self.data)]

    def clear(self) -> None:
        """Kills whatever a failed test left, and removes the sockets."""
        if hasattr(self, "process"):
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for process in self.left_over():
            process.kill()
        shutil.rmtree(socket_folder(self.data), ignore_errors=True)


def belongs(process: psutil.Process, data: Path) -> bool:
    try:
        return (process.environ().get("EBRANCH_STACK") == str(data)
                or process.cwd() in (str(data / "postgres"), str(data / "redis")))
    except psutil.Error:
        return False


def within(limit_s: float, so: Callable[[], object], otherwise: Callable[[], str] = lambda: "") -> float:
    """Seconds until `so`; an AssertionError with `otherwise` if it takes longer than `limit_s`."""
    began = time.monotonic()
    while not so():
        assert time.monotonic() - began < limit_s, otherwise()
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """make_stack(PORT="1", …) → a Stack that is not started yet; whatever is left of it is ended after the test."""
    made: list[Stack] = []

    def make(data: Path = tmp_path / "data", **options) -> Stack:
        made.append(Stack(data, **options))
        return made[-1]

    yield make
    for stack in made:
        stack.clear()


@pytest.fixture(scope="package")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("running") / "data")
    yield stack
    stack.clear()


@pytest.fixture
def running(shared_stack: Stack) -> Stack:
    """A stack that is up; the tests share it, and it is started again after one that ended it."""
    if not hasattr(shared_stack, "process") or shared_stack.process.poll() is not None:
        shared_stack.start().until_started()
    shared_stack.until_healthy()
    return shared_stack
