"""What is known of a value before any record is seen: its type, its length, perhaps all its values."""

from __future__ import annotations

from dataclasses import dataclass

from hocba_hub.mappings.values.value import JsonValue, as_text

ANY, TEXT, WHOLE, NUMBER, BOOLEAN = "any", "text", "integer", "number", "boolean"
"""The types that a rule can give; JSON's own, with whole numbers apart."""


DAY_FORM = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
MONTH_FORM = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
YEAR_FORM = r"^[0-9]{4}$"
"""ISO dates, in three precisions."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a value before any record is seen."""

    type: str = ANY
    longest: int | None = None
    """Most characters it can have as text; None if not known."""
    values: frozenset[str | int | float | bool] | None = None
    """All values that it can have; None if not known."""
    form: str = ""
    """Regular expression that it matches; empty if not known."""

    @staticmethod
    def of(*values: JsonValue) -> Shape:
        """The shape of a value that is one of these."""
        types = {_type_of(value) for value in values}
        plain = frozenset(value for value in values if isinstance(value, str | int | float | bool))
        longest = max((len(as_text(value)) for value in values), default=0)
        return Shape(types.pop() if len(types) == 1 else ANY, longest, plain)


def _type_of(value: object) -> str:
    kinds_of = ((bool, BOOLEAN), (int, WHOLE), (float, NUMBER), (str, TEXT))
    return next((name for kind, name in kinds_of if isinstance(value, kind)), ANY)
