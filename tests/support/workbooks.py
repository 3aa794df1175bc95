"""Workbooks built by hand for tests: every part as it is written here, so that they can be as wrong as we like."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def sheet_xml(rows: str, *, before: str = "", after: str = "", prologue: str = "") -> str:
    """A sheet with these rows, as XML."""
    return f'{prologue}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def row(number: int, *cells: str, more: str = "") -> str:
    """A row of cells, as XML."""
    return f'<row r="{number}"{more}>{"".join(cells)}</row>'


def text(place: str, value: str) -> str:
    """A cell that holds a text itself."""
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def number(place: str, value: str, more: str = "") -> str:
    """A cell that holds a number."""
    return f'<c r="{place}"{more}><v>{value}</v></c>'


def parts(sheets: Mapping[str, str], *, hidden: Iterable[str] = (), more: Mapping[str, str] | None = None) -> dict:
    """The files of a workbook: sheet name → XML, and `more` files by their names in the zip."""
    listed, relations = "", ""
    files: dict[str, str] = {}
    for number_, (name, xml) in enumerate(sheets.items(), 1):
        state = ' state="hidden"' if name in hidden else ""
        listed += f'<sheet name={quoteattr(name)} sheetId="{number_}" r:id="s{number_}"{state}/>'
        relations += (
            f'<Relationship Id="s{number_}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number_}.xml"/>'
        )
        files[f"xl/worksheets/sheet{number_}.xml"] = xml
    extra = dict(more or {})
    for name, kind in (("xl/styles.xml", "styles"), ("xl/sharedStrings.xml", "sharedStrings")):
        if name in extra:
            relations += f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="/{name}"/>'
    root = f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    files |= {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">{root}</Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    }
    return files | extra


def packed(files: Mapping[str, str | bytes]) -> io.BytesIO:
    """The files as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def workbook(sheets: Mapping[str, str], **options: object) -> io.BytesIO:
    """A workbook of these sheets."""
    return packed(parts(sheets, **options))
