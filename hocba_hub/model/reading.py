"""Reading a card from bytes: the card, or everything that stands against it; never an exception."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from hocba_hub.model import catalogue as kinds
from hocba_hub.model.card import CARD, ContinuingCard, PrimaryCard, ReportCard, SecondaryCard, canonical_bytes
from hocba_hub.model.findings import Finding

_BY_KIND: dict[str, type[BaseModel]] = {
    "primary": PrimaryCard,
    "secondary": SecondaryCard,
    "continuing": ContinuingCard,
}
_IDENTITY = (
    (("school_year",), re.compile(r"20[0-9]{2}-20[0-9]{2}")),
    (("card_id",), re.compile(r"[0-9A-Za-z._:-]{1,36}")),
    (("school", "code"), re.compile(r"[0-9A-Za-z._-]{1,20}")),
)
_CONTROL_MARKS = (b"\\u0", b"\\b", b"\\f", b"\x7f")
"""What a control character leaves in canonical JSON."""
_MOST_FINDINGS = 200
"""A record that is wrong all over is described well enough by so many."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a card, or findings against it, and as much of its identity as could be read in any case."""

    card: ReportCard | None
    canonical: bytes
    """The canonical JSON; empty where there is no card."""
    findings: list[Finding]
    school_year: str | None
    card_id: str | None
    school_code: str | None


def read_card(raw: bytes) -> Reading:
    """Read a canonical card from JSON; all findings at once, whatever the bytes."""
    try:
        card = CARD.validate_json(raw)
    except ValidationError as error:
        return _rejected(raw, error)
    canonical = canonical_bytes(card)
    if raw != canonical or not canonical.isascii():
        findings = _text_findings(raw, canonical)
        if findings:
            return Reading(None, b"", findings, card.school_year, card.card_id, card.school.code)
    return Reading(card, canonical, [], card.school_year, card.card_id, card.school.code)


def _text_findings(raw: bytes, canonical: bytes) -> list[Finding]:
    """What a right structure can still hide: text in the wrong form, and keys that stand twice."""
    findings = []
    text = canonical.decode("utf-8")
    control = any(mark in canonical for mark in _CONTROL_MARKS)
    if control or "Ð" in text or not unicodedata.is_normalized("NFC", text):
        for pointer, value in _texts(orjson.loads(raw), ""):
            if not unicodedata.is_normalized("NFC", value):
                findings.append(Finding(kinds.NOT_NFC, pointer, "NFC", _value_class(value)))
            if "Ð" in value:
                findings.append(Finding(kinds.ETH, pointer, "U+0110", _value_class(value)))
            if any(ord(c) < ord(" ") and c not in "\t\n\r" for c in value) or "\x7f" in value:
                findings.append(Finding(kinds.CONTROL, pointer, "", _value_class(value)))
    if raw != canonical:
        findings += [Finding(kinds.DUPLICATE_KEY, "") for _ in _duplicates(raw)]
    return findings[:_MOST_FINDINGS]


def _duplicates(raw: bytes) -> Sequence[bool]:
    found: list[bool] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs) and not found:
            found.append(True)

    json.loads(raw, object_pairs_hook=look)
    return found


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{pointer}/{_escaped(key)}")


def _rejected(raw: bytes, error: ValidationError) -> Reading:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Reading(None, b"", [Finding(kinds.MALFORMED, "")], None, None, None)
    if not isinstance(document, dict):
        return Reading(None, b"", [Finding(kinds.NOT_OBJECT, "", "{ }", _value_class(document))], None, None, None)
    findings = [
        finding
        for problem in error.errors(include_url=False, include_input=True)
        for finding in _findings(problem, document)
    ]
    identity = [_identity(document, path, form) for path, form in _IDENTITY]
    return Reading(None, b"", findings[:_MOST_FINDINGS], *identity)


def _identity(document: Any, path: tuple[str, ...], form: re.Pattern[str]) -> str | None:  # noqa: ANN401 - any JSON
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document if isinstance(document, str) and form.fullmatch(document) else None


def _findings(problem: Any, document: dict[str, Any]) -> list[Finding]:  # noqa: ANN401 - pydantic's error
    """One pydantic error in our words; a total mapping: what is unknown is at least named as invalid."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "json_invalid":
        return [Finding(kinds.MALFORMED, "")]
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        given = document.get("kind")
        return [Finding(kinds.UNKNOWN_KIND, "/kind", ", ".join(_BY_KIND), _value_class(given))]
    card, *path = problem["loc"]
    if kind == "card":
        return [Finding(kinds.FITTING[o.kind], o.pointer, o.expected) for o in context["objections"]]
    pointer = "".join(f"/{_escaped(str(step))}" for step in path)
    label, name = _described(str(card), tuple(step for step in path if isinstance(step, str)))
    facts: dict[str, str | int] = {"label": label, "name": name}
    value_class = "missing" if kind == "missing" else _value_class(problem["input"])
    found, expected = _KINDS.get(kind, (kinds.INVALID, ""))
    if kind.endswith(_TYPE_ENDINGS):
        found, expected = kinds.WRONG_TYPE, _TYPES.get(kind, kind.partition("_")[0])
    elif found is kinds.CHOICE:
        expected = context["expected"].replace("'", "").replace(" or ", ", ")
    return [Finding(found, pointer, expected.format_map(context), value_class, facts)]


_KINDS = {
    "missing": (kinds.MISSING, ""),
    "extra_forbidden": (kinds.UNKNOWN_FIELD, ""),
    "string_too_long": (kinds.TOO_LONG, "{max_length}"),
    "too_long": (kinds.TOO_LONG, "{max_length}"),
    "string_too_short": (kinds.TOO_SHORT, "{min_length}"),
    "too_short": (kinds.TOO_SHORT, "{min_length}"),
    "string_pattern_mismatch": (kinds.PATTERN, "{pattern}"),
    "literal_error": (kinds.CHOICE, ""),
    "greater_than_equal": (kinds.RANGE, ">= {ge}"),
    "less_than_equal": (kinds.RANGE, "<= {le}"),
}
"""pydantic's error type → our kind, and what was expected, in terms of pydantic's context."""
_TYPE_ENDINGS = ("_type", "_parsing", "_parsing_size", "_from_float")
_TYPES = {
    "string_type": "text",
    "int_type": "whole number",
    "int_from_float": "whole number",
    "int_parsing_size": "whole number",
    "bool_type": "true, false",
    "tuple_type": "[ ]",
    "list_type": "[ ]",
    "model_type": "{ }",
    "model_attributes_type": "{ }",
    "dict_type": "{ }",
}


@cache
def _described(card: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Label and name of the field at a path of names; the last name that is known decides."""
    model: type[BaseModel] | None = _BY_KIND.get(card)
    label = name = names[-1] if names else "record"
    for step in names:
        fields = model.model_fields if model is not None else {}
        found = next((f for key, f in fields.items() if (f.alias or key) == step), None)
        if found is None:
            return (step if label == name else label), step
        label, name = found.title or step, step
        model = _part_of(found.annotation)
    return label, name


def _part_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inside in getattr(annotation, "__args__", ()):
        if (part := _part_of(inside)) is not None:
            return part
    return None


def _value_class(value: Any) -> str:  # noqa: ANN401 - any JSON
    """The kind of a value, without the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return f"text of {len(value)} characters"
        case list() | tuple():
            return f"list of {len(value)}"
        case _:
            return "object"


def _escaped(step: str) -> str:
    """One step of a JSON Pointer (RFC 6901 section 3)."""
    return step.replace("~", "~0").replace("/", "~1")
