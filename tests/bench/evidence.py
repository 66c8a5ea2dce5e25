"""The evidence: what it adds to a check-in, how long half a million rows are verified, how fast an auditor searches."""
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from statistics import median

import httpx
import psutil

from server.accounts.authentication import SESSION_COOKIE
from server.settings import ROOT
from tests.bench.check_in import ON_NOW, first_ones
from tests.bench.figures import Figure
from tests.bench.load import ROUND_S, WARM_S, Round
from tests.bench.stack import Stack

ROWS, VERIFY_S, MORE_MB = 500_000, 10, 16
ADDS_PERCENT, SEARCH_MS = 20, 200
PAIRS, SETTLED_S = 5, 6  # the worker seals every 3 s
BATCH = 20_000  # rows sealed at once

LOT = """
INSERT INTO audit_event (chain, account_id, person_name, role, organisation_id, verb, subject_kind, subject_id, after,
                         source)
SELECT 'committee-' || n % 40, n % 5000, '王' || n % 5000, '正式党员', 1 + n % 100,
       (ARRAY['check_in', 'sign_in', 'write_log', 'reply', 'open_id_number'])[1 + n % 5], 'meeting', n / 20,
       '{"how": "扫码"}', '192.168.1.' || n % 250 FROM generate_series(1, $1::int) AS n"""
AUDITOR = """
WITH a AS (UPDATE role_grant SET role = '审计员', organisation_id = (
               SELECT id FROM organisation WHERE kind = '省委组织部') WHERE id = 2 RETURNING id, account_id)
INSERT INTO session (token_hash, account_id, grant_id, device, expires_at)
SELECT sha256('auditor'), account_id, id, 'bench', now() + interval '1 hour' FROM a"""
SEARCHES = ("", "?name=王77", "?verb=open_id_number", "?kind=meeting&number=777", "?name=王77&verb=reply",
            "?organisation=会场7", "?since=2026-01-01")


def evidence(stack: Stack) -> list[Figure]:
    """A check-in with and without; then half a million rows, verified and searched."""
    adds = added(stack)
    stack.ask("ALTER TABLE audit_event DISABLE TRIGGER USER")
    _, few_mb = verified(stack)
    stack.ask(LOT, ROWS)
    while stack.ask("SELECT seal_events($1, $2) AS sealed", BATCH, 2**62)[0]["sealed"]:
        pass
    stack.ask("ANALYZE audit_event, audit_seal")
    seconds, many_mb = verified(stack)
    return [adds,
            Figure("verify-audit", seconds, "s", at_most=VERIFY_S, beside=f"{ROWS:,} rows, command and all"),
            Figure("verify-audit, memory", many_mb - few_mb, "MB more", at_most=MORE_MB,
                   beside=f"than on few rows: {many_mb:.0f} MB, {few_mb:.0f} MB"),
            searched(stack)]


def added(stack: Stack) -> Figure:
    """What the evidence adds to the processors' time of a check-in, its sealing included. Time of processors, for what
    else the machine does changes every second."""
    meetings = [found["id"] for found in stack.ask(ON_NOW)]
    with stack.floor("tests.bench.unwitnessed:app") as without:
        rounds = [first_ones(stack, meetings), first_ones(stack, meetings, without)]
        for warm in rounds:
            warm(WARM_S)
        pairs = [[used(stack, one) for one in rounds] for _ in range(PAIRS)]
    ours, bare = (median(its) for its in zip(*pairs, strict=True))
    return Figure("audit in a check-in", (ours / bare - 1) * 100, "% more", at_most=ADDS_PERCENT,
                  beside=f"{ours * 1e6:.0f} µs of processor, without evidence {bare * 1e6:.0f}")


def used(stack: Stack, check_in: Round) -> float:
    """Seconds of processor that a check-in of one round took, until the worker has sealed what it left; what the stack
    takes when nobody is there is not counted."""
    until_sealed(stack)
    before, began = processors(), time.monotonic()
    time.sleep(SETTLED_S)
    idle = (processors() - before) / (time.monotonic() - began)
    before, began = processors(), time.monotonic()
    answers = check_in(ROUND_S).answers
    until_sealed(stack)
    return (processors() - before - idle * (time.monotonic() - began)) / answers


def until_sealed(stack: Stack) -> None:
    """Returns when the worker has sealed the newest event."""
    while not stack.ask("SELECT (SELECT max(id) FROM audit_event) IS NOT DISTINCT FROM"
                        " (SELECT max(event_id) FROM audit_seal) AS sealed")[0]["sealed"]:
        time.sleep(0.5)


def processors() -> float:
    """Seconds of processor that what runs below this process has taken: the stack and the other server."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def verified(stack: Stack) -> tuple[float, float]:
    """Seconds `ebranch verify-audit` takes, and the most memory it had, in MB."""
    began = time.monotonic()
    command = subprocess.Popen([ROOT / ".venv/bin/ebranch", "verify-audit"], cwd=ROOT, env=stack.environ,
                               stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(command.pid, 0)
    if status:
        raise SystemExit(f"verify-audit ended with {status}")
    return time.monotonic() - began, used.ru_maxrss / 1000


def searched(stack: Stack) -> Figure:
    """The slowest of an auditor's searches over all of it, each the median of five."""
    with auditing(stack) as client:
        slowest, query = max((sorted(timed(client, f"/audit{query}") for _ in range(5))[2], query)
                             for query in SEARCHES)
    return Figure("audit search", slowest, "ms", at_most=SEARCH_MS, beside=f"the slowest of {len(SEARCHES)}: {query}")


@contextmanager
def auditing(stack: Stack) -> Iterator[httpx.Client]:
    """A client signed in as the province's auditor."""
    stack.ask(AUDITOR)
    with httpx.Client(base_url=stack.origin, cookies={SESSION_COOKIE: "auditor"}) as client:
        yield client


def timed(client: httpx.Client, path: str) -> float:
    """Milliseconds until the page is there."""
    began = time.monotonic()
    answer = client.get(path)
    answer.raise_for_status()
    if answer.is_redirect:
        raise SystemExit(f"{path} leads to {answer.headers['location']}")
    return (time.monotonic() - began) * 1000
