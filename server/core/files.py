"""Files people hand in: opened in a process of its own with limited memory, what is no part of the picture taken out,
kept under a random name with both hashes and a small picture. Who may see one is for the domains to say."""
import asyncio
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from asyncpg import Record

from server.core import store
from server.core.database import rows, the_row
from server.core.kinds import KEPT_MOST, KINDS, MB, PATIENCE_S, Place, Unfit, sniff
from server.core.masking import without_numbers

log = logging.getLogger(__name__)

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)  # files opened at the same time by one web process
WAIT_S = PATIENCE_S + 10  # the process ends itself before
OPENERS = ThreadPoolExecutor(AT_ONCE, "opener")  # each waits for one process
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name in ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")}


@dataclass(frozen=True)
class Checked:
    """A file that may be kept. path, small: where it and its small picture lie for the moment."""

    kind: str
    name: str
    path: Path
    small: Path | None
    received: bytes  # SHA-256 of what came in
    kept: bytes  # SHA-256 of what will be kept
    width: int | None = None
    height: int | None = None
    blurred: bool = False


@contextmanager
def desk() -> Iterator[Path]:
    """A folder for one file while it is looked at."""
    with tempfile.TemporaryDirectory(prefix="ebranch-paper-") as made:
        yield Path(made)


async def check(place: Place, source: Path, name: str) -> Checked:
    """Opens what came in, aside, and makes it fit to be kept.

    source: on a `desk`, where the result lies too. Unfit, in words, when it is not what the place takes, too large,
    damaged, hostile or a picture of too many pixels."""
    word, size = "照片" if place.pictures_only else "文件", await asyncio.to_thread(size_of, source)
    if not size:
        raise Unfit(f"{word}是空的，请重新选择")
    if size > place.most_bytes:
        raise Unfit(f"{word}不能超过 {place.most_bytes // MB} MB")
    clean, small = source.with_name("clean"), source.with_name("small")
    received = await asyncio.to_thread(digest, source)
    told = await asyncio.get_running_loop().run_in_executor(OPENERS, open_aside, source, clean, small, place.kinds)
    if told is None:
        raise Unfit("这张照片打不开，请换一张（支持 JPG、PNG、WebP、HEIC）" if place.pictures_only else
                    "这个文件打不开，请换一个")
    if "unfit" in told:
        raise Unfit(str(told["unfit"]))
    return await asyncio.to_thread(last_look, told, source, clean, small, received, name)


def size_of(path: Path) -> int:
    return path.stat().st_size


def digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, "sha256").digest()


def open_aside(source: Path, clean: Path, small: Path, kinds: tuple[str, ...]) -> dict[str, object] | None:
    """Runs server.core.decode as a process of its own, which is told nothing of ours; what it found, or None."""
    command = [sys.executable, "-m", "server.core.decode", str(source), str(clean), str(small), *kinds]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S, check=False,
                              env=ENVIRONMENT)
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        return None


def last_look(told: dict, source: Path, clean: Path, small: Path, received: bytes, name: str) -> Checked:
    """The final bytes, looked at once more by who was not opened by them. Unfit when they are not what was told."""
    kind, path = KINDS[told["kind"]], clean if clean.exists() else source
    size = path.stat().st_size
    if size > kind.most:
        raise Unfit(f"文件不能超过 {kind.most // MB} MB")
    with path.open("rb") as file:
        head = sniff(file.read(16))
    if (kind.picture and (head != "JPEG" or size > KEPT_MOST or not small.exists())) or (
            not kind.picture and head not in (kind.name, "ZIP")):
        raise Unfit("这个文件打不开，请换一个")
    return Checked(kind.name, safe_name(name), path, small if kind.picture else None, received, digest(path),
                   told.get("width"), told.get("height"), bool(told.get("blurred")))


def safe_name(name: str) -> str:
    """The last part of a file's name, printable, numbers of people in it masked, for showing only; never a path."""
    last = without_numbers(name.replace("\\", "/").rsplit("/", 1)[-1])
    return "".join(character for character in last if character.isprintable()).strip(" .")[-100:] or "文件"


def address(place: str, *, small: bool = False) -> str:
    """The name in the store of a file, or of its small picture. place: the random one of its row."""
    return f"{place[:2]}/{place}{'-small' if small else ''}"


async def put(checked: Checked) -> str:
    """Writes the bytes; the random place they lie at. Without a row they are an orphan: the nightly check finds it."""
    place = secrets.token_hex(16)
    await store.put(address(place), checked.path)
    if checked.small:
        await store.put(address(place, small=True), checked.small)
    return place


async def discard(place: str) -> None:
    """Takes away what was `put` and got no row, or whose row has gone."""
    for small in (False, True):
        await store.delete(address(place, small=small))


async def enter(person_id: int, place: str, checked: Checked) -> int:
    """Writes the row of what was `put`; must stand in a transaction. Returns the file's id."""
    small = await asyncio.to_thread(digest, checked.small) if checked.small else None
    size = await asyncio.to_thread(size_of, checked.path)
    made = await the_row("""
        INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by,
                          kind, sha256_small, blurred)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id""",
                         place, checked.name, KINDS[checked.kind].media_type, size,
                         checked.width, checked.height, checked.received, checked.kept, person_id, checked.kind,
                         small, checked.blurred)
    return made["id"]


async def of_ids(ids: list[int]) -> dict[int, Record]:
    """The rows of some files, by id."""
    return {one["id"]: one for one in await rows(
        "SELECT id, place, name, media_type, kind, size, width, height, blurred, sha256_received, sha256_stored,"
        " sha256_small, uploaded_by FROM file WHERE id = ANY($1)", ids)}


async def bytes_of(file: Record, *, small: bool = False) -> bytes | None:
    """All bytes of a picture, or None, also for one that is not what was stored."""
    use_small = small and file["sha256_small"] is not None
    try:
        body = await store.get(address(file["place"], small=use_small))
    except (store.Missing, OSError) as fault:
        log.error("file %s can't be read: %s", file["id"], fault)
        return None
    if store.sha256(body).digest() != file["sha256_small" if use_small else "sha256_stored"]:
        log.error("file %s is not what was stored", file["id"])
        return None
    return body
