"""The command line `ebranch`: Litestar's own, with our commands in it."""
import asyncio
import csv
import os
import sys
import time
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import urlsplit

import asyncpg
import click
from litestar.cli.main import litestar_group

from server.backups.commands import backup_command, restore_command, verify_backup_command
from server.backups.restore import marker
from server.core import database, logs
from server.core.calendar_days import confirm_year
from server.core.clock import BEIJING
from server.core.commands import checkpoint_command, erase_evidence_command, verify_audit_command
from server.core.rotation_command import rotate_keys_command
from server.core.switch_command import sms_command
from server.core.workdays import BadCalendar
from server.embedded import CannotServe
from server.organisations.commands import import_units_command
from server.piccolo_conf import Unreachable, wait_for_database
from server.schema import as_owner, migrate
from server.settings import settings


async def wait_for_redis() -> None:
    """Returns when something listens where REDIS_URL points; Unreachable if it doesn't for `wait_s`."""
    given_up, address = time.monotonic() + settings.wait_s, urlsplit(settings.redis_url)
    while True:
        try:
            if address.scheme == "unix":
                _, writer = await asyncio.open_unix_connection(address.path)
            else:
                _, writer = await asyncio.open_connection(address.hostname, address.port or 6379)
            return writer.close()
        except OSError as problem:
            if time.monotonic() > given_up:
                raise Unreachable(f"Redis does not answer, {settings.wait_s:.0f} s long: {problem}") from None
        await asyncio.sleep(0.1)


async def set_clock() -> None:
    """Sets how far the clock is ahead of the machine's: by EBRANCH_NOW in the demonstration, else not at all."""
    ahead = 0.0
    if settings.demo and settings.now:
        begin = datetime.fromisoformat(settings.now)
        ahead = ((begin if begin.tzinfo else begin.replace(tzinfo=BEIJING)) - datetime.now(UTC)).total_seconds()
    async with as_owner():
        await database.rows("UPDATE clock SET offset_s = $1", ahead)


async def load_demonstration() -> list[str]:
    """Loads the demonstration, or brings an older one up to date; returns the parts that were loaded."""
    from server.demo import load  # here, because the application never needs it

    return await load()


def print_people() -> None:
    """Whom one can sign in as, for the console."""
    from server.demo.people import NEWCOMER, PASSWORD, PEOPLE

    print(f"\nSign in with one of these phones; everybody's password is {PASSWORD}.")
    for phone, who in PEOPLE:
        print(f"  {phone}  {who}")
    print(f"Has no account yet, and may register (党员注册): {', '.join(NEWCOMER)}.")


async def refuse_mighty() -> None:
    """CannotServe, before anything is written, where the application would run as a superuser or the database's owner;
    who owns the tables is asked again by every process that opens them."""
    await wait_for_database(settings.database_url)
    connection = await asyncpg.connect(settings.database_url)
    try:
        name = await connection.fetchval("""
            SELECT r.rolname FROM pg_roles r JOIN pg_database d ON d.datname = current_database()
            WHERE r.rolname = current_user AND (r.rolsuper OR d.datdba = r.oid)""")
    finally:
        await connection.close()
    if name:
        raise CannotServe(f"DATABASE_URL connects as {name}, an owner or superuser: use ebranch_app")


async def prepare() -> None:
    """What a start needs: a role that may not do everything, the schema, the clock, the demonstration."""
    if marker().exists():
        raise CannotServe(f"A restore into {settings.data} was interrupted: run `ebranch restore` again.")
    await wait_for_redis()
    await refuse_mighty()
    await migrate()
    await set_clock()
    try:
        await database.open_pool(1)
    except RuntimeError as refusal:
        raise CannotServe(str(refusal)) from None
    await database.engine().close_connection_pool()
    if settings.demo:
        await load_demonstration()
        print_people()
        if settings.now:
            print(f"The clock began at {settings.now} (EBRANCH_NOW).")


@click.command("run", help="Start everything on this machine and keep it running, until Ctrl-C.")
def run() -> None:
    os.execv(sys.executable, [sys.executable, "-m", "server.stack"])


@click.command("migrate", help="Bring the database's schema up to date (as DATABASE_OWNER_URL).")
def migrate_command() -> None:
    asyncio.run(migrate())


@click.command("demo", help="Load the demonstration, or bring an older one up to date.")
def demo_command() -> None:
    parts = asyncio.run(load_demonstration())
    click.echo(f"Loaded: {', '.join(parts)}." if parts else "The demonstration is up to date.")


@click.command("prepare", help="What every start does first: migrate, set the clock, load the demonstration if asked.")
def prepare_command() -> None:
    asyncio.run(prepare())


@click.command("import-calendar",
               help="Take over a year's working days as published (CSV date,is_workday,kind,holiday).")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
def import_calendar_command(file: TextIO) -> None:
    async def take_over() -> tuple[int, int]:
        await wait_for_database(settings.database_owner_url)
        connection = await asyncpg.connect(settings.database_owner_url)
        try:
            return await confirm_year(connection, csv.DictReader(file))
        finally:
            await connection.close()

    try:
        year, moved = asyncio.run(take_over())
    except BadCalendar as bad:
        for fault in bad.faults:
            click.echo(fault, err=True)
        raise click.ClickException(f"{file.name} has {len(bad.faults)} faults; nothing was changed.") from None
    except csv.Error as fault:
        raise click.ClickException(f"{file.name} is no CSV: {fault}.") from None
    except UnicodeDecodeError as fault:
        raise click.ClickException(f"{file.name} is not UTF-8: {fault.reason} at byte {fault.start}.") from None
    click.echo(f"{year} is confirmed; {moved} open deadlines moved.")


COMMANDS = (run, migrate_command, demo_command, prepare_command, import_units_command, import_calendar_command,
            verify_audit_command, checkpoint_command, erase_evidence_command, rotate_keys_command, backup_command,
            restore_command, verify_backup_command, sms_command)


def main() -> None:
    """The console script `ebranch`."""
    logs.begin_log()
    os.environ.setdefault("LITESTAR_APP", "server.app:app")
    os.environ.setdefault("LITESTAR_QUIET_CONSOLE", "1")
    litestar_group.help = "灯塔 e支部: start it, and look after its data."
    litestar_group(prog_name="ebranch")
