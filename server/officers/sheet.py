"""The .xlsx officers are imported from, and how it is read.

A stranger's file is opened in a process of its own (read_sheet.py) with limited memory and time."""
import asyncio
import json
import subprocess
import sys
from typing import Any

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = {"name": "姓名", "id_number": "身份证号", "phone": "手机号码", "organisation": "党组织全称", "role": "身份",
           "why": "事由"}
OPTIONAL = frozenset({"why"})
MOST_BYTES = 5_000_000  # as uploaded
MOST_ROWS = 20_000
MOST_UNPACKED = 60_000_000  # bytes of everything inside: a zip bomb is told before it is opened
MOST_PARTS = 300
MOST_CELL = 200  # characters
MEMORY = 600_000_000  # bytes the reading process may ask for
PATIENCE_S = 30

_one_at_a_time = asyncio.Semaphore(1)  # of each web process: a hostile one takes all the memory it may


class Unfit(ValueError):
    """Why a file can't be imported from, in words for beside the field."""


async def read_rows(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """The rows of an .xlsx as (number, cells by the names of COLUMNS); Unfit when it is none, or not the template's."""
    if len(body) > MOST_BYTES:
        raise Unfit(f"表格不能超过 {MOST_BYTES // 1_000_000} MB")
    async with _one_at_a_time:
        code, out = await asyncio.to_thread(read_aside, body)
    if code:
        raise Unfit("这个文件打不开，请用下载的模板填好后另存为 .xlsx 再传")
    told: dict[str, Any] = json.loads(out)
    if "unfit" in told:
        raise Unfit(told["unfit"])
    return [(number, cells) for number, cells in told["rows"]]


def read_aside(body: bytes) -> tuple[int, bytes]:
    """Runs server.officers.read_sheet as a process of its own on `body`; its exit code and what it wrote."""
    try:
        done = subprocess.run([sys.executable, "-m", "server.officers.read_sheet"], input=body, capture_output=True,
                              timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, b""
    return done.returncode, done.stdout
