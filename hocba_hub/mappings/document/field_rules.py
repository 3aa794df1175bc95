"""The rules of a mapping: what each target field is made of, read from the document's `fields`.

hovaten: hoTen                                              just copied
ngaysinh: {from: ngaySinh, apply: [{date: dd/mm/yyyy}], required: true}
hovaten: {from: [ho, ten], join: " "}
trangthai: {value: "1"}                                     a constant
gioitinh: {from: gt, table: gender-of-vendor, default: "0"}
tong: {expression: "$sum(diem.hk1)"}                        JSONata
ketqua: [{from: a, when: {capHoc: TH}}, b]                  the first rule that gives something
pupil/name: hoTen                                           an object's field; or pupil: {at: hocSinh, fields: {…}}
subjects: {each: diem, where: {ma: {present: true}}, fields: {…}}
signers: {items: [{role: {value: head}, name: hieuTruong}]} a list of fixed entries; one that reads nothing is left out
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeAlias, TypeVar

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.conditions import Condition, parse_condition
from hocba_hub.mappings.document.paths import Path, PathError, parse_path
from hocba_hub.mappings.values.transforms import TRANSFORMS
from hocba_hub.mappings.values.value import ArgumentError, Change, JsonValue, as_text
from hocba_hub.mappings.yaml_reading import Reading, pointer_to


@dataclass(frozen=True, slots=True)
class Applied:
    """One transform of a rule, with its argument."""

    name: str
    argument: JsonValue
    change: Change


@dataclass(frozen=True, slots=True)
class TableUse:
    """A code table in a rule."""

    name: str
    source: str | None = None
    target: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    on: Path | date | None = None
    """The day of the look-up: fixed, or read from the source."""
    otherwise: str = "error"
    """For a value that it does not know: `error`, `keep` (with a warning) or `empty`."""


@dataclass(frozen=True, slots=True)
class Value:
    """A rule for one value."""

    target: str
    """The target field from the root, lists as `[]`: `subjects[]/name`."""
    place: str
    """Where the rule stands in the document, as a JSON Pointer."""
    sources: tuple[Path, ...] = ()
    gather: Applied | None = None
    """What makes one value of all that is read: `join`, `sum`, `count`, `coalesce`."""
    apply: tuple[Applied, ...] = ()
    tables: tuple[TableUse, ...] = ()
    constant: JsonValue = None
    default: JsonValue = None
    required: bool = False
    expression: str | None = None
    when: Condition | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Object:
    """A rule for an object: `at` moves its fields to another place of the source."""

    target: str
    place: str
    fields: Fields
    at: Path | None = None
    always: bool = False
    """Whether the object stands even with nothing in it."""
    required: bool = False
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A rule for a list: the items that `each` finds, or fixed entries."""

    target: str
    place: str
    each: Path | None
    entries: tuple[Fields, ...]
    """One for `each`; one for each fixed entry otherwise."""
    where: Condition | None = None
    """Which items of `each`."""
    required: bool = False
    when: Condition | None = None


Rule: TypeAlias = Value | Object | Items
Fields: TypeAlias = Mapping[str, tuple[Rule, ...]]
"""Target field → its rules, tried in order."""

C = TypeVar("C")


def inner_fields(rule: Rule) -> tuple[Fields, ...]:
    """The fields of the objects that a rule makes; of a single value none."""
    match rule:
        case Object():
            return (rule.fields,)
        case Items():
            return rule.entries
        case Value():
            return ()


def walk(fields: Fields, context: C, within: Callable[[str, Object | Items, C], C]) -> Iterator[tuple[str, Rule, C]]:
    """Every rule with the name of its target field, an object's own before those within it: the one way through them.

    With each comes a context: `context` at the top, and within an object or list what `within` makes of it.
    """
    for name, rules in fields.items():
        for rule in rules:
            yield name, rule, context
            if not isinstance(rule, Value):
                below = within(name, rule, context)
                for inner in inner_fields(rule):
                    yield from walk(inner, below, within)


VALUE_KEYS = ("from", "join", "apply", "table", "value", "default", "required", "expression", "when", "note")
OBJECT_KEYS = ("fields", "at", "always", "required", "when", "note")
EACH_KEYS = ("each", "fields", "where", "required", "when", "note")
ITEMS_KEYS = ("items", "required", "when", "note")
_TABLE_KEYS = ("name", "from", "to", "where", "on", "otherwise")
_OTHERWISE = ("error", "keep", "empty")
ITSELF = "."
"""Target of a list item that is a plain value."""


class _Leaf(NamedTuple):
    place: str
    given: JsonValue


_Tree: TypeAlias = "dict[str, _Leaf | _Tree]"


class FieldReader:
    """Reads `fields`; every mistake becomes a finding of the reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def fields(self, place: str, given: JsonValue, above: str) -> Fields:
        """The rules under one `fields`; `above` is the path of the target object that they fill."""
        if not isinstance(given, dict) or not given:
            self.reading.report_form(place, given, "target fields, as {target: source path or rule}")
            return {}
        tree: _Tree = {}
        for name, rule in given.items():
            at = place + pointer_to(name)
            if not self._insert(tree, name.split("/"), _Leaf(at, rule)):
                self.reading.report_form(at, name, "a target field given once, either whole or by its parts")
        return self._branch(tree, place, above)

    def _insert(self, tree: _Tree, names: list[str], leaf: _Leaf) -> bool:
        *objects, last = (name.strip() for name in names)
        for name in objects:
            below = tree.setdefault(name, {})
            if not name or isinstance(below, _Leaf):
                return False
            tree = below
        if not last or last in tree:
            return False
        tree[last] = leaf
        return True

    def _branch(self, tree: _Tree, place: str, above: str) -> Fields:
        rules: dict[str, tuple[Rule, ...]] = {}
        for name, branch in tree.items():
            target = above if name == ITSELF else f"{above}/{name}" if above else name
            if not isinstance(branch, _Leaf):
                rules[name] = (Object(target, place, self._branch(branch, place, target)),)
            elif isinstance(branch.given, list):
                if not branch.given:
                    self.reading.report_form(branch.place, branch.given, "rules")
                rules[name] = tuple(
                    self._rule(f"{branch.place}/{n}", one, target) for n, one in enumerate(branch.given)
                )
            else:
                rules[name] = (self._rule(branch.place, branch.given, target),)
        return rules

    def _rule(self, place: str, given: JsonValue, target: str) -> Rule:
        if isinstance(given, str):
            return Value(target, place, self._paths(place, given))
        if not isinstance(given, dict) or not given:
            self.reading.report_form(place, given, "a source path, or a rule such as {from: path}")
            return Value(target, place)
        if "each" in given:
            self._keys(place, given, EACH_KEYS)
            each = self._path(place + "/each", given["each"])
            entries: tuple[Fields, ...] = (self.fields(place + "/fields", given.get("fields"), target + "[]"),)
            return Items(
                target, place, each, entries, self._condition(place, given, "where"), *self._common(place, given)
            )
        if "items" in given:
            self._keys(place, given, ITEMS_KEYS)
            listed = given["items"]
            if not isinstance(listed, list) or not listed:
                self.reading.report_form(place + "/items", listed, "a list of entries, each with its target fields")
                listed = []
            entries = tuple(self.fields(f"{place}/items/{n}", one, target + "[]") for n, one in enumerate(listed))
            return Items(target, place, None, entries, None, *self._common(place, given))
        if "fields" in given:
            self._keys(place, given, OBJECT_KEYS)
            at = self._path(place + "/at", given["at"]) if "at" in given else None
            fields = self.fields(place + "/fields", given["fields"], target)
            always = self._truth(place + "/always", given.get("always", False))
            return Object(target, place, fields, at, always, *self._common(place, given))
        return self._value(place, given, target)

    def _value(self, place: str, given: dict[str, JsonValue], target: str) -> Value:
        self._keys(place, given, VALUE_KEYS)
        origins = [name for name in ("from", "value", "expression") if given.get(name) is not None]
        if len(origins) != 1:
            self.reading.report(kinds.KEY_ABSENT, place, "one of: from, value, expression, each, items, fields")
        expression, join = given.get("expression"), given.get("join")
        for name in ("value", "default"):
            if isinstance(given.get(name), dict | list):
                self.reading.report_form(f"{place}/{name}", given[name], "a single value")
        for name, text in (("expression", expression), ("join", join)):
            if text is not None and not isinstance(text, str):
                self.reading.report_form(f"{place}/{name}", text, "a text")
        sources = self._paths(place + "/from", given["from"]) if origins == ["from"] else ()
        gather, apply = self._gathered(place, join, self._applied(place + "/apply", given.get("apply", [])))
        if len(sources) > 1 and gather is None:
            self.reading.report(kinds.KEY_ABSENT, place, "join, or a first transform of: coalesce, count, join, sum")
        required, when = self._common(place, given)
        return Value(
            target,
            place,
            sources,
            gather,
            apply,
            self._tables(place + "/table", given.get("table", [])),
            given.get("value"),
            given.get("default"),
            required,
            expression,
            when,
            as_text(given.get("note") or ""),
        )

    def _gathered(
        self, place: str, join: JsonValue, apply: tuple[Applied, ...]
    ) -> tuple[Applied | None, tuple[Applied, ...]]:
        """What makes one value of several, and the transforms of this one; `join: text` is short for the transform."""
        for number, applied in enumerate(apply):
            if TRANSFORMS[applied.name].gathers and (number or join is not None):
                self.reading.report(
                    kinds.TRANSFORM_ARGUMENT, place, "to stand first, and alone of its kind", given=applied.name
                )
        if isinstance(join, str):
            return Applied("join", join, TRANSFORMS["join"].made(join)), apply
        if apply and TRANSFORMS[apply[0].name].gathers:
            return apply[0], apply[1:]
        return None, apply

    def _common(self, place: str, given: dict[str, JsonValue]) -> tuple[bool, Condition | None]:
        required = self._truth(place + "/required", given.get("required", False))
        return required, self._condition(place, given, "when")

    def _truth(self, place: str, given: JsonValue) -> bool:
        if not isinstance(given, bool):
            self.reading.report_form(place, given, "true or false")
        return given is True

    def _condition(self, place: str, given: dict[str, JsonValue], key: str) -> Condition | None:
        return parse_condition(self.reading, f"{place}/{key}", given[key]) if key in given else None

    def _keys(self, place: str, given: dict[str, JsonValue], allowed: tuple[str, ...]) -> None:
        for key in given:
            if key not in allowed:
                self.reading.report(kinds.KEY_UNKNOWN, place + pointer_to(key), ", ".join(allowed), given=key)

    def _path(self, place: str, given: JsonValue) -> Path | None:
        try:
            return parse_path(given)
        except PathError as error:
            self.reading.report(kinds.PATH_WRONG, place, str(error))
            return None

    def _paths(self, place: str, given: JsonValue) -> tuple[Path, ...]:
        paths = (self._path(place, one) for one in (given if isinstance(given, list) else [given]))
        return tuple(path for path in paths if path)

    def _applied(self, place: str, given: JsonValue) -> tuple[Applied, ...]:
        applied = []
        for number, one in enumerate(given if isinstance(given, list) else [given]):
            at = f"{place}/{number}" if isinstance(given, list) else place
            name, argument = next(iter(one.items())) if isinstance(one, dict) and len(one) == 1 else (one, None)
            transform = TRANSFORMS.get(name) if isinstance(name, str) else None
            if transform is None:
                known = ", ".join(sorted(TRANSFORMS))
                self.reading.report(kinds.TRANSFORM_UNKNOWN, at, known, given=name if isinstance(name, str) else "?")
                continue
            try:
                applied.append(Applied(name, argument, transform.made(argument)))
            except ArgumentError as error:
                self.reading.report(kinds.TRANSFORM_ARGUMENT, at, str(error), given=name)
        return tuple(applied)

    def _tables(self, place: str, given: JsonValue) -> tuple[TableUse, ...]:
        uses = []
        for number, one in enumerate(given if isinstance(given, list) else [given]):
            at = f"{place}/{number}" if isinstance(given, list) else place
            use = {"name": one} if isinstance(one, str) else one
            if not isinstance(use, dict) or not isinstance(use.get("name"), str):
                self.reading.report_form(at, one, "a table's name, or {name: …, from: …, to: …}")
                continue
            self._keys(at, use, _TABLE_KEYS)
            texts = (use.get("from"), use.get("to"))
            where, otherwise = use.get("where", {}), use.get("otherwise", "error")
            if not isinstance(where, dict) or not all(text is None or isinstance(text, str) for text in texts):
                self.reading.report_form(at, use, "from and to as names of code systems, where as {system: value}")
            elif otherwise not in _OTHERWISE:
                self.reading.report_form(at + "/otherwise", otherwise, " · ".join(_OTHERWISE))
            else:
                filters = {name: as_text(value) for name, value in where.items()}
                uses.append(TableUse(use["name"], *texts, filters, self._day(at, use.get("on")), otherwise))
        return tuple(uses)

    def _day(self, place: str, given: JsonValue) -> Path | date | None:
        if given is None:
            return None
        try:
            return date.fromisoformat(str(given))
        except ValueError:
            return self._path(place + "/on", given)
