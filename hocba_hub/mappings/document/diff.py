"""What is different between two versions of a mapping, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.tabular import CELLS, as_table
from hocba_hub.mappings.values.value import JsonValue, as_text

_PARTS = ("title", "note", "applies", "source", "target", "tables")


class ChangeKind(StrEnum):
    """What happened to a part of a mapping."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two mappings."""

    kind: ChangeKind
    part: str
    """`fields`, `tables`, `source`, …"""
    name: str
    """Target field, or path of the part."""
    before: str = ""
    after: str = ""


def diff(before: Document, after: Document) -> list[Change]:
    """Every difference in rules, tables, source and target; examples and the version itself do not count."""
    changes: list[Change] = []
    for part in _PARTS:
        old, new = (dict(_leaves(document.given.get(part), "")) for document in (before, after))
        changes += _compared(part, old, new)
    return changes + list(_compared("fields", _rules(before), _rules(after)))


def _compared(part: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield Change(ChangeKind.REMOVED, part, name, old[name])
        elif name not in old:
            yield Change(ChangeKind.ADDED, part, name, "", new[name])
        elif old[name] != new[name]:
            yield Change(ChangeKind.CHANGED, part, name, old[name], new[name])


def _rules(document: Document) -> dict[str, str]:
    """Target → its rules, each in a line."""
    lines = as_table(document)[1:]
    return {target: " | ".join(map(_line, group)) for target, group in groupby(lines, key=lambda line: line[0])}


def _line(cells: list[str]) -> str:
    named = zip(CELLS, cells[2:], strict=False)
    return ", ".join(f"{key}: {cell}" for key, cell in named if cell and key != "note") or "object"


def _leaves(value: JsonValue, above: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, f"{above}/{key}" if above else str(key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, f"{above}/{number}")
    elif value is not None:
        yield above, as_text(value)
