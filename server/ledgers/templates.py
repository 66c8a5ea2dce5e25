"""The empty sheet a month's lines are filled into. Imported by what hands it out, for openpyxl is large."""
from collections.abc import Sequence
from datetime import date

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from server.core.workbooks import harmless, packed, sheet_of
from server.ledgers.rules import EXPENSE, INCOME
from server.ledgers.sheet import OF_MANY, OWN, TITLE

READY_ROWS = 500  # whose cells are text already
WIDTHS = {"village": 14, "day": 13, "voucher": 10, "summary": 34, "category": 20, "income": 14, "expense": 14,
          "balance": 14, "handler": 10, "witness": 10, "approver": 10, "note": 26}


def template(month: date, villages: Sequence[str] = ()) -> bytes:
    """The sheet for a month: every cell is text, so that no amount loses its cents and no day becomes another; the
    categories can be chosen. villages: the names of a township's, for a sheet of many."""
    layout = OF_MANY if villages else OWN
    book = Workbook()
    sheet = sheet_of(book, f"{month.year}年{month.month}月", layout.columns.values(),
                     [WIDTHS[name] for name in layout.columns], above=f"{TITLE} · {month.year}年{month.month}月")
    names = list(layout.columns)
    for number in range(3, READY_ROWS + 3):
        for column in range(1, len(names) + 1):
            sheet.cell(number, column).number_format = "@"
    lists = book.create_sheet("可选的项目和村")
    for one in (*INCOME, *EXPENSE):
        lists.append([one])
    for number, village in enumerate(villages, 1):
        lists.cell(number, 2, harmless(village))
    choose(sheet, names, "category", f"'{lists.title}'!$A$1:$A${len(INCOME) + len(EXPENSE)}")
    if villages:
        choose(sheet, names, "village", f"'{lists.title}'!$B$1:$B${len(villages)}")
    lists.column_dimensions["A"].width = lists.column_dimensions["B"].width = 24
    return packed(book)


def choose(sheet: Worksheet, names: Sequence[str], name: str, source: str) -> None:
    """A column's cells are chosen from a range of another sheet."""
    letter = get_column_letter(names.index(name) + 1)
    choice = DataValidation(type="list", formula1=source, allow_blank=True)
    choice.add(f"{letter}3:{letter}{READY_ROWS + 2}")
    sheet.add_data_validation(choice)
