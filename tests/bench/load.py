"""Pressing a server with wrk: one thread, 32 connections, the application in turn with the floor beside it."""
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SCRIPT = Path(__file__).with_name("wrk.lua")
CONNECTIONS = 32
ROUNDS = 5
ROUND_S = 4
WARM_S = 2


class WrongAnswers(Exception):
    """The server answered with errors, so its speed says nothing."""


@dataclass(frozen=True)
class Request:
    """What is sent. token: of the session, empty for nobody's."""

    path: str
    token: str = ""
    method: str = "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.token}"


@dataclass(frozen=True)
class Pressed:
    """One round: answers, the same a second, and the latencies in milliseconds."""

    answers: int
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Compared:
    """The medians of all rounds, of the application and of its floor."""

    rate: float
    p50: float
    p99: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.rate / self.floor

    @property
    def spread(self) -> float:
        """How many times as long as the middle one the slowest of a hundred answers takes."""
        return self.p99 / self.p50


def press(origin: str, requests: Iterable[Request], seconds: int = ROUND_S) -> Pressed:
    """Sends the requests again and again; WrongAnswers if one answer was no success."""
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.writelines(f"{request}\n" for request in requests)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", SCRIPT, origin, "--", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    came = json.loads(done.stdout.splitlines()[-1])
    if came["wrong"] or not came["answers"]:
        raise WrongAnswers(done.stdout)
    return Pressed(came["answers"], came["answers"] / came["us"] * 1e6, came["p50_us"] / 1000, came["p99_us"] / 1000)


Round = Callable[[int], Pressed]  # the argument is how many seconds


def compare(application: Round, floor: Round) -> Compared:
    """Both in turn, ROUNDS times, after one that only warms them up."""
    application(WARM_S), floor(WARM_S)
    pairs = [(application(ROUND_S), floor(ROUND_S)) for _ in range(ROUNDS)]
    ours, floors = zip(*pairs, strict=True)
    return Compared(median(one.rate for one in ours), median(one.p50 for one in ours), median(one.p99 for one in ours),
                    median(one.rate for one in floors))
