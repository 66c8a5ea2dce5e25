"""From a cookie to an actor, before any handler runs."""
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from server.accounts.rules import REMEMBERED
from server.accounts.tables import who_is, whose_was
from server.core import codes
from server.core.guard import READS
from server.settings import settings

SECURE = settings.origin.startswith("https:")
SESSION_COOKIE = "__Host-ebranch" if SECURE else "ebranch"
HALF_COOKIE = "__Host-ebranch-half" if SECURE else "ebranch-half"
RESET_COOKIE = "__Host-ebranch-reset" if SECURE else "ebranch-reset"
HELD_OPEN = frozenset({"/live", "/tabs"})  # a connection that a forgotten page keeps is no sign of its owner


def cookie(name: str, token: str, life: timedelta) -> Cookie:
    """A cookie no script can read and no other site's form carries."""
    return Cookie(
        name, value=token, max_age=int(life.total_seconds()), path="/", httponly=True, samesite="lax", secure=SECURE)


def session_cookie(token: str, life: timedelta) -> Cookie:
    """The cookie of a session; it outlives it a little, for a form that comes too late is kept for its own account."""
    return cookie(SESSION_COOKIE, token, life + REMEMBERED)


def half_cookie(token: str) -> Cookie:
    """The cookie of who has yet to enter a one-time code."""
    return cookie(HALF_COOKIE, token, codes.LIFE)


# What takes them away.
OVER = {name: cookie(name, "", timedelta()) for name in (SESSION_COOKIE, HALF_COOKIE, RESET_COOKIE)}


def source_of(connection: ASGIConnection) -> str:
    """Where a request came from, for the evidence; as the proxy in front says it, where there is one."""
    if settings.proxies:
        passed = connection.headers.get("x-forwarded-for", "").split(",")
        with suppress(ValueError, IndexError):
            return str(ip_address(passed[-settings.proxies].strip()))
    return connection.client.host if connection.client else "?"


async def may_go_on(connection: ASGIConnection) -> bool:
    """Whether a long-lived connection is still its owner's: same session, not ended, under the role it began with."""
    actor = await who_is(connection.cookies.get(SESSION_COOKIE, ""), source_of(connection), active=False)
    return actor is not None and actor.grant_id == connection.user.grant_id


class Authentication(AbstractAuthenticationMiddleware):
    """Puts the Actor, or None, into every connection; and with a form that came too late, whose session it had been."""

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:
        token = connection.cookies.get(SESSION_COOKIE)
        if not token:
            return AuthenticationResult(user=None, auth=None)
        active = connection.scope["path"] not in HELD_OPEN and "x-passive" not in connection.headers
        user = await who_is(token, source_of(connection), active=active)
        over = user is None and connection.scope["method"] not in READS  # type: ignore[typeddict-item]
        return AuthenticationResult(user=user, auth=await whose_was(token) if over else None)
