"""`ebranch verify-audit`: what the terminal shows of it."""
import asyncio
import sys

import asyncpg
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.core.dates import local
from server.core.verify_audit import Finding, verify
from server.settings import settings


@click.command("verify-audit", help="Recompute the chains of the evidence; exit 1 naming the first wrong place.")
def verify_audit_command() -> None:
    try:
        found = asyncio.run(_verify())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise click.ClickException(f"The database can't be used: {problem}") from None
    if found.fault:
        raise click.ClickException(f"{found.fault}. The {found.sealed:,} rows before it stand as they were sealed.")
    click.echo(f"{found.sealed:,} rows in {found.chains:,} chains stand as they were sealed.")
    if found.since:
        since = f"{local(found.since):%Y-%m-%d %H:%M:%S}"
        click.echo(f"{found.unsealed:,} rows are not sealed yet, the oldest of {since}; the worker seals in seconds.")


async def _verify() -> Finding:
    bar = Progress(TextColumn("evidence"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   disable=not sys.stdout.isatty())
    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        with bar:
            task = bar.add_task("evidence", total=await connection.fetchval("SELECT count(*) FROM audit_seal"))
            found = await verify(connection, lambda done: bar.update(task, completed=done))
            bar.update(task, completed=found.sealed)
            return found
    finally:
        await connection.close()
