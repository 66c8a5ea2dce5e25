"""Anything at all, at every address: random methods, paths, queries, headers, cookies and bodies, as everybody.
Never a fault of ours. What was sent is said when it fails; the same seed sends it again.

EBRANCH_FUZZ_S=600 makes it go on for longer than the suite has time for; EBRANCH_FUZZ_SEED=7 begins elsewhere."""
import os
import random
import time
from collections.abc import AsyncIterator
from itertools import count
from typing import Any
from urllib.parse import quote, quote_from_bytes

import httpx
import pytest

from tests.cast import CAST
from tests.inputs.nonsense import MULTIPART, ODD_QUERIES, URLENCODED, part, spelled
from tests.inputs.test_never_500 import ODD_IDS
from tests.permissions.forms import FORMS, address
from tests.permissions.table import TABLE, Sentence
from tests.permissions.test_matrix import about
from tests.permissions.world import Thing, World
from tests.visits import Visitor

SECONDS = float(os.environ.get("EBRANCH_FUZZ_S", 20))
SEED = int(os.environ.get("EBRANCH_FUZZ_SEED", 1_000_000))
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(int(SECONDS) + 180)]

METHODS = ("GET", "POST", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "X")
TYPES = (URLENCODED, URLENCODED, URLENCODED, f"{MULTIPART}; boundary=b", f"{MULTIPART}; boundary=b", MULTIPART,
         f"{URLENCODED}; charset=utf-16", f"{URLENCODED}; charset=x", "application/json", "text/plain", "", "a/b;c=d")
NAMES = ("Cookie", "HX-Request", "HX-Target", "HX-Source", "Origin", "Referer", "Sec-Fetch-Site", "Host", "Accept",
         "Accept-Encoding", "Accept-Language", "Range", "If-None-Match", "If-Modified-Since", "Last-Event-ID",
         "X-Forwarded-For", "X-Forwarded-Proto", "X-Passive", "X-HTTP-Method-Override", "Content-Length",
         "Transfer-Encoding", "Expect", "User-Agent", "Authorization", "Content-Encoding", "Connection")
ATOMS = (
    "", "0", "-1", "1", "9" * 19, "9" * 400, "1e309", "NaN", "true", "null", "[]", "{}", "x", " ", "\n", "一", "𬶮",
    "\x00", "\x1b[2J", "\u202e", "\ufffd", "'", '"', "<b>", "{{7*7}}", "%s%n", "../../etc/passwd", "2026-11-22T19:30",
    "2026-02-30T25:61", "0001-01-01T00:00", "9999-12-31T23:59", "370921195503154213", "13700000007", "参加", "主题党日",
    "审核通过", "A" * 3000, "٣", "１２３", "=1+1", "ebranch=x", "\r\nSet-Cookie: a=b", "gzip, x;q=9", "bytes=0-", "*/*",
)


class Chance:
    """What a seed brings."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, of: Any) -> Any:
        return self.random.choice(of)

    def text(self) -> str:
        """A known trouble, several, or any characters at all (but a lone surrogate: no client can send one as text)."""
        if self.often(0.7):
            return "".join(self.one(ATOMS) for _ in range(self.random.randint(1, 2)))
        picked = (self.random.randrange(0x110000) for _ in range(self.random.randint(1, 30)))
        return "".join(chr(one) for one in picked if not 0xD800 <= one < 0xE000)

    def raw(self) -> bytes:
        """Bytes, which need not be text."""
        if self.often(0.3):
            return self.random.randbytes(self.random.randint(0, 60))
        return self.text().encode() + self.one((b"", b"\xff", b"\xed\xa0\x80", b"\x00"))

    def fields(self, form: dict[str, Any]) -> list[tuple[str, Any]]:
        """A sensible form with some of it changed, doubled, left out, or added."""
        pairs = [(name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value])]
        found = []
        for name, value in pairs:
            if self.often(0.1):
                continue
            found.append((name, self.text() if self.often(0.35) else value))
            if self.often(0.08):
                found.append((name, self.text()))
        if self.often(0.1):
            found.append((self.text(), self.text()))
        return found

    def body(self, form: dict[str, Any]) -> tuple[str, bytes]:
        """A content type, and a body that may be of it."""
        media_type, fields = self.one(TYPES), self.fields(form)
        if media_type.startswith(MULTIPART):
            content = b"".join(part(name.encode("ascii", "replace").decode().replace('"', ""), str(value).encode(),
                                    head=self.one(("", "", '; filename="a.jpg"', f'; filename="{self.one(ODD_IDS)}"')))
                               for name, value in fields) + b"--b--\r\n"
        elif media_type == "application/json":
            content = self.one((b"[" * self.random.randint(1, 5000), b'{"a": ' + self.raw(), b'"\\ud800"'))
        else:
            content = "&".join(spelled({quote(name): value}) for name, value in fields).encode()
            content += b"&x=" + quote_from_bytes(self.raw()).encode() if self.often(0.1) else b""
        if self.often(0.15):
            content = content[:self.random.randint(0, len(content))]
        if self.often(0.05):
            content = self.raw() * self.random.randint(1, 2000)
        return media_type, content

    def request(self, sentence: Sentence, thing: Thing) -> tuple[str, str, dict[str, Any]]:
        """Method, address and the rest of one request."""
        parts = [self.one((quote(self.text(), safe=""), *ODD_IDS)) if "{" in one and self.often(0.15) else one
                 for one in sentence.path.split("/")]
        path = address("/".join(parts), thing)
        if self.often(0.05):
            path = "/" + quote(self.text())
        if self.often(0.4):
            path += "?" + self.one((*ODD_QUERIES, f"{quote(self.text())}={quote(self.text())}"))
        headers: list[tuple[bytes, bytes]] = []
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            headers.append((self.one(NAMES).encode(), self.raw()[:2000].replace(b"\r", b"").replace(b"\n", b"")))
        method = sentence.method if self.often(0.85) else self.one(METHODS)
        sent: dict[str, Any] = {}
        if method not in ("GET", "HEAD") or self.often(0.02):
            make = FORMS.get(sentence.path)
            media_type, sent["content"] = self.body(make(thing) if make else {})
            headers.append((b"Content-Type", media_type.encode()))
        return method, path[:60_000], sent | {"headers": headers}


async def things(world: World) -> AsyncIterator[tuple[Sentence, Thing]]:
    """Something for each address to be about."""
    for sentence in TABLE:
        if sentence.path.endswith("/live"):
            continue
        for person in CAST[:12:3]:
            async for thing in about(world, sentence, person):
                facts = {"own_people": [], "people": [0], "version": 0} | thing.facts
                yield sentence, Thing(thing.name, thing.path, thing.ids, thing.owner, thing.stage, facts)
                break


async def test_whatever_comes_is_answered(world: World, visitor: Visitor):
    targets = [one async for one in things(world)]
    end, refused, seeds = time.monotonic() + SECONDS, 0, count(SEED)
    while time.monotonic() < end:
        chance = Chance(seed := next(seeds))
        sentence, thing = chance.one(targets)
        person = chance.one((*CAST, None))
        method, path, sent = chance.request(sentence, thing)
        try:
            answer = await visitor.visit(person, method, path, **sent)
        except (httpx.InvalidURL, UnicodeError):  # the client itself refuses to send it
            refused += 1
            continue
        said = f"EBRANCH_FUZZ_SEED={seed}: {person and person.name} {method} {path[:300]} {str(sent)[:600]}"
        assert answer.status_code < 500 or path.startswith("/health"), said
        assert answer.headers.get("content-security-policy"), said
        assert "Traceback" not in answer.text, said
        if sentence.path in ("/sign-in", "/sign-out") and person:
            visitor.clients.pop(person.phone, None)
    sent_off = seed - SEED + 1
    assert refused < sent_off / 10, "nearly all of it is sent"
    assert sent_off > 20 * SECONDS, "and it is much"
