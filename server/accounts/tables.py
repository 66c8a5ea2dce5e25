"""Accounts, the roles they hold at organisations, and their sessions."""
from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Boolean, Bytea, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from server.accounts.rules import CONFIRMED_FOR, FORGOTTEN, idle_limit, touch_every
from server.core.actor import Actor
from server.core.clock import now
from server.core.crypto import blind_indexes
from server.core.database import row, rows, the_row
from server.core.parked import Owner
from server.core.together import Together
from server.core.tokens import token_hash
from server.people.tables import PHONE, phone_of
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
    source = Text()  # from where it was last used
    confirmed_at = Timestamptz(null=True, default=None)  # when a one-time code was last entered in it


# 代理: the name of whose duties a grant's are meanwhile.
SUBSTITUTED = "(SELECT r.name FROM account b JOIN person r ON r.id = b.person_id WHERE b.id = g.acting_for)"

# Who acts under a grant g, and that the grant counts at the moment $2.
ACTOR = f"""p.id AS person_id, a.id AS account_id, g.id AS grant_id, p.name, g.role, o.id AS organisation_id,
    o.path AS organisation_path, o.name AS organisation_name, o.kind AS organisation_kind, o.committee_id, a.large,
    {SUBSTITUTED} AS acting_for, o.unit_code,
    (SELECT u.name FROM unit u WHERE u.code = o.unit_code) AS unit_name,
    coalesce((SELECT v.community FROM village v WHERE v.code = o.unit_code), false) AS community"""
COUNTS = """a.closed_at IS NULL AND g.since <= $2 AND (g.until IS NULL OR g.until > $2) AND o.closed_at IS NULL"""

# Every request begins with this one, so it is fixed SQL, for all that come at the same time.
WHO_IS = f"""
SELECT s.token_hash, s.id AS session_id, s.used_at, s.confirmed_at, {ACTOR}
FROM session s JOIN account a ON a.id = s.account_id JOIN person p ON p.id = a.person_id
JOIN role_grant g ON g.id = s.grant_id JOIN organisation o ON o.id = g.organisation_id
WHERE s.token_hash = ANY($1) AND s.revoked_at IS NULL AND s.expires_at > $2 AND {COUNTS}"""
UNDER = f"""
SELECT 0 AS session_id, {ACTOR} FROM role_grant g JOIN account a ON a.id = g.account_id
JOIN person p ON p.id = a.person_id JOIN organisation o ON o.id = g.organisation_id WHERE g.id = $1 AND {COUNTS}"""


async def sessions_now(hashes: Sequence[bytes]) -> dict[bytes, Record]:
    """The sessions that are not over, by the hashes of their tokens, each with who acts in it."""
    return {found["token_hash"]: found for found in await rows(WHO_IS, hashes, now())}


_sessions = Together(sessions_now)


async def who_is(token: str, source: str, *, active: bool) -> Actor | None:
    """The actor behind a session token, or None when it is unknown, over, revoked or has been idle too long. What an
    open transaction has changed it does not see.

    active: whether this request counts as use; a live connection that a forgotten page holds open does not."""
    moment = now()
    found = await _sessions.ask(token_hash(token))
    if found is None:
        return None
    role = Role(found["role"])
    limit = idle_limit(role)
    if limit and moment - found["used_at"] > limit:
        return None
    if active and moment - found["used_at"] > touch_every(role):
        await rows("UPDATE session SET used_at = $2, source = $3 WHERE id = $1 AND revoked_at IS NULL AND used_at < $2",
                   found["session_id"], moment, source)
    confirmed = found["confirmed_at"] is not None and moment - found["confirmed_at"] < CONFIRMED_FOR
    return Actor(
        found["person_id"], found["account_id"], found["session_id"], found["grant_id"], found["name"], role,
        found["organisation_id"], found["organisation_path"], found["organisation_name"], found["organisation_kind"],
        found["committee_id"], found["large"], source, found["acting_for"], confirmed,
        found["unit_code"], found["unit_name"], found["community"])


async def accounts_with_phone(phone: str) -> list[Record]:
    """The open, activated accounts of the people a phone number serves: usually one, sometimes a couple's two."""
    return await rows("""
        SELECT a.id, a.password_hash FROM person p JOIN account a ON a.person_id = p.id AND a.closed_at IS NULL
        WHERE p.phone_index = ANY($1) AND a.password_hash IS NOT NULL ORDER BY a.id""", blind_indexes(phone, PHONE))


async def own_phone(account_id: int) -> str | None:
    """The phone of the person whose account it is, None where nobody knows one."""
    found = await the_row("SELECT p.id, p.phone FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = $1",
                          account_id)
    return phone_of(found["id"], found["phone"])


async def sharing_phone(account_id: int) -> list[Record]:
    """The open, activated accounts of everybody whose phone is this account's: id, and the person's id, name, phone,
    ID number."""
    return await rows("""
        SELECT a.id, p.id AS person_id, p.name, p.phone, p.id_number FROM account own
        JOIN person mine ON mine.id = own.person_id JOIN person p ON p.phone_index = mine.phone_index
        JOIN account a ON a.person_id = p.id AND a.closed_at IS NULL AND a.password_hash IS NOT NULL
        WHERE own.id = $1 ORDER BY a.id""", account_id)


async def actor_under(grant_id: int, source: str) -> Actor | None:
    """Whoever holds a grant, without a session; None when the grant does not count now."""
    found = await row(UNDER, grant_id, now())
    return found and Actor(**dict(found) | {"role": Role(found["role"])}, source=source)


async def actor_without_session(account_id: int, source: str) -> Actor | None:
    """Somebody who is not signed in but has proved who it is, under the role with most to do; None without any."""
    grants = await roles_of(account_id, now())
    return await actor_under(grants[0]["id"], source) if grants else None


async def roles_of(account_id: int, moment: datetime) -> list[Record]:
    """The roles an account holds at `moment`, those with most to do first."""
    found = await rows(f"""
        SELECT g.id, g.role, o.name AS organisation, o.kind, g.until, {SUBSTITUTED} AS acting_for FROM role_grant g
        JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL
        WHERE g.account_id = $1 AND g.since <= $2 AND (g.until IS NULL OR g.until > $2)""", account_id, moment)
    weight = {role: place for place, role in enumerate(Role)}
    return sorted(found, key=lambda grant: (-weight[Role(grant["role"])], grant["id"]))


async def is_officer(person_id: int) -> bool:
    """Whether somebody holds a role, anywhere, that a safety officer gives."""
    return await row("""SELECT FROM account a JOIN officer_grant g ON g.account_id = a.id AND g.live
                        WHERE a.person_id = $1""", person_id) is not None


async def whose_was(token: str) -> Owner | None:
    """Whose session a token was, over as it may be; None for a token nobody had, a closed account's, and one that was
    ended more than FORGOTTEN ago: it may be in other hands."""
    found = await row("""
        SELECT s.account_id, s.grant_id FROM session s JOIN account a ON a.id = s.account_id AND a.closed_at IS NULL
        WHERE s.token_hash = $1 AND (s.revoked_at IS NULL OR s.revoked_at > $2)""", token_hash(token),
                      now() - FORGOTTEN)
    return None if found is None else Owner(found["account_id"], found["grant_id"])


async def why_over(token: str) -> str | None:
    """Why a browser's session is over, in words for where its owner signs in again; None for a token nobody had, for
    one that was signed out here, and for one that is not over."""
    moment = now()
    found = await row(f"""
        SELECT s.revoked_at, s.expires_at, s.used_at, a.closed_at, g.role, {COUNTS} AS counts
        FROM session s JOIN account a ON a.id = s.account_id JOIN role_grant g ON g.id = s.grant_id
        JOIN organisation o ON o.id = g.organisation_id WHERE s.token_hash = $1""", token_hash(token), moment)
    if found is None:
        return None
    if found["closed_at"]:
        return "这个账号已停用。有疑问请联系开通账号的安全员或所在支部。"
    if found["revoked_at"]:
        return "这台设备上的登录已经结束：从别处退出、密码改过，或系统恢复过。请重新登录。"
    if not found["counts"]:
        return f"您的“{found['role']}”身份有变动，请重新登录。"
    limit = idle_limit(Role(found["role"]))
    if found["expires_at"] <= moment or (limit and moment - found["used_at"] > limit):
        return "离开时间长了，为安全起见已自动退出，请重新登录。"
    return None


async def open_sessions(account_id: int, moment: datetime) -> list[Record]:
    """Where an account is signed in, what was used last first; what was left alone too long is no longer among them."""
    found = await rows("""
        SELECT s.id, s.device, s.source, s.created_at, s.used_at, g.role FROM session s
        JOIN role_grant g ON g.id = s.grant_id AND (g.until IS NULL OR g.until > $2)
        JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL
        WHERE s.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 ORDER BY s.used_at DESC, s.id DESC""",
                       account_id, moment)
    limits = {one["id"]: idle_limit(Role(one["role"])) for one in found}
    return [one for one in found if not (limit := limits[one["id"]]) or moment - one["used_at"] <= limit]
