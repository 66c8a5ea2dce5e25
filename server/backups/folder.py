"""The folder of a backup: written beside, put in its place at the end, the former one good until then."""
import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.backups.manifest import NAME, WRAPPED
from server.backups.refusal import Refused
from server.settings import settings

EXCHANGE = 2  # renameat2's flag
HERE = -100  # AT_FDCWD


def fresh_beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.new")


def former_beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.old")


def settle(place: Path) -> None:
    """Puts back the former backup where a kill came between its going and the new one's coming."""
    if not place.exists() and former_beside(place).is_dir():
        former_beside(place).rename(place)


@contextmanager
def fresh_folder(place: Path) -> Iterator[Path]:
    """A folder beside `place` that takes its place, wholly on the disk, when this ends without a fault; else nothing
    has happened. What a killed backup left is cleared away. Refused where `place` can't be a backup's."""
    check_place(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    settle(place)
    fresh = fresh_beside(place)
    fresh.mkdir(mode=0o700, exist_ok=True)
    held = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
    try:
        hold(held, fresh, place)
        clear(fresh)
        yield fresh
        sync(fresh)
        put_in_place(fresh, place)
    finally:
        for left in (fresh, former_beside(place)):
            shutil.rmtree(left, ignore_errors=True)
        os.close(held)


def check_place(place: Path) -> None:
    if place.is_relative_to(settings.data):
        raise Refused(f"{place} lies in the data folder and would be lost with it: choose a place outside.")
    if place.is_mount():
        raise Refused(f"{place} is a mount point: name a folder in it, like {place / 'ebranch'}.")
    if place.exists() and not (place.is_dir() and (is_backup(place) or not any(place.iterdir()))):
        raise Refused(f"{place} holds something else: name a new or an empty folder, or a former backup.")


def is_backup(place: Path) -> bool:
    return any((place / name).exists() for name in (NAME, WRAPPED))


def hold(held: int, fresh: Path, place: Path) -> None:
    """Refused if another backup is being written there."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_ino == fresh.stat().st_ino:
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    raise Refused(f"Another backup to {place} is being written just now.")


def clear(folder: Path) -> None:
    """Empties a folder, and stays in it."""
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()


def sync(folder: Path) -> None:
    """Has the names in a folder and below it on the disk; the files themselves are there already."""
    for above, _, _ in os.walk(folder):
        sync_one(Path(above))


def put_in_place(fresh: Path, place: Path) -> None:
    """The two change places in one step; where the file system can't, the former one goes aside first."""
    if place.exists() and not exchange(fresh, place):
        place.rename(former_beside(place))
    if fresh.exists() and not place.exists():
        fresh.rename(place)
    with suppress(OSError):  # some network file systems can't
        sync_one(place.parent)


def exchange(one: Path, other: Path) -> bool:
    """Whether the two names were exchanged, which Linux does at once on most file systems."""
    try:
        return ctypes.CDLL(None).renameat2(HERE, bytes(one), HERE, bytes(other), EXCHANGE) == 0
    except AttributeError:  # a C library that does not have it
        return False


def sync_one(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
