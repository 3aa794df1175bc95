"""What people said that unknown codes mean, laid over the code tables: read like the table's own, never written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from hocba_hub.mappings.tables.code_table import Outcome, Row, Table, TableError
from hocba_hub.model.codes import CodeFill


class Objection(StrEnum):
    """Why a value cannot be filled so."""

    NO_TABLE = "table"
    """There is no such table."""
    NO_SYSTEM = "system"
    """The table has no such code system."""
    KNOWN = "known"
    """The table answers this value already."""
    NO_RESULT = "result"
    """No row of the table has this result, and it was not said to be new."""


def objection(tables: Mapping[str, Table], fill: CodeFill) -> Objection | None:
    """What stands against a fill; None if nothing."""
    table = tables.get(fill.table)
    if table is None:
        return Objection.NO_TABLE
    try:
        view = table.view(fill.system, fill.result_system, fill.where)
    except TableError:
        return Objection.NO_SYSTEM
    if view.find(fill.value).outcome in (Outcome.FOUND, Outcome.AMBIGUOUS):
        return Objection.KNOWN
    return None if fill.is_new or fill.result in view.results() else Objection.NO_RESULT


def meaning(table: Table, fill: CodeFill) -> dict[str, str]:
    """What the fill's result is called in the table's other code systems."""
    for one in (table, *([table.parent] if table.parent is not None else [])):
        for row in one.rows:
            if _is_meant(row, fill):
                return {name: values[0] for name, values in row.values.items() if name != fill.result_system and values}
    return {}


def with_all_fills(table: Table, fills: Mapping[str, Sequence[CodeFill]]) -> Table:
    """The table, and those that it extends, with their fills."""
    if table.parent is not None:
        table = replace(table, parent=with_all_fills(table.parent, fills))
    return with_fills(table, fills.get(table.name, ()))


def with_fills(table: Table, fills: Iterable[CodeFill]) -> Table:
    """The table with these fills, whatever their `table` is."""
    for fill in fills:
        table = _filled(table, fill)
    return table


def _filled(table: Table, fill: CodeFill) -> Table:
    if fill.is_new:
        values = {**fill.where, fill.system: fill.value, fill.result_system: fill.result}
        row = Row({name: (value,) for name, value in values.items()}, fill.valid_from, fill.valid_to)
        return replace(table, rows=[*table.rows, row])
    meant = [_is_meant(row, fill) for row in table.rows]
    if not any(meant):
        return replace(table, parent=_filled(table.parent, fill)) if table.parent is not None else table
    rows = [_also(row, fill) if is_meant else row for row, is_meant in zip(table.rows, meant, strict=True)]
    return replace(table, rows=rows)


def _is_meant(row: Row, fill: CodeFill) -> bool:
    fits = all(value in row.values.get(name, ()) for name, value in fill.where.items())
    return fits and row.values.get(fill.result_system, ())[:1] == (fill.result,)


def _also(row: Row, fill: CodeFill) -> Row:
    """The row, read by one more value; what it writes stays the same."""
    return replace(row, values={**row.values, fill.system: (*row.values.get(fill.system, ()), fill.value)})
