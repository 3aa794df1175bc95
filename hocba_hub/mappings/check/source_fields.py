"""Which source fields a mapping reads, and which its examples have: what is told from the two side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from hocba_hub.mappings.document.document import ROWS, Source
from hocba_hub.mappings.document.field_rules import Fields, Items, Object, Rule, Value, walk
from hocba_hub.mappings.document.paths import ANY, HEAD, TEXT, Path, Scope, origin
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.sheet_head import SheetHead
from hocba_hub.mappings.records.sheet_rows import ROW, SHEET
from hocba_hub.mappings.values.value import JsonValue

Names: TypeAlias = tuple[str, ...]
"""A source field, without list positions: `("diem", "hk1")`; of what stands around records `("//", "namHoc")`."""
ABOVE: Names = (HEAD, "..")
"""What a path reads that begins above everything."""
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


def source_fields(fields: Fields, source: Source) -> list[Reads]:
    """Everything that the rules read."""
    top = (*objects_around(source), ())
    return [one for _, rule, scopes in walk(fields, top, _within) for one in _of_rule(rule, scopes)]


def objects_around(source: Source) -> tuple[Names, ...]:
    """The objects that a record stands in, the document's root first.

    records: lop/hocSinh   → ("//",), ("//", "lop")
    sheets                 → ("//",): the cells above the table
    """
    if source.format == ROWS:
        return ((HEAD,),)
    names = source.records.names if source.records is not None else ()
    return tuple((HEAD, *names[:depth]) for depth in range(len(names)))


def shown(names: Names) -> str:
    """A source field as its path."""
    return HEAD + "/".join(names[1:]) if names[:1] == (HEAD,) else "/".join(names)


def head_names(fields: Fields, source: Source) -> tuple[frozenset[str], ...]:
    """What the rules read of each object that a record stands in, the root first: names directly below it."""
    around = objects_around(source)
    names: list[set[str]] = [set() for _ in around]
    for one in source_fields(fields, source):
        inside = [depth for depth, above in enumerate(around) if one.names[: len(above)] == above]
        if inside and len(one.names) > len(around[inside[-1]]):
            names[inside[-1]].add(one.names[len(around[inside[-1]])])
    return tuple(frozenset(below) for below in names)


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
    """The scopes up to the one where a path begins."""
    around = sum(names[:1] == (HEAD,) for names in scopes)
    if path.from_document:
        return scopes[:1] if around else (ABOVE,)
    if path.up < 0:
        return scopes[: around + 1] if around < len(scopes) else (ABOVE,)
    return scopes[: len(scopes) - path.up] or (ABOVE,)


def _below(path: Path, scopes: tuple[Names, ...]) -> tuple[Names, ...]:
    above = _from(path, scopes)
    return (*above, (*above[-1], *path.names))


def _path(path: Path, place: str, scopes: tuple[Names, ...], *, is_value: bool = True) -> Iterator[Reads]:
    begin = _from(path, scopes)[-1]
    for depth, step in enumerate(path.steps, 1):
        if step.where is not None:
            yield Reads((*begin, *path.names[:depth], step.where[0]), place)
    yield Reads((*begin, *path.names), place, is_value)


def fields_of(record: Record, source: Source) -> Iterator[Names]:
    """Every source field of a record, and of what stands around it, that holds a value.

    But for those that are left unread on purpose, and the keys of other sheets: by them the rows were found.
    """
    keys = {(spec.part, name) for spec in source.sheets if spec.part for name in spec.key}
    unread = [(HEAD, *path.names) if path.from_document else path.names for path in source.unread]
    for leaf in (*_of_around(record.around), *(in_card(leaf, source) for leaf in _leaves(record.node))):
        if leaf not in keys and not any(_same(names, leaf[: len(names)]) for names in unread):
            yield leaf


def _of_around(scope: Scope | None) -> Iterator[Names]:
    while scope is not None:
        node, begin = scope[0], tuple(step for step in origin(scope) if isinstance(step, str))
        if isinstance(node, SheetHead):
            yield from ((HEAD, label) for label in node.labels().values())
        else:
            yield from (begin + leaf for leaf in _leaves(node))
        scope = scope[1]


def in_card(names: Names, source: Source) -> Names:
    """A column of one of a card's several rows as the card's own: its first row has it, too."""
    part = source.sheets[0].part if source.sheets else ""
    return names[1:] if part and names[:1] == (part,) and len(names) > 1 else names


def of_sheets(read: Iterable[Reads], heads: Iterable[SheetHead], source: Source) -> list[Reads]:
    """The places that a document reads, as `fields_of` names them: cells above a table, columns of a card's rows."""
    found: dict[Reads, None] = {}
    known = list(heads)
    parts = {(spec.part,) for spec in source.sheets}
    for each in read:
        if each.names in parts:  # the rows of a card: it always has some
            continue
        one = replace(each, names=in_card(each.names, source))
        if one.names[:1] != (HEAD,) or len(one.names) == 1:
            found[one] = None
            continue
        labels = [head.labels().get(head.address(one.names[1])) for head in known]
        found |= {replace(one, names=(HEAD, label)): None for label in labels if label} or {one: None}
    return list(found)


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
