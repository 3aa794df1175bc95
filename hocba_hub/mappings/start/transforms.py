"""Which transforms turn the values of a sample into what a target field takes."""

from __future__ import annotations

import re
from typing import Any

from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.start.sample import SampleField
from hocba_hub.mappings.values.transforms import TRANSFORMS
from hocba_hub.mappings.values.value import JsonValue, ValueRejected
from hocba_hub.mappings.values.value_shapes import BOOLEAN, TEXT, WHOLE

_DATES = ("dd/mm/yyyy", "dd-mm-yyyy", "dd.mm.yyyy", "iso", "mm/yyyy", "yyyy", "excel")


def transforms(path: str, target: TargetField, one: SampleField) -> list[JsonValue]:
    """What a target asks of values like these."""
    digits = re.fullmatch(r"\^\[0-9\]\{(\d+)\}\$", target.pattern)
    if target.pattern.startswith("^[0-9]{4}-(") or path.endswith("/birth"):
        return _dates(one)
    if digits:
        return [{"pad": int(digits[1])}] if any(len(text) < int(digits[1]) for text in one.texts()) else []
    for fits, name in (
        (path.endswith("school_year"), "school-year"),
        (path == "class/grade", "leading-number"),
        (target.pattern.startswith("^(10"), "mark"),
        (target.type == WHOLE, "integer"),
        (target.type == BOOLEAN, "flag"),
    ):
        if fits:
            return [name]
    return _of_text(path, target, one)


def _of_text(path: str, target: TargetField, one: SampleField) -> list[JsonValue]:
    apply: list[JsonValue] = []
    if target.type == TEXT and any(not isinstance(value, str) for value in one.values):
        apply.append("text")
    if path.endswith("full_name"):
        apply.append("collapse-spaces")
        if one.values and all(text == text.upper() for text in one.texts()):
            apply.append("capitalise")
    return apply


def _dates(one: SampleField) -> list[JsonValue]:
    """The patterns that read most of the values, the one of most of them first."""
    left = list(one.values)
    taken: list[str] = []
    for pattern in _DATES:
        read = TRANSFORMS["date"].made([pattern])
        rest = [value for value in left if not _reads(read, value)]
        if len(rest) < len(left):
            taken.append(pattern)
            left = rest
    return [{"date": taken or [_DATES[0]]}]


def _reads(change: Any, value: JsonValue) -> bool:  # noqa: ANN401 - a change
    try:
        return change(value) is not None
    except ValueRejected:
        return False
