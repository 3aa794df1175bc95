"""Records of tabular sources: one card in one row, over several rows, or over several sheets.

The reading of a workbook or CSV file is the caller's: it brings sheets as rows of cells, streamed. Sheets are found
by name in any order; of several header rows the names are joined as `Toán > Điểm`, merged cells taken to the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hocba_hub.mappings import findings as kinds
from hocba_hub.mappings.document import SheetSpec, Source
from hocba_hub.mappings.paths import Steps
from hocba_hub.mappings.records import Record
from hocba_hub.mappings.values import Raw, as_text, clean_text
from hocba_hub.model.findings import Finding

SHEET, ROW = "@sheet", "@row"
BETWEEN = " > "
"""Between the names of several header rows."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows are read once, from the first."""

    name: str
    rows: Iterable[Sequence[Raw]]


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A card of a workbook."""

    node: Raw
    letters: Mapping[str, Mapping[str, str]]
    """Sheet → column name → letter."""

    def place(self, steps: Steps) -> str:
        """The cell as `Sheet!B7`; the row as `Sheet!7` where the sheet has no such column."""
        node, row, column = self.node, self.node, ""
        for step in steps:
            if isinstance(node, dict) and ROW in node:
                row, column = node, str(step)
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                node = None
        if isinstance(node, dict) and ROW in node:
            row, column = node, ""
        name = str(row.get(SHEET, ""))
        quoted = name if name.isidentifier() else "'" + name.replace("'", "''") + "'"
        return f"{quoted}!{self.letters.get(name, {}).get(column, '')}{row.get(ROW, '')}"


def row_records(sheets: Sequence[Sheet], source: Source) -> Iterator[Record | Finding]:
    """The cards of a workbook and what is wrong with its sheets; rows of one card over several rows stand together."""
    return _Workbook(sheets, source).records()


def letter(column: int) -> str:
    """A column's letter, from 0: A, B, … Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def header_names(rows: Sequence[Sequence[Raw]]) -> list[str]:
    """Column names of one or several header rows, blanks and line breaks as one blank."""
    width = max((len(row) for row in rows), default=0)
    texts = [[" ".join(clean_text(as_text("" if c is None else c)).split()) for c in row] for row in rows]
    names = []
    carried = [""] * len(rows)
    for column in range(width):
        parts: list[str] = []
        own = [row[column] if column < len(row) else "" for row in texts]
        for level, text in enumerate(own):
            if text:
                carried[level:] = [text] + [""] * (len(rows) - level - 1)
            # A merged cell goes on to the right only where a lower row names the column.
            name = text or (carried[level] if any(own[level + 1 :]) else "")
            if name and name not in parts:
                parts.append(name)
        names.append(BETWEEN.join(parts))
    return names


@dataclass
class _Workbook:
    sheets: Sequence[Sheet]
    source: Source
    letters: dict[str, dict[str, str]] = field(default_factory=dict)

    def records(self) -> Iterator[Record | Finding]:
        main, *others = self.source.sheets
        parts: dict[tuple[str, ...], dict[str, list[Raw]]] = {}
        for spec in others:
            for key, row in self.of(spec):
                if isinstance(row, Finding):
                    yield row
                else:
                    parts.setdefault(key, {}).setdefault(spec.part, []).append(row)
        for item in self.cards(main):
            if isinstance(item, Finding):
                yield item
                continue
            key, card = item
            card.update(parts.pop(key, {}))
            yield RowRecord(card, self.letters)
        for groups in parts.values():
            for rows in groups.values():
                place = RowRecord(rows[0], self.letters).place(())
                yield Finding(kinds.KEY_UNMATCHED, place, main.sheet)

    def cards(self, spec: SheetSpec) -> Iterator[tuple[tuple[str, ...], dict[str, Raw]] | Finding]:
        """One item for each card; rows that follow each other with the same key are one card."""
        card: dict[str, Raw] | None = None
        last: tuple[str, ...] | None = None
        done: set[tuple[str, ...]] = set()
        for key, row in self.of(spec):
            if isinstance(row, Finding):
                yield row
                continue
            if card is not None and spec.part and key == last:
                card[spec.part].append(row)
                continue
            if card is not None and last is not None:
                yield last, card
            if spec.key and key in done:
                yield Finding(kinds.KEY_REPEATED, RowRecord(row, self.letters).place(()), ", ".join(spec.key))
                card = None
                continue
            done.add(key) if spec.key else None
            card, last = (dict(row) | {spec.part: [row]} if spec.part else row), key
        if card is not None and last is not None:
            yield last, card

    def of(self, spec: SheetSpec) -> Iterator[tuple[tuple[str, ...], dict[str, Raw] | Finding]]:
        """The rows of every sheet that the spec means, each with its key."""
        pattern = re.compile(".*".join(map(re.escape, _folded(spec.sheet).split("*"))))
        exact = {_folded(other.sheet) for other in self.source.sheets if other is not spec}
        matching = [s for s in self.sheets if pattern.fullmatch(_folded(s.name)) and _folded(s.name) not in exact]
        if not matching:
            yield (), Finding(kinds.SHEET_MISSING, "", spec.sheet)
        for sheet in matching:
            yield from self.rows(sheet, spec)

    def rows(self, sheet: Sheet, spec: SheetSpec) -> Iterator[tuple[tuple[str, ...], dict[str, Raw] | Finding]]:
        head: list[Sequence[Raw]] = []
        names: list[str] = []
        first, last = spec.header
        for number, cells in enumerate(sheet.rows, 1):
            if number < first:
                continue
            if number <= last:
                head.append(cells)
                if number < last:
                    continue
                names = header_names(head)
                wrong = list(self.header(sheet, spec, names))
                yield from (((), finding) for finding in wrong)
                if wrong:
                    return
                continue
            row = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell not in (None, "")}
            if not row:
                continue
            row[SHEET], row[ROW] = sheet.name, number
            key = tuple(clean_text(as_text(row[name])) if name in row else "" for name in spec.key)
            if all(key):
                yield key, row
            else:
                missing = spec.key[key.index("")]
                yield (), Finding(kinds.KEY_MISSING, RowRecord(row, self.letters).place((missing,)), missing)
        if not names:
            yield (), Finding(kinds.COLUMN_MISSING, f"{sheet.name}!{last}", "", facts={"sheet": sheet.name})

    def header(self, sheet: Sheet, spec: SheetSpec, names: list[str]) -> Iterator[Finding]:
        columns = self.letters.setdefault(sheet.name, {})
        for column, name in enumerate(names):
            if name in columns:
                place = f"{sheet.name}!{letter(column)}{spec.header[1]}"
                yield Finding(kinds.COLUMN_TWICE, place, name, facts={"sheet": sheet.name})
            elif name:
                columns[name] = letter(column)
        for name in spec.key:
            if name not in columns:
                yield Finding(kinds.COLUMN_MISSING, f"{sheet.name}!{spec.header[1]}", name, facts={"sheet": sheet.name})


def _folded(name: str) -> str:
    return clean_text(name).casefold()
