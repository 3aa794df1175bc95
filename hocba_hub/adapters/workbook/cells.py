"""The rows of one sheet, streamed: values as a person would read them, and what a reader should know of them.

Two passes over the part: the first only looks for merged cells, which stand behind the rows, and finds a damaged file
before it gives any card; the second parses. Nothing but the row at hand is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite

from hocba_hub.adapters.workbook.merges import column_number, covered, find_merges
from hocba_hub.adapters.workbook.package import Package, feed, refusal, xml_parser
from hocba_hub.adapters.workbook.workbook_parts import LONGEST_TEXT, MOST_COLUMNS, SheetPart, Texts, unescaped
from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.records.sheet_rows import cell_place, letter
from hocba_hub.mappings.values.value import NO_RESULT, JsonValue
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding, FindingKind

_MOST_ROWS = 1_048_576
"""Excel's own bound."""
_MOST_KNOWN = 8_192
_LEAP_BUG = 60
"""The serial of 29 February 1900, a day that spreadsheets have and the calendar has not."""
_DAYS_TO_1904 = 1_462
_EXACT = 10**15
_CELL, _VALUE, _TEXT, _FORMULA, _ROW, _SPOKEN, _COLUMN = range(7)
_TAGS = {"c": _CELL, "v": _VALUE, "t": _TEXT, "f": _FORMULA, "row": _ROW, "rPh": _SPOKEN, "col": _COLUMN}


@dataclass(frozen=True, slots=True)
class Book:
    """What all sheets of a workbook share."""

    package: Package
    texts: Texts
    day_styles: frozenset[str]
    counts_from_1904: bool = False


@dataclass
class SheetRows:
    """The rows of a sheet, from the first: give them once, then read `remarks`."""

    book: Book
    sheet: SheetPart
    remarks: list[Finding] = field(default_factory=list)

    def __iter__(self) -> Iterator[list[JsonValue]]:
        """Row after row; empty ones where there are none.

        Raises:
            SourceError: the sheet cannot be read to its end.
        """
        self.remarks.clear()
        if self.sheet.is_hidden:
            self._remark(kinds.HIDDEN_SHEET)
        merges = find_merges(self.book.package, self.sheet)
        reader = _Reader(self.book, self.sheet)
        number = 0
        rows = reader.rows()
        for at, cells in covered(rows, merges, self.sheet) if merges else rows:
            for _ in range(at - number):
                yield []
            yield cells
            number = at + 1
        if reader.formulas:
            place = cell_place(self.sheet.name, letter(reader.first_formula[1]), reader.first_formula[0] + 1)
            self._remark(kinds.FORMULAS, place, count=reader.formulas)
        if reader.hidden_rows:
            self._remark(kinds.HIDDEN_ROWS, count=reader.hidden_rows)
        hidden = [letter(column) for column in sorted(reader.hidden_columns) if column < reader.width]
        if hidden:
            self._remark(kinds.HIDDEN_COLUMNS, "", ", ".join(hidden))

    def _remark(self, kind: FindingKind, place: str = "", expected: str = "", count: int = 0) -> None:
        at = place or cell_place(self.sheet.name, "", "").removesuffix("!")
        self.remarks.append(finding(kind, at, expected, sheet=self.sheet.name, count=count))


class _Reader:
    """Takes what the XML parser meets, and gives rows."""

    def __init__(self, book: Book, sheet: SheetPart) -> None:
        self.book = book
        self.sheet = sheet
        self.formulas = self.hidden_rows = self.width = self._cells = 0
        self.first_formula = (0, 0)
        self.hidden_columns: set[int] = set()
        self._parser = xml_parser()
        self._parser.StartElementHandler = self._first
        self._kinds: dict[str, int] = {}
        self._ready: list[tuple[int, list[JsonValue]]] = []
        self._row: list[JsonValue] = []
        self._number = -1
        self._at = -1
        self._cell: Mapping[str, str] = {}
        self._text = ""
        self._is_formula = False
        self._columns: dict[str, int] = {}
        self._numbers: dict[str, JsonValue] = {}
        self._days: dict[str, JsonValue] = {}

    def rows(self) -> Iterator[tuple[int, list[JsonValue]]]:
        """Number of a row, from 0, and its cells."""
        for _ in feed(self._parser, self.book.package, self.sheet.part):
            yield from self._ready
            self._ready.clear()

    def _place(self) -> str:
        return cell_place(self.sheet.name, letter(self._at), self._number + 1)

    def _wrong(self, kind: FindingKind, expected: str = "") -> SourceError:
        return SourceError(finding(kind, self._place(), expected, part=self.sheet.name))

    def _first(self, tag: str, _: dict[str, str]) -> None:
        namespace, name = tag.rpartition(" ")[::2]
        if name != "worksheet":
            raise refusal(kinds.DAMAGED, self.sheet.part)
        self._kinds = {f"{namespace} {local}".strip(): kind for local, kind in _TAGS.items()}
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end

    def _start(self, tag: str, given: dict[str, str]) -> None:
        kind = self._kinds.get(tag)
        if kind is None:
            return
        if kind == _CELL:
            self._cell = given
            self._text = ""
            self._is_formula = False
        elif kind in (_VALUE, _TEXT):
            self._parser.CharacterDataHandler = self._take
        elif kind == _FORMULA:
            self._is_formula = True
        elif kind == _ROW:
            self._begin(given)
        elif kind == _SPOKEN:
            self._parser.StartElementHandler = None
        elif given.get("hidden") in ("1", "true"):
            first, last = (self._whole(given.get(name, "")) for name in ("min", "max"))
            self.hidden_columns.update(range(max(first, 1) - 1, min(last, MOST_COLUMNS)))

    def _begin(self, given: dict[str, str]) -> None:
        number = self._whole(given["r"]) - 1 if "r" in given else self._number + 1
        if number <= self._number:
            raise self._wrong(kinds.DAMAGED)
        if number >= _MOST_ROWS:
            raise self._wrong(kinds.TOO_LARGE, f"{_MOST_ROWS:,}")
        self._number, self._at, self._row = number, -1, []
        self.hidden_rows += given.get("hidden") in ("1", "true")

    def _whole(self, text: str) -> int:
        if not (text.isdecimal() and len(text) <= len(str(_MOST_ROWS))):
            raise self._wrong(kinds.DAMAGED)
        return int(text)

    def _take(self, text: str) -> None:
        self._text += text
        if len(self._text) > LONGEST_TEXT:
            raise self._wrong(kinds.TOO_LARGE, f"{LONGEST_TEXT:,}")

    def _end(self, tag: str) -> None:
        kind = self._kinds.get(tag)
        if kind is None:
            return
        if kind in (_VALUE, _TEXT):
            self._parser.CharacterDataHandler = None
        elif kind == _CELL:
            self._close_cell()
        elif kind == _ROW:
            self.width = max(self.width, len(self._row))
            self._cells += len(self._row)
            if self._cells > self.book.package.limits.cells:
                raise self._wrong(kinds.TOO_LARGE, f"{self.book.package.limits.cells:,}")
            if self._row:
                self._ready.append((self._number, self._row))
        elif kind == _SPOKEN:
            self._parser.StartElementHandler = self._start

    def _close_cell(self) -> None:
        given, text = self._cell, self._text
        at = self._at = self._where(given.get("r"))
        if not text and not self._is_formula:
            return
        if at >= MOST_COLUMNS:
            raise self._wrong(kinds.TOO_LARGE, f"{MOST_COLUMNS:,}")
        value = self._value(given, text)
        if self._is_formula:
            # A formula may give an empty text; a number that is not there was never worked out.
            if not text:
                value = None if given.get("t") == "str" else NO_RESULT
            elif not self.formulas:
                self.first_formula = (self._number, at)
            self.formulas += bool(text)
        row = self._row
        if at == len(row):
            row.append(value)
            return
        row.extend([None] * (at + 1 - len(row)))
        row[at] = value

    def _where(self, reference: str | None) -> int:
        """The cell's column: as it says, or the one after the last."""
        if reference is None:
            return self._at + 1
        letters = reference.rstrip("0123456789")
        known = self._columns.get(letters)
        if known is None:
            if not (0 < len(letters) <= 3 and letters.isascii() and letters.isupper()):  # noqa: PLR2004 - XFD is the last
                raise self._wrong(kinds.DAMAGED)
            known = self._columns[letters] = column_number(letters)
        return known

    def _value(self, given: Mapping[str, str], text: str) -> JsonValue:
        kind = given.get("t", "n")
        if kind == "s":
            try:
                return self.book.texts[int(text)]
            except (IndexError, ValueError) as error:
                raise self._wrong(kinds.DAMAGED) from error
        if kind == "n":
            return self._day(text) if given.get("s") in self.book.day_styles else self._figure(text)
        if kind == "b":
            return text in ("1", "true")
        if kind == "d":
            return _iso_day(text)
        return text if kind == "e" else unescaped(text)

    def _figure(self, text: str) -> JsonValue:
        known = self._numbers.get(text)
        if known is None:
            if len(self._numbers) >= _MOST_KNOWN:
                self._numbers.clear()
            known = self._numbers[text] = _number(text)
        return known

    def _day(self, text: str) -> JsonValue:
        known = self._days.get(text)
        if known is None:
            if len(self._days) >= _MOST_KNOWN:
                self._days.clear()
            known = self._days[text] = _day(_number(text), counts_from_1904=self.book.counts_from_1904)
        return known


def _number(text: str) -> JsonValue:
    """A number, whole where it is; the text where it is none."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number) or "_" in text:
        return text
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _day(serial: JsonValue, *, counts_from_1904: bool) -> JsonValue:
    """The day, or the moment, of a serial number; the number where there is none."""
    if not isinstance(serial, float | int):
        return serial
    days = serial + _DAYS_TO_1904 if counts_from_1904 else serial
    if days < 1 or int(days) == _LEAP_BUG:
        return serial
    try:
        moment = datetime(1899, 12, 31 if days < _LEAP_BUG else 30) + timedelta(days)  # noqa: DTZ001 - a calendar's day
    except OverflowError:
        return serial
    return moment.date() if days == int(days) else moment


def _iso_day(text: str) -> JsonValue:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.date() if len(text) == len("2026-06-20") else moment
