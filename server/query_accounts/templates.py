"""The .xlsx that leave: the sheet query accounts are filled into, and the rows of an import that were wrong."""
from collections.abc import Iterable

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from server.core.sheets import Layout
from server.core.workbooks import harmless, packed, sheet_of
from server.query_accounts.imports import TITLE
from server.query_accounts.rules import Standing

READY_ROWS = 2000  # whose cells are text already
WIDTHS = {"village": 14, "name": 14, "id_number": 24, "phone": 16, "standing": 18}


def template(layout: Layout) -> bytes:
    """The empty sheet: every cell is text, so that no number loses its last digits."""
    book = Workbook()
    names = list(layout.columns)
    sheet = sheet_of(book, "查询账号", layout.columns.values(), [WIDTHS[name] for name in names], above=TITLE)
    for number in range(3, READY_ROWS + 3):
        for column in range(1, len(names) + 1):
            sheet.cell(number, column).number_format = "@"
    choice = DataValidation(type="list", formula1='"' + ",".join(Standing) + '"', allow_blank=True)
    letter = get_column_letter(names.index("standing") + 1)
    choice.add(f"{letter}3:{letter}{READY_ROWS + 2}")
    sheet.add_data_validation(choice)
    return packed(book)


def wrong_rows(layout: Layout, found: Iterable[tuple[int, dict[str, str], str]]) -> bytes:
    """The rows that were not opened, as they were handed in, each with its reason: to be mended and imported again."""
    book = Workbook()
    names = list(layout.columns)
    sheet = sheet_of(book, "没有导入的行", [*layout.columns.values(), "原行号", "没有导入的原因"],
                     [*(WIDTHS[name] for name in names), 8, 50], above=TITLE)
    for number, cells, reason in found:
        sheet.append([*(harmless(cells.get(name, "")) for name in names), str(number), harmless(reason)])
    for line in sheet.iter_rows(min_row=3):
        for cell in line:
            cell.number_format = "@"
    return packed(book)
