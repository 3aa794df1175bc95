"""The one path syntax, for JSON, XML and rows alike: `hocSinh/hoTen`, `diem[ma=TOAN]/hk1`, `../namHoc`, `@id`.

A record is a tree of dicts, lists and plain values, whatever it was before: an XML element is a dict of its child
elements, its attributes as `@name` and its text as `#text`; a row is a dict of its columns with `@sheet` and `@row`.
So a path needs to know nothing of the format. What stands around a record in its document is reached by `//` and, one
object after the other, by `..`; for a sheet it is the cells above its table. Steps are parted by `/`; a name that holds
one of `/ [ ] '` stands in single quotes.

    name           the value of that key, child element or column
    name[0]        one of a list, from 0; [-1] is the last
    name[key=text] the one of a list whose `key` has that text
    *              each value of an object (in `each` and `records` only)
    /name          from the record's root      ../name   from the object around this one
    //name         from the document's root: what stands above its records
    .              the value itself            .key      the key under which `each` found it
    .position      its number among its neighbours, from 1
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import JsonValue, ValueRejected, as_text, clean_text, value_class
from hocba_hub.model.errors import HubError

Steps: TypeAlias = tuple[str | int, ...]
"""Where a value is in its record: keys and list positions from the root."""

Scope: TypeAlias = tuple[JsonValue, "Scope | None", Steps, int]
"""What paths are relative to: a node, the scope around it, the steps from there to the node, its position from 1.

The objects around a record, in its document, have the position 0.
"""

HEAD = "//"
"""Begins the steps to what stands around a record: they lead down from the document's root."""
TEXT = "#text"
ANY = "*"
SELF, KEY, POSITION = ".", ".key", ".position"
_ROOT, _DOCUMENT = -1, -2
_NOTHING: Scope = ({}, None, (), 0)
"""Where a path begins if there is nothing that far up."""

_STEP = re.compile(
    r"\s*(?:'(?P<quoted>(?:[^']|'')+)'|(?P<bare>[^/\[\]']+?))\s*(?P<selectors>(?:\[(?:[^\[\]']|'[^']*')*\]\s*)*)(?:/|\Z)"
)
_SELECTOR = re.compile(r"\[((?:[^\[\]']|'[^']*')*)\]")
_MATCH = re.compile(r"\s*([^='\[\]]+?)\s*=\s*(?:'([^']*)'|([^']*?))\s*\Z")


class PathError(HubError):
    """A text is not a path."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step down: a name, and which of a list."""

    name: str
    index: int | None = None
    where: tuple[str, str] | None = None
    """A key of the list's items and the text that it must have."""


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path. Equal texts may differ in blanks, equal paths never."""

    text: str
    steps: tuple[Step, ...]
    up: int = 0
    """How many scopes up it starts; -1 for the record's root, -2 for the document's."""
    special: str = ""
    """`.`, `.key` or `.position`."""

    @property
    def keys(self) -> tuple[str, ...] | None:
        """The keys that lead down, one object after the other, if the path is no more than that."""
        plain = self.steps and not self.special and all(step == Step(step.name) for step in self.steps)
        return self.names if plain and ANY not in self.names else None

    @property
    def from_document(self) -> bool:
        """Whether it begins at the document's root."""
        return self.up == _DOCUMENT

    @property
    def names(self) -> tuple[str, ...]:
        """The steps' names without selectors."""
        return tuple(step.name for step in self.steps)


def parse_path(text: object) -> Path:
    """The path that a text describes.

    Raises:
        PathError: it is not a path; the message says why, for the author of a mapping.
    """
    if not isinstance(text, str) or not text.strip():
        raise PathError("a path such as hocSinh/hoTen")
    rest, up = _begin(clean_text(text))
    steps: list[Step] = []
    position = 0
    special = ""
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise PathError(f"quote names that hold / [ ] or ': {rest[position:]}")
        if special:
            raise PathError(f"nothing can follow: {special}")
        name = match["quoted"].replace("''", "'") if match["quoted"] else match["bare"]
        if match["bare"] and name in {SELF, KEY, POSITION}:
            special = name
        elif match["bare"] and name.startswith("."):
            raise PathError(f"no such step; known are . .key .position, and .. at the start: {name}")
        else:
            steps.extend(_steps(clean_text(name), match["selectors"]))
        position = match.end()
    if rest.endswith("/") and steps:
        raise PathError("a path does not end with /")
    if steps and special:
        raise PathError(f"this stands alone or after ..: {special}")
    return Path(text.strip(), tuple(steps), up, special or ("" if steps else SELF))


def _begin(text: str) -> tuple[str, int]:
    """What follows the beginning of a path, and how many scopes up that is."""
    if text.startswith(HEAD):
        return text[2:], _DOCUMENT
    if text.startswith("/"):
        return text[1:], _ROOT
    up = 0
    while text == ".." or text.startswith("../"):
        text, up = text[3:], up + 1
    return text, up


def _steps(name: str, selectors: str) -> Iterator[Step]:
    chosen: list[Step] = []
    for inner in _SELECTOR.findall(selectors):
        if re.fullmatch(r"\s*-?\d{1,6}\s*", inner):
            chosen.append(Step(name, index=int(inner)))
        elif match := _MATCH.fullmatch(inner):
            chosen.append(Step(name, where=(clean_text(match[1]), clean_text(match[2] or match[3] or ""))))
        else:
            raise PathError(f"write [0], [-1] or [key=text]: [{inner}]")
    if len(chosen) > 1:
        raise PathError("one selector a step")
    yield chosen[0] if chosen else Step(name)


def start(scope: Scope, up: int) -> Scope:
    """The scope where a path begins; one with nothing in it if there is nothing that far up."""
    if up == _ROOT:
        while scope[1] is not None and scope[1][3]:
            scope = scope[1]
        return scope if _is_record(scope) else _NOTHING
    if up == _DOCUMENT:
        while scope[1] is not None:
            scope = scope[1]
        return _NOTHING if scope[3] else scope
    for _ in range(up):
        if scope[1] is None:
            return _NOTHING
        scope = scope[1]
    return scope


def _is_record(scope: Scope) -> bool:
    """Whether a scope is a record's root; one that `at: //truong` leads to is not."""
    return bool(scope[3]) and not scope[2] and (scope[1] is None or not scope[1][3])


def origin(scope: Scope) -> Steps:
    """Steps from the record's root to the scope's node; for what stands around the record, `HEAD` and those from there.

    The mark of a subject → ("diem", 3); the object that holds the list of records, and nothing around it → ("//",)
    """
    steps = scope[2]
    while scope[1] is not None:
        above = scope[1]
        if _is_record(scope):
            return steps
        scope, steps = above, above[2] + steps
    return steps if scope[3] else (HEAD, *steps)


def read(path: Path) -> Callable[[Scope], JsonValue]:
    """A function that returns the path's one value, a list of values if there are several, or None.

    It raises `ValueRejected` where the record is built otherwise than the path says.
    """
    steps, up, special = path.steps, path.up, path.special
    if special == KEY:
        return lambda scope: next((s for s in reversed(start(scope, up)[2]) if isinstance(s, str)), None)
    if special == POSITION:
        return lambda scope: start(scope, up)[3] or None
    if special == SELF:
        return lambda scope: start(scope, up)[0]
    names = path.keys
    if names is None:
        return lambda scope: only(found(start(scope, up)[0], steps))

    def plain(scope: Scope) -> JsonValue:
        begin = node = scope[0] if up == 0 else start(scope, up)[0]
        for name in names:
            if type(node) is not dict:
                return only(found(begin, steps))
            node = node.get(name)
            if node is None:
                return None
        return node

    return plain


def only(hits: list[tuple[Steps, JsonValue]]) -> JsonValue:
    """The one node that was found, a list of them if there are several, or None."""
    if len(hits) > 1:
        return [node for _, node in hits]
    return hits[0][1] if hits else None


def found(node: JsonValue, steps: tuple[Step, ...]) -> list[tuple[Steps, JsonValue]]:
    """Every node that the steps lead to, lists on the way taken item by item; nothing for what is absent.

    Raises:
        ValueRejected: a plain value stands where the steps go deeper.
    """
    hits: list[tuple[Steps, JsonValue]] = [((), node)]
    for step in steps:
        hits = [below for at, parent in hits for below in _below(at, parent, step)]
    return hits


def _below(at: Steps, parent: JsonValue, step: Step) -> Iterator[tuple[Steps, JsonValue]]:
    if isinstance(parent, list):
        for number, item in enumerate(parent):
            yield from _below((*at, number), item, step)
        return
    if not isinstance(parent, dict):
        if step.name == TEXT and parent is not None:
            yield at, parent
        elif parent not in (None, "") and not step.name.startswith("@"):
            raise ValueRejected(kinds.STRUCTURE, f"an object with: {step.name}", value_class=value_class(parent))
        return
    if step.name == ANY:
        for key, child in parent.items():
            yield (*at, key), child
        return
    child = parent.get(step.name)
    if child is None:
        return
    if step.index is None and step.where is None:
        yield (*at, step.name), child
        return
    items = child if isinstance(child, list) else [child]
    chosen = _chosen(items, step)
    if chosen is not None:
        yield ((*at, step.name, chosen) if isinstance(child, list) else (*at, step.name)), items[chosen]


def _chosen(items: list[JsonValue], step: Step) -> int | None:
    if step.index is not None:
        at = step.index + len(items) if step.index < 0 else step.index
        return at if 0 <= at < len(items) else None
    name, text = step.where or ("", "")
    for place, item in enumerate(items):
        if isinstance(item, dict):
            value = item.get(name)
            if value is not None and clean_text(as_text(value)) == text:
                return place
    return None


def items(path: Path) -> Callable[[Scope], list[tuple[Steps, JsonValue]]]:
    """A function that returns the items that `each` goes over: lists item by item, a single value as one item."""
    steps, up = path.steps, path.up
    names = path.keys if up == 0 else None

    def every(scope: Scope) -> list[tuple[Steps, JsonValue]]:
        if names is not None:
            value = scope[0]
            for name in names:
                value = value.get(name) if type(value) is dict else None
            if type(value) is list:
                return [((*names, number), item) for number, item in enumerate(value)]
        hits = found(start(scope, up)[0], steps)
        flat: list[tuple[Steps, JsonValue]] = []
        for at, node in hits:
            if isinstance(node, list):
                flat.extend(((*at, number), item) for number, item in enumerate(node))
            elif node not in (None, ""):
                flat.append((at, node))
        return flat

    return every


def locate(path: Path, scope: Scope) -> Steps:
    """Steps from the record's root to what the path means, present or not."""
    begin = start(scope, path.up)
    at, rest = origin(begin), path.steps
    for depth, step in enumerate(rest, 1):
        try:
            hits = found(begin[0], rest[:depth])
        except ValueRejected:
            return at
        if not hits:
            return (*at, step.name) if step.index is None and step.where is None and step.name != ANY else at
        at = origin(begin) + hits[0][0]
    return at
