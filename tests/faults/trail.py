"""A trail that can be broken at will: with it every change has to fail as a whole."""
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import httpx
from asyncpg import Connection

from tests.cast import Person
from tests.databases import sums
from tests.visits import Visitor

BREAKABLE = """
CREATE TABLE broken (since timestamptz);
GRANT SELECT ON broken TO ebranch_app;
CREATE FUNCTION fail_where_broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM broken) THEN
        RAISE EXCEPTION 'the trail is broken';
    END IF;
    RETURN NULL;
END $$;
-- Deferred: it fails at the very end, when everything that belongs together has been written.
CREATE CONSTRAINT TRIGGER audit_event_breakable AFTER INSERT ON audit_event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fail_where_broken()"""
# What may change by itself: guesses are counted before they are looked at, a picture serves once, sessions remember
# their last use, files that were sent wait for their form.
BESIDE = ("guess", "picture_code_use", "one_time_code", "code_limit", "broken", "clock", "upload", "file")

Each = Callable[[httpx.AsyncClient], Awaitable[dict[str, str]]]


class Trail:
    """Makes changes as people do, each on a broken trail first, and looks at what each has left."""

    def __init__(self, owner: Connection, visitor: Visitor) -> None:
        self.owner, self.visitor = owner, visitor
        self.visited: list[str] = []

    async def breakable(self) -> Self:
        await self.owner.execute(BREAKABLE)
        self.tables = [one["tablename"] for one in await self.owner.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL($1)", BESIDE)]
        return self

    async def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Differs whenever anything in the database does."""
        return await sums(self.owner, self.tables, "(to_jsonb(t) - 'used_at')::text")

    async def newest(self) -> int:
        return await self.owner.fetchval("SELECT coalesce(max(id), 0) FROM audit_event")

    async def change(self, verb: str, person: Person | None, path: str, *, again: bool = True,
                     also: Sequence[str] = (), each: Each | None = None, known: bool = True,
                     **request: Any) -> httpx.Response:
        """Posts; asserts that it fails wholly while the trail is broken, leaves one row of evidence when it isn't, with
        those of what it brings about (`also`), and none when it is sent `again`.

        each: makes the form anew for every time, where something in it is good once; known: False where nobody has
        proved yet to be anybody."""
        self.visited.append(path)
        client = await self.visitor.client(person)
        request |= {"data": await each(client)} if each else {}
        before = await self.fingerprint()
        await self.owner.execute("INSERT INTO broken VALUES (now())")
        refused = await self.visitor.visit(person, "POST", path, **request)
        await self.owner.execute("DELETE FROM broken")
        assert refused.status_code == 500, f"{verb} {path}: {refused.status_code}, though it left no evidence"
        assert await self.fingerprint() == before, f"{verb} {path}: something was changed without evidence"
        request |= {"data": await each(client)} if each else {}
        newest = await self.newest()
        answer = await self.visitor.visit(person, "POST", path, **request)
        assert answer.status_code in (200, 303), f"{verb} {path}: {answer.status_code} {answer.text}"
        left = await self.owner.fetch("SELECT verb, person_name, role, organisation_id, account_id, source"
                                      " FROM audit_event WHERE id > $1", newest)
        assert [one["verb"] for one in left] == [verb, *also], f"{verb} {path} left {left}"
        named = [value for name, value in left[0].items() if known or name != "account_id"]
        assert None not in named, "evidence names who, as what, where and from where"
        if person:
            assert (left[0]["person_name"], left[0]["role"]) == (person.name, str(person.role))
        if again:
            newest = await self.newest()
            repeated = await self.visitor.visit(person, "POST", path, **request)
            assert repeated.status_code < 500
            assert await self.newest() == newest, f"{verb} {path}: the second time left evidence too"
        return answer

    async def forget_clients(self) -> None:
        """Everybody signs in anew, after the clock was put on by days."""
        for client in self.visitor.clients.values():
            await client.aclose()
        self.visitor.clients.clear()
