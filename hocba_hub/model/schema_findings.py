"""What pydantic says against a card, in our words: kind of finding, place, what was expected; never the value.

The mapping is total: an error that is not known here is still a finding, `schema.invalid`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic_core import ErrorDetails

from hocba_hub.model import finding_kinds as kinds
from hocba_hub.model.card import AnyCard, ContinuingCard, PrimaryCard, SecondaryCard
from hocba_hub.model.consistency import Objection
from hocba_hub.model.fields import FORMS
from hocba_hub.model.findings import MISSING, Finding, FindingKind, class_of

_CARDS: Mapping[str, type[AnyCard]] = {
    "primary": PrimaryCard,
    "secondary": SecondaryCard,
    "continuing": ContinuingCard,
}

_KINDS = {
    "missing": kinds.MISSING,
    "extra_forbidden": kinds.UNKNOWN_FIELD,
    "string_too_long": kinds.TOO_LONG,
    "too_long": kinds.TOO_LONG,
    "string_too_short": kinds.TOO_SHORT,
    "too_short": kinds.TOO_SHORT,
    "string_pattern_mismatch": kinds.PATTERN,
    "literal_error": kinds.CHOICE,
    "greater_than_equal": kinds.RANGE,
    "less_than_equal": kinds.RANGE,
}
"""pydantic's error type → our kind."""
_TYPE_ENDINGS = ("_type", "_parsing", "_parsing_size", "_from_float")
_TYPES = {
    "string": ("text", "văn bản"),
    "int": ("a whole number", "số nguyên"),
    "bool": ("true or false", "true hoặc false"),
    "tuple": ("a list [ ]", "danh sách [ ]"),
    "model": ("an object { }", "đối tượng { }"),
}
"""First word of a type error → what was expected."""


def schema_findings(problems: Sequence[ErrorDetails], document: dict[str, Any]) -> Iterator[Finding]:
    """The findings for a document that is not a card: each of pydantic's errors, and what does not fit together."""
    first = problems[0]["type"]
    if first in {"union_tag_not_found", "union_tag_invalid"}:
        given = class_of(document["kind"]) if "kind" in document else MISSING
        yield Finding(kinds.UNKNOWN_KIND, "/kind", ", ".join(_CARDS), given.english)
        return
    if first == "card":
        objections = problems[0]["ctx"]["objections"]
    else:
        yield from (_finding(problem) for problem in problems)
        objections = _objections_despite(problems, document)
    yield from (Finding(kinds.CONSISTENCY[found.kind], found.pointer, found.expected) for found in objections)


def escaped(step: str) -> str:
    """One step of a JSON Pointer (RFC 6901 section 3)."""
    return step.replace("~", "~0").replace("/", "~1")


def _objections_despite(problems: Sequence[ErrorDetails], document: dict[str, Any]) -> Iterator[Objection]:
    """What does not fit together in those parts of a wrong card that are right by themselves."""
    card = _CARDS[document["kind"]]
    wrong = {problem["loc"][1] for problem in problems}
    right = {
        key: _part(card, name).validate_json(orjson.dumps(document[key]))
        for name, info in card.model_fields.items()
        if (key := info.alias or name) in document and key not in wrong
    }
    partial = card.model_construct(None, **right)
    for check in card.checks:
        with suppress(AttributeError):  # a part that the check needs is not there
            yield from check(partial)


@cache
def _part(card: type[BaseModel], name: str) -> TypeAdapter[Any]:
    annotation: Any = card.model_fields[name].annotation
    return TypeAdapter(annotation)


def _finding(problem: ErrorDetails) -> Finding:
    card, *path = problem["loc"]
    pointer = "".join(f"/{escaped(str(step))}" for step in path)
    kind = _kind(problem["type"])
    expected, expected_en, expected_vi = _expected(kind, problem["type"], problem.get("ctx", {}))
    given = MISSING if kind is kinds.MISSING else class_of(problem["input"])
    facts: dict[str, str | int] = {
        "label": _label(str(card), tuple(path if kind is not kinds.UNKNOWN_FIELD else path[:-1])),
        "name": ".".join(map(str, path)),
        "expected_en": expected_en,
        "expected_vi": expected_vi,
        "value_class_vi": given.vietnamese,
    }
    return Finding(kind, pointer, expected, given.english, facts)


def _kind(error: str) -> FindingKind:
    return kinds.WRONG_TYPE if error.endswith(_TYPE_ENDINGS) else _KINDS.get(error, kinds.INVALID)


def _expected(kind: FindingKind, error: str, context: Mapping[str, Any]) -> tuple[str, str, str]:
    """What was expected: for both languages, and in words of English and of Vietnamese."""
    if kind is kinds.PATTERN:
        return context["pattern"], *reversed(FORMS[context["pattern"]])
    if kind is kinds.WRONG_TYPE:
        words = _TYPES.get(error.partition("_")[0], (error.partition("_")[0],) * 2)
        return words[0], *words
    if kind in {kinds.TOO_LONG, kinds.TOO_SHORT}:
        limit = str(context.get("max_length", context.get("min_length")))
        one, many = ("ký tự", "characters") if error.startswith("string") else ("mục", "entries")
        return limit, f"{limit} {many}", f"{limit} {one}"
    if kind is kinds.CHOICE:
        choices = context["expected"].replace("'", "").replace(" or ", ", ")
        return choices, choices, choices
    if kind is kinds.RANGE:
        limit = f">= {context['ge']}" if "ge" in context else f"<= {context['le']}"
        return limit, limit, limit
    return "", "", ""


@lru_cache(maxsize=2048)
def _label(card: str, path: tuple[str | int, ...]) -> str:
    """The Vietnamese labels on the way to a field; rows of a list counted from one."""
    part: type[BaseModel] | None = _CARDS.get(card)
    labels: list[str] = []
    for step in path:
        if isinstance(step, int):
            labels[-1] += f" (dòng {step + 1})"
            continue
        fields = part.model_fields if part is not None else {}
        info = next(info for name, info in fields.items() if (info.alias or name) == step)
        labels.append(info.title or step)
        part = _part_of(info.annotation)
    return " › ".join(labels)


def _part_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type form
    """The kind of part that a field holds, also in a list or where it may be absent."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for inside in getattr(annotation, "__args__", ()) if (part := _part_of(inside))), None)
