"""Saying what an unmapped code means: looked at against the table, stored, and the cards that waited read again."""

from __future__ import annotations

from datetime import date

from hocba_hub.intake.recheck import Recheck, Rechecked
from hocba_hub.mappings.tables.fills import Objection, objection
from hocba_hub.model.codes import CodeFill
from hocba_hub.store.code_fills import StoredFill, fill
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.unmapped_codes import ListedCode

_PROBLEMS = {
    Objection.NO_TABLE: "code.table",
    Objection.NO_SYSTEM: "code.system",
    Objection.KNOWN: "code.known",
    Objection.NO_RESULT: "code.result",
}


def fill_code(
    again: Recheck,
    code: ListedCode,
    result: str,
    *,
    is_new: bool,
    valid_from: date | None,
    valid_to: date | None,
    source: str,
    actor: str,
    now: int,
) -> tuple[StoredFill, Rechecked]:
    """Fill a code of the work list with one of the table's results, or a new one, and read again what waited.

    The caller rings the destinations if a card was accepted.

    Raises:
        ConfigurationError: `code.table`, `code.system`, `code.known`, `code.result` or `code.filled`.
    """
    mappings = again.parts.mappings.newest()
    code_fill = CodeFill(
        code.table, code.system, code.value, code.result_system, result, code.where, is_new, valid_from, valid_to
    )
    against = objection({**mappings.tables, **mappings.own_tables()}, code_fill)
    if against is not None:
        raise ConfigurationError(_PROBLEMS[against], f"{code.table} cannot be filled so: {against.value}.")
    with again.parts.store.write() as connection:
        made = fill(connection, code_fill, source=source, actor=actor, now=now)
    return made, again.run(now=now)
