"""The three pages everybody opens all day, each against the floor that renders the same page."""
from functools import partial

from asyncpg import Record

from tests.bench.figures import Figure
from tests.bench.growth import token
from tests.bench.load import Compared, Request, compare, press
from tests.bench.stack import Stack

RATIO, SPREAD = 0.6, 4
VIEWER = token(0, 10)  # a member of the village's branch

NEWEST_HELD = """
SELECT m.id, t.id AS thread FROM meeting m JOIN thread t ON t.organisation_id = m.branch_id AND t.kind = 'meetings'
WHERE m.recorded_at IS NOT NULL AND m.ends_at < now() ORDER BY m.begins_at DESC LIMIT 1"""


def held(stack: Stack) -> Record:
    """The last meeting that was held (id), and the branch's thread."""
    return stack.ask(NEWEST_HELD)[0]


def pages(stack: Stack) -> list[Figure]:
    """Thread list, thread, and a meeting that was held, with its log."""
    meeting, figures = held(stack), []
    with stack.floor() as floor:
        for name, path in (("thread list", "/threads"), ("thread", f"/threads/{meeting['thread']}"),
                           ("meeting page", f"/meetings/{meeting['id']}")):
            asked = [Request(path, VIEWER)]
            figures += of_page(name, compare(partial(press, stack.origin, asked), partial(press, floor, asked)))
    return figures


def of_page(name: str, measured: Compared) -> list[Figure]:
    return [
        Figure(name, measured.ratio, "× floor", at_least=RATIO,
               beside=f"{measured.rate:.0f} pages/s, floor {measured.floor:.0f}"),
        Figure(f"{name}, p99", measured.spread, "× p50", at_most=SPREAD,
               beside=f"{measured.p99:.0f} ms, p50 {measured.p50:.0f} ms"),
    ]
