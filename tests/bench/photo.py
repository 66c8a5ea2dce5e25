"""A photograph of 12 megapixels: how long the server is busy with it, and what the web processes' memory grows by."""
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx
import psutil
from PIL import Image

from server.core.kinds import PIECE
from tests.bench.figures import Figure
from tests.bench.growth import token
from tests.bench.stack import Stack

SECONDS, GROWTH = 1.5, 40  # MB: what a process of this size moves by itself
ROUNDS, FILM = 5, 150_000_000  # bytes of what is refused only once it has come whole
OFFICER = token(0, 1)


def photo(stack: Stack) -> list[Figure]:
    """Photographs sent piece by piece, as phones do, and a form with a large file, as a browser without script does."""
    body = photograph()
    with httpx.Client(base_url=stack.origin, cookies={"ebranch": OFFICER}, timeout=120) as client, \
            memory(stack) as peaks:
        send(client, body, 0)
        before = peaks()
        took = median(send(client, body, number) for number in range(1, ROUNDS + 1))
        refused = client.post(f"/meetings/{log_of(stack)}/log", data={"version": "0"},
                              files={"log_attachments_file": ("film.mp4", bytes(FILM))})
        if refused.status_code not in (409, 422):
            raise ValueError(f"a film of zeros: {refused.status_code}")
        grown = max(0.0, peaks() - before)
    return [
        Figure("photo of 12 MP", took, "s", at_most=SECONDS, beside=f"{len(body) / 1e6:.1f} MB, median of {ROUNDS}"),
        Figure("web memory", grown, "MB more", at_most=GROWTH,
               beside=f"{ROUNDS} photographs and a form of {FILM // 1_000_000} MB"),
    ]


def photograph() -> bytes:
    """4000 × 3000 pixels with the grain of a phone's camera."""
    grain, made = Image.effect_noise((1000, 750), 60).resize((4000, 3000)), io.BytesIO()
    Image.merge("RGB", (grain, grain.rotate(180), grain)).save(made, "JPEG", quality=88)
    return made.getvalue()


def log_of(stack: Stack) -> int:
    """A meeting of the officer's branch whose log may be written: the form is read before anything is refused."""
    return stack.ask("""SELECT id FROM meeting WHERE begins_at < now() AND branch_id = (
        SELECT branch_id FROM meeting ORDER BY id LIMIT 1) ORDER BY begins_at DESC LIMIT 1""")[0]["id"]


def send(client: httpx.Client, body: bytes, number: int) -> float:
    """Sends it in pieces, has it looked at, takes it back; the seconds the server needed."""
    form = {"place": "log_photos", "about": "/bench", "name": "a.jpg", "size": len(body), "mark": str(number)}
    began = time.monotonic()
    upload = client.post("/uploads", data=form).raise_for_status().json()
    for at in range(upload["of"]):
        client.post(f"/uploads/{upload['id']}/pieces/{at}", content=body[at * PIECE:][:PIECE]).raise_for_status()
    client.post(f"/uploads/{upload['id']}/check").raise_for_status()
    took = time.monotonic() - began
    client.post(f"/uploads/{upload['id']}/removal").raise_for_status()
    return took


@contextmanager
def memory(stack: Stack) -> Iterator:
    """peaks(): the most megabytes the web processes have had in memory since it was last asked."""
    ended, most, web = threading.Event(), [0.0], processes(stack)

    def watch() -> None:
        while not ended.wait(0.02):
            most[0] = max(most[0], resident(web))

    def peaks() -> float:
        most[0], before = resident(web), most[0]
        return max(before, most[0])

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield peaks
    finally:
        ended.set()


def processes(stack: Stack) -> list[psutil.Process]:
    """All processes of granian: named once, for what they start looks like them for a moment."""
    return [one for one in psutil.Process(stack.process.pid).children(recursive=True)
            if "granian" in " ".join(one.cmdline())]


def resident(web: list[psutil.Process]) -> float:
    """Their megabytes."""
    return sum(one.memory_info().rss for one in web) / 1e6
