"""Nominations and imports, and who sees them: the safety officer what is in the department's care, others the own."""
from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Bytea, Integer, Text, Timestamptz
from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from server.core import crypto
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows
from server.core.turns import Progress
from server.officers.rules import NominationState, RowState
from server.people.tables import ID_NUMBER
from server.permissions import Can, Role

# The organisations in a department's care: itself, and what stands below it down to the next department, included.
IN_CARE = "(o.id = {0} OR o.department_id = {0})"

crypto.ENCRYPTED += [
    crypto.Column("nomination", "id_number", "id_number_index", ID_NUMBER), crypto.Column("nomination", "phone"),
    crypto.Column("officer_import_row", "content"),
]


class Nomination(Table):
    id = BigSerial(primary_key=True)
    organisation_id = BigInt()
    role = Text(choices=Role)
    name = Text()
    id_number = Bytea()  # encrypted
    id_number_index = Bytea()
    phone = Bytea()  # encrypted
    reason = Text()
    state = Text(choices=NominationState)
    nominated_by = BigInt()  # account
    nominated_at_id = BigInt()  # the organisation that nominates
    who = Text()  # 赵德山 · 书记
    nominated_at = Timestamptz()
    answer = Text(default="")
    answered_by = BigInt(null=True, default=None)
    answered_who = Text(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    account_id = BigInt(null=True, default=None)  # that was opened

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """What the department has in its care; to who nominates, what the own organisation has nominated."""
        if actor.may(Can.ACCOUNT_KEEP):
            return WhereRaw("nomination.organisation_id IN (SELECT o.id FROM organisation o"
                            " WHERE o.id = {} OR o.department_id = {})", actor.organisation_id, actor.organisation_id)
        return WhereRaw("nomination.nominated_at_id = {}", actor.organisation_id)


class OfficerImport(Table):
    id = BigSerial(primary_key=True)
    department_id = BigInt()
    grant_id = BigInt()  # under which it is carried out; who resumes it takes it over
    account_id = BigInt()
    begun_by = BigInt()  # account that handed the sheet in
    who = Text()
    source = Text()
    file_name = Text()
    sha256 = Bytea()  # of the file: handed in a second time while the first is under way, it is the same import
    why = Text()
    state = Text(choices=Progress)
    turn = Integer(default=0)  # counts up with every start, so that an older call to go on is recognised
    total = Integer()
    opened = Integer(default=0)
    known = Integer(default=0)
    wrong = Integer(default=0)
    at = Timestamptz()
    done_at = Timestamptz(null=True, default=None)

    @classmethod
    def visible_to(cls, actor: Actor) -> WhereRaw:
        """The department's own."""
        return WhereRaw("officer_import.department_id = {}", actor.organisation_id)


class OfficerImportRow(Table):
    id = BigSerial(primary_key=True)
    import_id = BigInt()
    number = Integer()  # as the sheet counts
    content = Bytea(null=True)  # the cells, encrypted; None once what they say stands in the register
    state = Text(choices=RowState)
    reason = Text(default="")
    account_id = BigInt(null=True, default=None)


def kept_number(nomination_id: int, number: str) -> bytes:
    """The column id_number of a nomination."""
    return crypto.encrypt(number, table="nomination", column="id_number", row_id=nomination_id)


def number_of(nomination: dict) -> str:
    """The ID number of a nomination."""
    return crypto.decrypt(nomination["id_number"], table="nomination", column="id_number", row_id=nomination["id"])


def kept_phone(nomination_id: int, phone: str) -> bytes:
    """The column phone of a nomination."""
    return crypto.encrypt(phone, table="nomination", column="phone", row_id=nomination_id)


def phone_of(nomination: dict) -> str:
    """The phone of a nomination."""
    return crypto.decrypt(nomination["phone"], table="nomination", column="phone", row_id=nomination["id"])


async def organisation_in_care(department_id: int, organisation_id: int) -> Record | None:
    """An open organisation (id, name, official_name, kind, path) that the department has in its care."""
    return await row(f"""
        SELECT o.id, o.name, o.official_name, o.kind, o.path FROM organisation o
        WHERE o.id = $2 AND o.closed_at IS NULL AND {IN_CARE.format("$1")}""", department_id, organisation_id)


# The state of an account a (rules.AccountState); who never held an officer's role has left none.
STATE = """CASE WHEN a.closed_at IS NOT NULL THEN '已停用'
    WHEN NOT (SELECT bool_or(g.live) FROM officer_grant g WHERE g.account_id = a.id) THEN '已离任'
    WHEN a.password_hash IS NULL THEN '待激活' ELSE '使用中' END"""


async def account_in_care(department_id: int, account_id: int) -> Record | None:
    """An account one of whose roles, present or past, is in the department's care; with its person."""
    return await row(f"""
        SELECT a.id, a.person_id, a.password_hash IS NOT NULL AS activated, a.created_at, a.closed_at, a.switch_why,
               p.name, p.phone, p.id_number, {STATE} AS state
        FROM account a JOIN person p ON p.id = a.person_id
        WHERE a.id = $2 AND EXISTS (
            SELECT FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
            WHERE g.account_id = a.id AND {IN_CARE.format("$1")})""", department_id, account_id)


async def safety_officers_of(organisation_id: int) -> str | None:
    """Who opens an organisation's accounts now, in words (宁阳县委组织部 安全员 刘思敏), or None."""
    found = await row("""
        SELECT d.name || ' 安全员 ' || string_agg(p.name, '、' ORDER BY g.id) AS words
        FROM organisation o JOIN organisation d ON d.id IN (o.id, o.department_id)
        JOIN role_grant g ON g.organisation_id = d.id AND g.role = '安全员'
            AND g.since <= $2 AND (g.until IS NULL OR g.until > $2)
        JOIN account a ON a.id = g.account_id AND a.closed_at IS NULL AND a.password_hash IS NOT NULL
        JOIN person p ON p.id = a.person_id
        WHERE o.id = $1 GROUP BY d.id ORDER BY length(d.path) DESC LIMIT 1""", organisation_id, now())
    return found["words"] if found else None


async def officer_elsewhere(department_id: int, account_id: int) -> bool:
    """Whether an account holds an officer's role that is not in the department's care."""
    return bool(await rows("""
        SELECT FROM officer_grant WHERE account_id = $2 AND live
        AND ($1 IN (organisation_id, department_id)) IS NOT TRUE""", department_id, account_id))


async def member_elsewhere(department_id: int, person_id: int) -> bool:
    """Whether somebody stands in the register of a branch that is not in the department's care."""
    return bool(await rows(f"""
        SELECT FROM member m JOIN organisation o ON o.id = m.branch_id AND {IN_CARE.format("$1")} IS NOT TRUE
        WHERE m.person_id = $2 AND m.left_on IS NULL""", department_id, person_id))


async def live_roles(account_id: int) -> list[Record]:
    """The roles an account holds now or will hold: grant id, role, organisation."""
    return await rows("""
        SELECT g.id, g.role, g.organisation_id, o.name AS organisation FROM role_grant g
        JOIN organisation o ON o.id = g.organisation_id
        WHERE g.account_id = $1 AND (g.until IS NULL OR g.until > ebranch_now()) ORDER BY g.id""", account_id)


async def role_in_care(department_id: int, account_id: int) -> Record | None:
    """One officer's role that an account holds in the department's care: the one it was opened for."""
    return await row(f"""
        SELECT g.id, g.role, o.id AS organisation_id, o.name AS organisation FROM role_grant g
        JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL AND {IN_CARE.format("$1")}
        WHERE g.account_id = $2 AND g.granted_by IS NOT NULL AND (g.until IS NULL OR g.until > ebranch_now())
        ORDER BY g.id LIMIT 1""", department_id, account_id)
