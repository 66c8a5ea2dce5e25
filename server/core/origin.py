"""Where a request says it came from: headers that a stranger writes, and that may be nonsense."""
import re
from urllib.parse import SplitResult, urlsplit

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Scope, Send

from server.settings import settings

NOWHERE = SplitResult("", "", "", "", "")


def read(address: str) -> SplitResult:
    """The parts of an address; nothing in any of them when it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return NOWHERE


def within(path: str) -> str:
    """`path` if it stays within this site, else the entrance: nobody is led elsewhere by an address of ours."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


def came_from(request: ASGIConnection) -> str:
    """The path of our own page that a link or form stood on, or ""."""
    page = read(request.headers.get("referer", ""))
    ours = {request.headers.get("host"), read(settings.origin).netloc}
    return page.path if page.netloc in ours and page.path.startswith("/") and not page.path.startswith("//") else ""


HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")


def is_host(value: bytes) -> bool:
    """Whether a Host header is a name or address, and a port that there is."""
    found = HOST.fullmatch(value)
    return bool(found) and int((found and found[1]) or 0) < 65_536


def with_sound_host(app: ASGIApp) -> ASGIApp:
    """`app`, to which our own host is told where the Host header is none or one of several: it would trip."""
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope.get("headers", ()) if name == b"host"]
        if hosts and (len(hosts) > 1 or not is_host(hosts[0])):
            ours = read(settings.origin).netloc.encode()
            scope["headers"] = [*(one for one in scope["headers"] if one[0] != b"host"), (b"host", ours)]
        await app(scope, receive, send)
    return serve
