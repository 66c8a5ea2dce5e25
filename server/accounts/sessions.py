"""Sessions: opened, confirmed by a code, under another role, ended. Each of these but the last gives a new token."""
import secrets
from datetime import datetime, timedelta

from litestar.exceptions import NotFoundException

from server.accounts.devices import in_words
from server.accounts.rules import session_life, switching_asks_for_code
from server.accounts.tables import actor_under, roles_of
from server.core import audit, live
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import row, rows, the_row, transaction
from server.core.tokens import token_hash
from server.permissions import Role


class Refused(Exception):
    """Why nobody is signed in, in words for the page."""


class CodeMissing(Exception):
    """A one-time code has to be entered in this session first."""


def new_token() -> str:
    """256 random bits, which the browser keeps and the database only hashes."""
    return secrets.token_urlsafe(32)


async def sign_in(
    account_id: int, *, device: str, source: str, confirmed: bool = False, instead_of: str = "",
) -> tuple[str, timedelta]:
    """Opens a session under the account's first role; returns its new token and how long it may live.

    confirmed: whether a one-time code was entered; instead_of: the token this browser had before, whose session ends.
    Refused when the account holds no role any more, or has been closed."""
    moment = now()
    grants = await roles_of(account_id, moment)
    if not grants:
        raise Refused("这个账号目前没有可用的身份，请联系所在支部")
    life = session_life({Role(grant["role"]) for grant in grants})
    token = new_token()
    async with transaction():
        await rows("UPDATE session SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL",
                   token_hash(instead_of), moment)
        await rows("""INSERT INTO session (token_hash, account_id, grant_id, device, source, used_at, expires_at,
                                           confirmed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
                   token_hash(token), account_id, grants[0]["id"], device[:200], source, moment, moment + life,
                   moment if confirmed else None)
        actor = await actor_under(grants[0]["id"], source)
        if actor is None:
            raise Refused("这个账号已停用")
        await audit.record(actor, "sign_in", "account", account_id)
    return token, life


async def confirm(actor: Actor) -> tuple[str, timedelta]:
    """Notes that the actor has entered a one-time code in this session; its new token, and how long it still lives."""
    token, moment = new_token(), now()
    async with transaction():
        confirmed = await row("""
            UPDATE session SET confirmed_at = $2, token_hash = $3 WHERE id = $1 AND revoked_at IS NULL
            RETURNING expires_at""", actor.session_id, moment, token_hash(token))
        if confirmed is None:
            raise NotFoundException
        await audit.record(actor, "confirm_by_code", "account", actor.account_id)
        live.session_ended(actor.person_id)  # under the former token
    return token, confirmed["expires_at"] - moment


async def switch_role(actor: Actor, grant_id: int) -> tuple[str, timedelta] | None:
    """Makes another of the actor's own roles the active one in this session; its new token, and how long it still
    lives: from here on at most as long as the role allows. None when that role is active already.

    404 for anybody else's; CodeMissing where a one-time code has to be entered first (accounts/rules.py)."""
    token, moment = new_token(), now()
    async with transaction():
        session = await row("SELECT grant_id, confirmed_at, expires_at FROM session WHERE id = $1 FOR NO KEY UPDATE",
                            actor.session_id)
        if session is None or session["grant_id"] == grant_id:
            return None
        wanted = next((one for one in await roles_of(actor.account_id, moment) if one["id"] == grant_id), None)
        if wanted is None:
            raise NotFoundException
        role, acting_for = Role(wanted["role"]), wanted["acting_for"]
        if switching_asks_for_code(role, actor.role, confirmed=session["confirmed_at"] is not None,
                                   lately=actor.confirmed):
            raise CodeMissing
        expires_at: datetime = min(session["expires_at"], moment + session_life({role}))
        switched = await row("""
            UPDATE session SET grant_id = $2, token_hash = $3, expires_at = $4 WHERE id = $1 AND revoked_at IS NULL
            RETURNING id""", actor.session_id, grant_id, token_hash(token), expires_at)
        if switched is None:
            raise NotFoundException
        after = {"role": str(role)} | ({"acting_for": acting_for} if acting_for else {})
        await audit.record(actor, "switch_role", "account", actor.account_id,
                           before={"role": str(actor.role)}, after=after)
        live.session_ended(actor.person_id)  # under the former role
    return token, expires_at - moment


async def sign_out(actor: Actor, *, everywhere: bool = False) -> None:
    """Ends this session, or all of the account's; an ended one never comes back."""
    async with transaction():
        await rows("""UPDATE session SET revoked_at = $2
                      WHERE account_id = $1 AND revoked_at IS NULL AND ($3 OR id = $4)""",
                   actor.account_id, now(), everywhere, actor.session_id)
        live.session_ended(actor.person_id)
        await audit.record(actor, "sign_out_everywhere" if everywhere else "sign_out", "account", actor.account_id)


async def sign_out_there(actor: Actor, session_id: int) -> None:
    """Ends one of the actor's sessions, wherever it is; 404 for anybody else's. One that has ended stays so."""
    async with transaction():
        found = await row("""SELECT device, source, revoked_at FROM session
                             WHERE id = $1 AND account_id = $2 FOR NO KEY UPDATE""", session_id, actor.account_id)
        if found is None:
            raise NotFoundException
        if found["revoked_at"] is None:
            await rows("UPDATE session SET revoked_at = $2 WHERE id = $1", session_id, now())
            live.session_ended(actor.person_id)
            await audit.record(actor, "sign_out_there", "session", session_id,
                               before={"device": in_words(found["device"]), "source": found["source"]})


async def end_all(account_id: int) -> None:
    """Ends every session of an account; must stand in a transaction, whose evidence says why."""
    await rows("UPDATE session SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL", account_id, now())
    live.session_ended((await the_row("SELECT person_id FROM account WHERE id = $1", account_id))["person_id"])


async def end_others(actor: Actor) -> tuple[str, timedelta]:
    """Ends every other session of the actor's and gives this one a new token; returns it, and how long it still lives.
    Must stand in a transaction, whose evidence says why."""
    token, moment = new_token(), now()
    await rows("UPDATE session SET revoked_at = $3 WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL",
               actor.account_id, actor.session_id, moment)
    renewed = await row("UPDATE session SET token_hash = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING expires_at",
                        actor.session_id, token_hash(token))
    if renewed is None:
        raise NotFoundException
    live.session_ended(actor.person_id)
    return token, renewed["expires_at"] - moment
