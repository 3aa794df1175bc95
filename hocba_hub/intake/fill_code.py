"""Saying what an unmapped code means: looked at against the table, stored, and the cards that waited read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.recheck import Recheck, Rechecked
from hocba_hub.mappings.tables.fills import Objection, meaning, objection
from hocba_hub.model.codes import CodeFill
from hocba_hub.model.keys import CardKey
from hocba_hub.store.code_fills import StoredFill, fill
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.unmapped_codes import ListedCode, waiting_for

_PROBLEMS = {
    Objection.NO_TABLE: "code.table",
    Objection.NO_SYSTEM: "code.system",
    Objection.KNOWN: "code.known",
    Objection.NO_RESULT: "code.result",
}
_MOST_CARDS = 100


@dataclass(frozen=True, slots=True)
class PlannedFill:
    """A fill that nothing stands against, and what it would do."""

    fill: CodeFill
    meaning: Mapping[str, str]
    """What the result is called in the table's other code systems, by system; empty of a new one."""
    cards: Sequence[CardKey]
    """Cards that wait for it and would be read again, the first hundred."""


def plan_fill(
    parts: IntakeParts,
    code: ListedCode,
    result: str,
    *,
    is_new: bool,
    valid_from: date | None,
    valid_to: date | None,
) -> PlannedFill:
    """What it means to fill a code of the work list with one of the table's results, or a new one; nothing is stored.

    Raises:
        ConfigurationError: `code.table`, `code.system`, `code.known` or `code.result`.
    """
    mappings = parts.mappings.newest()
    code_fill = CodeFill(
        code.table, code.system, code.value, code.result_system, result, code.where, is_new, valid_from, valid_to
    )
    tables = {**mappings.tables, **mappings.own_tables()}
    against = objection(tables, code_fill)
    if against is not None:
        raise ConfigurationError(_PROBLEMS[against], f"{code.table} cannot be filled so: {against.value}.")
    with parts.store.read() as connection:
        cards = waiting_for(connection, code.id, _MOST_CARDS)
    return PlannedFill(code_fill, meaning(tables[code.table], code_fill), cards)


def fill_code(
    again: Recheck, planned: PlannedFill, *, source: str, actor: str, now: int
) -> tuple[StoredFill, Rechecked]:
    """Store the fill, and read again what waited; the caller rings the destinations if a card was accepted.

    Raises:
        ConfigurationError: `code.filled`.
    """
    with again.parts.store.write() as connection:
        made = fill(connection, planned.fill, source=source, actor=actor, now=now)
    return made, again.run(now=now)
