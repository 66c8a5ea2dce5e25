"""The .xlsx that leave: heads that stay in sight, cells that no spreadsheet takes for a formula. Imported by what
writes one, for openpyxl is large."""
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(DANGEROUS) else value


def sheet_of(book: Workbook, title: str, heads: Iterable[str], widths: Sequence[int], above: str = "") -> Worksheet:
    """The first sheet with its heads, which stay in sight. widths: of the columns, in characters; above: a line over
    the heads."""
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    if above:
        sheet.append([harmless(above)])
    sheet.append(list(heads))
    row = 2 if above else 1
    for place, cell in enumerate(sheet[row]):
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="F8F0DC")
        cell.alignment = Alignment(horizontal="center")
        if place < len(widths):
            sheet.column_dimensions[get_column_letter(place + 1)].width = widths[place]
    sheet.freeze_panes = f"A{row + 1}"
    return sheet


def packed(book: Workbook) -> bytes:
    """The file of a workbook."""
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
