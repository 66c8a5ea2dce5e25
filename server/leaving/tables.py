"""交接 and 代理 as they are stored, and who may take something over."""
from asyncpg import Record
from piccolo.columns import JSONB, BigInt, BigSerial, Text, Timestamptz
from piccolo.table import Table

from server.core.clock import now
from server.core.crypto import blind_indexes
from server.core.database import row, rows
from server.people.tables import PHONE


class HandOver(Table):
    id = BigSerial(primary_key=True)
    grant_id = BigInt(unique=True)
    successor_grant_id = BigInt()
    items = JSONB()  # what was unfinished: list of {"group", "title", "line"}
    why = Text()
    account_id = BigInt()  # the safety officer's
    at = Timestamptz()


LIVE = "(g.until IS NULL OR g.until > $1)"
IN_CARE = "$2 IN (o.id, o.department_id)"
GRANT = f"""
SELECT g.id, g.role, g.acting_for, g.since, g.until, g.organisation_id, o.name AS organisation,
       o.path AS organisation_path, o.kind AS organisation_kind, o.committee_id, a.id AS account_id, p.id AS person_id,
       p.name
FROM role_grant g JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL AND {IN_CARE}
JOIN officer_grant f ON f.id = g.id WHERE {LIVE}"""


async def grants_in_care(department_id: int, account_id: int) -> list[Record]:
    """The officer's roles of an account that are live and in the department's care."""
    return await rows(f"{GRANT} AND g.account_id = $3 ORDER BY g.id", now(), department_id, account_id)


async def grant_in_care(department_id: int, account_id: int, grant_id: int) -> Record | None:
    """One of them."""
    return await row(f"{GRANT} AND g.account_id = $3 AND g.id = $4", now(), department_id, account_id, grant_id)


async def those_who_could(organisation_id: int, but_for: int) -> list[Record]:
    """Who has an open account (id, name, roles there) with a role at the organisation, its officers first; never
    the account `but_for`."""
    return await rows(f"""
        SELECT a.id, p.name, string_agg(DISTINCT g.role, '、') AS roles
        FROM account a JOIN person p ON p.id = a.person_id JOIN role_grant g ON g.account_id = a.id AND {LIVE}
        WHERE g.organisation_id = $2 AND a.id <> $3 AND a.closed_at IS NULL
          AND g.role NOT IN ('村民', '村务监督委员会', '入党申请人')
        GROUP BY a.id, p.name, p.sort_key
        ORDER BY bool_and(g.role IN ('正式党员', '预备党员')), p.sort_key, a.id LIMIT 100""",
                      now(), organisation_id, but_for)


async def accounts_with_phone(phone: str, department_id: int) -> list[Record]:
    """The open accounts (id, name, roles) of a phone number that hold a role in the department's care."""
    return await rows(f"""
        SELECT a.id, p.name, string_agg(DISTINCT g.role, '、') AS roles
        FROM account a JOIN person p ON p.id = a.person_id JOIN role_grant g ON g.account_id = a.id AND {LIVE}
        JOIN organisation o ON o.id = g.organisation_id AND $3 IN (o.id, o.department_id)
        WHERE p.phone_index = ANY($2) AND a.closed_at IS NULL GROUP BY a.id, p.name ORDER BY a.id""",
                      now(), blind_indexes(phone, PHONE), department_id)


async def open_account_named(account_id: int) -> Record | None:
    """An open account: id, person_id, name, phone."""
    return await row("""
        SELECT a.id, a.person_id, p.name, p.phone FROM account a JOIN person p ON p.id = a.person_id
        WHERE a.id = $1 AND a.closed_at IS NULL""", account_id)


async def hand_over_of(department_id: int, account_id: int, grant_id: int) -> int | None:
    """The hand-over of an account's grant in the department's care, once there is one."""
    found = await row("""
        SELECT h.id FROM hand_over h JOIN role_grant g ON g.id = h.grant_id AND g.account_id = $2
        JOIN organisation o ON o.id = g.organisation_id AND $1 IN (o.id, o.department_id)
        WHERE h.grant_id = $3""", department_id, account_id, grant_id)
    return found["id"] if found else None


async def hold(*accounts: int) -> None:
    """Holds these accounts for this transaction, whoever hands over to whom at the same time."""
    await rows("SELECT FROM account WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(accounts))


async def holds(account_id: int, grant: Record) -> int | None:
    """The account's own live grant of the same role at the same organisation, if it has one."""
    found = await row(f"""
        SELECT g.id FROM role_grant g WHERE g.account_id = $2 AND g.role = $3 AND g.organisation_id = $4 AND {LIVE}""",
                      now(), account_id, grant["role"], grant["organisation_id"])
    return found["id"] if found else None


async def hand_over_in_care(department_id: int, hand_over_id: int) -> Record | None:
    """A hand-over with the names of all three, the role and where it was."""
    return await row("""
        SELECT h.id, h.items::text, h.why, h.at, g.role, g.account_id AS from_account, o.name AS organisation,
               o.official_name, f.name AS from_name, t.name AS to_name, b.name AS by_name
        FROM hand_over h JOIN role_grant g ON g.id = h.grant_id JOIN organisation o ON o.id = g.organisation_id
        JOIN account fa ON fa.id = g.account_id JOIN person f ON f.id = fa.person_id
        JOIN role_grant s ON s.id = h.successor_grant_id JOIN account ta ON ta.id = s.account_id
        JOIN person t ON t.id = ta.person_id JOIN account ba ON ba.id = h.account_id
        JOIN person b ON b.id = ba.person_id
        WHERE h.id = $1 AND $2 IN (o.id, o.department_id)""", hand_over_id, department_id)


async def hand_overs_of(department_id: int, account_id: int) -> list[Record]:
    """The hand-overs from or to an account that are in the department's care, newest first."""
    return await rows("""
        SELECT h.id, h.at, g.role, o.name AS organisation, g.account_id = $1 AS given FROM hand_over h
        JOIN role_grant g ON g.id = h.grant_id JOIN role_grant s ON s.id = h.successor_grant_id
        JOIN organisation o ON o.id = g.organisation_id
        WHERE $1 IN (g.account_id, s.account_id) AND $2 IN (o.id, o.department_id) ORDER BY h.id DESC""",
                      account_id, department_id)
