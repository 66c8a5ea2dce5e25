"""Personal values in the columns: AES-256-GCM, bound to table, column, row and key; found again by a blind index.

Each key version is a secret of its own in the keys folder (`personal-1`, `personal-2` …); the newest encrypts, all of
them decrypt. `ebranch rotate-keys` makes the next one and encrypts anew what there is, in every column of ENCRYPTED."""
import hmac
import os
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.core.keys import derived, make_secret
from server.settings import settings

NONCE = 12  # bytes
VERSION = 2  # bytes in front of the nonce


FRESH_S = 2.0  # a folder changed so short a time ago may change once more within the same tick of its clock


class MissingKey(KeyError):
    """A key's file is not in the folder: what it encrypted can't be read."""


@dataclass(frozen=True)
class Column:
    """A column that holds values as `encrypt` makes them. index: the column of their blind index, of `kind`; row: the
    column that is the row's id."""

    table: str
    name: str
    index: str | None = None
    kind: str | None = None
    row: str = "id"


ENCRYPTED: list[Column] = []  # every encrypted column there is, declared beside its table: what a rotation goes through


@dataclass(frozen=True)
class Key:
    """One version: what encrypts, and the other key that makes blind indexes."""

    version: int
    cipher: AESGCM
    index: bytes


def folder() -> Path:
    """Where the keys lie."""
    return settings.data / "keys"


def path_of(version: int) -> Path:
    """The file of one version's secret."""
    return folder() / f"personal-{version}"


@cache
def key(version: int) -> Key:
    """The key of one version. MissingKey when its file is not there."""
    try:
        secret = path_of(version).read_bytes()
    except FileNotFoundError:
        raise MissingKey(f"the personal key {version} is not in {folder()}") from None
    return Key(version, AESGCM(derived(secret, "personal values")), derived(secret, "blind index"))


_ring: tuple[int, tuple[int, ...]] = (-1, ())  # the folder's time of change, and the versions that were there


def versions() -> tuple[int, ...]:
    """The key versions there are, oldest first; the first one is made by whoever comes first. A new one is noticed by
    the folder's time, so that no process must be told."""
    global _ring
    try:
        changed = folder().stat().st_mtime_ns
    except FileNotFoundError:
        changed = -1
    if changed != _ring[0] or not _ring[1]:
        names = (path.name.removeprefix("personal-") for path in folder().glob("personal-*"))
        found = tuple(sorted(int(name) for name in names if name.isdecimal()))
        if not found:
            make_secret(path_of(1))
            return versions()
        if abs(time.time_ns() - changed) < FRESH_S * 1e9:
            return found  # not kept yet: the next file may come without the folder's time telling it
        _ring = (changed, found)
    return _ring[1]


def newest() -> Key:
    """The key that encrypts now."""
    return key(versions()[-1])


def bound_to(table: str, column: str, row_id: int, version: int) -> bytes:
    """The additional data: a value moved to another row or column can't be read there."""
    return f"{table}|{column}|{row_id}|{version}".encode()


def encrypt(value: str, *, table: str, column: str, row_id: int, version: int | None = None) -> bytes:
    """`value` as the column keeps it: key version, nonce, ciphertext. Take the row's id first (database.next_id).

    version: of the key, where it is not the newest. The column is one of ENCRYPTED."""
    with_key, nonce = key(version) if version else newest(), os.urandom(NONCE)
    sealed = with_key.cipher.encrypt(nonce, value.encode(), bound_to(table, column, row_id, with_key.version))
    return with_key.version.to_bytes(VERSION) + nonce + sealed


def decrypt(kept: bytes, *, table: str, column: str, row_id: int) -> str:
    """What `encrypt` was given. MissingKey without its key; InvalidTag when it was kept elsewhere or changed."""
    version = version_of(kept)
    nonce, sealed = kept[VERSION:VERSION + NONCE], kept[VERSION + NONCE:]
    return key(version).cipher.decrypt(nonce, sealed, bound_to(table, column, row_id, version)).decode()


def version_of(kept: bytes) -> int:
    """The version of the key that encrypted a value."""
    return int.from_bytes(kept[:VERSION])


def blind_index(value: str, kind: str, version: int | None = None) -> bytes:
    """What a row with this value carries to be found by: an HMAC-SHA-256 under the newest key, or that of `version`.
    kind: "id number" …"""
    return _index(key(version) if version else newest(), value, kind)


def blind_indexes(value: str, kind: str) -> list[bytes]:
    """What to look for: the index under every key there is, since a rotation takes its time. `WHERE x = ANY($1)`."""
    return [_index(key(version), value, kind) for version in versions()]


def _index(with_key: Key, value: str, kind: str) -> bytes:
    return hmac.digest(with_key.index, f"{kind}|{value}".encode(), sha256)
