"""`ebranch backup`, `restore`, `verify-backup`: what the terminal shows of them.

They end with 0 when all is well, 1 when not, 2 when asked wrongly, and `backup` with 3 when the backup is made but the
installation itself has lost files."""
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import click

from server.backups.folder import settle
from server.backups.make import make_backup
from server.backups.manifest import Backup, Manifest, open_backup
from server.backups.progress import Bars
from server.backups.refusal import Refused
from server.backups.restore import restore
from server.backups.verify import verify_backup
from server.backups.wrapping import Key, read_key
from server.core import crypto

INCOMPLETE = 3
a_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, resolve_path=True))
a_key = click.option("--key", "key_file", metavar="FILE", type=click.Path(path_type=Path),
                     help="A file of one line: an age identity, an age recipient (backup only) or a passphrase.")


@contextmanager
def told_in_one_line(otherwise: str) -> Iterator[None]:
    """What goes wrong, as one line, and what that means."""
    try:
        yield
    except Refused as refusal:
        raise click.ClickException(f"{refusal} {otherwise}") from None
    except asyncpg.PostgresError as problem:
        raise click.ClickException(f"The database says: {problem}. {otherwise}") from None
    except (OSError, asyncpg.InterfaceError) as problem:
        where = f"{problem.filename}: " if getattr(problem, "filename", None) else ""
        raise click.ClickException(f"{where}{getattr(problem, 'strerror', None) or problem}. {otherwise}") from None


def opened(folder: Path, key: Key | None) -> Backup:
    settle(folder)
    return open_backup(folder, key)


@click.command("backup", help="Back up database and files into DIR, also while the application runs.")
@a_folder
@a_key
def backup_command(folder: Path, key_file: Path | None) -> None:
    with told_in_one_line("No backup was made; a former one stays as it was."), Bars() as bars:
        made = make_backup(folder, read_key(key_file) if key_file else None, bars)
    click.echo(f"Backed up into {folder}: {said(made)}.")
    if key_file is None:
        click.echo("It is NOT encrypted, except for the ID numbers and phones in it: keep it as safe as the database, "
                   "or use --key FILE.")
    click.echo(f"The keys in {crypto.folder()} ({', '.join(made.keys)}) are not in it, and without them nothing can be "
               "restored: keep that folder too, apart from the backups.")
    if made.lost:
        click.echo(f"{len(made.lost)} files were missing or damaged before and are not in it: {some(made.lost)}",
                   err=True)
        sys.exit(INCOMPLETE)


@click.command("restore", help="Restore the backup in DIR into an empty, stopped installation; SMS stay off.")
@a_folder
@a_key
def restore_command(folder: Path, key_file: Path | None) -> None:
    with told_in_one_line("Nothing was restored."), Bars() as bars:
        backup = opened(folder, read_key(key_file) if key_file else None)
        new = restore(backup, bars)
    click.echo(f"Restored: {said(backup.manifest)}." if new else
               "The restore that was interrupted had been complete: nothing was left to do.")
    click.echo("Everybody must sign in again. SMS are off until `ebranch sms on`: say so only where this copy is the "
               "one in use. `ebranch checkpoint --after-restore WHY` says in the evidence that it was done.")
    if backup.manifest.lost:
        click.echo(f"{len(backup.manifest.lost)} files were lost already when it was made: "
                   f"{some(backup.manifest.lost)}", err=True)


@click.command("verify-backup", help="Restore the backup in DIR aside and compare counts, hashes and chain heads.")
@a_folder
@a_key
def verify_backup_command(folder: Path, key_file: Path | None) -> None:
    with told_in_one_line("This backup can't be relied on."), Bars() as bars:
        backup = opened(folder, read_key(key_file) if key_file else None)
        sealed = verify_backup(backup, bars)
    click.echo(f"Good: {said(backup.manifest)}; {sealed:,} sealed rows of evidence recomputed.")


def said(manifest: Manifest) -> str:
    """A backup in one line."""
    return (f"{manifest.rows:,} rows in {len(manifest.tables)} tables, {len(manifest.files):,} files, schema "
            f"{manifest.schema}, {manifest.made_at[:16].replace('T', ' ')} UTC, of {manifest.installation}")


def some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
