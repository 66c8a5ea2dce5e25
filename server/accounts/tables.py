"""Accounts, the roles they hold at organisations, and their sessions."""
from datetime import datetime
from hashlib import sha256

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from server.accounts.rules import TOUCH_EVERY, idle_limit
from server.core.actor import Actor
from server.core.clock import now
from server.core.crypto import blind_indexes
from server.core.database import row, rows
from server.people.tables import PHONE
from server.permissions import Role


class Account(Table):
    id = BigSerial(primary_key=True)
    person_id = BigInt(unique=True)
    password_hash = Text(null=True, default=None, secret=True)  # None: not activated yet (G2.1)
    large = Boolean(default=False)
    created_at = Timestamptz()
    closed_at = Timestamptz(null=True, default=None)
    switched_by = BigInt(null=True, default=None)  # the account that closed or reopened it last
    switch_why = Text(default="")


class RoleGrant(Table):
    id = BigSerial(primary_key=True)
    account_id = ForeignKey(Account, null=False, on_delete=OnDelete.restrict)
    role = Text(choices=Role)
    organisation_id = BigInt()
    since = Timestamptz()
    until = Timestamptz(null=True, default=None)
    granted_by = BigInt(null=True, default=None)  # the safety officer's account; None: from the register
    why = Text(default="")
    ended_by = BigInt(null=True, default=None)
    end_why = Text(default="")
    acting_for = BigInt(null=True, default=None)  # 代理: the account whose duties these are meanwhile


class Session(Table):
    id = BigSerial(primary_key=True)
    token_hash = Bytea(unique=True)
    account_id = ForeignKey(Account, null=False, on_delete=OnDelete.restrict)
    grant_id = ForeignKey(RoleGrant, null=False, on_delete=OnDelete.restrict)
    device = Text()
    created_at = Timestamptz()
    used_at = Timestamptz()
    expires_at = Timestamptz()
    revoked_at = Timestamptz(null=True, default=None)


class HalfSignIn(Table):
    id = BigSerial(primary_key=True)
    token_hash = Bytea(unique=True)
    account_id = ForeignKey(Account, null=False, on_delete=OnDelete.restrict)
    expires_at = Timestamptz()
    tries = Integer(default=0)
    used_at = Timestamptz(null=True, default=None)


def token_hash(token: str) -> bytes:
    """What is stored of a token: who reads the database can't use it."""
    return sha256(token.encode()).digest()


# Every request begins with this one, so it is fixed SQL.
WHO_IS = """
SELECT s.id AS session_id, s.used_at, a.id AS account_id, a.large, p.id AS person_id, p.name, g.id AS grant_id, g.role,
       o.id AS organisation_id, o.path AS organisation_path, o.name AS organisation_name, o.kind AS organisation_kind,
       o.committee_id
FROM session s JOIN account a ON a.id = s.account_id JOIN person p ON p.id = a.person_id
JOIN role_grant g ON g.id = s.grant_id JOIN organisation o ON o.id = g.organisation_id
WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND a.closed_at IS NULL
  AND g.since <= $2 AND (g.until IS NULL OR g.until > $2) AND o.closed_at IS NULL"""


async def who_is(token: str, source: str, *, active: bool) -> Actor | None:
    """The actor behind a session token, or None when it is unknown, over, revoked or has been idle too long.

    active: whether this request counts as use; a live connection that a forgotten page holds open does not."""
    moment = now()
    found = await row(WHO_IS, token_hash(token), moment)
    if found is None:
        return None
    role = Role(found["role"])
    limit = idle_limit(role)
    if limit and moment - found["used_at"] > limit:
        return None
    if active and moment - found["used_at"] > TOUCH_EVERY:
        await rows("UPDATE session SET used_at = $2 WHERE id = $1 AND revoked_at IS NULL AND used_at < $2",
                   found["session_id"], moment)
    return Actor(
        found["person_id"], found["account_id"], found["session_id"], found["grant_id"], found["name"], role,
        found["organisation_id"], found["organisation_path"], found["organisation_name"], found["organisation_kind"],
        found["committee_id"], found["large"], source)


async def accounts_with_phone(phone: str) -> list[Record]:
    """The open accounts of the people a phone number serves: usually one, sometimes a couple's two."""
    return await rows("""
        SELECT a.id, a.password_hash FROM person p JOIN account a ON a.person_id = p.id AND a.closed_at IS NULL
        WHERE p.phone_index = ANY($1) ORDER BY a.id""", blind_indexes(phone, PHONE))


async def roles_of(account_id: int, moment: datetime) -> list[Record]:
    """The roles an account holds at `moment`, those with most to do first."""
    found = await rows("""
        SELECT g.id, g.role, o.name AS organisation, o.kind FROM role_grant g
        JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL
        WHERE g.account_id = $1 AND g.since <= $2 AND (g.until IS NULL OR g.until > $2)""", account_id, moment)
    weight = {role: place for place, role in enumerate(Role)}
    return sorted(found, key=lambda grant: (-weight[Role(grant["role"])], grant["id"]))


async def open_sessions(account_id: int, moment: datetime) -> list[Record]:
    """Where an account is signed in."""
    return await rows("""
        SELECT id, device, created_at, used_at FROM session
        WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY used_at DESC""", account_id, moment)
