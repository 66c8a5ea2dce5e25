"""The log: whatever is planted in a request, a fault or a message, nothing personal is found in a line of it."""
import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest
from litestar import Request, get

from server.app import ROUTES, make_app
from server.core import logs
from server.core.database import rows
from server.journal import LONGEST, scrub
from server.permissions import Can
from tests.cast import MEMBER, VILLAGER
from tests.visits import session_token

NAME, ID_NUMBER, PHONE, TOKEN = "张大爷", "370921195503154213", "13712345678", "Zx3kP0v-9_QweRtyUiopAsdfghJklzxc"
PLANTED = (NAME, ID_NUMBER, PHONE, TOKEN, "203.0.113.7", "2001:db8::7:1", "Dengta2026", "secret@example.cn")


@pytest.fixture
def said() -> Iterator[StringIO]:
    """What is written to the log meanwhile."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Line())
    root, own = logging.getLogger(), logging.getLogger("server")
    before = own.level
    root.addHandler(handler)
    own.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    own.setLevel(before)


def lines(said: StringIO) -> list[dict]:
    """The lines, each an object, with nothing of what was planted in any."""
    for planted in PLANTED:
        assert planted not in said.getvalue()
    return [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.parametrize("text", [
    NAME, f"{NAME}的身份证号是{ID_NUMBER}", ID_NUMBER[:17] + "X", "370921 19550315 4213", PHONE, "137-1234-5678",
    "137 1234 5678", f"+86{PHONE}", f"phone={PHONE},", f"x{PHONE}y", "370921550315421", TOKEN, f"/c/{TOKEN}/live",
    f"ebranch={TOKEN}; path=/", "203.0.113.7:443", "2001:db8::7:1", "secret@example.cn", "买买提·艾力", "𬶮𰻞", "㐀",
    "postgresql://ebranch_app:Dengta2026@db/ebranch", "could not read 'Dengta2026'", 'got "Dengta2026"',
    "/threads?after=Dengta2026", f"Key (phone_index)=({PHONE}) already exists.", "Key (name)=(Zhang) already exists.",
])
def test_what_means_a_person_is_taken_out(text):
    left = scrub(f"seen: {text}")
    assert left.startswith("seen: ")
    assert not any(planted in left for planted in (*PLANTED, "Zhang", "买买提", "艾力", "𬶮", "㐀", ID_NUMBER[:17]))
    assert sum(character.isdigit() for character in left) < 7, left


@pytest.mark.parametrize("text", [
    "redis does not answer, live pages poll", "effect 4711 (log_lock) failed", "fault 5d0e8380",
    "file 12 can't be read: FileNotFoundError 2", "2026 is confirmed; 17 open deadlines moved", "took 12.5 ms",
])
def test_what_means_nobody_stays(text):
    assert scrub(text) == text


@pytest.mark.parametrize("odd", [
    "a\nb\r\nc", "\x00\x1b[2J", "\ud800", "\u2028\u2029", "x" * 100_000, "", "{}", "%s", "%(a)s %", b"\xff", None, NAME,
    {"name": NAME}], ids=ascii)
def test_a_line_stays_a_line_however_odd_the_words(odd):
    for given in ({"msg": odd}, {"msg": "%s", "args": (odd,)}, {"msg": "%s %s", "args": (odd,)},
                  {"msg": "%(name)s", "args": {"name": odd}}):
        line = logs.Line().format(logging.makeLogRecord(given))
        message = json.loads(line)["message"]
        assert NAME not in line
        assert len(message) <= LONGEST
        assert not message or message.isprintable()


def test_of_a_fault_stand_its_type_and_its_way_and_where_it_came_from(said):
    def read(typed: str) -> int:
        return int(typed)

    try:
        try:
            read(f"{NAME} {PHONE}")
        except ValueError as fault:
            raise LookupError(f"no {NAME} with {ID_NUMBER}") from fault
    except LookupError as fault:
        logging.getLogger("server.test").exception("could not look: %s", fault)
    line, = lines(said)
    assert line["message"] == "could not look: LookupError"
    assert [one["type"] for one in line["fault"]] == ["LookupError", "ValueError"]
    assert line["fault"][1]["frames"][-1].startswith("tests/core/test_logs.py:")
    assert line["fault"][1]["frames"][-1].endswith(" read")


def test_of_several_faults_each_is_told_but_no_more_than_one_can_read(said):
    group = ExceptionGroup(NAME, [ValueError(PHONE), OSError(13, NAME), *(KeyError(ID_NUMBER) for _ in range(50))])
    logging.getLogger("server.test").error("several", exc_info=group)
    line, = lines(said)
    assert [one["type"] for one in line["fault"]] == ["ExceptionGroup", "ValueError", "PermissionError", "KeyError",
                                                      "KeyError"]
    assert line["fault"][2]["code"] == "13"


async def test_what_a_forgotten_task_ended_with_is_not_quoted(said):
    async def fail() -> None:
        raise RuntimeError(f"{NAME}: Dengta2026")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    await asyncio.sleep(0)
    assert [one["fault"][0]["type"] for one in lines(said)] == ["RuntimeError"]


def test_what_a_call_adds_is_a_figure_or_nothing(said):
    logging.getLogger("server.test").info("added", extra={"status": 200, "ms": NAME, "name_": NAME, "phone": PHONE})
    line, = lines(said)
    assert line["status"] == 200
    assert set(line) == {"time", "level", "logger", "message", "status"}


@get("/broken/{token:str}", can=Can.SIGNED_IN)
async def broken(request: Request, token: str) -> None:
    await rows("INSERT INTO guess (key, failures, since) VALUES ($1, 1, now()), ($1, 1, now())",
               f"{NAME} {request.query_params['phone']}")


@get("/twice", can=Can.PUBLIC)
async def twice() -> None:
    await rows("SELECT 1 / (length($1) - 3)", NAME)


async def test_a_request_is_a_line_with_the_routes_template_and_its_fault_has_the_pages_number(said, database):
    transport = httpx.ASGITransport(app=make_app([*ROUTES, broken, twice]), raise_app_exceptions=False)
    headers = {"user-agent": NAME.encode(), "x-forwarded-for": "203.0.113.7", "referer": f"http://testserver/{TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        client.cookies.set("ebranch", await session_token(MEMBER))
        for path in (f"/broken/{TOKEN}", "/twice", "/threads", f"/c/{TOKEN}", f"/nowhere/{ID_NUMBER}"):
            answer = await client.get(path, params={"phone": PHONE})
            if answer.status_code == 500:
                number = answer.text.partition("编号")[2]
                fault = next(line for line in reversed(lines(said)) if "fault" in line)
                assert fault["request"] in number
                assert fault["message"] == f"fault {fault['request']}"
        await client.post("/sign-in", data={"phone": PHONE, "password": "Dengta2026"})
        await client.request(f"X-{NAME}".encode(), "/threads")
    found = lines(said)
    answered = [(one["method"], one["path"], one["status"]) for one in found if one["message"] == "answered"]
    assert answered == [
        ("GET", "/broken/{token}", 500), ("GET", "/twice", 500), ("GET", "/threads", 200), ("GET", "/c/{token}", 404),
        ("GET", None, 404), ("POST", "/sign-in", 422), ("?", None, 405)]
    assert all(one["ms"] > 0 for one in found if one["message"] == "answered")
    assert {one["account"] for one in found if one["path"] == "/threads" and one["status"] == 200} != {None}
    codes = [one["fault"][0]["code"] for one in found if "fault" in one]
    assert codes == ["23505 guess guess_pkey", "22012"], "the code and the table say what to look for"


async def test_what_is_asked_all_the_time_is_told_when_it_is_wrong(said, visit):
    assert (await visit(None, "GET", "/static/0/app.css")).status_code == 200
    assert lines(said) == []
    await visit(None, "GET", "/static/0/nothing")
    await visit(VILLAGER, "GET", "/threads")
    assert [one["status"] for one in lines(said)] == [404, 200]


@pytest.mark.parametrize("end", [
    "raise ValueError('张大爷 13712345678')", "raise ExceptionGroup('张大爷', [OSError(2, 'x')])"])
def test_a_process_that_ends_by_a_fault_does_not_quote_it(end):
    done = subprocess.run([sys.executable, "-c", f"from server.core import logs; logs.begin_log(); {end}"],
                          capture_output=True, text=True, check=False)
    line = json.loads(done.stderr)
    assert (done.returncode, line["level"], line["message"]) == (1, "CRITICAL", "ended by a fault")
    assert done.stdout == ""
