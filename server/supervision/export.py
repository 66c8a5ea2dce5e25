"""The table of a level as .xlsx, marked with who took it and when. Imported by what hands it out: openpyxl is large."""
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font

from server.core.workbooks import harmless, packed, sheet_of
from server.supervision.rules import Figures
from server.supervision.show import percent

HEADS = ("单位", "村（社区）", "已开通", "到期应公开", "按时公开", "迟公开", "期内未公开", "按时率（村）", "目录覆盖",
         "审核按时", "审核迟", "审核逾期", "按时率（镇）", "现在逾期未公开", "现在账目缺月", "提问待答", "提问逾期",
         "反映待答", "反映逾期")
WIDTHS = (18, 10, 8, 10, 10, 8, 14, 12, 10, 10, 8, 10, 12, 14, 12, 10, 10, 14, 14)


def workbook(title: str, mark: str, lines: Sequence[Figures], whole: Figures) -> bytes:
    """The table, its sum below, and the mark above, below and on every printed page."""
    book = Workbook()
    sheet = sheet_of(book, "督查", HEADS, WIDTHS, above=f"{title} · {mark}")
    for one in (*lines, whole):
        sheet.append([
            harmless(one.name), one.villages, one.opened, one.due, one.met, one.late, one.overdue, percent(one.on_time),
            percent(one.covered), one.review_met, one.review_late, one.review_overdue, percent(one.reviewed_on_time),
            one.still_overdue, one.still_ledgers, one.still_asked, one.answer_overdue,
            one.still_above, one.above_overdue])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    sheet.append([harmless(mark)])
    sheet.oddHeader.center.text = sheet.oddFooter.center.text = mark
    sheet.oddHeader.center.size = sheet.oddFooter.center.size = 9
    sheet.print_title_rows = "1:2"
    book.properties.creator = mark
    return packed(book)
