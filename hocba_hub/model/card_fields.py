"""The card explained: every field with its label, meaning, form, codes, example and NDC name, in both languages.

Read from the model itself and from `card_fields.yaml`, for people who map their own data to it. Which rules judge a
field is told by `rules/of_field.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hocba_hub.model.card import CARD
from hocba_hub.model.consistency import NEEDED
from hocba_hub.model.fields import FORMS

KINDS = ("primary", "secondary", "continuing")
REQUIRED, NEEDED_BY_MOST, OPTIONAL = "required", "needed", "optional"
"""How much a kind of card needs a field: its form demands it; nearly every card is refused without it; it may lack."""


@dataclass(slots=True)
class CardField:
    """One field of a card."""

    path: str
    """From the card on, lists as `[]`: `year/subjects[]/code`."""
    label_vi: str
    label_en: str
    ndc: str
    """Its name in the data dictionary; empty for the hub's own."""
    source: str
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of card → how much it needs the field; a kind that has no such field is left out."""
    forms: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Kind → its form in words, Vietnamese and English."""
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code → its name, Vietnamese and English."""
    meaning_vi: str = ""
    meaning_en: str = ""
    example: str | int | bool | None = None
    """Of a single value; None for an object or a list."""


@cache
def card_fields() -> Mapping[str, CardField]:
    """Every field by its path, in the order of the card; objects and lists before what is in them."""
    written = yaml.safe_load(files("hocba_hub.model").joinpath("card_fields.yaml").read_text(encoding="utf-8"))
    schema = CARD.json_schema(by_alias=True)
    found: dict[str, CardField] = {}
    for kind in KINDS:
        root = _resolved(schema, {"$ref": schema["discriminator"]["mapping"][kind]})
        for path, part, is_required in _walk(schema, root, ""):
            one = found.get(path) or _field(path, part, written)
            found[path] = one
            needed = path in NEEDED[kind]
            one.kinds[kind] = REQUIRED if is_required else NEEDED_BY_MOST if needed else OPTIONAL
            one.forms[kind] = _form(part)
    first = [path for path in found if path == "kind"]
    return {path: found[path] for path in (*first, *(path for path in found if path != "kind"))}


def _field(path: str, part: Mapping[str, Any], written: Mapping[str, Any]) -> CardField:
    label, example, *remarks = written["fields"][path]
    meaning_vi, meaning_en = remarks or ("", "")
    return CardField(
        path,
        str(part.get("title", "")),
        label,
        str(part.get("ndc", "")),
        str(part.get("source", "")),
        codes=_codes(path, part, written["codes"]),
        meaning_vi=meaning_vi,
        meaning_en=meaning_en,
        example=example,
    )


def _codes(
    path: str, part: Mapping[str, Any], named: Mapping[str, Mapping[str, list[str]]]
) -> dict[str, tuple[str, str]]:
    names = named.get(path) or (named.get(path.rpartition("/")[0]) if "enum" in part else None) or {}
    values = list(names) if path == "kind" else part.get("enum", ())
    return {str(value): (names[value][0], names[value][1]) if value in names else ("", "") for value in values}


def _walk(
    schema: Mapping[str, Any], part: Mapping[str, Any], above: str
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Every field below with its schema, and whether it is required where its object is."""
    required = set(part.get("required", ()))
    for name, given in part.get("properties", {}).items():
        child = _resolved(schema, given)
        path = f"{above}/{name}" if above else name
        yield path, child, name in required
        item = _resolved(schema, child["items"]) if child.get("type") == "array" else None
        if item is not None and item.get("properties"):
            yield from _walk(schema, item, f"{path}[]")
        else:
            yield from _walk(schema, child, path)


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A part with what it refers to; of alternatives the one that is not null. Its own title and names win."""
    found = dict(part)
    while True:
        if "anyOf" in found:
            inner = next(option for option in found.pop("anyOf") if option.get("type") != "null")
        elif "$ref" in found:
            inner = schema["$defs"][found.pop("$ref").rpartition("/")[2]]
        else:
            return found
        found = {**inner, **found}


_TYPES = {
    "string": ("văn bản", "text"),
    "integer": ("số nguyên", "whole number"),
    "boolean": ("đúng hoặc sai", "true or false"),
    "array": ("danh sách", "list"),
    "object": ("đối tượng", "object"),
}


def _form(part: Mapping[str, Any]) -> tuple[str, str]:
    if "enum" in part or "const" in part:
        return "một trong các mã", "one of the codes"
    if part.get("pattern") in FORMS:
        return FORMS[part["pattern"]]
    vi, en = _TYPES.get(str(part.get("type")), ("", ""))
    least, most = part.get("minimum"), part.get("maximum")
    if "maxLength" in part:
        vi, en = f"{vi}, nhiều nhất {part['maxLength']} ký tự", f"{en} of at most {part['maxLength']} characters"
    elif least is not None and most is not None:
        vi, en = f"{vi} từ {least} đến {most}", f"{en} from {least} to {most}"
    elif "maxItems" in part:
        vi, en = f"{vi}, nhiều nhất {part['maxItems']} mục", f"{en} of at most {part['maxItems']} items"
    return vi, en
