"""The accounts in a department's care: the list with its search, one account with its history, the register (备案)."""
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import Any

from asyncpg import Record

from server.core import crypto
from server.core.clock import now, today
from server.core.database import row, rows
from server.core.dates import calendar_day, local
from server.core.workdays import last_day
from server.officers.rules import APPOINTED, TONES, AccountState
from server.officers.tables import IN_CARE, STATE
from server.people.tables import PHONE

PAGE = 30
REGISTER_MOST = 5000  # lines of the printed register; a county has some two thousand officers
# The accounts with an officer's role, present or past, in the department's care.
OFFICERS = f"""
SELECT a.id, a.person_id, {STATE} AS state FROM account a WHERE a.id IN (
    SELECT account_id FROM officer_grant WHERE organisation_id = $1 OR department_id = $1)"""
# What a line of the list says of an account: its officer's roles in the department's care, and its code.
LINES = f"""
SELECT a.id, p.name, p.sort_key, {STATE} AS state, u.expires_at, u.asked_again_at, u.replaced_at,
    ARRAY(SELECT o.name || ' ' || g.role FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
          LEFT JOIN officer_grant f ON f.id = g.id
          WHERE g.account_id = a.id AND {IN_CARE.format("$1")} AND (g.until IS NULL OR g.until > ebranch_now())
          ORDER BY f.id IS NULL, g.id) AS roles
FROM account a JOIN person p ON p.id = a.person_id
LEFT JOIN LATERAL (SELECT * FROM authorisation WHERE account_id = a.id ORDER BY id DESC LIMIT 1) u ON true"""


async def counts(department_id: int) -> dict[str, int]:
    """How many officers' accounts are in each state."""
    return {one["state"]: one["count"] for one in await rows(
        f"SELECT state, count(*) FROM ({OFFICERS}) a GROUP BY state", department_id)}


async def listed(department_id: int, *, words: str = "", state: AccountState | None = None,
                 after: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the officers' accounts, by name; and where the next one begins, if there is more.

    words: a part of the name, or of the name of an organisation where there is a role."""
    key, last = read_after(after)
    found = await rows(f"""
        {LINES} JOIN ({OFFICERS}) f ON f.id = a.id
        WHERE ($2 = '' OR strpos(p.name, $2) > 0 OR EXISTS (
                SELECT FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
                WHERE g.account_id = a.id AND (strpos(o.name, $2) > 0 OR strpos(g.role, $2) > 0)
                  AND {IN_CARE.format("$1")}))
          AND ($3::text IS NULL OR f.state = $3) AND (p.sort_key, a.id) > ($4, $5)
        ORDER BY p.sort_key, a.id LIMIT {PAGE + 1}""",
                       department_id, words, state and str(state), key, last)
    return [line(one) for one in found[:PAGE]], mark_after(found[PAGE - 1]) if len(found) > PAGE else None


async def with_phone(department_id: int, phone: str) -> list[dict[str, Any]]:
    """The accounts, members' too, of those whom a phone number serves, where one of the roles is in care."""
    return [line(one) for one in await rows(f"""
        {LINES} WHERE p.phone_index = ANY($2) AND EXISTS (
            SELECT FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
            WHERE g.account_id = a.id AND {IN_CARE.format("$1")}) ORDER BY a.id""",
                                              department_id, crypto.blind_indexes(phone, PHONE))]


def line(account: Record) -> dict[str, Any]:
    """An account as a line of the list."""
    state = account["state"]
    return {"href": f"/accounts/{account['id']}", "name": account["name"], "tone": TONES[state], "state": state,
            "line": "、".join(account["roles"]) or "没有在任的身份",
            "note": code_words(account) if state == AccountState.WAITING else None}


def code_words(code: Record) -> str:
    """How the newest 授权码 of an account that is not activated stands."""
    if code["expires_at"] is None or code["replaced_at"]:
        return "没有有效的授权码"
    until = calendar_day(last_day(code["expires_at"]), local(now()).date()).split()[0]
    if code["asked_again_at"]:
        return "请求重发授权码"
    return f"授权码{until}24时前有效" if code["expires_at"] > now() else f"授权码已于{until}过期"


def mark_after(account: Record) -> str:
    """Where the next page of the list begins: opaque."""
    return urlsafe_b64encode(f"{account['sort_key']} {account['id']}".encode()).decode()


def read_after(opaque: str | None) -> tuple[str, int]:
    """The place an opaque `after` stands for; a garbled one is the beginning."""
    try:
        key, last = urlsafe_b64decode((opaque or "").encode()).decode("ascii").split(" ")
        return key.replace("\0", ""), min(max(int(last), 0), 2**63 - 1)
    except (ValueError, OverflowError):
        return "", 0


async def waiting_for(department_id: int) -> int:
    """How many things wait for the safety officer: nominations, and codes that are asked for again."""
    found = await row(f"""
        SELECT (SELECT count(*) FROM nomination n JOIN organisation o ON o.id = n.organisation_id
                WHERE n.state = '待开通' AND {IN_CARE.format("$1")})
             + (SELECT count(*) FROM authorisation u JOIN account a ON a.id = u.account_id AND a.closed_at IS NULL
                WHERE u.asked_again_at IS NOT NULL AND u.used_at IS NULL AND u.replaced_at IS NULL
                  AND a.password_hash IS NULL AND a.id IN (
                    SELECT g.account_id FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
                    WHERE {IN_CARE.format("$1")})) AS waiting""", department_id)
    return found["waiting"] if found else 0


async def asked_again(department_id: int) -> list[dict[str, Any]]:
    """The accounts whose owners ask for a new 授权码."""
    return [line(one) for one in await rows(f"""
        {LINES} JOIN ({OFFICERS}) f ON f.id = a.id WHERE f.state = '待激活' AND u.asked_again_at IS NOT NULL
        AND u.replaced_at IS NULL ORDER BY u.asked_again_at LIMIT 50""", department_id)]


HISTORY = """
SELECT g.id, g.role, g.since, g.until, g.why, g.end_why, g.granted_by, o.id AS organisation_id,
       o.name AS organisation, p.name, p.sort_key, granter.name AS granter, ender.name AS ender,
       instead.name AS acting_for,
       (g.until IS NULL OR g.until > ebranch_now()) AS live
FROM role_grant g JOIN organisation o ON o.id = g.organisation_id
JOIN account a ON a.id = g.account_id JOIN person p ON p.id = a.person_id
LEFT JOIN account b ON b.id = g.granted_by LEFT JOIN person granter ON granter.id = b.person_id
LEFT JOIN account e ON e.id = g.ended_by LEFT JOIN person ender ON ender.id = e.person_id
LEFT JOIN account i ON i.id = g.acting_for LEFT JOIN person instead ON instead.id = i.person_id"""


async def roles_in_care(department_id: int, account_id: int) -> list[dict[str, Any]]:
    """The roles an account holds and held in the department's care, the present ones first."""
    found = await rows(f"""{HISTORY} WHERE g.account_id = $2 AND {IN_CARE.format("$1")}
                           ORDER BY live DESC, g.since DESC, g.id DESC""", department_id, account_id)
    return [dict(one) | {"told": told(one), "appointed": one["role"] in APPOINTED} for one in found]


def told(grant: Record) -> str:
    """Since when, until when, by whom and why: a line of the register."""
    def on(day: date) -> str:
        return calendar_day(day, today()).split()[0]

    since = on(local(grant["since"]).date())
    words = [f"{since}至{on(last_day(grant['until']))}" if grant["until"] else f"{since}起"]
    if grant["acting_for"]:
        words.append(f"代{grant['acting_for']}")
    if grant["granter"]:
        words.append(f"{grant['granter']}开通")
    if grant["why"]:
        words.append(grant["why"])
    if grant["ender"]:
        words.append(f"{grant['ender']}结束：{grant['end_why']}")
    return " · ".join(words)


async def register(department_id: int, *, former: bool) -> list[Record]:
    """日常备案 (M3§5): every officer's role in the department's care by organisation; former: those that ended too."""
    return await rows(f"""
        {HISTORY} JOIN officer_grant f ON f.id = g.id WHERE {IN_CARE.format("$1")} AND ($2 OR f.live)
        ORDER BY o.path, g.role, g.since, g.id LIMIT {REGISTER_MOST}""", department_id, former)
