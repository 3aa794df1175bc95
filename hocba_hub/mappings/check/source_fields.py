"""Which source fields a mapping reads, and which its examples have: what is told from the two side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.document.field_rules import Fields, Items, Object, Rule, Value, walk
from hocba_hub.mappings.document.paths import ANY, TEXT, Path
from hocba_hub.mappings.records.sheet_rows import ROW, SHEET
from hocba_hub.mappings.values.value import JsonValue

Names: TypeAlias = tuple[str, ...]
"""A source field, without list positions: `("diem", "hk1")`."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Reads:
    """One place of a document that reads a source field."""

    names: Names
    place: str
    is_value: bool = True
    """Whether it reads a value there; False for an object or list that it only goes through."""
    guessed: bool = False
    """Whether it is only a word of an expression, which may be a field."""


def source_fields(fields: Fields) -> list[Reads]:
    """Everything that the rules read."""
    top: tuple[Names, ...] = ((),)
    return [one for _, rule, scopes in walk(fields, top, _within) for one in _of_rule(rule, scopes)]


def _of_rule(rule: Rule, scopes: tuple[Names, ...]) -> Iterator[Reads]:
    for path in rule.when.paths() if rule.when else ():
        yield from _path(path, rule.place, scopes)
    match rule:
        case Value():
            for path in (*rule.sources, *(use.on for use in rule.tables if use.on and not isinstance(use.on, date))):
                yield from _path(path, rule.place, scopes)
            for word in _WORD.findall(rule.expression or ""):
                yield Reads((*scopes[-1], word), rule.place, guessed=True)
                yield Reads((*scopes[-1], ANY, word), rule.place, guessed=True)
        case Object(at=at) if at is not None:
            yield from _path(at, rule.place, scopes, is_value=False)
        case Items(each=each, where=where) if each is not None:
            yield from _path(each, rule.place, scopes, is_value=False)
            for path in where.paths() if where else ():
                yield from _path(path, rule.place, _below(each, scopes))


def _within(_: str, rule: Object | Items, scopes: tuple[Names, ...]) -> tuple[Names, ...]:
    """The source objects around the rules of an object or list, the innermost last."""
    path = rule.at if isinstance(rule, Object) else rule.each
    return scopes if path is None else _below(path, scopes)


def _from(path: Path, scopes: tuple[Names, ...]) -> tuple[Names, ...]:
    return scopes[:1] if path.up < 0 else scopes[: max(1, len(scopes) - path.up)]


def _below(path: Path, scopes: tuple[Names, ...]) -> tuple[Names, ...]:
    above = _from(path, scopes)
    return (*above, (*above[-1], *path.names))


def _path(path: Path, place: str, scopes: tuple[Names, ...], *, is_value: bool = True) -> Iterator[Reads]:
    begin = _from(path, scopes)[-1]
    for depth, step in enumerate(path.steps, 1):
        if step.where is not None:
            yield Reads((*begin, *path.names[:depth], step.where[0]), place)
    yield Reads((*begin, *path.names), place, is_value)


def fields_of(node: JsonValue, source: Source) -> Iterator[Names]:
    """Every source field of a record that holds a value, but for those that are left unread on purpose.

    Nor for the keys of other sheets: by them the rows were found.
    """
    keys = {(spec.part, name) for spec in source.sheets if spec.part for name in spec.key}
    for leaf in _leaves(node):
        if leaf not in keys and not any(_same(path.names, leaf[: len(path.names)]) for path in source.unread):
            yield leaf


def _leaves(node: JsonValue, above: Names = ()) -> Iterator[Names]:
    if isinstance(node, dict):
        for key, child in node.items():
            if key not in (SHEET, ROW):
                yield from _leaves(child, (*above, key))
    elif isinstance(node, list):
        for child in node:
            yield from _leaves(child, above)
    elif node not in (None, ""):
        yield above


def is_read(leaf: Names, read: Iterable[Reads]) -> bool:
    """Whether one of the places reads this field."""
    bare = leaf[:-1] if leaf[-1:] == (TEXT,) else leaf
    return any(one.is_value and (_same(one.names, leaf) or _same(one.names, bare)) for one in read)


def is_seen(names: Names, seen: Iterable[Names]) -> bool:
    """Whether one of the fields is this one, or lies below it."""
    if names[-1:] in ((SHEET,), (ROW,)):
        names = names[:-1]
    return any(_same(names, leaf[: len(names)]) for leaf in seen)


def _same(names: Names, leaf: Names) -> bool:
    return len(names) == len(leaf) and all(ANY in (a, b) or a == b for a, b in zip(names, leaf, strict=True))
