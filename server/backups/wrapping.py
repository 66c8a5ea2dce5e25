"""What stands between a piece of a backup and its file: a SHA-256 of what lies on the disk and, with a key, age.

The key may be an age identity (reads and writes), an age recipient (writes only, so that the server that makes backups
can't read them) or a passphrase. A passphrase is slow to try by intention; it therefore opens the identity of the one
backup, which lies in the backup itself, and that identity opens the rest. (age's own way with passphrases takes as much
work as the machine does in a second, and then refuses the right one on a machine that is slower or busier.)"""
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import scrypt, sha256
from pathlib import Path
from typing import IO, Any

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyrage import x25519

from server.backups.refusal import Refused

SHORTEST_PHRASE = 16  # characters
LONGEST_KEY_FILE = 10_000  # bytes
KEY_OF_THIS_BACKUP = "key.wrapped"
SALT, NONCE = 16, 12  # bytes in front of it
SCRYPT: dict[str, Any] = {"n": 2**17, "r": 8, "p": 1, "maxmem": 2**28, "dklen": 32}  # 128 MB, about half a second
Run = Callable[[Callable[[], object], IO[bytes]], Future[None]]


@dataclass(frozen=True)
class Key:
    """What `--key` names: one of the three."""

    identity: x25519.Identity | None = None
    recipient: x25519.Recipient | None = None
    phrase: str | None = None


def read_key(path: Path) -> Key:
    """The key in a file of one line; lines that begin with # are comments. Refused when it is none."""
    try:
        with path.open("rb") as file:
            lines = file.read(LONGEST_KEY_FILE).decode().splitlines()
        given = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if len(given) != 1:
            raise Refused(f"{path} must hold one line: an age identity, an age recipient or a passphrase.")
        if given[0].startswith("AGE-SECRET-KEY-"):
            identity = x25519.Identity.from_str(given[0])
            return Key(identity, identity.to_public())
        if given[0].startswith("age1"):
            return Key(recipient=x25519.Recipient.from_str(given[0]))
    except OSError as problem:
        raise Refused(f"The key {path} can't be read: {problem.strerror}.") from None
    except (UnicodeDecodeError, pyrage.IdentityError, pyrage.RecipientError):
        raise Refused(f"{path} is no key: neither an age identity nor a recipient nor a line of text.") from None
    if len(given[0]) < SHORTEST_PHRASE:
        raise Refused(f"The passphrase in {path} is shorter than {SHORTEST_PHRASE} characters.")
    return Key(phrase=given[0])


def recipient_for(key: Key | None, folder: Path) -> x25519.Recipient | None:
    """Whom the pieces of a new backup in `folder` are encrypted to; for a passphrase an identity of its own is made."""
    if key is None or key.recipient:
        return key.recipient if key else None
    identity = x25519.Identity.generate()
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    locked = salt + nonce + cipher(key, salt).encrypt(nonce, str(identity).encode(), None)
    with writing(folder / KEY_OF_THIS_BACKUP) as made:
        made.write(locked)
    return identity.to_public()


def identity_for(key: Key, folder: Path) -> x25519.Identity:
    """What opens the pieces of the backup in `folder`. Refused where this key can't."""
    if key.identity:
        return key.identity
    if key.recipient:
        raise Refused("The key is an age recipient, which can only make backups: reading one needs its identity.")
    try:
        locked = (folder / KEY_OF_THIS_BACKUP).read_bytes()
        salt, nonce, sealed = locked[:SALT], locked[SALT:SALT + NONCE], locked[SALT + NONCE:]
        return x25519.Identity.from_str(cipher(key, salt).decrypt(nonce, sealed, None).decode())
    except FileNotFoundError:
        raise Refused("The key is a passphrase, and this backup was made with another kind of key.") from None
    except (InvalidTag, ValueError):
        raise Refused("The passphrase does not open this backup.") from None


def cipher(key: Key, salt: bytes) -> AESGCM:
    """What a passphrase becomes."""
    return AESGCM(scrypt(str(key.phrase).encode(), salt=salt, **SCRYPT))


class Through:
    """A file that counts and hashes the bytes on their way, and remembers its own fault."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.size = file, sha256(), 0
        self.fault: OSError | None = None

    def count(self, block: bytes) -> bytes:
        self.digest.update(block)
        self.size += len(block)
        return block

    def write(self, block: bytes) -> int:
        try:
            self.file.write(self.count(bytes(block)))
        except OSError as fault:
            self.fault = fault
            raise
        return len(block)

    def read(self, most: int = -1) -> bytes:
        try:
            return self.count(self.file.read(most))
        except OSError as fault:
            self.fault = fault
            raise

    def flush(self) -> None:
        self.file.flush()


@dataclass
class Writing:
    """A piece that is being written. kept: the SHA-256 of its file, once that is on the disk."""

    write_to: Through
    kept: str = ""
    size: int = 0

    def write(self, block: bytes) -> int:
        return self.write_to.write(block)

    def flush(self) -> None:
        self.write_to.flush()


@contextmanager
def writing(path: Path, recipient: x25519.Recipient | None = None) -> Iterator[Writing]:
    """Writes a piece, encrypted to `recipient`, in constant memory; it is on the disk when this ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        outer = Through(file)
        if recipient is None:
            yield (piece := Writing(outer))
        else:
            with encrypted(outer, recipient) as inner:
                yield (piece := Writing(Through(inner)))
        file.flush()
        os.fsync(file.fileno())
    piece.kept, piece.size = outer.digest.hexdigest(), outer.size


@contextmanager
def reading(path: Path, identity: x25519.Identity | None = None) -> Iterator[Through]:
    """Reads a piece in constant memory. Refused when it can't be opened with `identity`, also at its very end."""
    with path.open("rb") as file:
        outer = Through(file)
        if identity is None:
            yield outer
        else:
            with decrypted(outer, identity, path.name) as inner:
                yield Through(inner)


@contextmanager
def encrypted(outer: Through, recipient: x25519.Recipient) -> Iterator[IO[bytes]]:
    """A file to write into; age reads it from the other end of a pipe and writes to `outer`."""
    with aside() as (taken, given, run):
        done = run(lambda: pyrage.encrypt_io(taken, outer, [recipient]), taken)
        try:
            with given:
                yield given
        except BrokenPipeError:
            done.exception()  # it has ended, and says below why
        if outer.fault:
            raise outer.fault
        done.result()


@contextmanager
def decrypted(outer: Through, identity: x25519.Identity, name: str) -> Iterator[IO[bytes]]:
    """A file to read from; age writes into the other end of a pipe what it reads from `outer`."""
    with aside() as (taken, given, run):
        done = run(lambda: pyrage.decrypt_io(outer, given, [identity]), given)
        yield taken
        try:
            done.result()
        except (pyrage.DecryptError, OSError) as fault:
            raise Refused(f"The key does not open {name}, or it is damaged ({fault}).") from None


@contextmanager
def aside() -> Iterator[tuple[IO[bytes], IO[bytes], Run]]:
    """Both ends of a pipe, and what runs a call in a thread of its own, closing the end it worked at."""
    out, into = os.pipe()
    # Who stops early closes the reading end first, so that the thread's next write fails instead of waiting for ever;
    # then the thread ends; what it had not yet written is its own fault, not that of who stopped.
    with os.fdopen(into, "wb") as given, ThreadPoolExecutor(1) as threads, os.fdopen(out, "rb") as taken:
        def run(call: Callable[[], object], end: IO[bytes]) -> Future[None]:
            def work() -> None:
                with end:
                    call()
            return threads.submit(work)

        yield taken, given, run
