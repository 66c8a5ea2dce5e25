"""The one gate in front of every handler, and the check that a change was asked for by one of our own pages."""
from typing import cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from server.core import parked
from server.core.keyset import IDS_END
from server.core.origin import came_from, read
from server.permissions import Can, may, wants_code
from server.settings import settings

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInFirst(NotAuthorizedException):
    """Nobody is signed in. parked: what the form that came is found by after signing in, None where none was kept."""

    parked: str | None = None


class CodeWanted(PermissionDeniedException):
    """A one-time code has to be entered first; the answer leads there. onwards: where it goes on afterwards."""

    onwards: str


async def enforce(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    """Lets a request through if the actor's active role holds what the handler declares with `can=`.

    A handler without `can` is a KeyError at its first request, and the house test finds it before. OPTIONS, which the
    framework answers with the methods of an address, declares nothing and tells nothing."""
    method = cast(HTTPScope, connection.scope)["method"]  # there are no websockets here
    if method == "OPTIONS":
        return
    can = handler.opt["can"]
    if method not in READS:
        refuse_foreign_page(connection)
    if can is not Can.PUBLIC:
        if connection.user is None:
            raise await sign_in_first(connection, method)
        if not may(connection.user.role, can):
            raise PermissionDeniedException
        if wants_code(connection.user.role, can) and not connection.user.confirmed:
            raise await code_wanted(connection, method)
        if method not in READS and parked.TAKEN_UP in connection.query_params:
            await parked.take_up(connection.query_params[parked.TAKEN_UP], connection.user.account_id)
    if any(isinstance(value, int) and abs(value) >= IDS_END for value in connection.path_params.values()):
        raise NotFoundException


async def sign_in_first(connection: ASGIConnection, method: str) -> SignInFirst:
    """The refusal of who isn't signed in any more, with what the form of an ended session is found by."""
    refusal = SignInFirst()
    if method not in READS and connection.auth is not None:
        refusal.parked = await parked.park(cast(Request, connection), connection.auth)
    return refusal


async def code_wanted(connection: ASGIConnection, method: str) -> CodeWanted:
    """The refusal of who has not entered a code lately: a page goes on to itself, a form to where it was kept."""
    wanted, user = CodeWanted(), connection.user
    if method in READS:
        query = f"?{connection.url.query}" if connection.url.query else ""
        wanted.onwards = connection.url.path + query
    else:
        token = await parked.park(cast(Request, connection), parked.Owner(user.account_id, user.grant_id))
        wanted.onwards = f"/parked/{token}" if token else came_from(connection) or "/"
    return wanted


def refuse_foreign_page(connection: ASGIConnection) -> None:
    """Refuses a form that another site's page sends in somebody's name.

    Every browser in use says where a POST comes from: Sec-Fetch-Site, which no page can forge, or Origin on the old
    ones and over plain http. A very old one that says neither says at least the page it was on (Referer). What says
    nothing at all is no browser, or one that sends nobody's cookie along from elsewhere (SameSite=Lax)."""
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin") or connection.headers.get("referer")
    if site in ("same-origin", "none") or (site is None and origin is None):
        return
    if site not in ("cross-site", "same-site") and origin is not None and is_ours(origin, connection):
        return
    raise PermissionDeniedException("这个请求不是从本系统的页面发出的")


def is_ours(address: str, connection: ASGIConnection) -> bool:
    """Whether a page's address or origin is one of this system's.

    Where EBRANCH_ORIGIN is set it alone counts: a Host header says what a stranger's name server made of our address.
    A demonstration that is opened by whatever address the machine has goes by the Host header."""
    theirs, ours = read(address), read(settings.origin)
    if (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
        return True
    return ours.hostname == "localhost" and bool(theirs.netloc) and theirs.netloc == connection.headers.get("host")
