"""What a backup is: the list of its pieces, written last, sealed with a key of the installation it is of.

`DIR/manifest.json`, `DIR/tables/NAME.copy.gz` and `DIR/files/…`, each with `.age` behind it where a key was given. The
seal is an HMAC under the newest personal key: whoever holds the backup alone can't make it say something else."""
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path

from pyrage import x25519

from server.backups.refusal import Refused
from server.backups.wrapping import Key, identity_for, reading, writing
from server.core import crypto
from server.core.keys import derived

FORMAT = 1
NAME, WRAPPED = "manifest.json", "manifest.json.age"


@dataclass(frozen=True)
class Table:
    """One table as it was copied. kept: the SHA-256 of its file in the backup."""

    name: str
    columns: list[str]  # each with its type
    rows: int
    kept: str


@dataclass(frozen=True)
class File:
    """One file. sha256: of its bytes, as the database has it; kept: of its file in the backup."""

    name: str
    size: int
    sha256: str
    kept: str


@dataclass(frozen=True)
class Manifest:
    """What stands in manifest.json. keys: the fingerprints of the keys there were; they themselves are never in it.

    vanished: places of files that nobody referred to any more and that were taken away while they were to be copied.
    lost: files that rows name and the installation does not have, or not as they were stored."""

    made_at: str
    installation: str
    postgresql: str
    migrations: list[str]
    tables: list[Table]
    sequences: dict[str, tuple[int, bool]]
    heads: dict[str, tuple[int, str]]
    files: list[File]
    vanished: list[str]
    lost: list[str]
    keys: dict[str, str]
    sealed_with: str
    format: int = FORMAT

    @property
    def schema(self) -> str:
        return self.migrations[-1]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def keys_here() -> dict[str, str]:
    """The fingerprint of each key in the keys folder, by its name."""
    return {path.name: fingerprint(path.read_bytes()) for path in sorted(crypto.folder().glob("[!.]*"))
            if path.is_file()}


def fingerprint(secret: bytes) -> str:
    """What tells a key without being it."""
    return derived(secret, "fingerprint").hex()[:32]


def seal_of(stated: Mapping[str, object], name: str) -> str:
    key = derived((crypto.folder() / name).read_bytes(), "backup manifest")
    spelled = json.dumps(stated, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, spelled.encode(), sha256).hex()


def write_manifest(folder: Path, manifest: Manifest, recipient: x25519.Recipient | None) -> None:
    """Puts the manifest into a backup whose pieces are all on the disk."""
    stated = json.loads(json.dumps(asdict(manifest)))
    stated["seal"] = seal_of(stated, manifest.sealed_with)
    with writing(folder / (WRAPPED if recipient else NAME), recipient) as made:
        made.write(json.dumps(stated, ensure_ascii=False, indent=1).encode())


@dataclass(frozen=True)
class Backup:
    """A backup that can be read: where it lies, what it says, what opens it."""

    folder: Path
    manifest: Manifest
    identity: x25519.Identity | None

    def path(self, kind: str, name: str) -> Path:
        """Where the piece of a table or a file lies. kind: "tables" or "files"."""
        ending = (".copy.gz" if kind == "tables" else "") + (".age" if self.identity else "")
        return self.folder / kind / (name + ending)

    def pieces(self) -> list[tuple[Path, str]]:
        """Each piece and the SHA-256 it must have."""
        return [*((self.path("tables", one.name), one.kept) for one in self.manifest.tables),
                *((self.path("files", one.name), one.kept) for one in self.manifest.files)]


def open_backup(folder: Path, key: Key | None) -> Backup:
    """The backup in `folder`, its manifest genuine and its keys at hand. Refused otherwise; changes nothing."""
    if not folder.is_dir():
        raise Refused(f"{folder} is not there.")
    wrapped = (folder / WRAPPED).exists()
    if not wrapped and not (folder / NAME).exists():
        raise Refused(f"{folder} is no backup: it has no manifest.")
    if wrapped and key is None:
        raise Refused(f"{folder} is encrypted: give its key with --key FILE.")
    if key and not wrapped:
        raise Refused(f"{folder} is not encrypted: leave out --key.")
    identity = identity_for(key, folder) if key else None
    with reading(folder / (WRAPPED if wrapped else NAME), identity) as file:
        body = file.read()
    return Backup(folder, check_manifest(read_stated(body)), identity)


def read_stated(body: bytes) -> dict[str, object]:
    try:
        stated = json.loads(body)
        if not isinstance(stated, dict) or not isinstance(stated.get("keys"), dict):
            raise ValueError
    except ValueError:
        raise Refused("The manifest is damaged: it can't be read.") from None
    if stated.get("format") != FORMAT:
        raise Refused(f"The backup has format {stated.get('format')}, this program knows {FORMAT}.")
    return stated


def check_manifest(stated: dict[str, object]) -> Manifest:
    """The manifest that `stated` is. Refused where a key is lacking that its data need, or it was changed."""
    check_keys(stated["keys"])  # type: ignore[arg-type]
    seal, name = str(stated.pop("seal", "")), str(stated.get("sealed_with"))
    if name not in keys_here() or not hmac.compare_digest(seal.encode(), seal_of(stated, name).encode()):
        raise Refused("The manifest is not the one that was written: it was damaged or changed.")
    try:
        given = {field.name: stated[field.name] for field in fields(Manifest)}
        given["tables"] = [Table(**one) for one in stated["tables"]]  # type: ignore[attr-defined]
        given["files"] = [File(**one) for one in stated["files"]]  # type: ignore[attr-defined]
        return Manifest(**given)  # type: ignore[arg-type]
    except (KeyError, TypeError):
        raise Refused("The manifest lacks what this program must know.") from None


def check_keys(needed: Mapping[str, str]) -> None:
    """Refused where a key is lacking, or is another one: ID numbers and phones could not be read, and what was signed
    (the checkpoints of the evidence) would count no more."""
    here = keys_here()
    for name in sorted(needed):
        if name not in here:
            raise Refused(f"The key {name} is not in {crypto.folder()}: put back the keys that you kept apart.")
        if here[name] != needed[name]:
            raise Refused(f"The key {name} in {crypto.folder()} is another installation's: put back the kept one.")


def check_pieces(backup: Backup, advance: Callable[[int], object]) -> None:
    """Refused at the first piece that is missing or not what was written. advance: is told the bytes looked at."""
    for path, kept in backup.pieces():
        try:
            with reading(path) as file:
                while block := file.read(1 << 20):
                    advance(len(block))
        except FileNotFoundError:
            raise Refused(f"{path} is missing.") from None
        if file.digest.hexdigest() != kept:
            raise Refused(f"{path} is not what was written: it was damaged or changed.")
