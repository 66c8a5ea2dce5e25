"""Checkpoints: hour by hour a signed statement of how long every chain is and what it ends with.

Each names the digest of the former one. They are kept in the database and as files beside it, and an auditor takes
some away: whoever can rewrite the database, its seals included, still contradicts what was signed before."""
import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from asyncpg import Record
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from server.core.audit_faults import Fault
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.dates import local
from server.core.keys import key
from server.settings import settings

log = logging.getLogger(__name__)

PURPOSE = "audit checkpoints"  # of the key
EVERY = timedelta(hours=1)
CHECKPOINT_LOCK = 7_002  # advisory lock: one at a time
NAME = "checkpoint-{:08}.txt"

# The end of every chain: from one chain to the next by the primary key, however long they are.
HEADS = """
WITH RECURSIVE chains AS (
    (SELECT chain FROM audit_seal ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT (SELECT s.chain FROM audit_seal s WHERE s.chain > c.chain ORDER BY s.chain LIMIT 1) FROM chains c
    WHERE c.chain IS NOT NULL)
SELECT c.chain, s.number, s.digest FROM chains c
CROSS JOIN LATERAL (SELECT number, digest FROM audit_seal WHERE chain = c.chain ORDER BY number DESC LIMIT 1) s"""
# The first of some heads that the database does not have (any more).
DIFFERING = """
SELECT h.chain, h.number, s.digest IS NULL AS gone, (SELECT max(number) FROM audit_seal WHERE chain = h.chain) AS now
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS h (chain, number, digest)
LEFT JOIN audit_seal s USING (chain, number) WHERE s.digest IS DISTINCT FROM h.digest
ORDER BY h.chain COLLATE "C" LIMIT 1"""
NEWEST = "SELECT number, at, body, signature FROM audit_checkpoint ORDER BY number DESC LIMIT 1"


class Forged(ValueError):
    """A checkpoint that this installation has not signed as it stands; its argument is the kind of fault."""


class Contradicted(Exception):
    """The chains are not what the last checkpoint says: nothing is signed over that. Its argument is the Fault."""


@dataclass(frozen=True)
class Checkpoint:
    """What was signed."""

    number: int
    at: datetime
    previous: str  # SHA-256 of the former one's body, in hex; empty for the first
    heads: dict[str, tuple[int, str]]  # chain → its length and its last digest in hex
    restored_to: int | None  # the last checkpoint the database still had when it was put back
    why: str | None  # why it was put back
    body: str
    signature: bytes

    @property
    def digest(self) -> str:
        return sha256(self.body.encode()).hexdigest()

    @property
    def text(self) -> str:
        """The file: the body, and under it the public key and the signature."""
        return f"{self.body}\n{public_key().hex()} {self.signature.hex()}\n"


def folder() -> Path:
    """Where the files lie."""
    return settings.data / "checkpoints"


def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key(PURPOSE))


def public_key() -> bytes:
    """What the signatures are checked with; an auditor notes it once."""
    return signing_key().public_key().public_bytes_raw()


def opened(body: str, signature: bytes) -> Checkpoint:
    """The checkpoint with this body. Forged when this installation's key has not signed it, or not this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key()).verify(signature, body.encode())
        told = json.loads(body)
        heads = {chain: (number, digest) for chain, (number, digest) in told["chains"].items()}
        return Checkpoint(told["number"], datetime.fromisoformat(told["at"]), told["previous"], heads,
                          told.get("restored_to"), told.get("why"), body, signature)
    except InvalidSignature:
        raise Forged("changed") from None


def read(path: Path) -> Checkpoint:
    """The checkpoint in a file. Forged when it is none of ours, or was changed; OSError when it can't be read."""
    try:
        body, _, last = path.read_bytes().decode().rstrip("\n").rpartition("\n")
        public, _, signature = last.partition(" ")
        if not body:
            raise Forged("not ours")
        if public != public_key().hex():
            raise Forged("other key")
        return opened(body, bytes.fromhex(signature))
    except UnicodeDecodeError:
        raise Forged("not ours") from None
    except ValueError as problem:
        raise problem if isinstance(problem, Forged) else Forged("not ours") from None


def files() -> Iterator[tuple[int, Path]]:
    """Number and path of the checkpoints in the folder, newest first."""
    found = ((path.stem.removeprefix("checkpoint-"), path) for path in folder().glob("checkpoint-*.txt"))
    yield from sorted(((int(number), path) for number, path in found if number.isdecimal()), reverse=True)


def changed(checkpoint: Checkpoint, newer: dict[str, tuple[int, str]]) -> tuple[list[str], list[int], list[bytes]]:
    """The heads of a checkpoint that are not those of `newer` as well, as DIFFERING takes them."""
    heads = [(chain, *head) for chain, head in checkpoint.heads.items() if newer.get(chain) != head]
    return [chain for chain, _, _ in heads], [number for _, number, _ in heads], [bytes.fromhex(d) for *_, d in heads]


async def due() -> bool:
    """Whether the last checkpoint is older than an hour."""
    last = await row(NEWEST)
    return last is None or last["at"] + EVERY <= now()


async def make(restored: str | None = None) -> Checkpoint:
    """Signs how the chains stand now, into the database and the folder; returns it.

    restored: why the database was put back to an older state; then the checkpoint says from which one on nothing is
    there any more. Contradicted when the chains are not what was signed last and nobody says that; Forged when the
    last file is not ours."""
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1)", CHECKPOINT_LOCK)
        kept = await row(NEWEST)
        last = opened(kept["body"], kept["signature"]) if kept else None
        still_there = last.number if last else 0
        if (newest := next(files(), None)) and newest[0] > still_there:
            last = read(newest[1])
        if last and restored is None and (wrong := await row(DIFFERING, *changed(last, {}))):
            raise Contradicted(contradiction(last, wrong))
        if last and restored is None and last.number > still_there:
            raise Contradicted(Fault("cannot sign", {"number": last.number}))
        heads = {one["chain"]: [one["number"], one["digest"].hex()] for one in await rows(HEADS)}
        content = {"number": last.number + 1 if last else 1, "at": now().isoformat(timespec="seconds"),
                   "previous": last.digest if last else "", "chains": heads}
        if restored is not None:
            content |= {"restored_to": still_there, "why": restored}
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        made = opened(body, signing_key().sign(body.encode()))
        await rows("INSERT INTO audit_checkpoint (number, body, signature) VALUES ($1, $2, $3)",
                   made.number, made.body, made.signature)
    await write_files()
    return made


def contradiction(checkpoint: Checkpoint, differing: Record) -> Fault:
    """What DIFFERING found of a checkpoint's heads."""
    facts = named(checkpoint) | {"chain": differing["chain"], "number": differing["number"]}
    if not differing["gone"]:
        return Fault("sealed anew", facts)
    if not differing["now"]:
        return Fault("chain gone", facts)
    return Fault("rows gone", facts | {"first": min(differing["now"] + 1, differing["number"])})


def named(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as a fault names it."""
    return {"checkpoint": checkpoint.number, "at": f"{local(checkpoint.at):%Y-%m-%d %H:%M}"}


async def write_files() -> None:
    """Writes the checkpoints that the folder does not have yet."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    there = {number for number, _ in files()}
    missing = [one["number"] for one in await rows("SELECT number FROM audit_checkpoint ORDER BY number")
               if one["number"] not in there]
    for number in missing:
        kept = await the_row("SELECT body, signature FROM audit_checkpoint WHERE number = $1", number)
        path = folder() / NAME.format(number)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with fresh.open("w") as made:
            made.write(opened(kept["body"], kept["signature"]).text)
            made.flush()
            os.fsync(made.fileno())
        fresh.replace(path)


async def make_due() -> None:
    """A checkpoint if the last is older than an hour; where there can be none, the log says why."""
    if await due():
        try:
            await make()
        except (Contradicted, Forged) as problem:
            log.error("no checkpoint of the evidence is made: %s", problem)
