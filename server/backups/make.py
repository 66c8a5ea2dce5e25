"""Making a backup: one snapshot of the database, then the files that it names, then the manifest, then its place."""
import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from asyncpg import Connection
from pyrage import x25519

from server.backups import files, rows
from server.backups.folder import fresh_folder
from server.backups.manifest import Manifest, Table, fingerprint, keys_here, write_manifest
from server.backups.progress import Bars
from server.backups.refusal import Refused
from server.backups.servers import own_database
from server.backups.wrapping import Key, recipient_for, writing
from server.core import crypto
from server.core.keys import secret
from server.settings import settings


def make_backup(place: Path, key: Key | None, bars: Bars) -> Manifest:
    """Backs the installation up into `place`, also while it runs; whatever was there stays good until the new one is
    whole. Refused, OSError or a database's error, with nothing changed, where it can't be."""
    with own_database(alone=False), fresh_folder(place) as folder:
        for room in ("tables", "files"):
            (folder / room).mkdir(mode=0o700)
        return asyncio.run(copy_everything(folder, recipient_for(key, folder), bars))


async def copy_everything(folder: Path, recipient: x25519.Recipient | None, bars: Bars) -> Manifest:
    """Fills an empty folder with a backup."""
    connection = await asyncpg.connect(settings.database_owner_url, timeout=10)
    try:
        if await connection.fetchval("SELECT to_regclass('audit_seal')") is None:
            raise Refused("The database has no tables yet: there is nothing to back up.")
        keys_before = keys_here()
        async with rows.one_snapshot(connection) as found:
            wanted, size = await files.listed(connection)
            stated = await state(connection)
            tables = await copy_tables(connection, found, folder / "tables", recipient, bars)
        copied, missing = await files.copy_out(wanted, folder / "files", recipient, bars.bar("files", size))
        vanished, lost = await files.what_became_of(connection, missing)
    finally:
        await connection.close()
    manifest = Manifest(
        **stated, tables=tables, files=copied, vanished=vanished, lost=lost, made_at=datetime.now(UTC).isoformat(),
        installation=f"{fingerprint(secret(crypto.folder()))[:12]} {settings.origin} {socket.gethostname()}",
        sealed_with=f"personal-{crypto.versions()[-1]}", keys=keys_before | keys_here())
    write_manifest(folder, manifest, recipient)
    return manifest


async def state(connection: Connection) -> dict:
    """What the manifest says of the database as a whole."""
    return {
        "postgresql": await connection.fetchval("SHOW server_version"),
        "migrations": [one["name"] for one in await connection.fetch(rows.MIGRATIONS)],
        "sequences": {one["name"]: (one["value"], one["called"]) for one in await connection.fetch(rows.SEQUENCES)},
        "heads": await rows.heads(connection),
    }


async def copy_tables(connection: Connection, found: list[asyncpg.Record], folder: Path,
                      recipient: x25519.Recipient | None, bars: Bars) -> list[Table]:
    """Copies every table of the snapshot."""
    advance, done = bars.bar("tables", sum(table["size"] for table in found)), []
    for table in found:
        path = folder / f"{table['name']}.copy.gz{'.age' if recipient else ''}"
        with writing(path, recipient) as piece:
            count = await rows.copy_out(connection, table, piece, advance)
        done.append(Table(table["name"], list(table["described"]), count, piece.kept))
    return done
