"""`ebranch rotate-keys`: what the terminal shows of it."""
import asyncio
import sys

import asyncpg
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.core import crypto
from server.core.rotation import BATCH, Done, Running, begin, end, rotate
from server.settings import settings

SETTLE_S = 2.0  # until every process sees a new file in the folder, and has written what it encrypted before


@click.command("rotate-keys", help="Make the next key of personal values and encrypt everything anew under it, while "
               "the house works on; broken off, it goes on where it was (as DATABASE_OWNER_URL).")
@click.option("--batch", default=BATCH, show_default=True, type=click.IntRange(1, 10_000),
              help="Rows in one transaction.")
@click.option("--settle", default=SETTLE_S, show_default=True, type=click.FloatRange(0, 3600),
              help="Seconds until every process sees the new key: 60 where machines share the folder of keys.")
def rotate_keys_command(batch: int, settle: float) -> None:
    try:
        done = asyncio.run(_rotate(batch, settle))
    except Running as running:
        raise click.ClickException(f"{running}.") from None
    except crypto.MissingKey as missing:
        raise click.ClickException(f"{missing.args[0]}: put it there, and run this again.") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise click.ClickException(
            f"The database can't be used ({type(problem).__name__}); run this again to go on.") from None
    click.echo(f"{done.moved:,} values stand under key {done.version} now.")
    if done.faults:
        for (table, column, row), fault in sorted(done.faults.items()):
            click.echo(f"{table}.{column} of row {row} {fault}.", err=True)
        raise click.ClickException(f"{len(done.faults):,} values stand under an older key: keep every key.")
    older = [str(crypto.path_of(version)) for version in crypto.versions() if version < done.version]
    click.echo(f"Nothing in this database stands under an older key any more. Backups made before now still need "
               f"{', '.join(older)}: keep them apart as long as you keep such a backup. Nothing was deleted.")


async def _rotate(batch: int, settle: float) -> Done:
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   disable=not sys.stdout.isatty())
    connection = await asyncpg.connect(settings.database_owner_url, timeout=10)
    try:
        version = await begin(connection)
        with bar:
            task = bar.add_task(f"key {version}", total=None)
            await asyncio.sleep(settle)

            def tell(done: int, of: int, waiting: int) -> None:
                said = f"key {version}" + (f", waiting for {waiting} older transactions" if waiting else "")
                bar.update(task, completed=done, total=of, description=said)

            done = await rotate(connection, version, tell, batch=batch)
        if not done.faults:
            await end(connection, done)
        return done
    finally:
        await connection.close()
