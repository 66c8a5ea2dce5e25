"""The evidence on the command line: `ebranch verify-audit`, `checkpoint`, `erase-evidence`."""
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.core import checkpoints, erasure
from server.core.audit_faults import Fault
from server.core.database import engine, open_pool
from server.core.dates import local
from server.core.verify_audit import Finding, verify
from server.settings import settings

T = TypeVar("T")


@click.command("verify-audit", help="Recompute the chains of the evidence and hold them against the signed "
               "checkpoints, all that are kept or the one in FILE; exit 1 naming the first wrong place.")
@click.option("--checkpoint", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A checkpoint that was taken away earlier.")
def verify_audit_command(file: Path | None) -> None:
    found = run(_verify(file))
    for note in found.notes:
        click.echo(f"Note: {note}")
    if found.faults:
        told = "\n".join(map(str, found.faults))
        raise click.ClickException(f"{told}\n{found.sealed:,} rows were found as they were sealed.")
    click.echo(f"{found.sealed:,} rows in {found.chains:,} chains stand as they were sealed.")
    if found.signed_at:
        click.echo(f"{found.checkpoints:,} checkpoints agree, the newest of {moment(found.signed_at)}.")
    else:
        click.echo("There is no checkpoint yet: what was cut off the end would leave no trace.")
    if found.since:
        click.echo(f"{found.unsealed:,} rows are not sealed yet, the oldest of {moment(found.since)}; "
                   "the worker seals in seconds.")


@click.command("checkpoint", help="Sign how the chains stand now, into the database and the folder of checkpoints.")
@click.option("--after-restore", "restored", metavar="WHY",
              help="The database was rightfully put back to an older state: say so, signed, once and for all.")
def checkpoint_command(restored: str | None) -> None:
    try:
        made = run(as_one_process(lambda: checkpoints.make(restored)))
    except checkpoints.Contradicted as problem:
        raise click.ClickException(f"Nothing is signed over this: {problem}") from None
    except checkpoints.Forged as problem:
        fault = Fault(str(problem), {"name": "the last checkpoint"})
        raise click.ClickException(f"Nothing is signed over this: {fault}") from None
    click.echo(f"Checkpoint {made.number}, {len(made.heads):,} chains, in {checkpoints.folder()}.")


@click.command("erase-evidence", help="Erase the personal values kept beside the evidence about one object (KIND is "
               "person, meeting, entry …), as the law may ask; the chain stays valid.")
@click.argument("kind")
@click.argument("number", type=int)
@click.option("--event", type=int, help="Only what stands in this one event.")
@click.option("--why", required=True, help="The reason, which becomes evidence.")
def erase_evidence_command(kind: str, number: int, event: int | None, why: str) -> None:
    if not why.strip():
        raise click.ClickException("A reason is needed.")
    gone = run(as_one_process(lambda: erasure.erase(kind, number, event, why.strip()), owner=True))
    click.echo(f"{gone:,} values are gone; the chain stays as it was sealed.")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; one line instead of an exception where the database can't be used."""
    try:
        return asyncio.run(work)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise click.ClickException(f"The database can't be used, is it running? {problem}") from None


async def as_one_process(act: Callable[[], Awaitable[T]], *, owner: bool = False) -> T:
    """What an action returns that is carried out in this process alone, as the application's role or the owner."""
    if owner:
        await engine().start_connection_pool(dsn=settings.database_owner_url, min_size=0, max_size=1)
    else:
        await open_pool(1)
    try:
        return await act()
    finally:
        await engine().close_connection_pool()


def moment(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


async def _verify(file: Path | None) -> Finding:
    bar = Progress(TextColumn("evidence"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   disable=not sys.stdout.isatty())
    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        with bar:
            task = bar.add_task("evidence", total=await connection.fetchval("SELECT count(*) FROM audit_seal"))
            found = await verify(connection, lambda done: bar.update(task, completed=done), file=file)
            bar.update(task, completed=found.sealed)
            return found
    finally:
        await connection.close()
