"""The SMS a safety officer answers for: those to people in the department's care, and those on its business."""
from datetime import datetime

from asyncpg import Record

from server.core.actor import Actor
from server.core.database import row, rows

PAGE = 30

# Whom a department has in its care: whoever holds or held a role there, or stands in the register there.
CARE = """
care AS MATERIALIZED (SELECT id FROM organisation WHERE $1 IN (id, department_id)),
phones AS MATERIALIZED (
    SELECT p.phone_index FROM care c JOIN role_grant g ON g.organisation_id = c.id JOIN account a ON a.id = g.account_id
    JOIN person p ON p.id = a.person_id WHERE p.phone_index IS NOT NULL
    UNION
    SELECT p.phone_index FROM care c JOIN member m ON m.branch_id = c.id JOIN person p ON p.id = m.person_id
    WHERE p.phone_index IS NOT NULL)"""
SEEN = """(s.organisation_id IN (SELECT id FROM care)
           OR s.organisation_id IS NULL AND s.phone_index IN (SELECT phone_index FROM phones))"""
COLUMNS = """s.id, s.kind, s.phone, s.state, s.tries, s.fault, s.segments, s.cost_li, s.created_at, s.done_at,
    s.good_until, s.again_of, s.due_at,
    (SELECT string_agg(p.name, '、' ORDER BY p.id) FROM person p WHERE p.phone_index = s.phone_index) AS names,
    (SELECT id FROM sms a WHERE a.again_of = s.id) AS again"""

LIST = f"""WITH {CARE}
SELECT {COLUMNS} FROM sms s WHERE s.id < $2 AND {SEEN} ORDER BY s.id DESC LIMIT {PAGE + 1}"""

# What somebody has to decide about: not sent, or nobody knows, and not sent again yet.
OPEN = f"""WITH {CARE}
SELECT {COLUMNS} FROM sms s
WHERE s.state IN ('failed', 'unknown') AND s.created_at > $2 AND {SEEN}
  AND NOT EXISTS (SELECT FROM sms a WHERE a.again_of = s.id) ORDER BY s.id DESC LIMIT {PAGE}"""

ONE = f"WITH {CARE} SELECT {COLUMNS} FROM sms s WHERE s.id = $2 AND {SEEN}"

MONTHS = f"""WITH {CARE}
SELECT date_trunc('month', s.created_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*)::int AS messages,
       count(*) FILTER (WHERE s.state = 'sent')::int AS sent, count(*) FILTER (WHERE s.state = 'failed')::int AS failed,
       count(*) FILTER (WHERE s.state = 'unknown')::int AS unknown, coalesce(sum(s.segments), 0)::int AS segments,
       coalesce(sum(s.cost_li), 0)::bigint AS cost_li
FROM sms s WHERE s.created_at >= $2 AND {SEEN} GROUP BY 1 ORDER BY 1 DESC"""


async def messages(actor: Actor, before: int) -> list[Record]:
    """A page of SMS older than the one with the id `before`, newest first, and one more where there are more."""
    return await rows(LIST, actor.organisation_id, before)


async def open_messages(actor: Actor, since: datetime) -> list[Record]:
    """The newest SMS since then that did not arrive, or nobody knows, and were not sent again."""
    return await rows(OPEN, actor.organisation_id, since)


async def message(actor: Actor, sms_id: int) -> Record | None:
    """One SMS that the actor may know of."""
    return await row(ONE, actor.organisation_id, sms_id)


async def months(actor: Actor, since: datetime) -> list[Record]:
    """For each month (Beijing) since then, newest first: how many, how many billed, what they cost (厘)."""
    return await rows(MONTHS, actor.organisation_id, since)
