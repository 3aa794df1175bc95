"""A destination's own code list, laid over a code table: what it adds, renames and ends, and the table with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from hocba_hub.mappings.tables.code_table import Row, Table, fold_name
from hocba_hub.mappings.values.value import clean_text


class Item(NamedTuple):
    """One line of a list."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ListInForce:
    """A list that counts, and since when."""

    table: str
    code_system: str
    """Code system of the table that the list's codes are of."""
    name_system: str
    items: Sequence[Item]
    since: date


@dataclass(frozen=True, slots=True)
class ListDiff:
    """What a list changes in a table."""

    added: Sequence[Item]
    renamed: Sequence[Item]
    """Known codes under a name that the table does not read."""
    ended: Sequence[Item]
    """Codes that the table has in force and the list has no more."""

    @property
    def only_adds(self) -> bool:
        """Whether nothing that was known changes."""
        return not self.renamed and not self.ended

    def __bool__(self) -> bool:
        return bool(self.added or self.renamed or self.ended)


def list_diff(table: Table, code_system: str, name_system: str, items: Sequence[Item], on: date) -> ListDiff:
    """What a list changes in a table, read on a day."""
    known = {code: row for row in table.every_row() if row.valid_on(on) for code in row.values.get(code_system, ())[:1]}
    added, renamed, listed = [], [], set()
    for item in items:
        code = clean_text(item.code)
        listed.add(code)
        row = known.get(code)
        if row is None:
            added.append(item)
        elif fold_name(item.name) not in map(fold_name, row.values.get(name_system, ())):
            renamed.append(item)
    ended = [Item(code, _name(row, name_system)) for code, row in sorted(known.items()) if code not in listed]
    return ListDiff(added, renamed, ended)


def with_list(table: Table, listed: ListInForce) -> Table:
    """The table as the list has it: new codes, new names (the old ones are still read), and what ended with its day."""
    diff = list_diff(table, listed.code_system, listed.name_system, listed.items, listed.since)
    names = {clean_text(item.code): clean_text(item.name) for item in diff.renamed}
    ended = {item.code for item in diff.ended}
    changed = _changed(table, listed, names, ended)
    added = [
        Row({listed.code_system: (clean_text(item.code),), listed.name_system: (clean_text(item.name),)}, listed.since)
        for item in diff.added
    ]
    return replace(changed, rows=[*changed.rows, *added])


def _changed(table: Table, listed: ListInForce, names: Mapping[str, str], ended: Collection[str]) -> Table:
    """The table, and those that it extends, with these codes renamed and ended."""

    def changed(row: Row) -> Row:
        code = next(iter(row.values.get(listed.code_system, ())), None)
        if code in names:
            known = row.values.get(listed.name_system, ())
            return replace(row, values={**row.values, listed.name_system: (names[str(code)], *known)})
        if code in ended and row.valid_on(listed.since):
            return replace(row, valid_to=listed.since)
        return row

    parent = table.parent and _changed(table.parent, listed, names, ended)
    return replace(table, rows=[changed(row) for row in table.rows], parent=parent)


def _name(row: Row, system: str) -> str:
    return next(iter(row.values.get(system, ())), "")
