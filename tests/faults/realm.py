"""A whole stack with the cast and a full hall in it: real processes, to be killed, stopped and restarted."""
import asyncio
import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import httpx
import psutil
from redis.asyncio import Redis

from server.core import crypto
from server.core.clock import now
from server.core.keys import derived, secret
from server.meetings import tokens
from server.meetings.check_in import KEY_PURPOSE
from server.settings import socket_folder
from tests.cast import Person, phone_index, settle
from tests.passwords import HASH
from tests.starting.conftest import Stack, if_alone, within

HALL = 300  # members of 前村支部 besides the cast's, for a meeting that fills the hall
FILL_HALL = """
WITH people AS (
    INSERT INTO person (name, sort_key) SELECT '党员' || n, 'z' || n FROM generate_series(1, $1::int) AS n
    RETURNING id),
accounts AS (
    INSERT INTO account (person_id, password_hash) SELECT id, $2 FROM people RETURNING id, person_id),
grants AS (
    INSERT INTO role_grant (account_id, role, organisation_id)
    SELECT a.id, '正式党员', o.id FROM accounts a, organisation o WHERE o.name = '前村支部')
INSERT INTO member (person_id, branch_id, standing, since)
SELECT a.person_id, o.id, '正式党员', '2020-07-01' FROM accounts a, organisation o WHERE o.name = '前村支部'"""
SIGN_IN = """
INSERT INTO session (token_hash, account_id, grant_id, device, used_at, expires_at, confirmed_at)
SELECT sha256($1::bytea), a.id, g.id, 'test', now(), now() + interval '1 day', now()
FROM account a JOIN role_grant g ON g.account_id = a.id WHERE a.id = $2 LIMIT 1"""


def send(how: signal.Signals, victims: list[psutil.Process]) -> None:
    """Sends a signal to processes, of which some may have ended because of the others."""
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(how)


class Realm(Stack):
    """The stack, and the ways to reach each of its parts."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.address = f"http://localhost:{self.port}"

    async def settle(self) -> None:
        """Puts the cast and the hall into the new stack's database."""
        key = crypto.path_of(1)  # what the tests encrypt, the stack must be able to read
        crypto.versions()
        (self.data / "keys").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(key, self.data / "keys" / key.name)
        async with self.database() as connection:
            await settle(connection)
            await connection.execute(FILL_HALL, HALL, HASH)

    @asynccontextmanager
    async def database(self, role: str = "ebranch_owner") -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(f"postgresql://{role}@/ebranch?host={socket_folder(self.data)}")
        try:
            yield connection
        finally:
            await connection.close()

    async def ask(self, sql: str, *values: Any) -> Any:
        """The first value of an owner's query."""
        async with self.database() as connection:
            return await connection.fetchval(sql, *values)

    def redis(self) -> Redis:
        return Redis(unix_socket_path=f"{socket_folder(self.data)}/redis.sock")

    @asynccontextmanager
    async def visitor(self, person: Person | None) -> AsyncIterator[httpx.AsyncClient]:
        """A client signed in as one of the cast."""
        async with httpx.AsyncClient(base_url=self.address, timeout=httpx.Timeout(15, connect=5)) as client:
            if person:
                client.headers["cookie"] = (await self.sign_in(await self.account(person)))[0]
            yield client

    async def account(self, person: Person) -> int:
        """The account of one of the cast."""
        return await self.ask("SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.phone_index = $1",
                              phone_index(person.phone))

    async def sign_in(self, *accounts: int) -> list[str]:
        """Cookies of new sessions."""
        tokens = [secrets.token_urlsafe(32) for _ in accounts]
        async with self.database() as connection:
            await connection.executemany(SIGN_IN, [(token.encode(), account)
                                                   for token, account in zip(tokens, accounts, strict=True)])
        return [f"ebranch={token}" for token in tokens]

    async def hall(self, most: int = HALL) -> list[str]:
        """Cookies of people in the hall."""
        async with self.database() as connection:
            found = await connection.fetch(
                "SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.name LIKE '党员%'"
                " ORDER BY a.id LIMIT $1", most)
        return await self.sign_in(*(one["id"] for one in found))

    async def meeting(self, begins: datetime | None = None, topic: str = "学条例", people: int = 25) -> int:
        """A meeting of 前村支部, open for check-in unless it begins later; made by SQL, so at once. Those of the cast
        are on its list, then people of the hall."""
        begins = begins or now() + timedelta(minutes=1)
        async with self.database() as connection, connection.transaction():
            made = await connection.fetchval("""
                INSERT INTO meeting (branch_id, branch_path, origin, kinds, topic, place, begins_at, ends_at, lock_at,
                                     created_by)
                SELECT o.id, '', 'planned', '{主题党日}', $1, '村委会', $2::timestamptz,
                       $2::timestamptz + interval '2 hours', $2, p.id
                FROM organisation o, person p WHERE o.name = '前村支部' AND p.name = '赵德山' RETURNING id""",
                                             topic, begins)
            await connection.execute("""
                INSERT INTO attendance (meeting_id, person_id, name, place_in_list)
                SELECT $1, p.id, p.name, p.id FROM member m JOIN person p ON p.id = m.person_id
                JOIN organisation o ON o.id = m.branch_id WHERE o.name = '前村支部' ORDER BY p.id LIMIT $2""",
                                     made, people)
        return made

    def scan(self, meeting: int) -> str:
        """What the QR code of a meeting opens now."""
        key = derived(secret(self.data / "keys"), KEY_PURPOSE)
        return f"/c/{tokens.scan_token(key, meeting, now())}"

    async def tap(self, phone: httpx.AsyncClient, meeting: int) -> httpx.Response:
        """Scans and taps 签到: the answer, or the page that it leads to. (httpx itself would lose the cookie.)"""
        answer = await phone.post(self.scan(meeting))
        return await phone.get(answer.headers["location"]) if answer.status_code == 303 else answer

    async def lay_reminder(self, meeting: int, after: timedelta = timedelta(0)) -> None:
        """Puts down a reminder of a meeting that is due in a moment."""
        async with self.database() as connection:
            await connection.execute("""
                INSERT INTO effect (key, kind, payload, due_at)
                SELECT 'meeting:' || m.id || ':test', 'meeting_reminder',
                       jsonb_build_object('meeting', m.id, 'begins_at', m.begins_at), ebranch_now() + $2
                FROM meeting m WHERE m.id = $1""", meeting, after)

    async def reminders_of(self, *meetings: int) -> list[int]:
        """How many people each of the meetings was reminded of, counting anybody twice who was reminded twice."""
        async with self.database() as connection:
            found = await connection.fetch("""
                SELECT m.id, (SELECT count(*) FROM entry e, jsonb_array_elements(e.card -> 'lines') line
                              WHERE e.card_kind = 'day' AND line ->> 2 = '/meetings/' || m.id
                              AND NOT EXISTS (SELECT FROM entry f, jsonb_array_elements(f.card -> 'lines') its
                                              WHERE f.thread_id = e.thread_id AND f.id < e.id AND its = line)) AS told,
                       (SELECT count(*) FROM effect WHERE key = 'meeting:' || m.id || ':test' AND state = 'done'
                        AND tries = 1) AS done
                FROM unnest($1::bigint[]) AS m (id) ORDER BY m.id""", list(meetings))
        return [one["told"] if one["done"] == 1 else -1 for one in found]

    async def is_told(self, *meetings: int) -> bool:
        """Whether nothing waits any more of what `lay_reminder` put down."""
        return await self.ask("SELECT count(*) FROM effect WHERE state = 'waiting' AND key = ANY($1)",
                              [f"meeting:{meeting}:test" for meeting in meetings]) == 0

    async def is_sealed(self) -> bool:
        """Whether all evidence is."""
        return await self.ask("""SELECT NOT EXISTS (SELECT FROM audit_event e
                                 WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id))""")

    async def expected(self, meeting: int) -> int:
        return await self.ask("SELECT count(*) FROM attendance WHERE meeting_id = $1", meeting)

    def strike(self, name: str, how: signal.Signals) -> list[psutil.Process]:
        """Sends a signal to one part of the stack; one that asks nobody goes to all its processes."""
        part = self.child(name)
        victims = [part, *part.children()] if how in (signal.SIGKILL, signal.SIGSTOP) else [part]
        send(how, victims)
        return victims

    @asynccontextmanager
    async def without(self, name: str, how: signal.Signals = signal.SIGKILL) -> AsyncIterator[None]:
        """Meanwhile one part of the stack is gone (or, with SIGSTOP, hangs), and nobody starts it again."""
        own = psutil.Process(self.process.pid)
        own.suspend()
        victims = self.strike(name, how)
        try:
            yield
        finally:
            if how == signal.SIGSTOP:
                send(signal.SIGCONT, victims)
            own.resume()
            await asyncio.to_thread(self.until_healthy, if_alone(30))

    async def until(self, limit_s: float, so: Any) -> float:
        """Seconds until the coroutine function `so` says yes."""
        began = monotonic()
        while not await so():
            assert monotonic() - began < if_alone(limit_s), f"not within {limit_s} s\n{self.output()}"
            await asyncio.sleep(0.1)
        return monotonic() - began

    def until_back(self) -> None:
        within(if_alone(20), lambda: self.health()["status"] == 200, self.output)
