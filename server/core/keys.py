"""Keys made at the first start in the data folder, 0600; one per purpose, derived from one secret by HKDF."""
import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.settings import settings


def make_secret(path: Path) -> None:
    """Makes a 256-bit secret, 0600; never replaces one that another process made first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        made.write(os.urandom(32))
        made.flush()
        os.fsync(made.fileno())
    with suppress(FileExistsError):  # another process was first, and that one's counts
        os.link(fresh, path)
    fresh.unlink()
    keep_names(path.parent)


def keep_names(folder: Path) -> None:
    """Makes sure that the folder's names outlast a power cut: what a lost key encrypted would be lost with it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def secret(folder: Path) -> bytes:
    """The 256-bit secret of this installation; made, never replaced, by whichever process comes first."""
    path = folder / "secret"
    if not path.exists():
        make_secret(path)
    return path.read_bytes()


def derived(secret: bytes, purpose: str) -> bytes:
    """The 256-bit key for one purpose that belongs to a secret."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


@cache
def key(purpose: str) -> bytes:
    """This installation's key for one purpose ("check-in", "one-time code" …)."""
    return derived(secret(settings.data / "keys"), purpose)
