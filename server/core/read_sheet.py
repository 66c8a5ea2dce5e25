"""The process a stranger's .xlsx is opened in: `python -m server.core.read_sheet LAYOUT`, the file in, JSON rows out.

It may ask for so much memory and time and no more; whatever the file does to it, the web process does not notice."""
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

MOST_UNPACKED = 60_000_000  # bytes of everything inside: a zip bomb is told before it is opened
MOST_PARTS = 300
MEMORY = 600_000_000  # bytes
MOST_COLUMNS = 30
HEAD_WITHIN = 5  # rows
EMPTY_ENDS = 500  # rows without anything, after which nothing is expected
WHOLE_DIGITS = 15  # digits a spreadsheet's number keeps
LOST = "单元格是数字格式，末几位已经丢失，请设为文本重填"
MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})"')
PIECE = 1_000_000


def read(body: bytes, layout: dict[str, Any]) -> dict[str, Any]:
    """The rows under the head of the first sheet, and the numbers of those in which cells are merged. ValueError, in
    words, when there is no such sheet."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(body))
    except zipfile.BadZipFile:
        raise ValueError("这不是 .xlsx 表格，请用下载的模板") from None
    inside = packed.infolist()
    if len(inside) > MOST_PARTS or sum(part.file_size for part in inside) > MOST_UNPACKED:
        raise ValueError("表格展开后太大，请只保留要导入的行")
    sheet: Any = load_workbook(io.BytesIO(body), read_only=True, keep_links=False).worksheets[0]
    sheet.reset_dimensions()  # what the file says of its own size need not be true
    lines = enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1)
    place = head(lines, layout)
    found, empty = [], 0
    for number, line in lines:
        cells = {name: text(line[column], layout["most_cell"])
                 for name, column in place.items() if column < len(line)}
        empty = 0 if any(cells.values()) else empty + 1
        if empty == 0:
            found.append((number, cells))
        if len(found) > layout["most_rows"]:
            raise ValueError(f"一次最多导入 {layout['most_rows']} 行，请分开导入")
        if empty > EMPTY_ENDS:
            break
    if not found:
        raise ValueError("表格里没有要导入的行")
    first = found[0][0]
    return {"rows": found, "merged": sorted(row for row in merged_rows(packed, sheet) if row >= first)}


def head(lines: Iterator[tuple[int, tuple[Any, ...]]], layout: dict[str, Any]) -> dict[str, int]:
    """Which column says what, by the line of heads; a title above it that names another version of the template is
    told."""
    words = {label: name for name, label in layout["columns"].items()}
    mark = re.compile(r"模板第\s*(\d+)\s*版")
    for number, line in lines:
        said = [text(cell, layout["most_cell"]) for cell in line]
        for one in said:
            version = mark.search(one)
            if version and layout["version"] and int(version[1]) != layout["version"]:
                raise ValueError(f"这是第 {version[1]} 版的旧模板，现在用第 {layout['version']} 版，请重新下载模板")
        place = {words[one]: column for column, one in enumerate(said) if one in words}
        if layout["first"] in place or number >= HEAD_WITHIN:
            missing = [label for name, label in layout["columns"].items()
                       if name not in place and name not in layout["optional"]]
            if missing:
                raise ValueError(f"缺少“{missing[0]}”这一列，请用下载的模板")
            return place
    raise ValueError(f"缺少“{layout['columns'][layout['first']]}”这一列，请用下载的模板")


def merged_rows(packed: zipfile.ZipFile, sheet: Any) -> set[int]:
    """The rows in which cells are merged: all but one of those are empty, and nobody knows what was meant."""
    found: set[int] = set()
    path = getattr(sheet, "_worksheet_path", "")
    if path not in packed.namelist():
        return found
    rest = b""
    with packed.open(path) as part:
        while piece := part.read(PIECE):
            for area in MERGED.findall(rest + piece):
                _, top, _, bottom = range_boundaries(area.decode())
                found.update(range(int(top), min(int(bottom), int(top) + 1000) + 1))
            rest = piece[-100:]
    return found


def text(cell: Any, most: int) -> str:
    """A cell as text; a formula is the text it is written with, and never worked out."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        whole = f"{cell:.0f}" if float(cell).is_integer() else f"{cell:.6f}".rstrip("0")
        return whole if len(whole) <= WHOLE_DIGITS + 1 and abs(cell) < 10**WHOLE_DIGITS else LOST
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    said = "".join(one for one in str(cell) if one.isprintable() or one == " ").strip()
    return said[:most + 1]


def main() -> None:
    layout = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (layout["patience_s"], layout["patience_s"]))
    told: dict[str, Any]
    try:
        told = read(sys.stdin.buffer.read(), layout)
    except ValueError as fault:
        ours = any("\u4e00" <= character <= "\u9fff" for character in str(fault))
        told = {"unfit": str(fault) if ours else "这个文件打不开，请用下载的模板填好后另存为 .xlsx 再传"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
