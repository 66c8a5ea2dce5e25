"""From a cookie to an actor, before any handler runs."""
from datetime import timedelta

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from server.accounts.tables import who_is
from server.settings import settings

SECURE = settings.origin.startswith("https:")
SESSION_COOKIE = "__Host-ebranch" if SECURE else "ebranch"
HALF_COOKIE = "__Host-ebranch-half" if SECURE else "ebranch-half"
HELD_OPEN = frozenset({"/live", "/tabs"})  # a connection that a forgotten page keeps is no sign of its owner


def cookie(name: str, token: str, life: timedelta) -> Cookie:
    """A cookie no script can read and no other site's form carries."""
    return Cookie(
        name, value=token, max_age=int(life.total_seconds()), path="/", httponly=True, samesite="lax", secure=SECURE)


def source_of(connection: ASGIConnection) -> str:
    """Where a request came from, for the evidence."""
    return connection.client.host if connection.client else "?"


async def may_go_on(connection: ASGIConnection) -> bool:
    """Whether a long-lived connection is still its owner's: same session, not ended, under the role it began with."""
    actor = await who_is(connection.cookies.get(SESSION_COOKIE, ""), source_of(connection), active=False)
    return actor is not None and actor.grant_id == connection.user.grant_id


class Authentication(AbstractAuthenticationMiddleware):
    """Puts the Actor, or None, into every connection."""

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:
        token = connection.cookies.get(SESSION_COOKIE)
        if not token:
            return AuthenticationResult(user=None, auth=None)
        active = connection.scope["path"] not in HELD_OPEN and "x-passive" not in connection.headers
        return AuthenticationResult(user=await who_is(token, source_of(connection), active=active), auth=None)
