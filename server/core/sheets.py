"""The .xlsx people fill in and hand in: how it is laid out, and how it is read.

A stranger's file is opened in a process of its own (read_sheet.py) with limited memory and time."""
import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATIENCE_S = 30

Rows = list[tuple[int, dict[str, str]]]  # the number a spreadsheet gives a row, and its cells by the names of columns

_one_at_a_time = asyncio.Semaphore(1)  # of each web process: a hostile one takes all the memory it may


class Unfit(ValueError):
    """Why a file can't be imported from, in words for beside the field."""


@dataclass(frozen=True)
class Layout:
    """One kind of sheet. columns: what stands over each, by its name; first: the column its head is known by; version:
    of the template, told in the title above the head, 0 where there is none."""

    columns: Mapping[str, str]
    first: str
    optional: frozenset[str] = field(default_factory=frozenset)
    most_bytes: int = 5_000_000  # as uploaded
    most_rows: int = 20_000
    most_cell: int = 200  # characters
    version: int = 0

    def spelled(self) -> str:
        """For the reading process."""
        return json.dumps({"columns": dict(self.columns), "first": self.first, "optional": sorted(self.optional),
                           "most_rows": self.most_rows, "most_cell": self.most_cell, "version": self.version,
                           "patience_s": PATIENCE_S})


@dataclass(frozen=True)
class Sheet:
    """What was in a file; merged: the numbers of the rows in which cells are merged."""

    rows: Rows
    merged: frozenset[int]


async def read(body: bytes, layout: Layout) -> Sheet:
    """What an .xlsx of this layout holds; Unfit when it is none, or not the template's."""
    if len(body) > layout.most_bytes:
        raise Unfit(f"表格不能超过 {layout.most_bytes // 1_000_000} MB")
    async with _one_at_a_time:
        code, out = await asyncio.to_thread(read_aside, body, layout)
    if code:
        raise Unfit("这个文件打不开，请用下载的模板填好后另存为 .xlsx 再传")
    told: dict[str, Any] = json.loads(out)
    if "unfit" in told:
        raise Unfit(told["unfit"])
    return Sheet([(number, cells) for number, cells in told["rows"]], frozenset(told["merged"]))


def whole(cell: str, label: str) -> str:
    """A cell of which nothing was lost; ValueError where its place was taken by why (read_sheet.LOST)."""
    if "丢失" in cell:
        raise ValueError(f"{label}{cell}")
    return cell


def read_aside(body: bytes, layout: Layout) -> tuple[int, bytes]:
    """Runs server.core.read_sheet as a process of its own on `body`; its exit code and what it wrote."""
    try:
        done = subprocess.run([sys.executable, "-m", "server.core.read_sheet", layout.spelled()], input=body,
                              capture_output=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, b""
    return done.returncode, done.stdout
