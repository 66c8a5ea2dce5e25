"""What a phone has to fetch: HTML, CSS and JS, compressed, of a first visit and of every later page."""
import re

import httpx

from tests.bench.figures import Figure
from tests.bench.growth import token
from tests.bench.pages import VIEWER, held
from tests.bench.stack import Stack

FIRST, LATER = 60, 10  # KB
ASSET = re.compile(r'(?:src|href)="(/static/[^"]+\.(?:css|js))"')


def sizes(stack: Stack) -> list[Figure]:
    """The sign-in page with all it names, and then the thread list, a thread, a meeting and the officer's pages."""
    meeting = held(stack)
    with httpx.Client(base_url=stack.origin) as client:
        first = fetched(client, "/sign-in", "")
        html = client.get("/sign-in").text
        assets = {path: fetched(client, path, "") for path in ASSET.findall(html)}
        later = {path: fetched(client, path, viewer) for path, viewer in (
            ("/threads", VIEWER), (f"/threads/{meeting['thread']}", VIEWER), (f"/meetings/{meeting['id']}", VIEWER),
            ("/meetings", VIEWER), ("/me", VIEWER), ("/to-dos", token(0, 1)), ("/meetings/new", token(0, 1)),
            (f"/meetings/{meeting['id']}/log", token(0, 1)))}
    greatest = max(later, key=later.__getitem__)
    return [
        Figure("first visit", (first + sum(assets.values())) / 1000, "KB", at_most=FIRST,
               beside=f"HTML {first / 1000:.1f}, CSS and JS {sum(assets.values()) / 1000:.1f}"),
        Figure("later page", later[greatest] / 1000, "KB", at_most=LATER,
               beside=f"the greatest of {len(later)}: {greatest}"),
    ]


def fetched(client: httpx.Client, path: str, viewer: str) -> int:
    """Bytes of an answer's body as it comes over the line."""
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip", "Cookie": f"ebranch={viewer}"}) as answer:
        if answer.status_code != 200:
            raise ValueError(f"{path} answers {answer.status_code}")
        return sum(len(piece) for piece in answer.iter_raw())
