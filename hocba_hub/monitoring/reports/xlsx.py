"""A report as a workbook: every table whole, with charts that can be worked on."""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from hocba_hub.model.clock import vietnam_time
from hocba_hub.monitoring.reports import content
from hocba_hub.store.reports import Report

_HEAD = {"font": Font(bold=True), "fill": PatternFill("solid", "FFDCE6F1"), "alignment": Alignment(wrap_text=True)}
_STACKED = {"acknowledged": "2E7D32", "waiting": "F9A825", "refused": "C62828", "missing": "9E9E9E"}
"""What the bars are made of, and their colours, as in the Word document."""


def as_xlsx(report: Report) -> bytes:
    """The workbook."""
    made = Workbook()
    sheet = made.active
    assert sheet is not None  # noqa: S101 - a new workbook has one
    sheet.title = "Tổng quan"
    sheet.append([content.title(report)])
    sheet.append([content.span(report)])
    for sentence in (*content.summary(report), content.availability(report), content.SIGNATURES):
        sheet.append([sentence])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width = 110
    for number in range(2, sheet.max_row + 1):
        sheet.cell(number, 1).alignment = Alignment(wrap_text=True, vertical="top")
    _on_one_page(sheet)
    for table in content.tables(report):
        sheet = made.create_sheet(table.title[:31])
        _write(sheet, table.heads, table.rows)
        if table.title == "Học bạ theo cấp học":
            _levels(sheet, len(table.rows))
    sheet = made.create_sheet("Tiến độ theo tuần")
    names = report.facts["destinations"]
    rows = [(vietnam_time(at), *(counts.get(one, 0) for one in names)) for at, counts in content.weeks(report)]
    _write(sheet, ("Chốt lúc", *names.values()), rows)
    _weeks(sheet, len(rows), len(names))
    out = io.BytesIO()
    made.save(out)
    return content.reproducible(out.getvalue(), report)


def _write(sheet: Any, heads: Any, rows: Any) -> None:  # noqa: ANN401 - openpyxl's
    sheet.append(list(heads))
    for row in rows:
        sheet.append(list(row))
    for number, head in enumerate(heads, 1):
        cell = sheet.cell(1, number)
        cell.font, cell.fill, cell.alignment = _HEAD["font"], _HEAD["fill"], _HEAD["alignment"]
        longest = max([len(str(head)), *(len(str(row[number - 1])) for row in rows)])
        sheet.column_dimensions[get_column_letter(number)].width = min(40, longest + 4)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    _on_one_page(sheet)


def _on_one_page(sheet: Any) -> None:  # noqa: ANN401
    """Printed, a sheet is as wide as a page."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _levels(sheet: Any, rows: int) -> None:  # noqa: ANN401
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.title = "bar", "stacked", 100, "Học bạ theo cấp học"
    heads = list(content.COUNTS)
    for name, colour in _STACKED.items():
        column = 3 + heads.index(name)
        chart.add_data(Reference(sheet, min_col=column, min_row=1, max_row=rows + 1), titles_from_data=True)
        chart.series[-1].graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet, min_col=1, max_col=2, min_row=2, max_row=rows + 1))
    chart.height, chart.width = 6 + rows, 24
    sheet.add_chart(chart, f"A{rows + 4}")


def _weeks(sheet: Any, rows: int, destinations: int) -> None:  # noqa: ANN401
    chart = LineChart()
    chart.title = "Học bạ đã xác nhận, theo tuần"
    data = Reference(sheet, min_col=2, max_col=1 + destinations, min_row=1, max_row=rows + 1)
    chart.add_data(data, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=rows + 1))
    chart.height, chart.width = 9, 22
    sheet.add_chart(chart, f"A{rows + 4}")
