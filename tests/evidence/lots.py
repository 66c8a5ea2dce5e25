"""Evidence in lots, as people leave it."""
import asyncpg

from server.core import audit
from server.core.database import transaction
from tests.cast import COMMITTEE, COUNTY, MEMBER, SIDIAN
from tests.visits import actor_of

PEOPLE = (COMMITTEE, MEMBER, COUNTY, SIDIAN)  # two of one committee, one above all committees, one of another
LOT = """
INSERT INTO audit_event (chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id, after,
                         source)
SELECT 'committee-' || number % 40, 7, '王秀英', '正式党员', 8, 'check_in', 'meeting', number, '{"how": "扫码"}', '::1'
FROM generate_series(1, $1::int) AS number"""


async def leave_evidence(times: int = 10, people=PEOPLE) -> None:
    for person in people:
        acting = await actor_of(person)
        async with transaction():
            for number in range(times):
                await audit.record(acting, "say", "entry", number, before={"text": "𬶮"}, after={"n": number}, why="无")


async def middle(connection, offset: int = 5) -> asyncpg.Record:
    """A seal in the middle of the longest chain."""
    return await connection.fetchrow("""
        SELECT chain, number, event_id FROM audit_seal
        WHERE chain = (SELECT chain FROM audit_seal GROUP BY chain ORDER BY count(*) DESC LIMIT 1)
        ORDER BY number OFFSET $1 LIMIT 1""", offset)
