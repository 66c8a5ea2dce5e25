"""What comes to villages as .xlsx: two thousand query accounts, five thousand lines of a ledger, a township's books.
Handed in as a browser does, worked off by the stack's own worker."""
import asyncio
import io
import re
import time
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from statistics import median
from threading import Thread
from typing import Any

import httpx
from asyncpg import Record
from openpyxl import Workbook

from server.accounts.authentication import SESSION_COOKIE
from server.core.clock import today
from server.ledgers.sheet import OF_MANY, OWN
from server.ledgers.sheet import TITLE as LEDGER_TITLE
from server.query_accounts.imports import HEADS
from server.query_accounts.imports import TITLE as READERS_TITLE
from tests.bench.figures import Figure
from tests.bench.load import Request
from tests.bench.one_village import KEEPER, LISTENERS, MATTERS_FROM, TOWNSHIP, TOWNSHIP_VILLAGES, at_work
from tests.bench.stack import Stack
from tests.bench.steady import one_by_one, p95, steady
from tests.bench.villages import PUBLISHING
from tests.officers.stories import id_number

READERS, READERS_S, SLOWER = 2_000, 60, 1.3
NOBODY_ELSES = 10_000  # serials of numbers no officer of this bench has
LINES, LINES_S = 5_000, 10
EACH = 100  # lines of each of a township's villages but one
PAGE_MS = 300
ALONE_S, AGAIN_S, TIMES = 10, 0.25, 20




def query_accounts(stack: Stack) -> list[Figure]:
    """2,000 query accounts from one sheet, and what pages take meanwhile."""
    asyncio.run(at_work(stack))
    codes = [one["code"] for one in villages(stack)]
    rows = [[codes[number % len(codes)], f"村民{number}", id_number(NOBODY_ELSES + number), f"137{number:08}",
             "村（居）民"] for number in range(READERS)]
    pages = [Request("/disclosures", f"listener-{number}") for number in range(1, LISTENERS + 1)]
    alone_until = time.monotonic() + ALONE_S
    alone = asyncio.run(steady(stack.origin, pages, lambda: time.monotonic() < alone_until))
    body, began = sheet([READERS_TITLE], HEADS.values(), rows), time.monotonic()
    hand_in(stack, "/query-accounts/imports", TOWNSHIP, body)
    done = Watched(stack, "SELECT opened, wrong FROM reader_import WHERE state = '已完成'")
    meanwhile = asyncio.run(steady(stack.origin, pages, done.is_alive))
    assert done.found == {"opened": READERS, "wrong": 0}
    sms = stack.ask("SELECT count(*) AS many FROM sms WHERE key LIKE 'reader-%'")[0]["many"]
    return [Figure("query accounts opened", done.at - began, "s", at_most=READERS_S, beside=f"{READERS:,} rows"),
            Figure("pages meanwhile, p95", p95(meanwhile) / p95(alone), "× alone", at_most=SLOWER,
                   beside=f"{p95(meanwhile):.1f} | {p95(alone):.1f} ms; {sms:,} SMS")]


def ledgers(stack: Stack) -> list[Figure]:
    """A village's month of 5,000 lines, and 49 villages' of 100 lines each, until the last is written; and the page on
    which a month of 5,000 is then looked through."""
    asyncio.run(at_work(stack))
    month = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
    title = [f"{LEDGER_TITLE} · {month.year}年{month.month}月"]
    matter = begun(stack, MATTERS_FROM + 2000 + PUBLISHING)
    own = taken_in(stack, f"/disclosures/{matter}/sheet", KEEPER,
                   sheet(title, OWN.columns.values(), lines(month, LINES)))
    codes = [one["code"] for one in villages(stack) if one["n"] != PUBLISHING]
    assert len(codes) == TOWNSHIP_VILLAGES - 1
    many = taken_in(stack, "/ledger-imports", TOWNSHIP, sheet(
        title, OF_MANY.columns.values(), ([code, *line] for code in codes for line in lines(month, EACH))),
        {"month": f"{month:%Y-%m}"})
    shown = median(one_by_one(f"{stack.origin}/disclosures/{matter}/ledger", KEEPER, TIMES))
    return [Figure(f"ledger of {LINES:,} lines", own, "s", at_most=LINES_S, beside="handed in, looked at, written"),
            Figure(f"ledgers of {len(codes)} villages", many, "s", at_most=LINES_S,
                   beside=f"{len(codes) * EACH:,} lines"),
            Figure("a page of 5,000 lines", shown, "ms", at_most=PAGE_MS, beside="median")]


class Watched(Thread):
    """Asks a statement again and again, until it finds something; alive until then."""

    def __init__(self, stack: Stack, sql: str) -> None:
        super().__init__()
        self.stack, self.sql, self.found = stack, sql, {}
        self.start()

    def run(self) -> None:
        while not self.found:
            time.sleep(AGAIN_S)
            self.found = dict(next(iter(self.stack.ask(self.sql)), {}))
        self.at = time.monotonic()


def villages(stack: Stack) -> list[Record]:
    """The villages of the township, their numbers and codes."""
    return stack.ask("""SELECT n, code FROM bench_village
                        WHERE township = (SELECT township FROM bench_village WHERE n = $1) ORDER BY n""", PUBLISHING)


def sheet(title: list[str], head: Iterable[str], rows: Iterable[list[Any]]) -> bytes:
    """An .xlsx as the template has it: what it is, what the columns are, the rows."""
    book = Workbook(write_only=True)
    page = book.create_sheet()
    for row in (title, list(head), *rows):
        page.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def lines(month: date, many: int) -> Iterable[list[Any]]:
    """So many entries of a month, by day: one income, then what is spent of it."""
    yield [f"{month:%Y-%m}-01", "01", "机动地承包费", "发包及上交收入", f"{many * 10}.00", "", "", "孙", "马", "赵", ""]
    for number in range(2, many + 1):
        yield [f"{month:%Y-%m}-{1 + number * 27 // many:02}", f"{number}", f"第 {number} 笔：村内路灯维修",
               "农田水利及道路维修", "", "9.50", "", "孙", "马", "赵", ""]


def hand_in(stack: Stack, address: str, token: str, body: bytes, fields: Mapping[str, str] | None = None) -> str:
    """Hands a sheet in; where that leads."""
    answer = httpx.post(f"{stack.origin}{address}", files={"file": ("sheet.xlsx", body)}, data=dict(fields or {}),
                        cookies={SESSION_COOKIE: token}, timeout=60)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def begun(stack: Stack, duty: int) -> int:
    """The matter that answers a duty of the village."""
    answer = httpx.post(f"{stack.origin}/disclosures", data={"duty": str(duty)}, cookies={SESSION_COOKIE: KEEPER})
    assert answer.status_code == 303, answer.text
    return int(next(iter(re.findall(r"\d+", answer.headers["location"]))))


def taken_in(stack: Stack, address: str, token: str, body: bytes, fields: Mapping[str, str] | None = None) -> float:
    """Seconds from handing a ledger's sheet in until the last of it is written."""
    began = time.monotonic()
    made = int(hand_in(stack, address, token, body, fields).rpartition("/")[2])
    while not stack.ask("SELECT FROM ledger_import WHERE id = $1 AND state = '已完成'", made):
        time.sleep(0.1)
    taken = time.monotonic() - began
    failed = stack.ask("SELECT * FROM ledger_import_village WHERE import_id = $1 AND state <> '已写入'", made)
    assert not failed, dict(failed[0])
    return taken
