"""What the processes say: every line kept in EBRANCH_DATA/logs, and a short one for the person at the console.

Only the standard library is imported: the stack uses it. What may be personal is taken out here, wherever a line
comes from: names, ID and phone numbers, tokens, addresses, what stands in quotes."""
import json
import os
import re
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

KEPT_BYTES, KEPT_FILES = 10_000_000, 5  # of each process: a month of a county, some days of an attack
LONGEST = 2_000  # characters of a message
LONGEST_LINE = 100_000  # bytes of what a process says at once
FRAMES_SHOWN = 6  # of a fault's way, on the console
QUIET = b'"level":"INFO","logger":"server.'  # our own lines that the console does without

# Mostly numbers that mean a person, and things that only mean something to whoever said them.
PERSONAL = (
    (re.compile(r"\b[\w.+-]+://\S+"), "…"),  # an address with its password and query
    (re.compile(r"\S+@\S+"), "…"),
    (re.compile(r"\bKey \(.*", re.DOTALL), "Key …"),  # PostgreSQL's detail: Key (phone)=(…) already exists
    (re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”"), "'…'"),
    (re.compile(r"\?\S+"), "?…"),
    (re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\U00020000-\U0003ffff·]+"), "…"),  # we log in English
    (re.compile(r"(?<!\d)1[3-9]\d(?:[-\s]?\d{4}){2}(?!\d)"), "…"),
    (re.compile(r"\d(?:[-\s]?\d){9,}[-\s]?[Xx]?"), "…"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"), "…"),
    (re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])"), "…"),
    (re.compile(r"(?<![\w-])[\w-]{20,}(?![\w-])"), "…"),  # a token
)


def scrub(text: str) -> str:
    """`text` without what may be personal, on one line, printable, of at most LONGEST characters."""
    text = text[:LONGEST * 2]
    for pattern, instead in PERSONAL:
        text = pattern.sub(instead, text)
    text = text.encode("utf-8", "replace").decode()
    return "".join(one if one.isprintable() else " " for one in text)[:LONGEST].strip()


def for_person(said: dict[str, Any]) -> str:
    """One line of log as a person reads it: the time of day, how bad, who says it, what, and where it went wrong."""
    words = [str(said.get("time", ""))[11:19], str(said.get("level", "")), f"{said.get('logger', '')}:",
             str(said.get("message", ""))]
    words += [f"{name}={said[name]}" for name in ("request", "method", "path", "status", "ms") if name in said]
    for number, fault in enumerate(said.get("fault", ())):
        words.append(f"\n    {'because of ' if number else ''}{fault.get('type')} {fault.get('code', '')}".rstrip())
        words += [f"\n      {frame}" for frame in fault.get("frames", ())[-FRAMES_SHOWN:]]
    return " ".join(words).replace(" \n", "\n")


class Kept:
    """A file that only its owner reads, set aside when it is full; KEPT_FILES older ones stay. A disk that can't take
    more costs lines, nothing else."""

    def __init__(self, path: Path) -> None:
        self.path, self.file, self.size = path, -1, 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.open()
        except OSError as problem:
            print(f"{path} can't be written ({problem.strerror}): what is said is not kept.", flush=True)

    def open(self) -> None:
        self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.size = os.fstat(self.file).st_size

    def put(self, line: bytes) -> None:
        """Adds one line."""
        with suppress(OSError):
            if self.size + len(line) > KEPT_BYTES:
                self.set_aside()
            self.size += os.write(self.file, line)

    def set_aside(self) -> None:
        """web.log becomes web.log.1, that web.log.2, and the oldest goes."""
        os.close(self.file)
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{one}") for one in range(1, KEPT_FILES + 1))]
        for newer, older in reversed(list(pairwise(names))):
            with suppress(FileNotFoundError):
                newer.replace(older)
        self.open()


class Journal:
    """The folder of what was said, and the threads that write it down as long as their processes speak."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.threads: list[threading.Thread] = []

    def follow(self, name: str, stream: IO[bytes]) -> None:
        """Writes down what the process `name` says, until it ends. A warning or worse is said on the console too."""
        thread = threading.Thread(target=self.write, args=(name, stream), name=f"journal of {name}", daemon=True)
        thread.start()
        self.threads = [other for other in self.threads if other.is_alive()] + [thread]

    def write(self, name: str, stream: IO[bytes]) -> None:
        """Reads to the end whatever becomes of the file: a process that nobody reads would wait."""
        kept = Kept(self.folder / f"{name}.log")
        while line := stream.readline(LONGEST_LINE):
            if QUIET not in line:
                line = show(name, line.decode("utf-8", "replace").rstrip()).encode("utf-8", "replace")
            kept.put(line.rstrip() + b"\n")

    def close(self) -> None:
        """Waits for the last words."""
        for thread in self.threads:
            thread.join(1)


def show(name: str, text: str) -> str:
    """Says a line on the console; what is to be kept of it."""
    said = parsed(text)
    if said is None:  # not from our own formatter: an interpreter or a server in trouble
        print(text, flush=True)
        return json.dumps({"level": "RAW", "logger": name, "message": scrub(text)}, ensure_ascii=False)
    print(for_person(said), flush=True)
    return text


def parsed(text: str) -> dict[str, Any] | None:
    """What one of our own lines says, or None."""
    try:
        said = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return None
    return said if isinstance(said, dict) and "level" in said else None
