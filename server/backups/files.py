"""Files out of the store and into it again, whichever store the settings name. They are written before their row and
never change; one that nobody refers to may vanish at any moment."""
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO

from asyncpg import Connection
from pyrage import x25519

from server.backups.manifest import Backup, File
from server.backups.refusal import Refused
from server.backups.wrapping import reading, writing
from server.core import store
from server.core.files import address
from server.settings import settings

Advance = Callable[[int], object]
BLOCK = 1 << 20  # bytes in memory at once
# As JSON, since a database that is still to be migrated by this program may have no small pictures yet.
LISTED = """SELECT place, size, encode(sha256_stored, 'hex') AS sha256,
    ltrim(to_jsonb(file)->>'sha256_small', '\\x') AS small FROM file ORDER BY place"""
STILL_THERE = "SELECT place FROM file WHERE place = ANY($1)"


@dataclass(frozen=True)
class Listed:
    """A file that a row of the snapshot names. place: the row's; name: the file's in the store."""

    place: str
    name: str
    sha256: str


async def listed(connection: Connection) -> tuple[list[Listed], int]:
    """What the rows of the snapshot name, and about how many bytes that is."""
    found = await connection.fetch(LISTED)
    return [*(Listed(one["place"], address(one["place"]), one["sha256"]) for one in found),
            *(Listed(one["place"], address(one["place"], small=True), one["small"]) for one in found if one["small"])
            ], sum(one["size"] for one in found)


async def copy_out(wanted: Sequence[Listed], into: Path, recipient: x25519.Recipient | None,
                   advance: Advance) -> tuple[list[File], list[Listed]]:
    """Copies files into the backup; those copied, and those that are not there or are not what was stored."""
    done, missing, ending = [], [], ".age" if recipient else ""
    for one in wanted:
        target = into / (one.name + ending)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size, digest = 0, sha256()
        try:
            with writing(target, recipient) as piece:
                async for block in store.whole(one.name):
                    digest.update(block)
                    piece.write(block)
                    size += len(block)
                    advance(len(block))
        except store.Missing:
            target.unlink()
            missing.append(one)
            continue
        if digest.hexdigest() != one.sha256:
            target.unlink()
            missing.append(one)
        else:
            done.append(File(one.name, size, one.sha256, piece.kept))
    return done, missing


async def what_became_of(connection: Connection, missing: Sequence[Listed]) -> tuple[list[str], list[str]]:
    """The places whose row has gone meanwhile, and the names of files that the installation itself has lost."""
    places = sorted({one.place for one in missing})
    there = {one["place"] for one in await connection.fetch(STILL_THERE, places)}
    return [place for place in places if place not in there], [one.name for one in missing if one.place in there]


async def copy_in(backup: Backup, advance: Advance) -> None:
    """Puts the backup's files into the store. Refused at one that is not what was stored."""
    with tempfile.TemporaryDirectory(prefix="restoring-", dir=settings.data) as desk:
        for one in backup.manifest.files:
            if ".." in PurePosixPath(one.name).parts or one.name.startswith("/"):
                raise Refused(f"The backup names a file outside of the files: {one.name}.")
            with (Path(desk) / "file").open("wb") as made:
                check(backup, one, made, advance)
            await store.put(one.name, Path(desk) / "file")


def check(backup: Backup, one: File, into: IO[bytes] | None, advance: Advance) -> None:
    """Reads a file of the backup, into another if there is one. Refused where it is not what was stored."""
    digest = sha256()
    with reading(backup.path("files", one.name), backup.identity) as source:
        while block := source.read(BLOCK):
            digest.update(block)
            if into is not None:
                into.write(block)
            advance(len(block))
    if digest.hexdigest() != one.sha256:
        raise Refused(f"The file {one.name} is not what was stored.")


async def any_there() -> bool:
    """Whether there is any file in the store."""
    return bool([True async for found in store.listing("") if found])


async def clear() -> None:
    """Takes away what a restore has put there."""
    async for found in store.listing(""):
        for one in found:
            await store.delete(one.name)
