"""Signing in, switching roles, signing out."""
import hmac
import secrets
from datetime import timedelta

from litestar.exceptions import NotFoundException

from server.accounts.passwords import fits
from server.accounts.rules import (
    CODE_DIGITS,
    CODE_GUESSES,
    CODE_LIFE,
    CODE_TRIES,
    GUESSES,
    confirms_by_code,
    session_life,
)
from server.accounts.tables import accounts_with_phone, roles_of, token_hash, who_is
from server.core import audit, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, transaction
from server.core.keys import key
from server.core.throttle import Throttle
from server.permissions import Role

PASSWORDS = Throttle("password", most=GUESSES)
CODES = Throttle("one-time code", most=CODE_GUESSES)


class Refused(Exception):
    """Why a sign-in fails, in words for the page; the same for a wrong password and an unknown number."""


async def check_password(phone: str, password: str) -> int:
    """The account that `phone` and `password` open. Refused, after the same time whether or not the number is known."""
    if not await PASSWORDS.take(phone):
        raise Refused("密码错误次数太多，请 15 分钟后再试")
    found = await accounts_with_phone(phone)
    for account in found:
        if await fits(account["password_hash"], password):
            await PASSWORDS.clear(phone)
            return account["id"]
    if not found:
        await fits(None, password)
    raise Refused("手机号或密码不对，请检查后再试")


async def asks_for_code(account_id: int) -> bool:
    """Whether this account confirms its sign-in by a one-time code."""
    return confirms_by_code({Role(grant["role"]) for grant in await roles_of(account_id, now())})


async def begin_half_sign_in(account_id: int) -> str:
    """Notes that the password was right; returns the token the browser keeps until the code is entered."""
    token = secrets.token_urlsafe(32)
    await rows("INSERT INTO half_sign_in (token_hash, account_id, expires_at) VALUES ($1, $2, $3)",
               token_hash(token), account_id, now() + CODE_LIFE)
    return token


def one_time_code(token: str) -> str:
    """The code that belongs to a half sign-in: derived, so that it is stored nowhere."""
    number = int.from_bytes(hmac.digest(key("one-time code"), token.encode(), "sha256")[:8])
    return str(number % 10**CODE_DIGITS).zfill(CODE_DIGITS)


async def waiting_for_code(token: str) -> bool:
    """Whether a half sign-in is still open."""
    return await row("""
        SELECT FROM half_sign_in WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 AND tries < $3""",
                     token_hash(token), now(), CODE_TRIES) is not None


async def confirm_code(token: str, code: str) -> int:
    """The account whose one-time code this is. Refused: wrong, over 5 minutes, used, or tried too often.

    A try is counted before the code is looked at, so a hundred guesses at once are still five tries; and who knows the
    password can't have five more for ever by entering it again."""
    counted = await row("""
        UPDATE half_sign_in SET tries = tries + 1
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 AND tries < $3 RETURNING id, account_id, tries""",
                        token_hash(token), now(), CODE_TRIES)
    if counted is None:
        raise Refused("验证码已失效，请重新登录")
    if not await CODES.take(str(counted["account_id"])):
        raise Refused("验证码错误次数太多，请 15 分钟后再试")
    if not hmac.compare_digest(one_time_code(token).encode(), code.encode()):
        left = CODE_TRIES - counted["tries"]
        raise Refused(f"验证码不对，还可以试 {left} 次" if left else "验证码错误次数太多，请重新登录")
    used = await row("UPDATE half_sign_in SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING id",
                     counted["id"], now())
    if used is None:
        raise Refused("验证码已用过，请重新登录")
    await CODES.clear(str(counted["account_id"]))
    return counted["account_id"]


async def sign_in(account_id: int, *, device: str, source: str) -> tuple[str, timedelta]:
    """Opens a session under the account's first role; returns its new token and how long it may live.

    Refused when the account holds no role any more, or has been closed."""
    grants = await roles_of(account_id, now())
    if not grants:
        raise Refused("这个账号目前没有可用的身份，请联系所在支部")
    life = session_life({Role(grant["role"]) for grant in grants})
    token = secrets.token_urlsafe(32)
    async with transaction():
        await rows("""INSERT INTO session (token_hash, account_id, grant_id, device, used_at, expires_at)
                      VALUES ($1, $2, $3, $4, $5, $6)""",
                   token_hash(token), account_id, grants[0]["id"], device[:200], now(), now() + life)
        actor = await who_is(token, source, active=False)
        if actor is None:
            raise Refused("这个账号已停用")
        await audit.record(actor, "sign_in", "account", account_id)
    return token, life


async def switch_role(actor: Actor, grant_id: int) -> None:
    """Makes another of the actor's own roles the active one in this session; 404 for anybody else's. The one that is
    active already stays so."""
    async with transaction():
        session = await row("SELECT grant_id FROM session WHERE id = $1 FOR UPDATE", actor.session_id)
        if session and session["grant_id"] == grant_id:
            return
        switched = await row("""
            UPDATE session s SET grant_id = g.id
            FROM role_grant g JOIN organisation o ON o.id = g.organisation_id AND o.closed_at IS NULL
            WHERE s.id = $1 AND s.revoked_at IS NULL AND g.id = $2 AND g.account_id = s.account_id
              AND g.since <= $3 AND (g.until IS NULL OR g.until > $3) RETURNING g.role""",
                             actor.session_id, grant_id, now())
        if switched is None:
            raise NotFoundException
        await audit.record(actor, "switch_role", "account", actor.account_id,
                           before={"role": str(actor.role)}, after={"role": switched["role"]})
        live.session_ended(actor.person_id)  # under the former role


async def sign_out(actor: Actor, *, everywhere: bool = False) -> None:
    """Ends this session, or all of the account's; an ended one never comes back."""
    async with transaction():
        await rows("""UPDATE session SET revoked_at = $2
                      WHERE account_id = $1 AND revoked_at IS NULL AND ($3 OR id = $4)""",
                   actor.account_id, now(), everywhere, actor.session_id)
        live.session_ended(actor.person_id)
        await audit.record(actor, "sign_out_everywhere" if everywhere else "sign_out", "account", actor.account_id)


async def set_large(actor: Actor, large: bool) -> None:
    """Turns 大字版 on or off for the account, on every device it uses."""
    await rows("UPDATE account SET large = $2 WHERE id = $1", actor.account_id, large)
