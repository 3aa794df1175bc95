"""Merged cells of a sheet: they stand behind its rows, so that they are looked for before the rows are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hocba_hub.adapters.workbook.package import Package, refusal
from hocba_hub.adapters.workbook.workbook_parts import MOST_COLUMNS, SheetPart
from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import MERGED, JsonValue

_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_LONGEST_MERGE = 200


@dataclass(slots=True)
class Merge:
    """A range of merged cells, rows and columns from 0."""

    first_row: int
    last_row: int
    first: int
    last: int


def column_number(letters: str) -> int:
    """A column's number, from 0."""
    number = 0
    for sign in letters:
        number = 26 * number + ord(sign) - 64
    return number - 1


def find_merges(package: Package, sheet: SheetPart) -> list[Merge]:
    """The merged ranges of a sheet, by their first row; reads the whole part, and so finds that it is damaged."""
    merges: list[Merge] = []
    before, area, limits = b"", 0, package.limits
    for chunk in package.chunks(sheet.part):
        text = before + chunk
        end = 0
        if b"mergeCell" in text:
            for match in _MERGE.finditer(text):
                left, top, right, bottom = (part.decode() for part in match.groups())
                last = min(column_number(right), MOST_COLUMNS - 1)
                merge = Merge(int(top) - 1, int(bottom) - 1, column_number(left), last)
                merges.append(merge)
                area += max(0, merge.last_row - merge.first_row + 1) * max(0, merge.last - merge.first + 1)
                end = match.end()
        if len(merges) > limits.merges:
            raise refusal(kinds.TOO_LARGE, sheet.name, f"{limits.merges:,}")
        if area > limits.merged_cells:
            raise refusal(kinds.TOO_LARGE, sheet.name, f"{limits.merged_cells:,}")
        before = text[max(end, len(text) - _LONGEST_MERGE) :]
    return sorted(merges, key=lambda merge: merge.first_row)


def covered(
    rows: Iterator[tuple[int, list[JsonValue]]], merges: list[Merge], sheet: SheetPart
) -> Iterator[tuple[int, list[JsonValue]]]:
    """The rows with a mark in every cell that a merged one with a value covers."""
    waiting = iter(merges)
    following = next(waiting, None)
    going: list[Merge] = []
    for number, cells in rows:
        going = [merge for merge in going if merge.last_row >= number]
        while following is not None and following.first_row <= number:
            has_value = following.first < len(cells) and cells[following.first] is not None
            if following.first_row == number and has_value:
                going.append(following)
            following = next(waiting, None)
        if sum(merge.last - merge.first + 1 for merge in going) > MOST_COLUMNS + 1:
            raise refusal(kinds.DAMAGED, sheet.part)
        for merge in going:
            start = merge.first + (merge.first_row == number)
            cells.extend([None] * (merge.last + 1 - len(cells)))
            for column in range(start, merge.last + 1):
                if cells[column] is None:
                    cells[column] = MERGED
        yield number, cells
