"""Keys made at the first start in the data folder, 0600; one per purpose, derived from one secret by HKDF."""
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.settings import settings


def secret(folder: Path) -> bytes:
    """The 256-bit secret of this installation; made, never replaced, by whichever process comes first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret"
    if not path.exists():
        fresh = folder / f"secret.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(os.urandom(32))
        with suppress(FileExistsError):  # another process was first, and that one's counts
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


def derived(secret: bytes, purpose: str) -> bytes:
    """The 256-bit key for one purpose that belongs to a secret."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


@cache
def key(purpose: str) -> bytes:
    """This installation's key for one purpose ("check-in", "one-time code" …)."""
    return derived(secret(settings.data / "keys"), purpose)
