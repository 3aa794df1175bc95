"""Records of tabular sources: one card in one row, over several rows, or over several sheets.

The reading of a workbook or CSV file is the caller's: it brings sheets as rows of cells, streamed. Sheets are found
by name in any order; of several header rows the names are joined as `Toán > Điểm`, merged cells taken to the right.
The sheet of the cards is never held; the rows of the other sheets are, in bounded memory, until their card comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.document import SheetSpec, Source
from hocba_hub.mappings.document.paths import HEAD, Scope, Steps
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.sheet_head import SheetHead
from hocba_hub.mappings.records.sheet_rows import HEAD_CELLS, ROW, SHEET, HeldRows, Key, Row, cell_place, key_of, letter
from hocba_hub.mappings.values.cells import CELL_FAULTS
from hocba_hub.mappings.values.value import MERGED, JsonValue, as_text, clean_text
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import Finding

BETWEEN = " > "
"""Between the names of several header rows."""
_TOP = 30
"""Rows in which the header is looked for, if it is not where the mapping says."""
_MOST_HELD = 160_000_000
"""Bytes of the rows of other sheets that are held until their card comes."""


class SourceError(HubError):
    """A file, or a sheet of it, cannot be read to its end; its finding says why."""

    def __init__(self, found: Finding) -> None:
        super().__init__(f"{found.pointer or 'file'}: {found.as_json()['message_en']}")
        self.finding = found


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows are read once, from the first. Reading them may raise `SourceError`."""

    name: str
    rows: Iterable[Sequence[JsonValue]]
    remarks: Sequence[Finding] = ()
    """What its reader has to say of it, once the rows were read."""


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A card of a workbook."""

    node: JsonValue
    letters: Mapping[str, Mapping[str, str]]
    """Sheet → column name → letter."""
    head: SheetHead = field(default_factory=SheetHead)
    """What stands above the table."""

    @property
    def around(self) -> Scope | None:
        """See `Record`."""
        return (self.head, None, (), 0) if self.head else None

    def place(self, steps: Steps) -> str:
        """The cell as `Sheet!B7`; the row as `Sheet!7` where the sheet has no such column."""
        if steps[:1] == (HEAD,):
            names = steps[1:2]
            address = self.head.address(str(names[0])) if names else ""
            return (
                cell_place(str(self.node.get(SHEET, "")), address, "") if address else HEAD + "/".join(map(str, names))
            )
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
        return cell_place(name, self.letters.get(name, {}).get(column, ""), row.get(ROW, ""))


def row_records(sheets: Sequence[Sheet], source: Source) -> Iterator[Record | Finding]:
    """The cards of a workbook and what is wrong with its sheets; rows of one card over several rows stand together."""
    return _Workbook(sheets, source).records()


def header_names(rows: Sequence[Sequence[JsonValue]]) -> list[str]:
    """Column names of one or several header rows, blanks and line breaks as one blank."""
    width = max((len(row) for row in rows), default=0)
    texts = [[" ".join(clean_text(as_text("" if c in (None, MERGED) else c)).split()) for c in row] for row in rows]
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
    heads: dict[str, SheetHead] = field(default_factory=dict)
    held: int = 0

    def records(self) -> Iterator[Record | Finding]:
        main, *others = self.source.sheets
        missing = [spec for spec in self.source.sheets if not self.matching(spec)]
        yield from (Finding(kinds.SHEET_MISSING, "", spec.sheet) for spec in missing)
        if main in missing:
            return
        parts = []
        for spec in others:
            parts.append(part := HeldRows(spec))
            for key, row in self.of(spec):
                if isinstance(row, Finding):
                    yield row
                    continue
                if spec.of and key in part.rows:
                    yield Finding(kinds.KEY_REPEATED, row.place, ", ".join(spec.key))
                    continue
                self.held += part.add(key, row)
                if self.held > _MOST_HELD:
                    wanted = f"{_MOST_HELD // 1_000_000} MB"
                    yield finding(kinds.TOO_LARGE, row.place, wanted, part=row.sheet)
                    return
        has_cards = False
        for item in self.cards(main):
            has_cards |= not isinstance(item, Finding)
            yield item if isinstance(item, Finding) else self.joined(*item, parts)
        for part in parts if has_cards else ():
            for row in part.left() if part.spec.key else ():
                yield Finding(kinds.KEY_UNMATCHED, row.place, main.sheet)

    def joined(self, key: Key, card: dict[str, JsonValue], parts: Sequence[HeldRows]) -> Record | Finding:
        """The card with its rows of other sheets; a finding if one that it names by its columns is not there."""
        record = RowRecord(card, self.letters, self.heads[card[SHEET]])
        for part in parts:
            spec, rows = part.spec, part.of(key, card)
            if not spec.of:
                if rows:
                    card[spec.part] = card.get(spec.part, []) + [row.node() for row in rows]
            elif rows:
                card[spec.part] = rows[0].node()
            else:
                return Finding(kinds.KEY_UNMATCHED, record.place((spec.of[0],)), spec.sheet)
        return record

    def cards(self, spec: SheetSpec) -> Iterator[tuple[Key, dict[str, JsonValue]] | Finding]:
        """One item for each card; rows that follow each other with the same key are one card."""
        card: dict[str, JsonValue] | None = None
        last: Key = ()
        done: set[Key] = set()
        for key, row in self.of(spec):
            if isinstance(row, Finding):
                yield row
                continue
            if card is not None and spec.part and key == last:
                card[spec.part].append(row.node())
                continue
            if card is not None:
                yield last, card
            card = None
            if spec.key and key in done:
                yield Finding(kinds.KEY_REPEATED, row.place, ", ".join(spec.key))
                continue
            if spec.key:
                done.add(key)
            card, last = row.node(), key
            if spec.part:
                card[spec.part] = [row.node()]
        if card is not None:
            yield last, card

    def of(self, spec: SheetSpec) -> Iterator[tuple[Key, Row | Finding]]:
        """The rows of every sheet that the spec means, each with its key."""
        for sheet in self.matching(spec):
            try:
                yield from self.rows(sheet, spec)
            except SourceError as error:
                yield (), error.finding
            for remark in sheet.remarks:
                yield (), remark

    def matching(self, spec: SheetSpec) -> list[Sheet]:
        """The sheets that the spec means, by their names."""
        pattern = re.compile(".*".join(map(re.escape, _folded(spec.sheet).split("*"))))
        exact = {_folded(other.sheet) for other in self.source.sheets if other is not spec}
        return [s for s in self.sheets if pattern.fullmatch(_folded(s.name)) and _folded(s.name) not in exact]

    def rows(self, sheet: Sheet, spec: SheetSpec) -> Iterator[tuple[Key, Row | Finding]]:
        rows = iter(sheet.rows)
        top = list(islice(rows, max(_TOP, spec.header[1])))
        above, names = self.header(top, spec)
        self.heads[sheet.name] = SheetHead.of(top[: above - (spec.header[1] - spec.header[0] + 1)])
        names = ["" if name in (SHEET, ROW, HEAD_CELLS) else name for name in names]
        wrong = list(self.against(sheet, spec, above, names))
        yield from (((), one) for one in wrong)
        if wrong:
            return
        for number, cells in enumerate(chain(top[above:], rows), above + 1):
            if not cells or all(cell in (None, "", MERGED) for cell in cells):
                continue
            row = Row(sheet.name, names, number, cells)
            if not spec.key:
                yield (), row
                continue
            node = dict(zip(names, cells, strict=False))
            key = key_of(node, spec.key)
            yield key, row if all(key) else self.keyless(row, node, spec.key[key.index("")])

    def keyless(self, row: Row, node: Mapping[str, JsonValue], column: str) -> Finding:
        place = cell_place(row.sheet, self.letters[row.sheet].get(column, ""), row.number)
        value = node.get(column)
        if isinstance(value, str) and value in CELL_FAULTS:
            return finding(CELL_FAULTS[value], place, target=column)
        return Finding(kinds.KEY_MISSING, place, column)

    def header(self, top: Sequence[Sequence[JsonValue]], spec: SheetSpec) -> tuple[int, list[str]]:
        """The last header row's number and the column names: where the spec says, or where the key columns are."""
        first, last = spec.header
        said = header_names(top[first - 1 : last]) if len(top) >= last else []
        if all(name in said for name in spec.key):
            return last, said
        height = last - first + 1
        for above in range(len(top) - height + 1):
            names = header_names(top[above : above + height])
            if all(name in names for name in spec.key):
                return above + height, names
        return last, said

    def against(self, sheet: Sheet, spec: SheetSpec, row: int, names: Sequence[str]) -> Iterator[Finding]:
        """What is wrong with a header."""
        columns = self.letters.setdefault(sheet.name, {})
        facts: dict[str, str | int] = {"sheet": sheet.name}
        if not names:
            yield Finding(kinds.COLUMN_MISSING, cell_place(sheet.name, "", row), "", facts=facts)
            return
        for column, name in enumerate(names):
            if name in columns:
                yield Finding(kinds.COLUMN_TWICE, cell_place(sheet.name, letter(column), row), name, facts=facts)
            elif name:
                columns[name] = letter(column)
        main, *others = self.source.sheets
        named = {name for other in others for name in other.of} if spec is main else set()
        for name in (*spec.key, *sorted(named.difference(spec.key))):
            if name not in columns:
                yield Finding(kinds.COLUMN_MISSING, cell_place(sheet.name, "", row), name, facts=facts)


def _folded(name: str) -> str:
    return clean_text(name).casefold()
