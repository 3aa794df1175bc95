"""A report as a Word document, with the head that letters of Vietnamese offices have."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from hocba_hub.monitoring.reports import charts, content
from hocba_hub.monitoring.reports.content import Table
from hocba_hub.store.reports import Report, ReportKind

_FONT = "Times New Roman"
_FIRST_COLUMN = Cm(3.6)
_MOST_ROWS = {ReportKind.WEEKLY: 20, ReportKind.YEARLY: 1_000}
"""Of one table: a week's report is to be read at a glance, the workbook has all."""


def as_docx(report: Report) -> bytes:
    """The document."""
    made = Document()
    style = made.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(12)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    for section in made.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin, section.right_margin, section.top_margin = Cm(2.5), Cm(1.5), Cm(2)
    _head(made)
    _centred(made, content.title(report).upper(), bold=True, size=14)
    _centred(made, content.span(report), italic=True)
    _heading(made, "1. Tổng quan")
    for sentence in content.summary(report):
        made.add_paragraph(sentence, style="List Bullet")
    _picture(made, charts.progress(report))
    tables = {table.title: table for table in content.tables(report)}
    _section(made, report, "2. Cơ sở giáo dục", tables.get("Cơ sở giáo dục"))
    _section(made, report, "3. Học bạ theo cấp học", tables.get("Học bạ theo cấp học"))
    for name in report.facts["destinations"]:
        _picture(made, charts.by_level(report.facts, name))
    _section(made, report, "4. Đúng hạn", tables.get("Học bạ xác nhận đúng hạn"), "Chưa có đợt nhận nào có hạn.")
    _section(made, report, "5. Theo xã, phường", tables.get("Theo xã, phường"))
    _picture(made, charts.missing_by_commune(report.facts))
    nothing = "Không có sự cố nào trong kỳ."
    _section(made, report, "6. Sự cố và mức sẵn sàng", tables.get("Sự cố, theo nguyên nhân"), nothing)
    made.add_paragraph(content.availability(report))
    _heading(made, "7. Chữ ký số")
    made.add_paragraph(content.SIGNATURES)
    at = datetime.fromtimestamp(report.until / 1000, UTC).replace(tzinfo=None)
    properties = made.core_properties
    properties.title, properties.author, properties.comments = content.title(report), "hocba-hub", ""
    properties.created = properties.modified = at
    out = io.BytesIO()
    made.save(out)
    return content.reproducible(out.getvalue(), report)


def _head(made: Any) -> None:  # noqa: ANN401 - python-docx's
    """Who writes, and the name and motto of the state (NĐ 30/2020/NĐ-CP, appendix I)."""
    left, right = made.add_table(rows=1, cols=2).rows[0].cells
    for cell, lines in (
        (left, ("UBND TỈNH HƯNG YÊN", "SỞ GIÁO DỤC VÀ ĐÀO TẠO")),
        (right, ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")),
    ):
        for number, line in enumerate(lines):
            paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
            paragraph.alignment, paragraph.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(0)
            run = paragraph.add_run(line)
            run.bold, run.font.size = number == 1 or cell is right, Pt(11)
    made.add_paragraph()


def _centred(made: Any, text: str, *, bold: bool = False, italic: bool = False, size: int = 12) -> None:  # noqa: ANN401
    paragraph = made.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)


def _heading(made: Any, text: str) -> None:  # noqa: ANN401
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.keep_with_next = Pt(10), True
    run = paragraph.add_run(text)
    run.bold, run.font.size = True, Pt(13)


def _section(made: Any, report: Report, title: str, table: Table | None, nothing: str = "Chưa có số liệu.") -> None:  # noqa: ANN401
    _heading(made, title)
    if table is None:
        made.add_paragraph(nothing)
        return
    most = _MOST_ROWS[report.kind]
    _table(made, table.heads, table.rows[:most])
    if len(table.rows) > most:
        made.add_paragraph(f"… và {content.number(len(table.rows) - most)} dòng nữa; bảng tính kèm theo có đủ.")


def _table(made: Any, heads: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:  # noqa: ANN401
    table = made.add_table(rows=1, cols=len(heads), style="Table Grid")
    header = table.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no other way to repeat a head
    header.append(header.makeelement(qn("w:tblHeader"), {qn("w:val"): "true"}))
    _fill(table.rows[0].cells, heads, bold=True)
    for row in rows:
        _fill(table.add_row().cells, row)
    for row in table.rows:
        whole = row._tr.get_or_add_trPr()  # noqa: SLF001 - a row is not parted by the end of a page
        whole.append(whole.makeelement(qn("w:cantSplit"), {}))
        row.cells[0].width = _FIRST_COLUMN
    made.add_paragraph()


def _fill(cells: Sequence[Any], values: Sequence[str | int], *, bold: bool = False) -> None:
    for cell, value in zip(cells, values, strict=True):
        paragraph = cell.paragraphs[0]
        if isinstance(value, int):
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        run = paragraph.add_run(content.number(value) if isinstance(value, int) else value)
        run.bold, run.font.size = bold, Pt(9)


def _picture(made: Any, drawn: bytes | None) -> None:  # noqa: ANN401
    if drawn is not None:
        made.add_picture(io.BytesIO(drawn), width=Cm(16))
