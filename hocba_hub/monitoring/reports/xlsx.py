"""A report as a workbook: every table whole, with charts that can be worked on."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Font

from hocba_hub.adapters.workbook.written import Sheet, on_one_page, text_cell, write_table
from hocba_hub.model.clock import vietnam_time
from hocba_hub.monitoring.reports import content
from hocba_hub.store.reports import Report


def as_xlsx(report: Report) -> bytes:
    """The workbook."""
    made = Workbook(write_only=True)
    sheet = made.create_sheet("Tổng quan")
    sheet.column_dimensions["A"].width = 110
    on_one_page(sheet)
    sheet.append([text_cell(sheet, content.title(report), font=Font(bold=True, size=14))])
    told = (content.span(report), *content.summary(report), content.availability(report), content.SIGNATURES)
    for sentence in told:
        sheet.append([text_cell(sheet, sentence, alignment=Alignment(wrap_text=True, vertical="top"))])
    for table in content.tables(report):
        sheet = _write(made, table.title[:31], table.heads, table.rows)
        if table.title == "Học bạ theo cấp học":
            _levels(sheet, len(table.rows))
    names = report.facts["destinations"]
    rows = [(vietnam_time(at), *(counts.get(one, 0) for one in names)) for at, counts in content.weeks(report)]
    sheet = _write(made, "Tiến độ theo tuần", ("Chốt lúc", *names.values()), rows)
    _weeks(sheet, len(rows), len(names))
    out = io.BytesIO()
    made.save(out)
    return content.reproducible(out.getvalue(), report)


def _write(made: Workbook, title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Sheet:
    longest = [max(len(str(line[place])) for line in (heads, *rows)) for place in range(len(heads))]
    return write_table(made, title, heads, rows, [min(40, length + 4) for length in longest])


def _levels(sheet: Sheet, rows: int) -> None:
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.title = "bar", "stacked", 100, "Học bạ theo cấp học"
    heads = list(content.COUNTS)
    for name, colour in content.COLOURS.items():
        column = 3 + heads.index(name)
        chart.add_data(Reference(sheet, min_col=column, min_row=1, max_row=rows + 1), titles_from_data=True)
        chart.series[-1].graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet, min_col=1, max_col=2, min_row=2, max_row=rows + 1))
    chart.height, chart.width = 6 + rows, 24
    sheet.add_chart(chart, f"A{rows + 4}")


def _weeks(sheet: Sheet, rows: int, destinations: int) -> None:
    chart = LineChart()
    chart.title = "Học bạ đã xác nhận, theo tuần"
    data = Reference(sheet, min_col=2, max_col=1 + destinations, min_row=1, max_row=rows + 1)
    chart.add_data(data, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=rows + 1))
    chart.height, chart.width = 9, 22
    sheet.add_chart(chart, f"A{rows + 4}")
