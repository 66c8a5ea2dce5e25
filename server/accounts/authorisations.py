"""授权码: what somebody activates an account with that a safety officer has opened (G2.1). Only its HMAC is kept, so
that who reads the database can activate nobody's account."""
import hmac
import secrets
import unicodedata
from enum import StrEnum

from asyncpg import Record
from piccolo.columns import BigInt, BigSerial, Bytea, ForeignKey, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from server.accounts.rules import AUTHORISATION
from server.accounts.tables import Account
from server.core.clock import now
from server.core.database import row, rows
from server.core.keys import key
from server.core.workdays import beijing_date, end_of

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nobody takes 0 for O or 1 for I
LETTERS = 8


class Authorisation(Table):
    id = BigSerial(primary_key=True)
    account_id = ForeignKey(Account, null=False, on_delete=OnDelete.restrict)
    code_hash = Bytea()
    issued_at = Timestamptz()
    expires_at = Timestamptz()
    issued_by = BigInt()  # the safety officer's account
    used_at = Timestamptz(null=True, default=None)
    replaced_at = Timestamptz(null=True, default=None)  # by a newer one, or the account was closed
    asked_again_at = Timestamptz(null=True, default=None)  # its owner asks for a new one


class CodeState(StrEnum):
    """What a 授权码 that was typed is."""

    OK = "ok"
    EXPIRED = "expired"
    USED = "used"
    REPLACED = "replaced"
    WRONG = "wrong"


def new_code() -> str:
    """A code nobody can guess: one of 2⁴⁰."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))


def written_code(typed: str) -> str:
    """A code as it is kept, however it was typed: full-width, in small letters, with blanks or hyphens."""
    return "".join(character for character in unicodedata.normalize("NFKC", typed).upper() if character.isalnum())


def code_hash(account_id: int, code: str) -> bytes:
    """What is kept of a code: bound to its account."""
    return hmac.digest(key("authorisation code"), f"{account_id}|{written_code(code)}".encode(), "sha256")


async def issue(account_id: int, issued_by: int) -> tuple[str, Record]:
    """A new code for an account, and its row (id, expires_at); the former one is good no longer. In a transaction.

    It ends with the last day of a week (G2.1). The database refuses it for an account that is activated or closed,
    and from anybody but the safety officer in charge."""
    await row("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", account_id)
    await withdraw(account_id)
    code, moment = new_code(), now()
    made = await row("""
        INSERT INTO authorisation (account_id, code_hash, issued_at, expires_at, issued_by)
        VALUES ($1, $2, $3, $4, $5) RETURNING id, expires_at""", account_id, code_hash(account_id, code), moment,
                     end_of(AUTHORISATION.last_day(beijing_date(moment))), issued_by)
    assert made is not None
    return code, made


async def withdraw(account_id: int) -> None:
    """The account's code, if it has one, is good no longer."""
    await rows("""UPDATE authorisation SET replaced_at = $2
                  WHERE account_id = $1 AND used_at IS NULL AND replaced_at IS NULL""", account_id, now())


async def newest_authorisation(account_id: int) -> Record | None:
    """The code issued last: id, issued_at, expires_at, used_at, replaced_at, asked_again_at, issued_by and his name."""
    return await row("""
        SELECT u.id, u.issued_at, u.expires_at, u.used_at, u.replaced_at, u.asked_again_at, u.issued_by,
               p.name AS issuer
        FROM authorisation u JOIN account a ON a.id = u.issued_by JOIN person p ON p.id = a.person_id
        WHERE u.account_id = $1 ORDER BY u.id DESC LIMIT 1""", account_id)


async def authorisation_state(account_id: int, code: str) -> CodeState:
    """What the code somebody typed is to this account: every one it was ever given is looked at."""
    typed = code_hash(account_id, code)
    for one in await rows("""SELECT code_hash, expires_at, used_at, replaced_at FROM authorisation
                             WHERE account_id = $1 ORDER BY id DESC""", account_id):
        if hmac.compare_digest(one["code_hash"], typed):
            if one["used_at"]:
                return CodeState.USED
            if one["replaced_at"]:
                return CodeState.REPLACED
            return CodeState.OK if one["expires_at"] > now() else CodeState.EXPIRED
    return CodeState.WRONG


async def use(account_id: int, code: str) -> bool:
    """Uses the code, once, in the transaction that activates the account; False when it is not good (any more)."""
    used = await row("""
        UPDATE authorisation SET used_at = $3 WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL
        AND replaced_at IS NULL AND expires_at > $3 RETURNING id""", account_id, code_hash(account_id, code), now())
    return used is not None


async def ask_again(account_id: int) -> str | None:
    """Notes that a new code is asked for; returns the name of the safety officer who is asked, or None when the
    account never had one, or needs none any more. Asking twice is asking once."""
    newest = await newest_authorisation(account_id)
    if newest is None or newest["used_at"]:
        return None
    await rows("UPDATE authorisation SET asked_again_at = $2 WHERE id = $1 AND asked_again_at IS NULL",
               newest["id"], now())
    return newest["issuer"]
