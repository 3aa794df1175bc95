"""What a target can hold: a tree of fields read from a JSON Schema or from a simple field table.

The same tree serves the static check, the runtime check of a record against a destination, and the order of
elements when XML is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from re import _parser  # type: ignore[attr-defined]

from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.mappings.values.value_shapes import ANY, BOOLEAN, DAY_FORM, MONTH_FORM, NUMBER, TEXT, WHOLE, YEAR_FORM

OBJECT, LIST = "object", "list"
_TYPES = {
    "string": TEXT,
    "integer": WHOLE,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "object": OBJECT,
    "array": LIST,
}
_TABLE_TYPES = {
    "varchar": TEXT,
    "int": WHOLE,
    "double": NUMBER,
    "decimal": NUMBER,
    "boolean": BOOLEAN,
    "date": TEXT,
    "timestamp": TEXT,
}
_LONGEST_FORM = 1000
"""A pattern that lets longer texts pass does not limit them."""
_FORMS = {
    "YYYY-MM-DD": DAY_FORM,
    "YYYY-MM": MONTH_FORM,
    "YYYY": YEAR_FORM,
    "YYYY-YYYY": r"^20[0-9]{2}-20[0-9]{2}$",
    "YYYY-MM-DDTHH:mm:ss": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "0..10;Đ;CĐ;M": r"^(10(\.0)?|[0-9](\.[0-9])?|Đ|CĐ|M)$",
    "number;M": r"^(10|[0-9]|M)$",
}
"""What a field table says of a text's form → the same as a pattern."""


@dataclass(frozen=True, slots=True)
class TargetField:
    """One field of a target, with what it may hold."""

    type: str = ANY
    longest: int | None = None
    shortest: int | None = None
    required: bool = False
    allowed: frozenset[str | int | float | bool] | None = None
    least: float | None = None
    most: float | None = None
    children: Mapping[str, TargetField] = field(default_factory=dict)
    """Of an object, or of the objects that a list holds."""
    item: TargetField | None = None
    """Of a list, what it holds."""
    open: bool = False
    """An object that takes fields not named here."""
    label: str = ""
    """Name for people."""
    pattern: str = ""
    """Regular expression that a text has to match."""
    needed: bool = False
    """Whether what holds the field is refused without it in all but rare cases, though its form lets it be absent."""
    variants: Mapping[str, TargetField] = field(default_factory=dict)
    """Of an object that comes in kinds: value of `variant_by` → the object of that kind."""
    variant_by: str = ""

    def variant(self, value: object) -> TargetField:
        """The object of one kind; of any kind, if this is none."""
        return self.variants.get(str(value), self)

    def below(self) -> Mapping[str, TargetField]:
        """The named fields of the object, or of the list's objects."""
        return self.item.children if self.type == LIST and self.item else self.children

    def walk(self, above: str = "") -> Iterator[tuple[str, TargetField]]:
        """Every field below with its path, lists as `[]`."""
        for name, child in self.below().items():
            path = f"{above}/{name}" if above else name
            yield path, child
            yield from child.walk(path + "[]" if child.type == LIST else path)

    def demanded(self, path: str) -> Iterator[tuple[str, TargetField]]:
        """What has to be filled where this field is: itself, or of an object or a list of objects their own fields."""
        below = self.below()
        if not below:
            yield path, self
        for name, child in below.items():
            if child.required or child.needed:
                yield from child.demanded(f"{path}[]/{name}" if self.type == LIST else f"{path}/{name}")

    def find(self, path: str) -> TargetField | None:
        """The field at a path such as `subjects[]/name`; None if there is none, an open one below an open object."""
        here: TargetField | None = self
        for name in path.split("/") if path else ():
            if here is None or (here.open and name.removesuffix("[]") not in here.children):
                return TargetField(open=True) if here else None
            bare = name.removesuffix("[]")
            here = here.children.get(bare)
            for _ in range(name.count("[]")):
                here = here.item if here and here.type == LIST else None
        return here


def from_json_schema(schema: Mapping[str, JsonValue]) -> TargetField:
    """The target that a JSON Schema (2020-12, or the subset of OpenAPI) describes; references within it only.

    Alternatives (`anyOf`, `oneOf`) become one field that can hold any of them: required is what each requires.
    """
    return _field(schema, schema, ())


def _resolved(
    root: Mapping[str, JsonValue], part: Mapping[str, JsonValue], seen: tuple[str, ...]
) -> tuple[Mapping[str, JsonValue], tuple[str, ...]]:
    while isinstance(reference := part.get("$ref"), str):
        if reference in seen or not reference.startswith("#"):
            return {}, seen
        seen = (*seen, reference)
        found: JsonValue = root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
        part = {**found, **{key: value for key, value in part.items() if key != "$ref"}}
    return part, seen


def _field(root: Mapping[str, JsonValue], part: Mapping[str, JsonValue], seen: tuple[str, ...]) -> TargetField:
    part, seen = _resolved(root, part, seen)
    for key in ("anyOf", "oneOf"):
        if key in part:
            options = [_field(root, option, seen) for option in part[key] if option.get("type") != "null"]
            kinds = part.get("discriminator", {})
            return replace(
                _one_of(options),
                label=str(part.get("title", "")),
                variant_by=kinds.get("propertyName", ""),
                variants={
                    value: _field(root, {"$ref": reference}, seen)
                    for value, reference in kinds.get("mapping", {}).items()
                },
            )
    for base in part.get("allOf", ()):
        above, _ = _resolved(root, base, seen)
        part = {**above, **part, "properties": {**above.get("properties", {}), **part.get("properties", {})}}
    given = part.get("type")
    names = [name for name in (given if isinstance(given, list) else [given]) if name != "null"]
    kind = _TYPES.get(names[0], ANY) if len(names) == 1 and isinstance(names[0], str) else ANY
    values = part.get("enum", [part["const"]] if "const" in part else None)
    if kind == ANY and values and all(isinstance(value, str) for value in values):
        kind = TEXT
    required = set(part.get("required", ()))
    children = {
        name: replace(_field(root, child, seen), required=name in required)
        for name, child in part.get("properties", {}).items()
    }
    return TargetField(
        kind if not children else OBJECT,
        part.get("maxLength", _longest_match(part.get("pattern", ""))),
        part.get("minLength"),
        allowed=None if values is None else frozenset(value for value in values if value is not None),
        least=part.get("minimum"),
        most=part.get("maximum"),
        children=children,
        item=_field(root, part.get("items") or {}, seen) if kind == LIST else None,
        open=kind in (OBJECT, ANY) and not children and part.get("additionalProperties", True) is not False,
        label=str(part.get("title", "")),
        pattern=part.get("pattern", ""),
    )


def _longest_match(pattern: str) -> int | None:
    """Most characters that a text of this form can have; None if there is no end."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return None
    try:
        # The standard library's own reader of patterns: there is no public way to ask how long a match can be.
        most = int(_parser.parse(pattern).getwidth()[1])
    except (re.error, RecursionError):
        return None
    return most if most <= _LONGEST_FORM else None


def _one_of(options: list[TargetField]) -> TargetField:
    if not options:
        return TargetField()
    if all(option == options[0] for option in options):
        return options[0]
    names = list(dict.fromkeys(name for option in options for name in option.children))
    children = {}
    for name in names:
        fields = [option.children[name] for option in options if name in option.children]
        needed = len(fields) == len(options) and all(one.required for one in fields)
        children[name] = replace(_one_of(fields), required=needed)
    types = {option.type for option in options}
    allowed = [option.allowed for option in options]
    lengths = [option.longest for option in options]
    items = [option.item for option in options if option.item]
    return TargetField(
        types.pop() if len(types) == 1 else ANY,
        None if None in lengths else max((length for length in lengths if length is not None), default=None),
        allowed=None if None in allowed else frozenset(value for values in allowed for value in values or ()),
        children=children,
        item=_one_of(items) if items else None,
        open=any(option.open for option in options),
    )


def from_field_table(rows: Iterable[Mapping[str, str]], root: str, *, whole: bool = False) -> TargetField:
    """The target that a field table describes: columns table, field, type, max_length, required, allowed, min, max.

    Tables named `<root>_<child>` become lists `<child>` of the root, without the technical keys (column `key` PK, and
    FK to the root); as a `whole`, lists of the table's own name, with the keys. A later row for the same field counts
    instead of an earlier one.
    """
    tables: dict[str, dict[str, TargetField]] = {root: {}}
    for row in rows:
        table, name = row["table"], row["field"]
        key = row.get("key", "")
        if not whole and (key == "PK" or (key == "FK" and name.startswith("key"))):
            continue
        if table == root or table.startswith(root + "_"):
            tables.setdefault(table, {})[name] = _table_field(row)
    children = dict(tables.pop(root))
    for table, fields in tables.items():
        item = TargetField(OBJECT, children=fields)
        children[table if whole else table.removeprefix(root + "_")] = TargetField(LIST, item=item)
    return TargetField(OBJECT, children=children)


def _table_field(row: Mapping[str, str]) -> TargetField:
    length = row.get("max_length", "")
    listed = row.get("allowed", "").split(";")
    codes = [part.partition("=")[0] for part in listed] if len(listed) > 1 and ".." not in listed[0] else []
    kind = _TABLE_TYPES.get(row.get("type", ""), ANY)
    plain = kind == TEXT and codes and all(len(code) <= 3 for code in codes)  # noqa: PLR2004 - a code, not a remark
    return TargetField(
        kind,
        int(length) if length.isdigit() and kind == TEXT else None,
        required=row.get("required") == "Y" and not row.get("condition"),
        allowed=frozenset(codes) if plain else None,
        least=float(row["min"]) if row.get("min") else None,
        most=float(row["max"]) if row.get("max") else None,
        label=row.get("label_vi", ""),
        pattern=_FORMS.get(row.get("allowed", ""), ""),
    )
