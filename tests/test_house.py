"""The rules of the house, held by a test each: what is declared, how long things are, what a page may carry."""
import ast
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from litestar import get
from piccolo.columns import Array, Column, ForeignKey
from piccolo.table import TABLE_REGISTRY

from server import catalogues, disclosure, meetings, officers, query_accounts, questions, supervision, villages
from server.app import ROUTES, make_app
from server.core.answers import HEADERS
from server.core.assets import YEAR, asset
from server.core.crypto import ENCRYPTED
from server.core.moves import Move
from server.evidence import words
from server.permissions import BRANCH_OFFICERS, GRANTS, OFFICERS, Can, Role
from server.threads.rules import KINDS
from tests.cast import MEMBER, SECRETARY, VILLAGER

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "pages").rglob("*.html"))
CODE = sorted(chain.from_iterable((ROOT / room).rglob("*.py") for room in ("server", "tasks")))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
DATA = ("migrations", "data", "demo")  # what may be longer, being data
MOST_LINES, USUAL_LINES, FUNCTION_LINES = 400, 200, 60
HANDLERS = [handler for route in make_app().routes for handler in route.route_handlers]
MOVING = {  # whose moves there are: what they are addressed at, their states
    meetings: ("/meetings/{meeting_id:int}", meetings.rules.State),
    officers: ("/accounts/nominations/{nomination_id:int}", officers.rules.NominationState),
    villages: ("/exemptions/{exemption_id:int}", villages.rules.Exempting),
    catalogues: ("/catalogues/{county:str}", catalogues.rules.State),
    disclosure: ("/disclosures/{matter_id:int}", disclosure.rules.State),
    questions: ("/questions/{question_id:int}", questions.rules.State),
    query_accounts: ("/query-accounts/applications/{application_id:int}", query_accounts.rules.ApplicationState),
    supervision: ("/spot-checks/{check_id:int}", supervision.rules.State),
}
TONES = (  # every state has its colour
    (meetings.rules.TONES, meetings.rules.Stage), (villages.rules.TONES, villages.rules.State),
    (villages.rules.EXEMPTION_TONES, villages.rules.Exempting), (disclosure.rules.TONES, disclosure.rules.State),
    (questions.rules.TONES, questions.rules.State), (query_accounts.rules.TONES, query_accounts.rules.ApplicationState),
    (supervision.rules.TONES, supervision.rules.State),
)
TYPES = {"BigSerial": "bigint", "BigInt": "bigint", "Text": "text", "Integer": "integer",
         "Timestamptz": "timestamp with time zone", "Date": "date", "Boolean": "boolean", "Bytea": "bytea",
         "JSONB": "jsonb", "Array": "ARRAY"}
ELEMENTS = {"Text": "_text", "BigInt": "_int8"}  # the database's names of arrays of them


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


# Declared -------------------------------------------------------------------------------------------------------------

def test_every_route_says_who_may():
    undeclared = [str(handler) for handler in HANDLERS if not isinstance(handler.opt.get("can"), Can)
                  and set(getattr(handler, "http_methods", ())) != {"OPTIONS"}]
    assert undeclared == []


def test_only_what_must_be_is_open_to_everybody():
    public = {path for handler in HANDLERS if handler.opt.get("can") is Can.PUBLIC for path in handler.paths}
    assert public == {"/", "/health", "/sign-in", "/static/{fingerprint:str}/{name:path}", "/c/{token:str}",
                      "/wall/{token:str}", "/wall/{token:str}/live", "/picture-codes/new", "/picture-codes/{token:str}",
                      "/picture-codes/{token:str}/sound", "/demo/outbox", "/password-reset",
                      "/activation", "/activation/code", "/activation/request",
                      "/registration", "/registration/code", "/registration/request",
                      "/query-accounts/new"}  # who applies is nobody yet (M3§9)


def test_every_role_has_its_grants_and_every_grant_somebody_who_holds_it():
    assert set(GRANTS) == set(Role)
    assert set().union(*GRANTS.values()) | {Can.PUBLIC} == set(Can)
    assert BRANCH_OFFICERS < OFFICERS


def test_the_three_departments_persons_keep_out_of_each_others_work():
    own = {Role.SAFETY_OFFICER: {Can.ACCOUNT_KEEP, Can.NOMINATION_READ, Can.MESSAGE_READ, Can.MESSAGE_RESEND},
           Role.AUDITOR: {Can.AUDIT_READ}}
    for role, its in own.items():
        assert GRANTS[role] == {Can.SIGNED_IN} | its, "no business screens"


def test_every_domain_that_has_moves_is_looked_at_here():
    found = {file.parent.name for file in CODE
             if file.name == "rules.py" and re.search(r"^MOVES\b", file.read_text(), re.MULTILINE)}
    assert found == {domain.__name__.removeprefix("server.") for domain in MOVING}


@pytest.mark.parametrize("domain", MOVING, ids=lambda domain: domain.__name__)
def test_moves_lead_from_states_to_states_and_have_names_of_their_own(domain: ModuleType):
    moves, states = domain.rules.MOVES, MOVING[domain][1]
    assert all(isinstance(move, Move) and move.frm <= set(states) and move.to in states for move in moves)
    assert len({move.name for move in moves}) == len({move.label for move in moves}) == len(moves)


@pytest.mark.parametrize("domain", MOVING, ids=lambda domain: domain.__name__)
def test_every_move_is_an_address_with_the_right_it_declares(domain: ModuleType):
    for move in domain.rules.MOVES:
        path = f"{MOVING[domain][0]}/{move.name}"
        its = [one.opt["can"] for one in HANDLERS if path in one.paths and "POST" in one.http_methods]
        assert its == [move.can], move


def test_every_state_has_its_colour():
    for tones, states in TONES:
        assert set(tones) == set(states)


def test_the_application_knows_what_to_do_with_every_card_it_posts():
    """A process that imports the application and nothing else: what the worker knows besides does not help a page."""
    known = subprocess.run(
        [sys.executable, "-c", "import server.app; from server.threads.cards import OWN_STATES; print(*OWN_STATES)"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(known) == {"meeting", "meeting_log", "amendment", "day", "matter", "question"}


def test_threads_are_known_by_their_own_names():
    assert all(name == kind.name and kind.empty for name, kind in KINDS.items())


def type_of(column: Column) -> str:
    """The database's type of a column; a foreign key has the one of the key it points to."""
    if isinstance(column, ForeignKey):
        return type_of(column._foreign_key_meta.resolved_references._meta.primary_key)
    return TYPES[type(column).__name__]


async def test_the_tables_in_python_are_the_tables_in_the_database(owner):
    for table in [table for table in TABLE_REGISTRY if table.__module__.startswith("server.")]:
        rows = await owner.fetch("SELECT column_name, data_type, is_nullable, udt_name FROM information_schema.columns"
                                 " WHERE table_name = $1 AND table_schema = 'public'", table._meta.tablename)
        found = {one["column_name"]: (one["data_type"], one["is_nullable"] == "YES") for one in rows}
        told = {column._meta.name: (type_of(column), column._meta.null) for column in table._meta.columns}
        assert told == found, table
        arrays = {column._meta.name: ELEMENTS[type(column.base_column).__name__] for column in table._meta.columns
                  if isinstance(column, Array)}
        assert arrays == {one["column_name"]: one["udt_name"] for one in rows if one["data_type"] == "ARRAY"}, table


async def test_the_application_owns_nothing_and_deletes_only_drafts_and_guesses(owner):
    rights = await owner.fetch("SELECT table_name, privilege_type FROM information_schema.table_privileges"
                               " WHERE grantee = 'ebranch_app' AND table_schema = 'public'")
    granted = {(one["table_name"], one["privilege_type"]) for one in rights}
    assert {table for table, right in granted if right == "DELETE"} == {
        "log_draft", "guess", "upload", "file", "parked_form",
        "catalogue", "catalogue_item", "edition_file", "ledger_line"}  # of these, the drafts: triggers keep the rest
    assert not {right for _, right in granted} & {"TRUNCATE", "TRIGGER", "REFERENCES"}
    for table in ("clock", "deadline_rule", "calendar_day", "calendar_confirmation", "unit"):
        assert {right for name, right in granted if name == table} == {"SELECT"}, table
    columns = {one["column_name"] for one in await owner.fetch(
        "SELECT column_name FROM information_schema.column_privileges WHERE grantee = 'ebranch_app'"
        " AND table_name = 'audit_event' AND privilege_type = 'INSERT'")}
    assert columns
    assert not columns & {"id", "at"}, "nobody numbers or dates evidence"
    assert {right for name, right in granted if name == "file"} == {"SELECT", "INSERT", "DELETE"}  # unreferenced only
    for table in ("version", "log_check"):
        assert {right for name, right in granted if name == table} == {"SELECT", "INSERT"}, table
    assert {right for name, right in granted if name == "audit_seal"} == {"SELECT"}, "the database seals by itself"


# Bytes that are no personal value: digests, and what HMACs under keys that are never rotated leave.
DIGESTS = {"audit_seal.digest", "audit_value.commitment", "audit_checkpoint.signature", "file.sha256_received",
           "file.sha256_small", "file.sha256_stored", "session.token_hash", "parked_form.token_hash",
           "one_time_code.phone_mac", "code_limit.phone_mac", "picture_code_use.token_hash", "number_opening.press",
           "authorisation.code_hash", "attendance.scan", "officer_import.sha256", "ledger_import.sha256",
           "reader_import.sha256"}


async def test_a_rotation_of_the_keys_knows_every_encrypted_column(owner):
    found = {f"{one['table_name']}.{one['column_name']}" for one in await owner.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'bytea'")}
    declared = {f"{column.table}.{column.name}" for column in ENCRYPTED}
    indexes = {f"{column.table}.{column.index}" for column in ENCRYPTED if column.index}
    assert len(declared) == len(ENCRYPTED)
    assert found - DIGESTS == declared | indexes, "declare an encrypted column in crypto.ENCRYPTED, or its digest here"


ASK_NO_TABLE = ["audit_spelled", "audit_link", "audit_chained"]  # the first is spelled within whoever asks: no settings


async def test_every_guard_in_the_database_finds_its_tables_where_we_put_them(owner):
    """A temporary table of the same name is found first, unless the search path says that it comes last."""
    loose = await owner.fetch("""
        SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
          AND pg_get_userbyid(p.proowner) = 'ebranch_owner'
          AND p.proname <> ALL($1)
          AND NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=pg_catalog, public, pg_temp']""", ASK_NO_TABLE)
    assert [one["proname"] for one in loose] == []


# Written --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("file", CODE + TESTS + PAGES, ids=name_of)
def test_a_file_is_short(file: Path):
    assert file.parent.name in DATA or len(file.read_text().splitlines()) <= MOST_LINES


def test_most_files_are_shorter_still():
    lengths = [len(file.read_text().splitlines()) for file in CODE]
    assert sum(length < USUAL_LINES for length in lengths) >= 0.9 * len(lengths)


@pytest.mark.parametrize("file", CODE + TESTS, ids=name_of)
def test_a_file_says_what_it_is_for_and_its_functions_fit_on_a_screen(file: Path):
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree) or file.name == "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, f"{node.name} is {file.name}'s longest scroll"


def test_names_say_what_a_thing_is():
    words = {part for file in CODE for part in re.split(r"[_.]", file.name)} | {
        part for file in CODE for part in file.relative_to(ROOT).parts[:-1]}
    assert not words & {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc", "base"}


def imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return named | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize(("package", "rooms"), [
    ("arq", ("server/core/effects.py", "tasks/")), ("redis", ("server/core/", "tasks/")), ("tasks", ("tasks/",)),
    ("PIL", ("server/core/decode.py", "server/demo/vouchers.py")),
    ("argon2", ("server/accounts/passwords.py", "server/demo/")),
])
def test_a_package_stays_in_its_rooms(package: str, rooms: tuple[str, ...]):
    strays = [name_of(file) for file in CODE if not name_of(file).startswith(rooms)
              and any(name.split(".")[0] == package for name in imports(file))]
    assert strays == []


def test_nothing_says_where_it_was_made():
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, kept):
        file = ROOT / name.decode()
        if file.is_file() and file.suffix not in (".png", ".gz") and file != Path(__file__):
            text = file.read_text("utf-8", "replace")
            assert not re.search(r"registry\.npmjs\.org|pypi\.org/simple|files\.pythonhosted|/work/|/root/", text), name


# Shown ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_template_is_a_page_with_its_blocks_or_a_piece_of_one(page: Path):
    source = page.read_text()
    if page.name == "layout.html":
        return
    piece = page.name.startswith("_") or page.parent.name == "parts"
    assert piece != ('{% extends "layout.html" %}' in source)
    assert piece or "{% block title %}" in source
    assert piece or "{% block content %}" in source
    assert source.startswith("{#"), "a template says first which address shows it, and with what"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_template_shows_and_computes_nothing(page: Path):
    source = page.read_text()
    assert not re.search(r"\|\s*safe\b|\{%\s*autoescape", source)
    assert not re.search(r"hx-on|hx-vals=.js:|\son[a-z]+\s*=|javascript:|\sstyle\s*=|<style", source)
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", source)
    assert "http://" not in source, "nothing comes from elsewhere"
    assert "https://" not in source


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_form_works_without_script(page: Path):
    for form in re.findall(r"<form\b[^>]*>", page.read_text()):
        assert 'method="post"' in form, form  # a search, too: what is looked for stands in no address
        assert "action=" in form, form
    for link in re.findall(r"<a\b[^>]*>", page.read_text()):
        assert "href=" in link, link


# Answered -------------------------------------------------------------------------------------------------------------

def assert_headers(answer: httpx.Response) -> None:
    for name, value in HEADERS.items():
        assert answer.headers.get(name) == value, (answer.request.url, name)


def test_the_policy_lets_no_foreign_and_no_inline_code_run():
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert all(rule in policy for rule in (
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"))


@pytest.mark.parametrize(("person", "method", "path", "status"), [
    (None, "GET", "/sign-in", 200), (None, "GET", "/threads", 303), (None, "POST", "/meetings", 401),
    (MEMBER, "GET", "/threads", 200), (MEMBER, "GET", "/to-dos", 403), (VILLAGER, "POST", "/meetings", 403),
    (MEMBER, "GET", "/meetings/999999", 404), (MEMBER, "GET", "/no-page", 404), (None, "GET", "/no-page", 404),
    (MEMBER, "DELETE", "/meetings", 405), (MEMBER, "OPTIONS", "/meetings", 204), (None, "HEAD", "/sign-in", 405),
    (SECRETARY, "POST", "/meetings", 422), (SECRETARY, "GET", "/meetings/new?held=x", 400),
    (None, "GET", asset("app.css"), 200),
    (None, "GET", "/static/0/no-such-file", 404), (None, "GET", "/health", 503), (None, "GET", "/c/x", 404),
])
async def test_every_answer_carries_the_headers_that_keep_it_safe(visit, person, method, path, status):
    answer = await visit(person, method, path)
    assert answer.status_code == status
    assert_headers(answer)
    if person and answer.headers.get("content-type", "").startswith("text/html") and status < 400:
        assert answer.headers["cache-control"] == "no-store"


async def test_a_fault_of_ours_tells_nothing_and_is_as_safe(database):
    @get("/broken", can=Can.PUBLIC)
    async def broken() -> None:
        raise RuntimeError("the secret inside")

    transport = httpx.ASGITransport(app=make_app([*ROUTES, broken]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "编号" in answer.text
    assert "secret" not in answer.text
    assert_headers(answer)


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json", "/openapi.json", "/docs", "/redoc", "/swagger",
                                  "/.env", "/static/..%2fserver/settings.py", "/.git/config"])
async def test_nothing_tells_how_we_are_made(visit, path):
    assert (await visit(None, "GET", path)).status_code == 404


async def test_a_static_file_is_kept_for_a_year_by_its_content(visit):
    answer = await visit(None, "GET", asset("app.js"))
    assert answer.headers["cache-control"] == YEAR
    assert "set-cookie" not in answer.headers


async def test_a_cookie_is_for_the_server_alone_and_nobody_gets_one_unasked(visit):
    for path in ("/sign-in", "/health", "/threads", asset("app.css")):
        assert "set-cookie" not in (await visit(None, "GET", path)).headers
    answer = await visit(None, "POST", "/sign-in", data={"phone": MEMBER.phone, "password": "Dengta2026"})
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/"))


def verbs_of(node: ast.AST) -> set[str]:
    """The words a piece of code can stand for: itself, both sides of an `if`."""
    if isinstance(node, ast.IfExp):
        return verbs_of(node.body) | verbs_of(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_every_verb_and_kind_of_the_evidence_has_its_chinese_words():
    """What is given to audit.record, audit.values and meetings' evidence, or stands in a table VERBS."""
    verbs, kinds = set(), set()
    for file in (ROOT / "server").rglob("*.py"):
        if file.parts[-2:] == ("evidence", "words.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("audit.record", "audit.values", "evidence"):
                verbs |= verbs_of(node.args[1])
                kinds |= verbs_of(node.args[2])
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VERBS":
                verbs |= set().union(*(verbs_of(value) for value in node.value.values))
    assert {"check_in", "sign_out", "sign_out_everywhere", "plan_meeting"} <= verbs, "the test finds them"
    assert verbs - set(words.VERBS) == set(), "server/evidence/words.py says them in Chinese"
    assert kinds - set(words.KINDS) == set()
