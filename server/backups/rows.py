"""Tables out of the database and into it again: PostgreSQL's own COPY in its text form, table by table.

Not pg_dump: its archives are tied to the version of the server and of the program, and restoring one runs whatever SQL
stands in it, as the owner. The schema comes from our migrations instead, guards and grants included, and only rows come
from the backup: text that every PostgreSQL since 15 reads. It needs one connection, as the application has it."""
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from gzip import BadGzipFile

import asyncpg
from asyncpg import Connection

from server.backups.manifest import Backup, Manifest, Table
from server.backups.refusal import Refused
from server.backups.wrapping import Through, Writing, reading

Advance = Callable[[int], object]
COLUMNS = """
SELECT c.relname AS name, pg_table_size(c.oid) AS size,
       array_agg(a.attname ORDER BY a.attnum) AS columns,
       array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attname) AS described
FROM pg_class c JOIN pg_attribute a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.oid, c.relname ORDER BY c.relname"""
SEQUENCES = """SELECT sequencename AS name, coalesce(last_value, start_value) AS value, last_value IS NOT NULL AS called
FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"""
HEADS = "SELECT DISTINCT ON (chain) chain, number, digest FROM audit_seal ORDER BY chain, number DESC"
MIGRATIONS = "SELECT name FROM migration WHERE app_name = 'ebranch' ORDER BY name"
REFERENCES = """SELECT conname AS name, conrelid::regclass::text AS of, pg_get_constraintdef(oid) AS said
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, 1"""
PLAIN = """SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex';
SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1"""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@asynccontextmanager
async def one_snapshot(connection: Connection) -> AsyncIterator[list[asyncpg.Record]]:
    """Everything read meanwhile is of one moment, and the schema stays what it is; gives the tables (COLUMNS)."""
    before = await connection.fetch(COLUMNS)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        if before:
            names = ", ".join(quoted(table["name"]) for table in before)
            await connection.execute(f"{PLAIN}; LOCK TABLE {names} IN ACCESS SHARE MODE")
        tables = await connection.fetch(COLUMNS)
        if [(one["name"], one["described"]) for one in tables] != [(one["name"], one["described"]) for one in before]:
            raise Refused("The schema is being changed just now: try again in a moment.")
        yield tables


async def copy_out(connection: Connection, table: asyncpg.Record, piece: Writing, advance: Advance) -> int:
    """Writes a table's rows into `piece`, compressed; how many there were."""
    with gzip.GzipFile(fileobj=piece, mode="wb", compresslevel=1, mtime=0) as packed:
        async def take(block: bytes) -> None:
            packed.write(block)
            advance(len(block))

        done = await connection.copy_from_table(table["name"], schema_name="public", columns=list(table["columns"]),
                                                output=take, format="text")
    return int(done.split()[-1])


async def heads(connection: Connection) -> dict[str, tuple[int, str]]:
    """The last number and digest of each chain of evidence."""
    return {one["chain"]: (one["number"], one["digest"].hex()) for one in await connection.fetch(HEADS)}


async def load(connection: Connection, backup: Backup, advance: Advance) -> None:
    """Puts the backup's rows into a database that has the schema of the backup, within the open transaction.

    Guards and references are lifted meanwhile: they have said yes when the rows were first written. The references are
    checked as a whole at the end. Refused where the schemas differ or a piece ends too early."""
    await connection.execute(PLAIN)
    tables = {one["name"]: one for one in await connection.fetch(COLUMNS)}
    check_same_schema(tables, backup.manifest.tables)
    references = await connection.fetch(REFERENCES)
    for one in references:
        await connection.execute(f"ALTER TABLE {one['of']} DROP CONSTRAINT {quoted(one['name'])}")
    for name in tables:
        await connection.execute(f"ALTER TABLE {quoted(name)} DISABLE TRIGGER USER")
    await connection.execute(f"TRUNCATE {', '.join(map(quoted, tables))}")
    for table in backup.manifest.tables:
        await copy_in(connection, backup, table, list(tables[table.name]["columns"]), advance)
    for name, (value, called) in backup.manifest.sequences.items():
        await connection.execute("SELECT setval(format('public.%I', $1::text)::regclass, $2, $3)", name, value, called)
    for one in references:
        await connection.execute(f"ALTER TABLE {one['of']} ADD CONSTRAINT {quoted(one['name'])} {one['said']}")
    for name in tables:
        await connection.execute(f"ALTER TABLE {quoted(name)} ENABLE TRIGGER USER")
    await count(connection, backup.manifest)
    found = await heads(connection)
    if found != {chain: tuple(head) for chain, head in backup.manifest.heads.items()}:
        raise Refused("The chains of the evidence do not end where the manifest says.")


async def copy_in(connection: Connection, backup: Backup, table: Table, columns: Sequence[str],
                  advance: Advance) -> None:
    with reading(backup.path("tables", table.name), backup.identity) as piece:
        source = Unpacked(piece, advance)
        done = await connection.copy_to_table(table.name, schema_name="public", columns=list(columns), source=source,
                                              format="text")
    if int(done.split()[-1]) != table.rows:
        raise Refused(f"The table {table.name} has {done.split()[-1]} rows in the backup, not {table.rows}.")


class Unpacked:
    """A compressed piece, read as it was before; tells how far."""

    def __init__(self, piece: Through, advance: Advance) -> None:
        self.file, self.advance = gzip.GzipFile(fileobj=piece, mode="rb"), advance

    def read(self, most: int) -> bytes:
        try:
            block = self.file.read(most)
        except (EOFError, BadGzipFile, zlib.error) as fault:
            raise Refused(f"A table of the backup can't be unpacked: {fault}.") from None
        self.advance(len(block))
        return block


def check_same_schema(here: dict[str, asyncpg.Record], stated: Sequence[Table]) -> None:
    for table in stated:
        if table.name not in here or list(here[table.name]["described"]) != table.columns:
            raise Refused(f"The table {table.name} is not the same in the backup and in this program's schema.")
    if lacking := here.keys() - {table.name for table in stated}:
        raise Refused(f"The backup has no table {min(lacking)}, which this program's schema has.")


async def count(connection: Connection, manifest: Manifest) -> None:
    """Refused unless every table has the rows the manifest says."""
    for table in manifest.tables:
        found = await connection.fetchval(f"SELECT count(*) FROM {quoted(table.name)}")
        if found != table.rows:
            raise Refused(f"The table {table.name} has {found:,} rows, not {table.rows:,}.")
