"""What every answer carries, what a page on another site can't do, and what a slow connection is given."""
import asyncio
import json
import os
import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import httpx
import pytest
from asyncpg.exceptions import DeadlockDetectedError, SerializationError
from litestar import Litestar, Request, post
from litestar.exceptions import PermissionDeniedException

from server.app import ROUTES, make_app
from server.core import guard, patience
from server.core.answers import HEADERS
from server.permissions import Can
from server.threads.actions import open_threads
from tests.cast import MEMBER, SECRETARY
from tests.meetings.stories import planned
from tests.passwords import PASSWORD
from tests.servers import url

# Every answer ---------------------------------------------------------------------------------------------------------

METHODS = ("TRACE", "TRACK", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND", "NONSENSE", "HEAD")


@pytest.mark.parametrize("person", [None, MEMBER])
async def test_an_odd_method_is_no_way_in_and_echoes_nothing(visit, person):
    for method, path in product(METHODS, ("/sign-in", "/threads", "/meetings/1", "/nowhere", "/health")):
        answer = await visit(person, method, path, headers={"X-Secret": "echoed"})
        assert answer.status_code in (404, 405)
        assert "echoed" not in answer.text
        assert "echoed" not in str(answer.headers)
        assert_safe(answer)


def assert_safe(answer: httpx.Response) -> None:
    """The headers that keep it safe, and kept by nobody."""
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


ANSWERS = (
    ("GET", "/", {}, 303), ("GET", "/threads", {}, 200), ("GET", "/meetings", {"headers": {"HX-Request": "true"}}, 200),
    ("GET", "/nowhere", {}, 404), ("GET", "/meetings/999999", {}, 404), ("GET", "/meetings/new?held=x", {}, 400),
    ("POST", "/meetings", {"content": b"a=&" * 5_001, "headers": {
        "content-type": "application/x-www-form-urlencoded"}}, 413),
    ("POST", "/meetings", {"content": b"x" * 2_000_001}, 413), ("POST", "/meetings", {"content": b"{", "headers": {
        "content-type": "application/json"}}, 400), ("POST", "/meetings", {}, 422), ("OPTIONS", "/meetings", {}, 204),
    ("POST", "/settings/large", {"data": {"large": "0"}}, 303), ("GET", "/health", {}, 503),
    ("GET", "/static/0/nothing", {}, 404), ("POST", "/meetings", {"headers": {"origin": "https://evil.example"}}, 403),
    ("GET", "/threads", {"headers": {"host": "evil example"}}, 200),
    ("GET", "/meetings/9", {"headers": {"host": "a:b"}}, 404),
    ("GET", "/nowhere", {"headers": {"host": "a:99999"}}, 404), ("GET", "/nowhere", {"headers": {"host": ""}}, 404),
)


async def test_whatever_the_answer_it_is_safe_and_kept_by_nobody(visit):
    for method, path, request, status in ANSWERS:
        answer = await visit(SECRETARY, method, path, **request)
        assert answer.status_code == status, (method, path)
        assert_safe(answer)


@pytest.mark.parametrize("fault", [DeadlockDetectedError("x"), SerializationError("x")])
async def test_what_was_undone_for_another_change_can_be_made_again(visit, monkeypatch, fault):
    async def crossed(*_: object) -> None:
        raise fault

    monkeypatch.setattr("server.threads.handlers.thread_list", crossed)
    answer = await visit(SECRETARY, "GET", "/threads")
    assert answer.status_code == 409
    assert "请再试一次" in answer.text


async def test_no_link_is_made_of_the_host_header(visit):
    for path in ("/", "/threads", "/meetings", "/sign-in", "/nowhere", "/me"):
        for name in ("host", "x-forwarded-host", "x-original-url", "forwarded"):
            answer = await visit(SECRETARY, "GET", path, headers={name: "evil.example"})
            assert "evil" not in answer.text + str(answer.headers)


async def test_a_refusal_shows_what_is_new_as_every_page_does(visit):
    await open_threads()
    await planned()
    usual = (await visit(MEMBER, "GET", "/me")).text
    refused = (await visit(MEMBER, "GET", "/meetings/999999")).text
    count = '<span class="badge">'
    assert usual.count(count) == refused.count(count) > 0


ON_HTTPS = """
import asyncio, json, httpx
from server.app import make_app
from server.core import database

async def visit():
    await database.open_pool(2)
    transport = httpx.ASGITransport(app=make_app())
    async with httpx.AsyncClient(transport=transport, base_url="https://e.example.cn") as client:
        found = []
        for origin in ("https://e.example.cn", "http://e.example.cn", "https://evil.example"):
            answer = await client.post("/sign-in", data={"phone": "PHONE", "password": "PASSWORD"},
                                       headers={"origin": origin, "host": origin.partition("://")[2]})
            found.append([answer.status_code, answer.headers.get_list("set-cookie"),
                          answer.headers.get("strict-transport-security")])
        found.append((await client.get("/threads")).status_code)
        print(json.dumps(found))
    await database.engine().close_connection_pool()

asyncio.run(visit())
"""


async def test_on_https_cookies_are_bound_to_the_host_and_browsers_told_to_stay(database):
    """A process of its own, for the origin is read once; behind a proxy that speaks http to us."""
    script = ON_HTTPS.replace("PHONE", MEMBER.phone).replace("PASSWORD", PASSWORD)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env=os.environ | {"EBRANCH_ORIGIN": "https://e.example.cn", "DATABASE_URL": url("ebranch_app", database)})
    assert done.returncode == 0, done.stderr
    ours, plain, foreign, threads = json.loads(done.stdout)
    assert ours[0] == 303
    session = next(one for one in ours[1] if "__Host-ebranch=" in one)
    assert all(one.startswith("__Host-") and "Secure" in one and "Path=/" in one and "Domain" not in one
               for one in ours[1])
    assert all(word in session for word in ("HttpOnly", "SameSite=lax"))
    assert plain[:2] == [403, []], "set, it alone is our origin, whatever the Host header says"
    assert foreign[:2] == [403, []]
    assert {one[2] for one in (ours, plain, foreign)} == {"max-age=31536000"}
    assert threads == 200, "the cookie comes back"


# Another site's page --------------------------------------------------------------------------------------------------

def asked(headers: dict[str, str]) -> SimpleNamespace:
    """A change as a browser asks for it."""
    return SimpleNamespace(headers={name.replace("_", "-"): value for name, value in headers.items()})


HTTPS, LOCAL = "https://e.example.cn", "http://localhost:8000"


@pytest.mark.parametrize(("ours", "headers", "through"), [
    (HTTPS, {"origin": HTTPS, "host": "10.0.0.5:8000"}, True), (HTTPS, {"sec_fetch_site": "same-origin"}, True),
    (HTTPS, {"sec_fetch_site": "none"}, True), (HTTPS, {}, True), (HTTPS, {"referer": f"{HTTPS}/threads"}, True),
    (HTTPS, {"referer": "https://evil.example/"}, False), (HTTPS, {"origin": "null", "referer": f"{HTTPS}/"}, False),
    (HTTPS, {"origin": "http://rebound.example", "host": "rebound.example"}, False),
    (HTTPS, {"origin": "http://e.example.cn", "host": "e.example.cn"}, False),
    (HTTPS, {"origin": f"{HTTPS}.evil.example", "host": "e.example.cn"}, False),
    (HTTPS, {"origin": HTTPS, "sec_fetch_site": "cross-site"}, False),
    (HTTPS, {"origin": "https://e.example.cn:8443"}, False), (HTTPS, {"origin": ""}, True),
    (LOCAL, {"origin": LOCAL}, True), (LOCAL, {"origin": "http://192.168.1.7:8000", "host": "192.168.1.7:8000"}, True),
    (LOCAL, {"origin": "http://evil.example", "host": "192.168.1.7:8000"}, False),
    (LOCAL, {"origin": "null", "host": "null"}, False), (LOCAL, {"origin": "http://", "host": ""}, False),
])
def test_who_may_ask_for_a_change(monkeypatch, ours, headers, through):
    monkeypatch.setattr(guard, "settings", SimpleNamespace(origin=ours))
    if through:
        guard.refuse_foreign_page(asked(headers))
    else:
        with pytest.raises(PermissionDeniedException):
            guard.refuse_foreign_page(asked(headers))


# A slow connection ----------------------------------------------------------------------------------------------------

@post("/slow", can=Can.PUBLIC, status_code=200)
async def slow(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


async def sent(app: Litestar, *pieces: tuple[float, bytes], ends: bool = True) -> int:
    """The status of an answer to a body that comes in pieces, each after a pause of so many seconds."""
    waiting = [*pieces, (0.0, b"")] if ends else [*pieces]

    async def receive() -> dict:
        if not waiting:
            await asyncio.sleep(60)
        pause, body = waiting.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or not ends}

    statuses = []

    async def send(message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/slow", "raw_path": b"/slow", "query_string": b"",
             "http_version": "1.1", "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
             "root_path": "", "headers": [(b"host", b"testserver"), (b"content-type", b"text/plain")]}
    await asyncio.wait_for(app(scope, receive, send), 10)
    return statuses[0]


async def test_a_body_is_waited_for_but_not_for_ever(database, monkeypatch):
    monkeypatch.setattr(patience, "PIECE_S", 0.3)
    monkeypatch.setattr(patience, "BEGIN_S", 0.6)
    app = make_app([*ROUTES, slow])
    assert await sent(app, (0, b"x" * 10)) == 200
    assert await sent(app, *[(0.1, b"x" * 1000)] * 10) == 200, "slow, but it comes"
    assert await sent(app, (0.5, b"x")) == 408, "too long between two pieces"
    assert await sent(app, *[(0.1, b"x")] * 50) == 408, "a byte now and then"
    assert await sent(app, (0, b"x"), ends=False) == 408, "never the rest"


async def test_whoever_only_waits_for_us_is_waited_for(database, monkeypatch):
    monkeypatch.setattr(patience, "PIECE_S", 0.01)
    from tests.visits import Visitor

    async with Visitor() as visitor:
        assert await visitor.opens(MEMBER, "/live") == 200
