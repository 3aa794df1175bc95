"""The function that fills an object: generated as source text, because nearly all time of a translation goes there.

The text depends on nothing but how many rules of which kind an object has, and which of them read from one object of
the source. Names, source keys, constants, conversions and rules are bound to it by reference, under numbered names of
ours; no character of a document gets into it. It is put together of the templates below, and of nothing else (see
docs/decisions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from textwrap import indent
from typing import NamedTuple, Protocol, TypeAlias

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.compile.conversion import Memory
from hocba_hub.mappings.document.field_rules import Rule, Value
from hocba_hub.mappings.document.paths import Scope, Step, Steps, found, only
from hocba_hub.mappings.values.value import Change, JsonValue, ValueRejected, clean_text, value_class

Note: TypeAlias = tuple[Rule, Scope, ValueRejected]
"""A problem, before its place is worked out: most records have none, so places are worked out only then."""
Produce: TypeAlias = Callable[[Scope, list[Note]], JsonValue]
"""What a rule gives in a scope; None for nothing. Problems are noted."""
Keys: TypeAlias = tuple[str, ...]


Fill: TypeAlias = Callable[[Scope, list[Note]], dict[str, JsonValue]]
"""Fills an object from a scope."""


class NumberedKey(NamedTuple):
    """A field of every item that is the item's number between two texts."""

    name: str
    before: str
    behind: str


class FillItems(Protocol):
    """Fills an object for each item of a list."""

    def __call__(  # noqa: PLR0917 - called once for a list, calls are what costs
        self,
        nodes: list[JsonValue],
        begin: Scope,
        steps: Steps,
        notes: list[Note],
        more: dict[str, JsonValue],
        numbered: Sequence[NumberedKey],
    ) -> list[dict[str, JsonValue]]:
        """One object for each item that is one; `more` and `numbered` say what each has besides.

        `steps` lead from the scope to the list.
        """
        ...


@dataclass(slots=True)
class Part:
    """One object of the output: which of its fields are filled in which way.

    `fields: {id: {value: x}, birth: {from: ngaySinh, apply: [date]}, name: {from: hoTen}, all: {items: …}}` is a part
    with one of `constants`, one of `converted`, one of `texts` and one of `others`. An object within it that reads
    from the same place of the source is another part of the same function.
    """

    parent: int
    """Number of the part that this object stands in."""
    name: str
    """Its field there."""
    always: bool = False
    """It stands there even if nothing is in it."""
    constants: dict[str, JsonValue] = field(default_factory=dict)
    converted: list[tuple[str, Keys, Memory, Value]] = field(default_factory=list)
    """Values that are transformed, looked up or fitted: target field, keys to the source value, conversion, rule."""
    texts: list[tuple[str, Keys, Change, Value]] = field(default_factory=list)
    """Values that only have to be made plain text: target field, keys, what makes any other value plain, rule."""
    copied: list[tuple[str, Keys, Change, Value]] = field(default_factory=list)
    """Values of a checked source, written as they are."""
    others: list[tuple[str, Keys | None, Produce]] = field(default_factory=list)
    """Any other rule: target field, perhaps keys to what must be there for it to give anything, its function."""


def missing() -> ValueRejected:
    """That a required value is not there."""
    return ValueRejected(kinds.MISSING, "", value_class="missing")


def filling(parts: list[Part]) -> Fill:
    """The function that fills the first of the parts, and in it the others."""
    fill: Fill = _made(*generated(parts))
    return fill


def items_filling(parts: list[Part], rule: Rule) -> FillItems:
    """The function that does so for every item of a list that a rule reads."""
    source, names = generated(parts, items=True)
    fill: FillItems = _made(source, {**names, "rule": rule})
    return fill


def _made(source: str, names: dict[str, JsonValue]) -> JsonValue:
    exec(compile(source, "<mapping>", "exec"), names)  # noqa: S102 - our own text, see above
    return names["fill"]


# The text: a template for each kind of rule, and those around them. Names in braces are numbered names of ours.
_OBJECT = """\
def fill(scope, notes):
 node0 = scope[0]
 get0 = node0.get if type(node0) is dict else no_keys
{rules}
 return out0
"""
_ITEMS = """\
def fill(nodes, begin, steps, notes, more, numbered):
 output = []
 position = 0
 for node0 in nodes:
  position += 1
  if type(node0) is not dict:
   no_object(rule, node0, begin, steps, position, notes)
   continue
  get0 = node0.get
{rules}
  for name, before, behind in numbered: out0[name] = f'{{before}}{{position}}{{behind}}'
  output.append(out0)
 return output
"""
_COPIED = """\
value = {get}(k{at})
if value is None: {absent}
elif type(value) is str or type(value) in simple: {out}[n{at}] = value
else: plain(r{at}, p{at}, value, scope, notes, {out}, n{at})
"""
_TEXT = """\
value = {get}(k{at})
if type(value) is str:
 value = value.strip() if value.isascii() else clean(value)
 if value: {out}[n{at}] = value
 else: {absent}
elif value is None: {absent}
else: plain(r{at}, p{at}, value, scope, notes, {out}, n{at})
"""
_CONVERTED = """\
value = {get}(k{at})
if value is None: {absent}
else:
 try:
  value = m{at}[value]
  if value is not None: {out}[n{at}] = value
  else: {absent}
 except (Rejected, TypeError) as e: failed(r{at}, m{at}, value, e, scope, notes, {out}, n{at})
"""
_ABSENT = "absent(r{at}, scope, notes, {out}, n{at})"
_OTHER = """\
value = f{at}(scope, notes)
if value is not None: {out}[n{at}] = value
"""
_OTHER_WITH_KEY = """\
value = {get}(k{at})
if value is not None: value = f{at}(scope, notes)
if value is not None: {out}[n{at}] = value
"""
_SOURCE_OBJECT = """\
node{number} = get{above}(o{number})
if type(node{number}) is dict: get{number} = node{number}.get
else: get{number} = no_keys if node{number} is None else misplaced(node0, s{number})
"""
_ITEM_SCOPE = "(node0, begin, (*steps, position - 1), position)"


def generated(parts: list[Part], *, items: bool = False) -> tuple[str, dict[str, JsonValue]]:
    """The source text, and what its names are bound to."""
    names: dict[str, JsonValue] = {
        "absent": _absent,
        "clean": clean_text,
        "failed": _failed,
        "misplaced": _misplaced,
        "no_keys": _no_keys,
        "no_object": _no_object,
        "plain": _plain,
        "simple": _SIMPLE,
        "Rejected": ValueRejected,
    }
    lines: list[str] = []
    objects = _Objects(lines, names)
    for place, part in enumerate(parts):
        names[f"base{place}"] = part.constants
        lines.append(f"out{place} = base{place}.copy()" if part.constants else f"out{place} = {{}}")
        if items and place == 0:
            lines.append("out0.update(more)")
        _rules(lines, names, objects, place, part)
    for place, part in reversed(list(enumerate(parts[1:], 1))):
        names[f"own{place}"] = part.name
        stand = f"out{part.parent}[own{place}] = out{place}"
        lines.append(stand if part.always else f"if out{place}: {stand}")
    if not items:
        return _OBJECT.format(rules=indent("\n".join(lines), " ")), names
    # The scope is only needed for rules that read otherwise, and for problems: most items make none.
    if any(keys is None for part in parts for _, keys, _ in part.others):
        lines.insert(0, f"scope = {_ITEM_SCOPE}")
    else:
        lines = [line.replace("scope, notes", f"{_ITEM_SCOPE}, notes") for line in lines]
    return _ITEMS.format(rules=indent("\n".join(lines), "  ")), names


class _Objects(dict[Keys, int]):
    """The objects of the source that the rules read from: keys that lead there → number of its `get` in the text."""

    def __init__(self, lines: list[str], names: dict[str, JsonValue]) -> None:
        super().__init__({(): 0})
        self._lines = lines
        self._names = names

    def __missing__(self, keys: Keys) -> int:
        above, number = self[keys[:-1]], len(self)
        self[keys] = number
        self._names |= {f"o{number}": keys[-1], f"s{number}": tuple(map(Step, keys))}
        self._lines += _SOURCE_OBJECT.format(number=number, above=above).splitlines()
        return number


def _rules(lines: list[str], names: dict[str, JsonValue], objects: _Objects, place: int, part: Part) -> None:
    """Add the lines of one part's rules, and bind their names: `k` is a key, `n` a target field, `r` a rule.

    A text rule of part 0 → `value = get0(k0_3)` and so on, with `k0_3` bound to its key.
    """
    number = count()

    def add(template: str, name: str, keys: Keys | None, rule: Value | None = None, **bound: JsonValue) -> None:
        at, out = f"{place}_{next(number)}", f"out{place}"
        get = "" if keys is None else f"get{objects[keys[:-1]]}"
        absent = _ABSENT.format(at=at, out=out) if rule is not None and _demands(rule) else "pass"
        bound |= {"n": name, "r": rule, "k": None if keys is None else keys[-1]}
        names.update({f"{letter}{at}": value for letter, value in bound.items()})
        lines.extend(template.format(get=get, at=at, out=out, absent=absent).splitlines())

    for name, keys, change, rule in part.copied:
        add(_COPIED, name, keys, rule, p=change)
    for name, keys, memory, rule in part.converted:
        add(_CONVERTED, name, keys, rule, m=memory)
    for name, keys, change, rule in part.texts:
        add(_TEXT, name, keys, rule, p=change)
    for name, needed, produce in part.others:
        add(_OTHER if needed is None else _OTHER_WITH_KEY, name, needed, f=produce)


def _demands(rule: Value) -> bool:
    return rule.required or rule.default is not None


_SIMPLE = frozenset({bool, int, float})
"""Types of values, besides texts, that a checked source holds as they are to be written."""


def _no_keys(_: str) -> None:
    return None


def _no_object(rule: Rule, node: JsonValue, begin: Scope, steps: Steps, position: int, notes: list[Note]) -> None:  # noqa: PLR0917 - called from generated text
    """An item of a list is no object."""
    wrong = ValueRejected(kinds.STRUCTURE, "an object", value_class=value_class(node))
    notes.append((rule, (node, begin, (*steps, position - 1), position), wrong))


class _Misplaced(NamedTuple):
    """What comes of reading below a value that is no object."""

    error: ValueRejected
    unhashable: list[JsonValue]
    """So that no memory takes it for a value."""


def _misplaced(node: JsonValue, steps: tuple[Step, ...]) -> Callable[[str], JsonValue]:
    """The function that reads a key where the steps lead to no object, but perhaps to a list of objects."""

    def get(key: str) -> JsonValue:
        try:
            return only(found(node, (*steps, Step(key))))
        except ValueRejected as error:
            return _Misplaced(error, [])

    return get


def _absent(rule: Value, scope: Scope, notes: list[Note], output: dict[str, JsonValue], name: str) -> None:
    """Nothing came for a rule: its default, or the problem that it is required."""
    if rule.default is not None:
        output[name] = rule.default
    elif rule.required:
        notes.append((rule, scope, missing()))


def _failed(  # noqa: PLR0917 - called from generated text
    rule: Value,
    memory: Memory,
    value: JsonValue,
    error: Exception,
    scope: Scope,
    notes: list[Note],
    output: dict[str, JsonValue],
    name: str,
) -> None:
    """A value does not fit, or is an object or a list, which no dict can look up."""
    if not isinstance(error, ValueRejected):
        _plain(rule, memory.convert, value, scope, notes, output, name)
        return
    _rejected(rule, error, scope, notes, output, name)


def _rejected(  # noqa: PLR0917 - called by the two above
    rule: Value, error: ValueRejected, scope: Scope, notes: list[Note], output: dict[str, JsonValue], name: str
) -> None:
    notes.append((rule, scope, error))
    if error.kept is not None:
        output[name] = error.kept


def _plain(  # noqa: PLR0917 - called from generated text
    rule: Value,
    change: Change,
    value: JsonValue,
    scope: Scope,
    notes: list[Note],
    output: dict[str, JsonValue],
    name: str,
) -> None:
    """A value that is not a text: what it becomes."""
    if type(value) is _Misplaced:
        _rejected(rule, value.error, scope, notes, output, name)
        return
    try:
        result = change(value)
    except ValueRejected as error:
        _rejected(rule, error, scope, notes, output, name)
        return
    if result is None:
        _absent(rule, scope, notes, output, name)
    else:
        output[name] = result
