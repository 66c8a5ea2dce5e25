"""签到: halls full of people tap the button of what they scanned, against a bare insert behind the same server."""
from collections.abc import Iterable
from functools import partial
from itertools import product
from random import Random

from server.core.clock import now
from server.core.keys import derived, secret
from server.meetings.check_in import KEY_PURPOSE
from server.meetings.tokens import grant_token
from tests.bench.figures import Figure
from tests.bench.growth import HALLS, SEATS, token
from tests.bench.load import Pressed, Request, Round, WrongAnswers, compare, press
from tests.bench.stack import Stack

RATIO = 0.5
CAME_ALREADY = 10  # halls in which people tap again

ON_NOW = "SELECT id FROM meeting WHERE begins_at < now() AND ends_at > now() ORDER BY branch_id"
NOBODY = """UPDATE attendance SET mark = NULL, how = NULL, marked_at = NULL, marked_by = NULL, scan = NULL
            WHERE mark IS NOT NULL AND meeting_id = ANY($1)"""
EVERYBODY = """UPDATE attendance SET mark = '参加', how = '扫码', marked_at = now()
               WHERE mark IS NULL AND meeting_id = ANY($1)"""
CAME = "SELECT count(*) AS people FROM attendance WHERE mark = '参加' AND meeting_id = ANY($1)"
BARE = [Request("/bare", method="POST")]


def check_in(stack: Stack) -> list[Figure]:
    """First check-ins, each by another person; then people who have checked in and tap again."""
    meetings = [found["id"] for found in stack.ask(ON_NOW)]
    with stack.floor() as floor:
        bare = partial(press, floor, BARE)
        first = compare(first_ones(stack, meetings), bare)
        again = compare(repeated(stack, meetings[:CAME_ALREADY]), bare)
    return [Figure(name, measured.ratio, "× bare insert", at_least=RATIO,
                   beside=f"{measured.rate:.0f} a second, bare insert {measured.floor:.0f}; "
                          f"p50 {measured.p50:.0f} ms, p99 {measured.p99:.0f} ms")
            for name, measured in (("check-in", first), ("check-in, repeated", again))]


def scans(stack: Stack, meetings: Iterable[int]) -> list[Request]:
    """What everybody in these halls posts who has just scanned, in no order."""
    key = derived(secret(stack.data / "keys"), KEY_PURPOSE)
    taps = [Request(f"/c/{grant_token(key, meeting, now())}", token(hall, seat), "POST")
            for (hall, meeting), seat in product(enumerate(meetings, 1), range(1, SEATS + 1))]
    Random(1).shuffle(taps)
    return taps


def first_ones(stack: Stack, meetings: list[int], origin: str | None = None) -> Round:
    """A round in which nobody has come yet, and which ends before everybody has. origin: of another server than the
    stack's own."""
    def round_(seconds: int) -> Pressed:
        stack.ask(NOBODY, meetings)
        stack.ask("VACUUM attendance")
        pressed = press(origin or stack.origin, scans(stack, meetings), seconds)
        came = stack.ask(CAME, meetings)[0]["people"]
        if not pressed.answers <= came < HALLS * SEATS:
            raise WrongAnswers(f"{pressed.answers} check-ins were answered, {came} people of {HALLS * SEATS} came")
        return pressed
    return round_


def repeated(stack: Stack, meetings: list[int]) -> Round:
    """A round in which everybody has come already."""
    stack.ask(EVERYBODY, meetings)
    return lambda seconds: press(stack.origin, scans(stack, meetings), seconds)
