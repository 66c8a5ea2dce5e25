"""`ebranch import-units FILE`: what the terminal shows of it."""
import asyncio
import sys
from pathlib import Path

import asyncpg
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.organisations.import_units import DirtyFile, Imported, import_units
from server.settings import settings


@click.command("import-units", help="Build the unit directory tree from a CSV (or CSV.gz) of code,name,parent,level.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
def import_units_command(file: Path) -> None:
    try:
        done = asyncio.run(_import(file.read_bytes()))
    except DirtyFile as dirty:
        for fault in dirty.faults:
            click.echo(f"line {fault.line}: {fault.what}", err=True)
        raise click.ClickException(f"{file.name} has {len(dirty.faults)} faults; nothing was imported.") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise click.ClickException(f"The database can't be used: {problem}") from None
    if not done.new and not done.renamed:
        click.echo(f"Nothing changed: all {done.unchanged:,} units stand in the tree already.")
    else:
        click.echo(f"{done.new:,} new units, {done.renamed:,} renamed, {done.unchanged:,} unchanged.")
    if done.missing:
        click.echo(f"{len(done.missing):,} units of the tree are not in this file; they are kept: "
                   f"{', '.join(done.missing[:5])}{' …' if len(done.missing) > 5 else ''}")


async def _import(content: bytes) -> Imported:
    bar = Progress(TextColumn("units"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   disable=not sys.stdout.isatty())
    connection = await asyncpg.connect(settings.database_owner_url, timeout=10)
    try:
        with bar:
            task = bar.add_task("units", total=None)
            return await import_units(connection, content,
                                      lambda done, total: bar.update(task, completed=done, total=total))
    finally:
        await connection.close()
