"""Verifying a backup: restored aside, recounted, recomputed, and thrown away again."""
import asyncio

import asyncpg

from server import schema
from server.backups import files
from server.backups.manifest import Backup, check_pieces
from server.backups.progress import Bars
from server.backups.refusal import Refused
from server.backups.restore import check_schema, load, size_of
from server.backups.servers import database_aside
from server.core.verify_audit import verify


def verify_backup(backup: Backup, bars: Bars) -> int:
    """Refused where anything of the backup is not what was written, or could not be restored; else how many sealed
    rows of evidence were recomputed. The database it is restored into is one of its own, whatever server is in use."""
    check_schema(backup)
    check_pieces(backup, bars.bar("checking", size_of(backup)))
    advance = bars.bar("files", sum(one.size for one in backup.manifest.files))
    for one in backup.manifest.files:
        files.check(backup, one, None, advance)
    with database_aside() as url:
        return asyncio.run(restore_aside(url, backup, bars))


async def restore_aside(url: str, backup: Backup, bars: Bars) -> int:
    """Loads the rows into the empty database at `url` and looks at what they have become."""
    async with schema.as_owner(url) as connection:
        await load(connection, backup, bars)
    connection = await asyncpg.connect(url)
    try:
        found = await verify(connection)
        if found.fault:
            raise Refused(f"The evidence is not what was sealed: {found.fault}.")
        return found.sealed
    finally:
        await connection.close()
