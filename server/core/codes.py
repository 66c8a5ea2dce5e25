"""One-time codes by SMS: six digits, five minutes, five tries, once (G1.3.3).

A code is derived from its row's number and a key and stands nowhere; the token a browser keeps is derived likewise.
Who asks for a code to a phone that nobody has gets the same answer after the same work: a row, a limit, no SMS."""
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from asyncpg import Record

from server.core import forms, sms, tokens
from server.core.clock import BEIJING, now
from server.core.database import engine, row, the_row, transaction
from server.core.keys import key
from server.settings import settings

DIGITS = 6  # G1.3.3
LIFE = timedelta(minutes=5)  # G1.3.3
TRIES = 5  # at one code
EVERY = timedelta(seconds=60)  # one SMS to one phone
A_DAY = 10  # SMS to one phone, Beijing's calendar day
ID_BYTES = 8
TOKEN = "token of a code"  # what its key is for

GONE = "验证码已失效，请重新获取"
EXPIRED = f"验证码已过期（{LIFE.seconds // 60} 分钟内有效），请重新获取"
USED = "验证码已用过，请重新获取"
TRIED = "这条验证码试的次数太多，请重新获取"


class Refused(Exception):
    """Why a code is not the right one, in words for beside the field."""


@contextmanager
def told_beside(field: str) -> Iterator[None]:
    """What is wrong with a code, told beside a field of the form it came in: forms.Refused."""
    try:
        yield
    except Refused as refused:
        raise forms.Refused(field, str(refused)) from None


class TooSoon(Exception):
    """The last code to this phone left less than a minute ago; `seconds` until the next may."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"验证码刚发过，请 {seconds} 秒后再获取")
        self.seconds = seconds


class TooMany(Exception):
    """As many codes as may went to this phone today."""

    def __init__(self) -> None:
        super().__init__(f"这个手机号今天已发 {A_DAY} 次验证码，请明天再试，或找您的管理员当面办理")


async def send(
    purpose: str, phone: str, subject: int | None, *, words: str, by_sms: bool = True, again_ok: bool = False,
) -> str:
    """Makes a code for `subject` and sends it to `phone`; returns the token the browser keeps.

    purpose: what the code is good for ("sign-in" …); no other purpose accepts it. subject: whom it confirms; None:
    nobody has this phone, so nothing is sent and nothing will fit, and all else is the same. words: the SMS, with
    {code} in it. by_sms: False where the page shows it (demonstration): no limit is counted then. again_ok: within
    the minute in which no other SMS may leave, the code that is under way serves again, with the tries it has left.
    A transaction of its own. Raises TooSoon, TooMany."""
    whose = phone_mac(phone)
    async with transaction():
        if by_sms and not await count(whose):
            return await under_way(purpose, whose, subject, again_ok=again_ok)
        moment = now()
        made = await the_row("""
            INSERT INTO one_time_code (purpose, phone_mac, subject, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5) RETURNING id""", purpose, whose, subject, moment, moment + LIFE)
        if by_sms:
            code = code_of(made["id"])
            await sms.send(f"code:{made['id']}", phone, "code", words.format(code=code), values=(code, minutes()),
                           good_until=moment + LIFE, really=subject is not None)
    return token_of(made["id"])


async def count(whose: bytes, *, patience: timedelta = timedelta(0)) -> datetime | None:
    """Counts one SMS to a phone, at most one a minute and ten a day, and returns when it may leave: now, or within
    `patience` (no longer than EVERY) when the minute since the last one is over. None, and nothing counted, when it
    may not.

    One statement on one row, so that a hundred at once are counted one after the other."""
    moment = now()
    counted = await row("""
        INSERT INTO code_limit AS l (phone_mac, day, sent, last_at) VALUES ($1, $2, 1, $3)
        ON CONFLICT (phone_mac) DO UPDATE SET
            sent = CASE WHEN l.day = $2 THEN l.sent + 1 ELSE 1 END, day = $2, last_at = greatest($3, l.last_at + $4)
        WHERE l.last_at <= $5 AND (l.day <> $2 OR l.sent < $6) RETURNING last_at""",
                        whose, moment.astimezone(BEIJING).date(), moment, EVERY, moment - EVERY + patience, A_DAY)
    return counted["last_at"] if counted else None


async def under_way(purpose: str, whose: bytes, subject: int | None, *, again_ok: bool) -> str:
    """The token of the code that left within the last minute, if it may serve again. Raises TooSoon, TooMany."""
    moment = now()
    limit = await the_row("SELECT day, sent, last_at FROM code_limit WHERE phone_mac = $1", whose)
    live = await row("""
        SELECT id FROM one_time_code
        WHERE phone_mac = $1 AND purpose = $2 AND subject IS NOT DISTINCT FROM $3 AND created_at > $4
          AND expires_at > $5 AND used_at IS NULL AND tries < $6 ORDER BY id DESC LIMIT 1""",
                     whose, purpose, subject, moment - EVERY, moment, TRIES)
    if again_ok and live:
        return token_of(live["id"])
    if limit["sent"] >= A_DAY and limit["day"] == moment.astimezone(BEIJING).date():
        raise TooMany
    left = limit["last_at"] + EVERY - moment
    raise TooSoon(max(1, -(-left // timedelta(seconds=1))))


async def waiting(token: str, purpose: str) -> bool:
    """Whether a code may still be entered with this token."""
    found = await of_token(token, purpose)
    return found is not None and refusal(found) is None


async def confirm(token: str, purpose: str, code: str, *, phone: str | None = None, keep: bool = False) -> int:
    """The subject whose code this is; the code is used then. Raises Refused.

    phone: the number that is to be proved; a code that left to another one does not prove it.
    keep: leaves a right code unused, for `use` in the transaction of what it confirms. A try is counted before the
    code is looked at and whatever becomes of the rest, so a hundred guesses at once are still five: never call this
    within a transaction."""
    if engine().current_transaction.get() is not None:
        raise RuntimeError("a try must count, whatever becomes of the transaction")
    counted = await row("""
        UPDATE one_time_code SET tries = tries + 1
        WHERE id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 AND tries < $4
        RETURNING id, subject, tries, phone_mac""", read_token(token), purpose, now(), TRIES)
    if counted is None:
        raise Refused(refusal(await of_token(token, purpose)) or GONE)
    fits = hmac.compare_digest(code_of(counted["id"]).encode(), code.strip().encode())
    fits &= phone is None or hmac.compare_digest(counted["phone_mac"], phone_mac(phone))
    if not fits or counted["subject"] is None:
        left = TRIES - counted["tries"]
        raise Refused(f"验证码不对，还可以试 {left} 次" if left else TRIED)
    if not keep:
        await use(token, purpose)
    return counted["subject"]


async def use(token: str, purpose: str) -> None:
    """Uses up a code that was confirmed with `keep`, in the transaction of what it confirms. Refused if it is used
    already, or over."""
    used = await row("""UPDATE one_time_code SET used_at = $3
                        WHERE id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 RETURNING id""",
                     read_token(token), purpose, now())
    if used is None:
        raise Refused(refusal(await of_token(token, purpose)) or GONE)


def shown(token: str) -> str | None:
    """In the demonstration, the code that belongs to a token, for the page to show; else None."""
    code_id = read_token(token)
    return code_of(code_id) if settings.demo and code_id else None


async def of_token(token: str, purpose: str) -> Record | None:
    """The row a token stands for."""
    number = read_token(token)
    return await row("SELECT expires_at, used_at, tries FROM one_time_code WHERE id = $1 AND purpose = $2",
                     number, purpose) if number else None


def refusal(code: Record | None) -> str | None:
    """Why a code can't be entered any more; None: it can."""
    if code is None:
        return GONE
    if code["used_at"]:
        return USED
    if code["expires_at"] <= now():
        return EXPIRED
    return TRIED if code["tries"] >= TRIES else None


def minutes() -> str:
    """How long a code is good for, as an SMS says it."""
    return str(LIFE.seconds // 60)


def phone_mac(phone: str) -> bytes:
    """What limits are counted by: tells one phone from another, and nobody which."""
    return hmac.digest(key("phone of a code"), phone.encode(), "sha256")


def code_of(code_id: int) -> str:
    """The code of a row: derived, so that it is stored nowhere."""
    number = int.from_bytes(hmac.digest(key("one-time code"), str(code_id).encode(), "sha256")[:8])
    return str(number % 10**DIGITS).zfill(DIGITS)


def token_of(code_id: int) -> str:
    """The token of a row: nobody makes one without the key."""
    return tokens.signed(TOKEN, code_id.to_bytes(ID_BYTES))


def read_token(token: str) -> int:
    """The row a token stands for; 0, which no row has, for one that is none of ours."""
    return int.from_bytes(tokens.opened(TOKEN, token) or b"")
