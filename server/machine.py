"""What a start must have for itself on the machine: the data folder, the port, and no orphans of a killed run."""
import fcntl
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from server.embedded import CannotServe, cannot_write, make_folder
from server.settings import settings

MARK = {"EBRANCH_STACK": str(settings.data)}  # in the environment of all that the stack starts: so orphans are known


def hold_data() -> int:
    """Locks the data folder for as long as this process lives; CannotServe if another instance holds it."""
    make_folder(settings.data)
    try:
        lock = os.open(settings.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotServe(f"The data folder {settings.data} is in use: the stack runs already.") from None
    except OSError as problem:
        raise cannot_write(settings.data, problem) from None
    return lock


def end_orphans() -> None:
    """Kills what a killed former run with this data folder left; as we hold the lock, nobody's life depends on it."""
    mark = b"EBRANCH_STACK=" + bytes(settings.data)

    def is_ours(process: Path) -> bool:
        with suppress(OSError):
            return mark in (process / "environ").read_bytes().split(b"\0")
        return False

    while orphans := [int(process.name) for process in Path("/proc").glob("[0-9]*") if is_ours(process)]:
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def probe_port() -> None:
    """CannotServe if the address can't be listened on: granian would silently share a port with whoever has it."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a former run's closed connections are fine
            attempt.bind(address)
    except OSError as problem:
        raise CannotServe(f"Port {settings.port} of {settings.host} can't be used ({problem.strerror}): "
                          "end what uses it, or set PORT.") from None
