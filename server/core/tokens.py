"""What a browser carries and nobody else can make: random tokens, of which the database keeps the hash alone, and
signed ones, which are stored nowhere."""
import base64
import hmac
from hashlib import sha256

from server.core.keys import key

MAC = 32  # bytes behind what is signed


def token_hash(token: str) -> bytes:
    """What is stored of a random token: who reads the database can't use it."""
    return sha256(token.encode()).digest()


def signed(purpose: str, body: bytes) -> str:
    """A token that carries `body` in clear, and that only this installation makes for `purpose`."""
    return base64.urlsafe_b64encode(body + _mac(purpose, body)).decode().rstrip("=")


def opened(purpose: str, token: str) -> bytes | None:
    """What a signed token carries; None for one that is none of ours, or ours in another spelling: what is good once
    must not be good once for each way to write it."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    body, mac = raw[:-MAC], raw[-MAC:]
    return body if hmac.compare_digest(mac, _mac(purpose, body)) and signed(purpose, body) == token else None


def _mac(purpose: str, body: bytes) -> bytes:
    return hmac.digest(key(purpose), body, "sha256")
