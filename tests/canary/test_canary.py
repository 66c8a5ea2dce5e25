"""A canary's ID number, phone and name go through every screen and form of a real stack, and sing nowhere else: no
address, log, Redis key or value, job, column in clear, error page, nothing that a browser keeps."""
import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_urlsafe
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from server.core import calendar_days
from server.settings import socket_folder
from tests.browser.visitors import ARGUMENTS, CHROMIUM
from tests.canary import villages
from tests.canary.conftest import Cage
from tests.canary.places import IN_BROWSER, in_addresses, in_answer, in_database, in_files, in_redis
from tests.canary.values import REGISTERED, TYPED, leaks, spellings
from tests.cast import COMMITTEE, COUNTY, MEMBER, SECRETARY, VILLAGE_ADMIN, Person
from tests.databases import enter_pool, leave_pool
from tests.faults.photographs import photograph
from tests.permissions.forms import FORMS, address, body
from tests.permissions.table import TABLE, Sentence
from tests.permissions.test_matrix import expected, fresh
from tests.permissions.world import Thing, World
from tests.visits import Visitor, session_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = (*REGISTERED.all, *TYPED.all)
AS_TYPED = (f"{TYPED.name}，{TYPED.id_number}，电话 {TYPED.phone}", TYPED.name, TYPED.id_number, TYPED.phone)

# Where what people type about anything is kept, as they typed it: it is what they wanted to say, to those who may read.
WORDS = {
    ("entry", "text"), ("entry", "take_down_reason"), ("entry", "card"), ("entry", "html"), ("entry", "who"),
    ("meeting", "topic"), ("meeting", "place"), ("meeting", "reason"), ("meeting_log", "minutes"),
    ("meeting_log", "chair"), ("meeting_log", "recorder"), ("meeting_log", "agenda"), ("meeting_log", "decisions"),
    ("meeting_log", "votes"), ("meeting_log", "guests"), ("log_draft", "fields"), ("deadline", "title"),
    ("log_check", "reason"),
    ("attendance", "reply_note"), ("attendance", "name"), ("audit_event", "before"), ("audit_event", "after"),
    ("audit_event", "why"), ("amendment", "explanation"), ("amendment", "answer"),
    ("version", "content"), ("version", "difference"), ("version", "why"), ("file", "name"), ("upload", "name"),
    ("nomination", "name"), ("nomination", "reason"), ("nomination", "answer"), ("person", "name"),
    ("role_grant", "why"), ("role_grant", "end_why"), ("account", "switch_why"), ("hand_over", "why"),
    ("exemption", "reason"), ("exemption", "opinion"), ("exemption", "answer"), ("catalogue", "note"),
    ("catalogue_item", "name"), ("catalogue_item", "content"), ("catalogue_item", "guidance"),
    ("catalogue_item", "department"), ("catalogue_item", "columns"), ("office", "name"),
    ("matter", "title"), ("matter", "withdrawn_why"), ("edition", "title"), ("edition", "text"), ("edition", "html"),
    ("declared", "undone_why"), ("edition", "lines"), ("edition", "why"), ("rendering", "html"),
    ("signature", "reason"), ("review", "reasons"),
    ("withdrawal", "reason"), ("withdrawal", "answer"), ("ledger_line", "voucher"), ("ledger_line", "summary"),
    ("ledger_line", "handler"), ("ledger_line", "witness"), ("ledger_line", "approver"), ("ledger_line", "note"),
    ("ledger_import", "file_name"), ("ledger_import_row", "cells"), ("question", "text"), ("question", "answer"),
    ("question", "line_words"), ("question", "hidden_why"), ("reader", "end_why"), ("household_member", "name"),
    ("household_member", "relation"), ("reader_application", "answer"), ("reader_import", "file_name"),
    ("spot_check", "finding"), ("spot_check_step", "text"),
}
LOG = "/meetings/{meeting_id:int}/log"
DOWNLOADS = ("/template", "/export", "/wrong-rows")  # no pages: sheets to be kept
FIELDS = "main input:is([type=text], [type=tel], [type=search]):visible, main textarea:visible"


class Caller(Visitor):
    """Everybody at the stack's own door; every answer is searched."""

    def __init__(self, cage: Cage) -> None:
        super().__init__()
        self.cage, self.found = cage, list[str]()

    async def client(self, person: Person | None) -> httpx.AsyncClient:
        key = person.phone if person else ""
        if key not in self.clients:
            token = {"ebranch": await session_token(person)} if person else {}
            self.clients[key] = httpx.AsyncClient(base_url=self.cage.address, cookies=token, timeout=30)
        return self.clients[key]

    async def visit(self, person: Person | None, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await super().visit(person, method, path, **request)
        except (httpx.ReadError, httpx.RemoteProtocolError):  # refused before the body was read
            return httpx.Response(413)
        self.found += in_answer(answer, BOTH)
        if method == "GET":  # whatever it is a page of, its numbers are masked
            self.found += [f"{path} shows {number}" for number in leaks(answer.content, REGISTERED.numbers)]
        return answer


@asynccontextmanager
async def world_of(cage: Cage) -> AsyncIterator[World]:
    """What the matrix is tried on, in the stack's own database."""
    calendar_days._read = None
    async with AsyncExitStack() as left:
        left.push_async_callback(leave_pool)
        await enter_pool(f"postgresql://ebranch_app@/ebranch?host={socket_folder(cage.data)}", 4)
        connection = await asyncpg.connect(f"postgresql://postgres@/ebranch?host={socket_folder(cage.data)}")
        left.push_async_callback(connection.close)
        world = World(connection)
        await world.settle()
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(realm: Cage) -> AsyncIterator[tuple[Caller, World]]:
    async with world_of(realm) as world, Caller(realm) as caller:
        yield caller, world


def tried(found: list[tuple[Person, Thing, int]]) -> Iterator[tuple[Person, Thing]]:
    """For each role one that is let through and one that is not."""
    seen = set()
    for person, thing, status in found:
        kind = (person.role, status < 400)
        if kind not in seen:
            seen.add(kind)
            yield person, thing


async def look_at_every_page(caller: Caller, world: World) -> None:
    """Every page, as every role, and the canary's own among them."""
    own = await world.postgres.fetchval("SELECT id FROM person WHERE name = $1", REGISTERED.name)
    for sentence in (one for one in TABLE if one.method == "GET" and not one.path.endswith("live")):
        for person, thing in tried(await expected(world, sentence)):
            await caller.visit(person, "GET", address(sentence.path, thing))
            if "person_id" in sentence.path:
                await caller.visit(person, "GET", address(sentence.path, Thing("", "", {"person_id": own})))
        await caller.visit(None, "GET", address(sentence.path, thing))


async def use_the_registered_ones(caller: Caller, world: World) -> None:
    """Searched for, opened, signed in with: each number by the field that is made for it."""
    own = await world.postgres.fetchval("SELECT id FROM person WHERE name = $1", REGISTERED.name)
    for person in (SECRETARY, COMMITTEE, COUNTY):
        for wanted in REGISTERED.all:
            answer = await caller.visit(person, "POST", "/members/search", data={"wanted": wanted, "after": ""})
            assert REGISTERED.name in answer.text
        for what, number in zip(("身份证号", "手机号码"), REGISTERED.numbers, strict=True):
            opened = await caller.visit(person, "POST", f"/members/{own}/openings", data={
                "what": what, "reason": "核对党员信息", "detail": "", "press": token_urlsafe(16)})
            assert number in opened.text
    for phone in REGISTERED.numbers + TYPED.numbers:
        for _ in range(12):  # the throttle is among what must keep it to itself
            await caller.visit(None, "POST", "/sign-in", data={"phone": phone, "password": "Dengta2026!"})


def typed_into(form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The form with the canary in one field after the other, and with each of its values in all of them."""
    fields = [name for name in form if not name.startswith("mark-") or name == min(form)]
    for typed in AS_TYPED:
        yield dict.fromkeys(form, typed)
    for name in fields:
        yield form | {name: AS_TYPED[0]}


async def type_into_every_form(caller: Caller, world: World) -> None:
    """Into every field of every form, as somebody who may, who may not, and nobody; broken in every way besides."""
    for sentence in (one for one in TABLE if one.method == "POST"):
        found = await expected(world, sentence)
        person, thing = next((person, thing) for person, thing, status in sorted(found, key=lambda one: one[2]))
        form = FORMS[sentence.path](thing) if sentence.path in FORMS else {}
        for filled in typed_into(form):
            on = await fresh(world, sentence, thing)
            await caller.visit(person, "POST", address(sentence.path, on), data=filled)
        await break_it(caller, sentence, person, thing)
        if sentence.path in ("/sign-in", "/sign-out"):
            caller.clients.pop(person.phone)


async def break_it(caller: Caller, sentence: Sentence, person: Person, thing: Thing) -> None:
    """The canary in what is no form, in a file's name, and where it is refused before anybody reads it."""
    path, words = address(sentence.path, thing), AS_TYPED[0].encode()
    bodies = ({"data": {"text": AS_TYPED[0]}},
              {"data": {"text": AS_TYPED[0]}, "headers": {"origin": "https://evil.example"}},
              {"content": words, "headers": {"content-type": "multipart/form-data; boundary=b"}},
              {"content": b'{"id_number": "' + words, "headers": {"content-type": "application/json"}})
    for who in (None, person):
        for sent in bodies:
            await caller.visit(who, "POST", path, **sent)
    for name in ("photo", "file"):
        await caller.visit(person, "POST", path, files={name: (f"{AS_TYPED[0]}.jpg", words)})
    if sentence.path == LOG:
        handed = {"log_photos_file": (f"{AS_TYPED[0]}.jpg", photograph(), "image/jpeg")}
        await caller.visit(person, "POST", path, **body(sentence.path, thing), files=handed)
    await caller.visit(person, "PUT", path, data={"text": AS_TYPED[0]})


async def break_the_house(caller: Caller, world: World) -> None:
    """Faults of ours, of the kinds that quote: a column that is gone, a constraint that shows the row."""
    forum = await world.thread("qiancun", "forum")
    await world.postgres.execute("ALTER TABLE person RENAME COLUMN sort_key TO gone")
    await world.postgres.execute("ALTER TABLE entry ADD CONSTRAINT odd CHECK (text <> $$" + AS_TYPED[0] + "$$)")
    try:
        searched = await caller.visit(SECRETARY, "POST", "/members/search", data={"wanted": TYPED.name, "after": ""})
        said = await caller.visit(MEMBER, "POST", f"/threads/{forum.ids['thread_id']}/entries",
                                  data={"text": AS_TYPED[0]})
    finally:
        await world.postgres.execute("ALTER TABLE person RENAME COLUMN gone TO sort_key")
        await world.postgres.execute("ALTER TABLE entry DROP CONSTRAINT odd")
    assert (searched.status_code, said.status_code) == (500, 500)


@pytest.mark.timeout(600)  # every screen and form, as everybody
async def test_the_canary_sings_nowhere(realm: Cage, caller: tuple[Caller, World]):
    calling, world = caller
    await break_the_house(calling, world)
    await use_the_registered_ones(calling, world)
    await villages.apply_and_be_opened(calling, world)
    handed_in = await villages.hand_in_sheets(calling, world)
    await look_at_every_page(calling, world)
    await type_into_every_form(calling, world)
    await asyncio.sleep(3)  # the worker does what is due
    await villages.look_at_imports(calling, handed_in)
    assert sorted(set(calling.found)) == []
    redis = realm.redis()
    assert await in_redis(redis, BOTH) == []
    await redis.aclose()
    assert in_files(*realm.heard(), realm.data / "redis", values=BOTH) == []
    kept = await in_database(world.postgres, BOTH)
    assert {(table, column) for table, column, value in kept if value in REGISTERED.numbers} == set()
    strange = {(table, column, value) for table, column, value in kept if (table, column) not in WORDS
               and not (value == REGISTERED.name and table == "audit_event" and column == "person_name")}
    assert sorted({f"{table}.{column}" for table, column, _ in strange}) == []
    assert in_files(realm.data / "postgres" / "base", values=REGISTERED.numbers) == []
    assert {("person", "name", REGISTERED.name)} <= kept, "the search finds what is there"


@pytest.mark.timeout(600)  # every page of four people
async def test_a_browser_keeps_nothing_of_it(realm: Cage, caller: tuple[Caller, World]):
    _, world = caller
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for person in (SECRETARY, MEMBER, COMMITTEE, VILLAGE_ADMIN):
            context = await browser.new_context(base_url=realm.address)
            await context.add_cookies([{"name": "ebranch", "value": await session_token(person), "url": realm.address}])
            page = await context.new_page()
            for sentence in (one for one in TABLE if one.method == "GET" and not one.path.endswith("live")):
                allowed = [thing for who, thing, status in await expected(world, sentence)
                           if who is person and status == 200]
                if not allowed or "static" in sentence.path or "picture" in sentence.path:
                    continue
                if sentence.path.endswith(DOWNLOADS):
                    continue
                await page.goto(address(sentence.path, allowed[0]), wait_until="domcontentloaded")
                fields = page.locator(FIELDS)
                for number in range(await fields.count()):
                    await fields.nth(number).fill(TYPED.id_number[:await most(fields.nth(number))])
                    await fields.nth(number).blur()
                if await fields.count():
                    await page.wait_for_timeout(200)
                    assert leaks(await page.evaluate(IN_BROWSER), BOTH) == [], sentence
            await context.close()
        await browser.close()


async def most(field: Any) -> int:
    """How many characters a field takes."""
    return int(await field.get_attribute("maxlength") or 1000)


# The searches themselves --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value", REGISTERED.all)
def test_each_spelling_is_found(value: str):
    for spelled in spellings(value):
        assert leaks(b"before " + spelled + b" after", (value,)) == [value]
    assert leaks("nothing of the kind 370921********9871 198****1234", (value,)) == []


@pytest.mark.parametrize("page", [
    '<a href="/members?q=19876501234">', '<form method="post" action="/x?name=%E7%94%84%E9%87%91%E9%9B%80">',
    '<div hx-get="/members/370921195307159873">', '<i data-live-src="/x/19876501234">', '<img src="/a?19876501234">'])
def test_a_planted_address_is_found(page: str):
    value = page.replace("370921195307159873", REGISTERED.id_number)
    assert in_addresses(value, REGISTERED.all)


async def test_a_planted_header_and_error_page_are_found():
    request = httpx.Request("GET", "http://x/")
    for answer in (httpx.Response(303, headers={"location": f"/x?{TYPED.phone}"}, request=request),
                   httpx.Response(422, html=f'<div class="empty error">{TYPED.id_number}</div>', request=request),
                   httpx.Response(500, text=TYPED.name, request=request)):
        assert in_answer(answer, TYPED.all)
    typed_again = httpx.Response(422, html=f'<input value="{TYPED.phone}">', request=request)
    assert in_answer(typed_again, TYPED.all) == []


async def test_what_is_planted_in_each_place_of_the_stack_is_found(realm: Cage, caller: tuple[Caller, World]):
    _, world = caller
    redis = realm.redis()
    for plant in (redis.set("a", json.dumps({"name": REGISTERED.name})), redis.hset("b", "c", REGISTERED.phone),
                  redis.zadd("d", {REGISTERED.id_number: 1}), redis.rpush("e", REGISTERED.phone),
                  redis.set(f"arq:job:{REGISTERED.phone}", b"1"), redis.xadd("f", {"g": REGISTERED.id_number})):
        await plant
        assert await in_redis(redis, REGISTERED.all)
        await redis.delete("a", "b", "d", "e", "f", f"arq:job:{REGISTERED.phone}")
        assert await in_redis(redis, REGISTERED.all) == []
    await redis.aclose()
    assert in_files(realm.data / "redis", values=REGISTERED.numbers), "the AOF keeps what was deleted"
    leak = realm.data / "logs" / "planted.log"
    leak.write_text(json.dumps({"message": f"for {TYPED.name}"}))
    assert in_files(*realm.heard(), values=TYPED.all)
    leak.unlink()
    for column, value in {"key": TYPED.phone, "payload": json.dumps([TYPED.name]), "fault": TYPED.id_number}.items():
        row = {"key": "planted", "payload": "{}", "fault": ""} | {column: value}
        await world.postgres.execute("INSERT INTO effect (key, kind, payload, fault, due_at, state)"
                                     " VALUES ($1, 'x', $2, $3, now(), 'done')", *row.values())
        assert ("effect", column, TYPED.name if column == "payload" else value) in await in_database(
            world.postgres, TYPED.all)
        await world.postgres.execute("DELETE FROM effect WHERE kind = 'x'")


async def test_what_is_planted_in_a_browser_is_found(realm: Cage):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for plant in ("localStorage.a = x", "sessionStorage.a = x", "document.cookie = 'a=' + x", "location.hash = x",
                      "history.replaceState({a: x}, '')",
                      "caches.open('a').then(one => one.put('/?' + x, new Response()))"):
            page = await browser.new_page(base_url=realm.address)
            await page.goto("/sign-in")
            assert leaks(await page.evaluate(IN_BROWSER), TYPED.all) == []
            await page.evaluate(f"x => {plant}", TYPED.phone)
            assert leaks(await page.evaluate(IN_BROWSER), TYPED.all), plant
            await page.context.close()
        await browser.close()

