"""`ebranch sms on|off`."""
import asyncio

import asyncpg
import click

from server.core.switches import turn
from server.settings import settings


@click.command("sms", help="Let SMS leave, or have them wait in the database, as they do after a restore.")
@click.argument("wanted", metavar="on|off", type=click.Choice(["on", "off"]))
def sms_command(wanted: str) -> None:
    async def switch() -> bool:
        connection = await asyncpg.connect(settings.database_owner_url, timeout=10)
        try:
            return await turn(connection, "sms", wanted == "on")
        finally:
            await connection.close()

    try:
        turned = asyncio.run(switch())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise click.ClickException(f"The database can't be used: {problem}") from None
    click.echo(f"SMS are {wanted}." if turned else f"SMS were {wanted} already.")
