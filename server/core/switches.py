"""What may be switched off and on at the console, and by nobody else."""
from asyncpg import Connection

from server.core.audit import PLATFORM
from server.core.database import row

EVIDENCE = """
INSERT INTO audit_event (chain, person_name, role, verb, subject_kind, subject_id, before, after, source)
VALUES ($1, '控制台', '', 'switch_' || $2::text, 'switch', 0, jsonb_build_object('on', NOT $3::boolean),
        jsonb_build_object('on', $3::boolean), 'ebranch ' || $2::text)"""


async def is_on(name: str) -> bool:
    """Whether `name` ("sms") is on, as it is unless somebody switched it off, or a restoration did."""
    found = await row('SELECT "on" FROM switch WHERE name = $1', name)
    return found is None or found["on"]


async def turn(connection: Connection, name: str, on: bool) -> bool:
    """Switches `name`, as the tables' owner, with its evidence; False when it was so already."""
    async with connection.transaction():
        turned = await connection.fetchval(
            'UPDATE switch SET "on" = $2 WHERE name = $1 AND "on" <> $2 RETURNING true', name, on)
        if turned:
            await connection.execute(EVIDENCE, PLATFORM, name, on)
    return bool(turned)
