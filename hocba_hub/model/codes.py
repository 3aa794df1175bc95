"""Values of code tables: one that no table knows, and what people say that it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, order=True)
class UnmappedCode:
    """A value that a code table does not know."""

    table: str
    """Name of a table; `mapping/table` for one of a mapping's own."""
    system: str
    """The code system that the value is of."""
    value: str
    result_system: str
    """The one that it was looked up in."""
    where: tuple[tuple[str, str], ...] = ()
    """Which rows the look-up takes."""

    @property
    def conditions(self) -> str:
        """`where` as the store keeps it."""
        return json.dumps(dict(self.where), ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class CodeFill:
    """What a value of a code table means, as somebody said."""

    table: str
    """Name of a table; `mapping/table` for one of a mapping's own."""
    system: str
    """The code system that the value is of."""
    value: str
    result_system: str
    result: str
    """The value means the rows that have this in `result_system`."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Only those rows that have the given values elsewhere."""
    is_new: bool = False
    """No row has the result yet: it becomes one, in force on the given days."""
    valid_from: date | None = None
    valid_to: date | None = None
