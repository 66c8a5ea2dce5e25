"""Restoring: into an empty system only, all or nothing. What is open towards the outside in the copy is ended."""
import asyncio
import os
import secrets
from datetime import datetime
from pathlib import Path

from asyncpg import Connection

from server import schema
from server.backups import files, rows
from server.backups.manifest import Backup, check_pieces
from server.backups.progress import Bars
from server.backups.refusal import Refused
from server.backups.servers import own_database
from server.core import deadlines
from server.settings import settings

# Who was signed in when the backup was made may have been signed out since, and what was to leave has left.
ENDED = (
    ("session", "revoked_at = ebranch_now() WHERE revoked_at IS NULL"),
    ("half_sign_in", "used_at = ebranch_now() WHERE used_at IS NULL"),
    ("one_time_code", "used_at = ebranch_now() WHERE used_at IS NULL"),
    ("sms", "state = 'failed', done_at = ebranch_now(), fault = '系统已从备份恢复，未再发出' WHERE state = 'waiting'"),
    ("sms", "state = 'unknown', done_at = ebranch_now(), fault = '系统已从备份恢复' WHERE state = 'sending'"),
    ("switch", "\"on\" = false WHERE name = 'sms'"),
)
TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace"
SOMEBODY = "SELECT EXISTS (SELECT FROM organisation) OR EXISTS (SELECT FROM audit_event)"
IN_USE = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = 'ebranch_app' AND pid <> pg_backend_pid()"""
RESTORED = "INSERT INTO restoration (token, made_at, installation) VALUES ($1, $2, $3)"


def restore(backup: Backup, bars: Bars) -> bool:
    """Restores `backup` into this installation, which must be empty and stopped; False when an interrupted restore
    turns out to have been complete. Refused, or a system's error, with nothing changed, where it can't be."""
    check_schema(backup)
    check_pieces(backup, bars.bar("checking", size_of(backup)))
    with own_database(alone=True):
        return asyncio.run(put_back(backup, bars))


def check_schema(backup: Backup) -> None:
    """Refused where this program does not know the backup's schema."""
    if unknown := sorted(set(backup.manifest.migrations) - set(schema.known())):
        raise Refused(f"The backup's schema ({unknown[-1]}) is newer than this program's ({schema.known()[-1]}): "
                      "install the newer program first.")


def size_of(backup: Backup) -> int:
    """The bytes of all pieces that are there."""
    return sum(path.stat().st_size for path, _ in backup.pieces() if path.exists())


def marker() -> Path:
    """The file that says that a restore has begun and not ended."""
    return settings.data / "restoring"


async def put_back(backup: Backup, bars: Bars) -> bool:
    """Files and rows, in one transaction of the database."""
    async with schema.as_owner() as connection:
        token = marker().read_text() if marker().exists() else secrets.token_hex(16)
        if await is_restored(connection, token):
            marker().unlink(missing_ok=True)
            return False
        await check_empty(connection, backup)
        await begin(token)
        try:
            await files.copy_in(backup, bars.bar("files", sum(one.size for one in backup.manifest.files)))
            await load(connection, backup, bars)
            for table, change in ENDED:
                if await connection.fetchval("SELECT to_regclass($1)", table) is not None:
                    await connection.execute(f"UPDATE {table} SET {change}")
            made_at = datetime.fromisoformat(backup.manifest.made_at)
            await connection.execute(RESTORED, token, made_at, backup.manifest.installation)
        except BaseException:
            await files.clear()
            marker().unlink(missing_ok=True)
            raise
    marker().unlink()
    return True


async def load(connection: Connection, backup: Backup, bars: Bars) -> None:
    """The schema as it was, its rows, and the schema as it is now."""
    await schema.go_forwards(backup.manifest.schema)
    await rows.load(connection, backup, bars.bar("tables", backup_text(backup)))
    await schema.go_forwards()
    await deadlines.sync_rules(connection)


def backup_text(backup: Backup) -> int:
    """About how many bytes the tables are, unpacked."""
    return 4 * sum(backup.path("tables", one.name).stat().st_size for one in backup.manifest.tables)


async def begin(token: str) -> None:
    """Leaves the mark of a restore that is under way, and clears what a killed one had put here."""
    if marker().exists():
        await files.clear()
    elif await files.any_there():
        raise Refused("There are files in the store already: restore only into an empty system.")
    with os.fdopen(os.open(marker(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as mark:
        mark.write(token)
        mark.flush()
        os.fsync(mark.fileno())


async def is_restored(connection: Connection, token: str) -> bool:
    """Whether the restore of that token was committed."""
    return (await connection.fetchval("SELECT to_regclass('restoration')") is not None
            and await connection.fetchval("SELECT EXISTS (SELECT FROM restoration WHERE token = $1)", token))


async def check_empty(connection: Connection, backup: Backup) -> None:
    """Refused unless the database is empty, or holds our schema and nobody, and nobody is at work in it."""
    there = {one["relname"] for one in await connection.fetch(TABLES)}
    if there and not {"migration", "organisation", "audit_event"} <= there:
        raise Refused("The database holds tables that are not ours: restore only into an empty one.")
    if there and await connection.fetchval(SOMEBODY):
        raise Refused("The database holds an installation already: restore only into an empty one.")
    if there and (newer := {one["name"] for one in await connection.fetch(rows.MIGRATIONS)}
                  - set(backup.manifest.migrations)):
        raise Refused(f"The database's schema ({max(newer)}) is newer than the backup's ({backup.manifest.schema}): "
                      "restore into a database without any tables.")
    if await connection.fetchval(IN_USE):
        raise Refused("The application is connected to the database: end it first.")
