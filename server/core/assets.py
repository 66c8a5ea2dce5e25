"""Static files: one style sheet, one script, the icons. Addressed by content hash, compressed once, kept a year."""
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from markupsafe import Markup

from server.permissions import Can

STATIC = Path(__file__).parents[2] / "static"
YEAR = "public, max-age=31536000, immutable"
# indentation, and comments that have their line to themselves (the tests see to it that there are no others)
MARGIN = re.compile(rb"^[ \t]*(?:(?://|/\*)[^\n]*)?\n?", re.MULTILINE)
MARKED_UP = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
TEXT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One served file: its bytes, the same compressed (None where that saves nothing), its type and address."""

    body: bytes
    packed: bytes | None
    media_type: str
    fingerprint: str
    url: str


def make_asset(name: str, body: bytes) -> Asset:
    """`body` as it will be served under `name`; the address changes whenever the content does."""
    suffix = Path(name).suffix
    media_type = TEXT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0)
    fingerprint = hashlib.sha256(body).hexdigest()[:16]
    url = f"/static/{fingerprint}/{name}"
    return Asset(body, packed if len(packed) < len(body) else None, media_type, fingerprint, url)


def bundle(files: list[Path], between: bytes = b"\n") -> bytes:
    """Our own files one after another, without their comments and indentation, which serve the reader here alone."""
    return between.join(MARGIN.sub(b"", file.read_bytes()) for file in files)


def load(root: Path) -> dict[str, Asset]:
    """Every asset under `root` by name: app.css, app.js, icons/…; FileNotFoundError if htmx was not installed."""
    tokens = root / "css/tokens.css"  # first: it names the layers, so the order of the rest does not matter
    styles = [tokens, *sorted(set((root / "css").glob("*.css")) - {tokens})]
    script = (root / "vendor/htmx.min.js").read_bytes() + b"\n" + bundle(sorted((root / "js").glob("*.js")), b";\n")
    found = {"app.css": make_asset("app.css", bundle(styles)), "app.js": make_asset("app.js", script)}
    for file in sorted((root / "js").glob("*/*.js")):  # of few pages, which name it themselves
        found[file.name] = make_asset(file.name, bundle([file]))
    for file in sorted((root / "icons").iterdir()):
        found[f"icons/{file.name}"] = make_asset(f"icons/{file.name}", file.read_bytes())
    return found


def load_icons(root: Path) -> dict[str, Markup]:
    """Inline SVG by name, drawn with the ink of the text around it and hidden from screen readers."""
    icons = {}
    for file in sorted((root / "icons").glob("*.svg")):
        drawing = MARKED_UP.search(file.read_text("utf-8"))
        if drawing is None:
            raise ValueError(f"{file}: not an SVG drawing")
        icons[file.stem] = Markup(f'<svg class="i" viewBox="0 0 24 24" aria-hidden="true">{drawing[1]}</svg>')
    return icons


ASSETS = load(STATIC)
ICONS = load_icons(STATIC)


def asset(name: str) -> str:
    """The address of a static file, for templates; KeyError if there is none of that name."""
    return ASSETS[name].url


def icon(name: str) -> Markup:
    """An icon to stand inside the page, for templates; KeyError if there is none of that name."""
    return ICONS[name]


@get("/static/{fingerprint:str}/{name:path}", can=Can.PUBLIC)
async def serve(request: Request, fingerprint: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """The asset for a year if the address is current; a page from before an update gets today's file, uncached."""
    found = ASSETS.get(name.lstrip("/"))
    if found is None:
        raise NotFoundException
    headers = {
        "Cache-Control": YEAR if fingerprint == found.fingerprint else "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(found.body, media_type=found.media_type, headers=headers)
