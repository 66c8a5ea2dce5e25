"""Visiting the application in the test's own process, signed in as somebody of the cast."""
import asyncio
import logging
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Self

import httpx
from litestar import Litestar

from server.accounts.authentication import SESSION_COOKIE
from server.app import make_app
from server.core.actor import Actor
from server.core.clock import now
from server.core.database import rows, the_row
from server.core.tokens import token_hash
from server.permissions import Role
from tests.cast import Person, phone_index

logging.getLogger("httpx").setLevel(logging.WARNING)
STALE = timedelta(minutes=10)
WHO = """
SELECT p.id AS person_id, a.id AS account_id, g.id AS grant_id, p.name, g.role, o.id AS organisation_id,
       o.path AS organisation_path, o.name AS organisation_name, o.kind AS organisation_kind, o.committee_id, a.large,
       o.unit_code, u.name AS unit_name
FROM account a JOIN person p ON p.id = a.person_id JOIN role_grant g ON g.account_id = a.id
JOIN organisation o ON o.id = g.organisation_id JOIN unit u ON u.code = o.unit_code
WHERE p.phone_index = $1 AND g.role = $2"""


async def actor_of(person: Person) -> Actor:
    """The Actor of somebody of the cast, under the cast's role, without a session."""
    found = await the_row(WHO, phone_index(person.phone), str(person.role))
    return Actor(**dict(found) | {"role": Role(found["role"])}, session_id=0, source="test")


async def session_token(person: Person, life: timedelta = timedelta(days=1)) -> str:
    """The token of a session opened for somebody just now, without asking for password and code."""
    found = await the_row(WHO, phone_index(person.phone), str(person.role))
    token = secrets.token_urlsafe(32)
    await rows("""INSERT INTO session (token_hash, account_id, grant_id, device, source, used_at, expires_at,
                                       confirmed_at) VALUES ($1, $2, $3, 'test', '127.0.0.1', $4, $5, $4)""",
               token_hash(token), found["account_id"], found["grant_id"], now(), now() + life)
    return token


@cache
def the_app() -> Litestar:
    """The application, made once in a process: it takes a tenth of a second, and keeps nothing between requests."""
    return make_app()


class Visitor:
    """A client for each person, talking to the application without a network."""

    def __init__(self) -> None:
        self.app = the_app()
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.since: dict[str, datetime] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients.values():
            await client.aclose()

    async def client(self, person: Person | None) -> httpx.AsyncClient:
        """Somebody's own client, cookies included; signed in anew when the clock has been moved since."""
        key = person.phone if person else ""
        if key not in self.clients:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            self.clients[key] = httpx.AsyncClient(transport=transport, base_url="http://testserver")
            self.since[key] = now() - STALE
        if person and abs(now() - self.since[key]) >= STALE:
            self.clients[key].cookies.set(SESSION_COOKIE, await session_token(person))
            self.since[key] = now()
        return self.clients[key]

    async def opens(self, person: Person | None, path: str) -> int:
        """The status of an answer that goes on until the browser leaves, which it does as soon as it begins."""
        cookie = "; ".join(f"{name}={value}" for name, value in (await self.client(person)).cookies.items())
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
                 "http_version": "1.1", "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
                 "root_path": "", "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode())]}
        began: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            await began
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                began.set_result(message["status"])

        await asyncio.wait_for(self.app(scope, receive, send), 10)  # type: ignore[arg-type]
        return await began

    async def visit(self, person: Person | None, method: str, path: str, **request: Any) -> httpx.Response:
        """One request as `person`; redirects are not followed."""
        return await (await self.client(person)).request(method, path, **request)
