"""Where a request says it came from: headers that a stranger writes, and that may be nonsense."""
from urllib.parse import SplitResult, urlsplit

from litestar.connection import ASGIConnection

from server.settings import settings

NOWHERE = SplitResult("", "", "", "", "")


def read(address: str) -> SplitResult:
    """The parts of an address; nothing in any of them when it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return NOWHERE


def came_from(request: ASGIConnection) -> str:
    """The path of our own page that a link or form stood on, or ""."""
    page = read(request.headers.get("referer", ""))
    ours = {request.headers.get("host"), read(settings.origin).netloc}
    return page.path if page.netloc in ours and page.path.startswith("/") and not page.path.startswith("//") else ""
