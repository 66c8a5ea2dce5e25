"""The process a stranger's .xlsx is opened in: `python -m server.officers.read_sheet`, the file in, rows out as JSON.

It may ask for so much memory and time and no more; whatever the file does to it, the web process does not notice."""
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook

from server.officers.sheet import COLUMNS, MEMORY, MOST_CELL, MOST_PARTS, MOST_ROWS, MOST_UNPACKED, OPTIONAL, PATIENCE_S

MOST_COLUMNS = 30
HEAD_WITHIN = 5  # rows
EMPTY_ENDS = 500  # rows without anything, after which nothing is expected
WHOLE_DIGITS = 15  # digits a spreadsheet's number keeps
LOST = "单元格是数字格式，末几位已经丢失，请设为文本重填"


def rows_of(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """The rows under the head of the first sheet. ValueError, in words, when there is no such sheet."""
    try:
        inside = zipfile.ZipFile(io.BytesIO(body)).infolist()
    except zipfile.BadZipFile:
        raise ValueError("这不是 .xlsx 表格，请用下载的模板") from None
    if len(inside) > MOST_PARTS or sum(part.file_size for part in inside) > MOST_UNPACKED:
        raise ValueError("表格展开后太大，请只保留要导入的行")
    sheet: Any = load_workbook(io.BytesIO(body), read_only=True, keep_links=False).worksheets[0]
    sheet.reset_dimensions()  # what the file says of its own size need not be true
    lines = enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1)
    place = head(lines)
    found, empty = [], 0
    for number, line in lines:
        cells = {name: text(line[column]) for name, column in place.items() if column < len(line)}
        empty = 0 if any(cells.values()) else empty + 1
        if empty == 0:
            found.append((number, cells))
        if len(found) > MOST_ROWS:
            raise ValueError(f"一次最多导入 {MOST_ROWS} 行，请分开导入")
        if empty > EMPTY_ENDS:
            break
    if not found:
        raise ValueError("表格里没有要导入的行")
    return found


def head(lines: Iterator[tuple[int, tuple[Any, ...]]]) -> dict[str, int]:
    """Which column says what, by the line of heads."""
    words = {label: name for name, label in COLUMNS.items()}
    for number, line in lines:
        place = {words[said]: column for column, cell in enumerate(line) if (said := text(cell)) in words}
        if "name" in place or number >= HEAD_WITHIN:
            missing = [label for name, label in COLUMNS.items() if name not in place and name not in OPTIONAL]
            if missing:
                raise ValueError(f"缺少“{missing[0]}”这一列，请用下载的模板")
            return place
    raise ValueError(f"缺少“{COLUMNS['name']}”这一列，请用下载的模板")


def text(cell: Any) -> str:
    """A cell as text; a formula is the text it is written with, and never worked out."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        whole = f"{cell:.0f}" if float(cell).is_integer() else str(cell)
        return whole if len(whole) <= WHOLE_DIGITS else LOST
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    said = "".join(one for one in str(cell) if one.isprintable() or one == " ").strip()
    return said[:MOST_CELL + 1]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_S, PATIENCE_S))
    told: dict[str, Any]
    try:
        told = {"rows": rows_of(sys.stdin.buffer.read())}
    except ValueError as fault:
        ours = any("\u4e00" <= character <= "\u9fff" for character in str(fault))
        told = {"unfit": str(fault) if ours else "这个文件打不开，请用下载的模板填好后另存为 .xlsx 再传"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
