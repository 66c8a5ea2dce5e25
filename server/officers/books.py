"""The .xlsx that leave: the template officers are imported with, and the rows of an import that were wrong."""
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from server.core.workbooks import harmless, packed, sheet_of
from server.officers.sheet import COLUMNS, LAYOUT

WIDTHS = (14, 24, 16, 44, 18, 30)
READY_ROWS = 2000  # of the template whose cells are text already


def template(places: Iterable[Any], roles: Sequence[str]) -> bytes:
    """The empty sheet to fill in: every cell is text, so that no number loses its last digits; the organisations'
    full names stand on a second one."""
    book = Workbook()
    sheet = sheet_of(book, "管理员", COLUMNS.values(), WIDTHS)
    for number in range(2, READY_ROWS + 2):
        for column in range(1, len(COLUMNS) + 1):
            sheet.cell(number, column).number_format = "@"
    choice = DataValidation(type="list", formula1='"' + ",".join(roles) + '"', allow_blank=True)
    choice.add(f"E2:E{LAYOUT.most_rows}")
    sheet.add_data_validation(choice)
    names = book.create_sheet("党组织全称")
    names.append(["党组织全称（可复制到第一张表）", "类别"])
    for place in places:
        names.append([harmless(place["official_name"]), place["kind"]])
    names.column_dimensions["A"].width = 50
    return packed(book)


def wrong_rows(rows: Iterable[tuple[int, dict[str, str], str]]) -> bytes:
    """The rows that were not opened, as they were handed in, each with its reason: to be mended and imported again."""
    book = Workbook()
    sheet = sheet_of(book, "没有导入的行", [*COLUMNS.values(), "原行号", "没有导入的原因"], WIDTHS)
    for number, cells, reason in rows:
        sheet.append([*(harmless(cells.get(name, "")) for name in COLUMNS), str(number), harmless(reason)])
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.number_format = "@"
    sheet.column_dimensions["H"].width = 50
    return packed(book)
