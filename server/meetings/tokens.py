"""What a QR code, a six-digit code and a projected wall carry. Pure: the key and the moment are arguments.

A wall token names its meeting and a 15-second window; it is accepted for 30 seconds. Who scans it in time gets a
grant of three minutes, enough to sign in with; a grant serves one person once. All are signed, none is stored."""
import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from struct import Struct
from struct import error as StructError

WINDOW = timedelta(seconds=15)  # how often the wall changes
SCAN_LIFE = timedelta(seconds=30)  # how long a code on the wall is accepted
GRANT_LIFE = timedelta(minutes=3)  # from the scan, to sign in with
CODE_LIFE = timedelta(seconds=90)  # six digits have to be read out and typed
CODE_TRIES = 5  # wrong six-digit codes of one person for one meeting, within a quarter of an hour

BODY = Struct(">BQQ12s")  # what it is, meeting, issued (seconds), nonce
MAC_BYTES = 16


class What(StrEnum):
    """What a token is good for."""

    SCAN = "scan"
    GRANT = "grant"
    WALL = "wall"


LIVES = {What.SCAN: SCAN_LIFE, What.GRANT: GRANT_LIFE}
NUMBERS = {What.SCAN: 1, What.GRANT: 2, What.WALL: 3}
NO_NONCE = bytes(12)


class BadToken(Exception):
    """A token that is altered or not ours."""


class Expired(BadToken):
    """A token that was ours and is over; `token` is what it was."""

    def __init__(self, token: "Token") -> None:
        super().__init__()
        self.token = token


@dataclass(frozen=True)
class Token:
    what: What
    meeting_id: int
    issued: datetime
    nonce: bytes


def window_start(now: datetime) -> datetime:
    """When the window that `now` lies in began; the wall changes at the same moments everywhere."""
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def seconds_left(now: datetime) -> int:
    """Until the wall changes; 1 to 15."""
    return max(1, int((window_start(now) + WINDOW - now).total_seconds() + 0.999))


def sign(key: bytes, what: What, meeting_id: int, issued: datetime, nonce: bytes = NO_NONCE) -> str:
    """The token's text, for an address."""
    body = BODY.pack(NUMBERS[what], meeting_id, int(issued.timestamp()), nonce)
    return base64.urlsafe_b64encode(body + hmac.digest(key, body, "sha256")[:MAC_BYTES]).decode().rstrip("=")


def scan_token(key: bytes, meeting_id: int, now: datetime) -> str:
    """What the wall shows at `now`."""
    return sign(key, What.SCAN, meeting_id, window_start(now))


def grant_token(key: bytes, meeting_id: int, now: datetime) -> str:
    """What a scan in time earns: three minutes, for one person, once."""
    return sign(key, What.GRANT, meeting_id, now, secrets.token_bytes(12))


def wall_token(key: bytes, meeting_id: int, now: datetime) -> str:
    """Opens the projector page of one meeting, to look at only, until the meeting ends."""
    return sign(key, What.WALL, meeting_id, now)


def read(key: bytes, text: str, now: datetime) -> Token:
    """The token that `text` is. BadToken when it is altered or foreign, Expired when it is over.

    A scan that was shown a window ago still counts: the sheet of light has to reach the camera first."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        number, meeting_id, issued, nonce = BODY.unpack(raw[:-MAC_BYTES])
    except (binascii.Error, StructError, ValueError) as fault:
        raise BadToken from fault
    what = next((what for what, its in NUMBERS.items() if its == number), None)
    if what is None or base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:  # a kind, or a spelling, not ours
        raise BadToken
    if not hmac.compare_digest(hmac.digest(key, raw[:-MAC_BYTES], "sha256")[:MAC_BYTES], raw[-MAC_BYTES:]):
        raise BadToken
    token = Token(what, meeting_id, datetime.fromtimestamp(issued, UTC), nonce)
    life = LIVES.get(what)
    if life and now >= token.issued + life:
        raise Expired(token)
    return token


def code_at(key: bytes, meeting_id: int, window: datetime) -> str:
    """The six digits of one window."""
    digest = hmac.digest(key, b"code" + Struct(">QQ").pack(meeting_id, int(window.timestamp())), "sha256")
    return str(int.from_bytes(digest[:8]) % 1_000_000).zfill(6)


def code_fits(key: bytes, meeting_id: int, code: str, now: datetime) -> bool:
    """Whether `code` was on the wall within the last CODE_LIFE."""
    windows = int(CODE_LIFE / WINDOW)
    start = window_start(now)
    return any(hmac.compare_digest(code_at(key, meeting_id, start - WINDOW * back).encode(), code.encode())
               for back in range(windows))
