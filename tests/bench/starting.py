"""What the machine has to give: the time of a start, the memory of the whole stack, the time of the great import."""
import subprocess
import time
from pathlib import Path

import psutil

from server.settings import ROOT
from tests.bench.figures import Figure
from tests.bench.stack import Stack
from tests.organisations.register import register

LATER_START_S, IDLE_MB, IMPORT_S = 8, 450, 20
SETTLED_S = 5  # after the first page, until it is idle


def starting(folder: Path) -> list[Figure]:
    """A later start of the demonstration, and its memory when nobody is there."""
    stack = Stack(folder, demo=True)
    first = stack.start()
    stack.stop()
    later = stack.start()
    try:
        time.sleep(SETTLED_S)
        own = psutil.Process(stack.process.pid)
        shares = [process.memory_full_info().pss for process in [own, *own.children(recursive=True)]]
    finally:
        stack.stop()
    return [
        Figure("later start", later, "s", at_most=LATER_START_S, beside=f"the first one, on no data: {first:.0f} s"),
        Figure("idle stack", sum(shares) / 1e6, "MB", at_most=IDLE_MB, beside=f"PSS of {len(shares)} processes"),
    ]


def importing(stack: Stack) -> list[Figure]:
    """import-units with all 64,095 places."""
    file = stack.data.with_name("register.csv.gz")
    file.write_bytes(register())
    began = time.monotonic()
    subprocess.run([ROOT / ".venv/bin/ebranch", "import-units", file], cwd=ROOT, env=stack.environ, check=True,
                   stdout=subprocess.DEVNULL)
    return [Figure("import-units", time.monotonic() - began, "s", at_most=IMPORT_S, beside="64,095 units")]
