"""Files people hand in: decoded and encoded anew in a process of its own with limited memory, stored outside the web
root under a random name with both hashes, served to those who may see the object they belong to."""
import asyncio
import json
import logging
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from server.core.database import row, the_row
from server.settings import settings

log = logging.getLogger(__name__)

MOST_BYTES = 20_000_000  # as received from a phone; what is stored is smaller
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2400  # pixels of what is stored: handwriting stays readable
MEMORY = 1_200_000_000  # bytes the decoding process may ask for
PATIENCE_S = 20
TYPES = ("JPEG", "PNG", "WEBP", "HEIF")


class Unfit(ValueError):
    """Why a file can't be taken, in words for beside the field."""


@dataclass(frozen=True)
class Received:
    """A file as it came in."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Picture:
    """A picture as it will be stored: a JPEG without any metadata."""

    name: str
    body: bytes
    width: int
    height: int
    received: bytes  # SHA-256 of what came in


def folder() -> Path:
    """Where files lie."""
    return settings.data / "files"


async def make_fit(received: Received) -> Picture:
    """Decodes a photograph and encodes it anew: upright, without GPS or other metadata, at most LONGEST_SIDE.

    Unfit when it is no JPEG, PNG, WebP or HEIC, too large, damaged, or a picture of too many pixels."""
    if not received.body:
        raise Unfit("照片是空的，请重新选择")
    if len(received.body) > MOST_BYTES:
        raise Unfit(f"照片不能超过 {MOST_BYTES // 1_000_000} MB")
    code, out = await asyncio.to_thread(decode_aside, received.body)
    if code:
        raise Unfit("这张照片打不开，请换一张（支持 JPG、PNG、WebP、HEIC）")
    head, _, body = out.partition(b"\n")
    size = json.loads(head)
    if "unfit" in size:
        raise Unfit(size["unfit"])
    return Picture(safe_name(received.name), body, size["width"], size["height"], sha256(received.body).digest())


def decode_aside(body: bytes) -> tuple[int, bytes]:
    """Runs server.core.decode as a process of its own on `body`; its exit code and what it wrote."""
    try:
        done = subprocess.run([sys.executable, "-m", "server.core.decode"], input=body, capture_output=True,
                              timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, b""
    return done.returncode, done.stdout


def safe_name(name: str) -> str:
    """The last part of a file's name, printable, for showing only; never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[-100:] or "照片"


async def store(person_id: int, picture: Picture) -> int:
    """Writes the picture's bytes, then its row; must stand in a transaction. Returns the file's id."""
    place = secrets.token_hex(16)
    await asyncio.to_thread(write_whole, folder() / place[:2] / place, picture.body)
    made = await the_row("""
        INSERT INTO file (place, name, media_type, size, width, height, sha256_received, sha256_stored, uploaded_by)
        VALUES ($1, $2, 'image/jpeg', $3, $4, $5, $6, $7, $8) RETURNING id""",
                         place, picture.name, len(picture.body), picture.width, picture.height, picture.received,
                         sha256(picture.body).digest(), person_id)
    return made["id"]


def write_whole(path: Path, body: bytes) -> None:
    """Writes a file so that it is there wholly or not at all, also after a power cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        made.write(body)
        made.flush()
        os.fsync(made.fileno())
    fresh.rename(path)


async def stored(file_id: int) -> tuple[str, bytes] | None:
    """Media type and bytes of a file, or None, also for one that is not what was stored.

    Who may see it is for the caller to have asked."""
    found = await row("SELECT place, media_type, sha256_stored FROM file WHERE id = $1", file_id)
    if found is None:
        return None
    try:
        body = await asyncio.to_thread((folder() / found["place"][:2] / found["place"]).read_bytes)
    except OSError as fault:
        log.error("file %s can't be read: %s", file_id, fault)
        return None
    if sha256(body).digest() != found["sha256_stored"]:
        log.error("file %s is not what was stored", file_id)
        return None
    return found["media_type"], body


