"""Officers' accounts: nominations in every state, somebody who waits to be activated, a role that has ended."""
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from asyncpg import Connection

from server.accounts.authorisations import code_hash
from server.accounts.rules import AUTHORISATION
from server.core import crypto
from server.core.workdays import beijing_date, end_of
from server.demo.numbers import COUNTY
from server.demo.people import PASSWORD
from server.officers.messages import words_with_code
from server.officers.rules import NominationState as State
from server.officers.tables import kept_number, kept_phone
from server.people import tables as people
from server.people.rules import check_character, sort_key
from server.permissions import Role

SAFETY, COMMITTEE, SECRETARY, BRANCH_ADMIN = "13700000004", "13700000006", "13700000007", "13700000009"
CODE = "N2EWC9DE"  # of who waits to be activated; in an installation nobody knows one but whom it was sent to
WHY, DAY = "2026年换届任职", timedelta(days=1)


@dataclass(frozen=True)
class Candidate:
    """Somebody invented; serial: makes phone and ID number, with a serial that nobody living is given."""

    serial: int
    name: str
    at: str
    role: Role

    @property
    def phone(self) -> str:
        return f"138000000{self.serial:02}"

    @property
    def id_number(self) -> str:
        digits = f"{COUNTY}198{self.serial}0615995"
        return digits + check_character(digits)


WAITS = Candidate(1, "苗立新", "东疏镇党委", Role.COMMITTEE_ORGANISER)
FORMER = Candidate(2, "纪德海", "后村支部", Role.ORGANISER)
NOMINATED = (  # the oldest first
    (Candidate(6, "潘传友", "前村支部", Role.ORGANISER), SECRETARY, State.WITHDRAWN, ""),
    (Candidate(5, "邵胜军", "东疏镇党委", Role.COMMITTEE_ORGANISER), COMMITTEE, State.RETURNED,
     "身份证号与本人不符，请核对后重新上报"),
    (WAITS, COMMITTEE, State.OPENED, ""),
    (Candidate(4, "耿巧云", "前村支部", Role.VILLAGE_ADMIN), SECRETARY, State.WAITING, ""),
    (Candidate(3, "孔庆国", "后村支部", Role.BRANCH_ADMIN), COMMITTEE, State.WAITING, ""),
)


async def load(connection: Connection, now: datetime) -> None:
    """Puts them there as they would have come about: 前村's 三务 administrator, and what the last days brought."""
    safety = await account_with(connection, SAFETY)
    await grant(connection, await account_with(connection, BRANCH_ADMIN), "前村支部", Role.VILLAGE_ADMIN, safety,
                now - 200 * DAY)  # a demonstration of before does not have it
    former = await enter(connection, FORMER, PasswordHasher().hash(PASSWORD), now - 400 * DAY)
    gone = await grant(connection, former, FORMER.at, FORMER.role, safety, now - 400 * DAY)
    await connection.execute("UPDATE role_grant SET until = $2, ended_by = $3, end_why = '届满离任' WHERE id = $1",
                             gone, now - 30 * DAY, safety)
    waits = await enter(connection, WAITS, None, now - DAY)
    await grant(connection, waits, WAITS.at, WAITS.role, safety, now - DAY)
    await authorise(connection, waits, safety, now - DAY)
    for place, (candidate, by, state, answer) in enumerate(NOMINATED):
        await nominate(connection, candidate, by, state, answer, now - (len(NOMINATED) - place) * DAY, safety, waits)


async def account_with(connection: Connection, phone: str) -> int:
    """The account of somebody one can sign in as."""
    return await connection.fetchval(
        "SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.phone_index = ANY($1)",
        crypto.blind_indexes(phone, people.PHONE))


async def organisation(connection: Connection, name: str) -> int:
    return await connection.fetchval("SELECT id FROM organisation WHERE name = $1", name)


async def enter(connection: Connection, one: Candidate, password_hash: str | None, at: datetime) -> int:
    """A person with an account opened then, not activated without a password; the account's id."""
    person = await connection.fetchval("SELECT nextval('person_id_seq')")
    await connection.execute("""
        INSERT INTO person (id, name, sort_key, id_number, id_number_index, phone, phone_index)
        OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7)""", person, one.name, sort_key(one.name),
                             *people.kept_id_number(person, one.id_number), *people.kept_phone(person, one.phone))
    return await connection.fetchval(
        "INSERT INTO account (person_id, password_hash, created_at) VALUES ($1, $2, $3) RETURNING id", person,
        password_hash, at)


async def grant(connection: Connection, account: int, at: str, role: Role, by: int, since: datetime) -> int | None:
    """Gives a role, unless it is there already; the grant's id."""
    return await connection.fetchval("""
        INSERT INTO role_grant (account_id, role, organisation_id, since, granted_by, why)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id""",
                                     account, str(role), await organisation(connection, at), since, by, WHY)


async def authorise(connection: Connection, account: int, by: int, at: datetime) -> None:
    """A 授权码 that is good, and its SMS, which the outbox shows."""
    until = end_of(AUTHORISATION.last_day(beijing_date(at)))
    await connection.execute("""
        INSERT INTO authorisation (account_id, code_hash, issued_at, expires_at, issued_by)
        VALUES ($1, $2, $3, $4, $5)""", account, code_hash(account, CODE), at, until, by)
    words, values = words_with_code(CODE, until, role=WAITS.role, organisation=WAITS.at)
    message = await connection.fetchval("SELECT nextval('sms_id_seq')")
    await connection.execute("""
        INSERT INTO sms (id, key, kind, phone, phone_index, words, organisation_id, good_until, created_at, due_at)
        OVERRIDING SYSTEM VALUE VALUES ($1, 'demonstration-authorisation', 'authorisation', $2, $3, $4, $5, $6, $7, $7)
        """, message, crypto.encrypt(WAITS.phone, table="sms", column="phone", row_id=message),
                             crypto.blind_index(WAITS.phone, people.PHONE),
                             crypto.encrypt(json.dumps([words, values], ensure_ascii=False), table="sms",
                                            column="words", row_id=message),
                             await organisation(connection, WAITS.at), until, at)


async def nominate(connection: Connection, one: Candidate, by: str, state: State, answer: str, at: datetime,
                   safety: int, opened: int) -> None:
    """A nomination of the last days, answered as `state` says."""
    made = await connection.fetchval("SELECT nextval('nomination_id_seq')")
    who = await connection.fetchrow("""
        SELECT a.id, g.organisation_id, p.name || ' · ' || g.role AS signature FROM account a
        JOIN person p ON p.id = a.person_id JOIN role_grant g ON g.account_id = a.id
        WHERE a.id = $1 ORDER BY g.id LIMIT 1""", await account_with(connection, by))
    answered = (None, None, None) if state is State.WAITING else (
        (who["id"], who["signature"], at) if state is State.WITHDRAWN else (safety, "郑卫东 · 安全员", at))
    await connection.execute("""
        INSERT INTO nomination (id, organisation_id, role, name, id_number, id_number_index, phone, reason, state,
            nominated_by, nominated_at_id, who, nominated_at, answer, answered_by, answered_who, answered_at,
            account_id)
        OVERRIDING SYSTEM VALUE
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)""",
                             made, await organisation(connection, one.at), str(one.role), one.name,
                             kept_number(made, one.id_number), crypto.blind_index(one.id_number, people.ID_NUMBER),
                             kept_phone(made, one.phone), WHY, str(state), who["id"], who["organisation_id"],
                             who["signature"], at, answer, *answered, opened if state is State.OPENED else None)
