"""Two thousand officers from one sheet: handed in as a browser does, worked off by the stack's own worker."""
import io
import time

import httpx
from openpyxl import Workbook

from server.accounts.authentication import SESSION_COOKIE
from server.officers.sheet import COLUMNS
from tests.bench.figures import Figure
from tests.bench.growth import HALLS
from tests.bench.stack import Stack
from tests.officers.stories import id_number

OFFICERS, MOST_S = 2000, 30
TOKEN = "safety officer's session"
NUMBERED = "SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT max(id) FROM person))"  # what grew numbered itself
SAFETY_OFFICER = """
WITH person AS (INSERT INTO person (name, sort_key) VALUES ('安全员', 'a') RETURNING id),
account AS (INSERT INTO account (person_id, password_hash) SELECT id, '' FROM person RETURNING id),
held AS (INSERT INTO role_grant (account_id, role, organisation_id)
         SELECT a.id, '安全员', o.id FROM account a, organisation o WHERE o.kind = '县委组织部'
         RETURNING id, account_id)
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256(convert_to($1, 'UTF8')), account_id, id, 'bench', now() + interval '1 day' FROM held"""


def sheet() -> bytes:
    """An .xlsx with OFFICERS rows, spread over the halls' branches."""
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.append(list(COLUMNS.values()))
    for number in range(OFFICERS):
        page.append([f"干部{number}", id_number(number), f"138{number:08}", f"会场{1 + number % HALLS}支部", "组织委员",
                     "换届"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def officers(stack: Stack) -> list[Figure]:
    """From handing in the sheet until every row of it is done."""
    for table in ("person", "account", "role_grant"):
        stack.ask(NUMBERED, table)
    stack.ask(SAFETY_OFFICER, TOKEN)
    body, began = sheet(), time.monotonic()
    answer = httpx.post(f"{stack.origin}/accounts/imports", files={"file": ("officers.xlsx", body)}, timeout=60,
                        data={"why": "换届"}, cookies={SESSION_COOKIE: TOKEN})
    handed_in = time.monotonic() - began
    assert answer.status_code == 303, answer.text
    while not (done := stack.ask("SELECT opened, wrong FROM officer_import WHERE state = '已完成'")):
        time.sleep(0.1)
    taken = time.monotonic() - began
    assert (done[0]["opened"], done[0]["wrong"]) == (OFFICERS, 0)
    return [Figure("officers imported", taken, "s", at_most=MOST_S,
                   beside=f"{OFFICERS} rows, {handed_in:.1f} s of them handing in")]
