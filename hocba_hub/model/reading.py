"""Reading a card from bytes: the card, or everything that stands against it; never an exception."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from hocba_hub.model import finding_kinds as kinds
from hocba_hub.model.card import CARD, ReportCard, canonical_bytes
from hocba_hub.model.findings import Finding, class_of
from hocba_hub.model.schema_findings import escaped, schema_findings

_IDENTITY = (
    (("school_year",), re.compile(r"20[0-9]{2}-20[0-9]{2}")),
    (("card_id",), re.compile(r"[0-9A-Za-z._:-]{1,36}")),
    (("school", "code"), re.compile(r"[0-9A-Za-z._-]{1,20}")),
)
_MOST_FINDINGS = 200
"""A record that is wrong all over is described well enough by so many."""
_DEEPEST = 200
"""Levels of nesting that pydantic's JSON reader takes."""
_PLACE = re.compile(r"line ([0-9]+) column ([0-9]+)$")

_CONTROL_HINTS = (b"\\", b"\x7f", b"\xef")
"""Single bytes without which canonical JSON has none of `_CONTROL_MARKS`: quick to look for."""
_CONTROL_MARKS = (b"\\u0", b"\\b", b"\\f", b"\x7f", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""What a control character, U+FFFE or U+FFFF leaves in canonical JSON."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


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


def read_card(raw: bytes, *, keys_are_unique: bool = False) -> Reading:
    """Read a canonical card from JSON; all findings at once, whatever the bytes.

    With `keys_are_unique` nobody looks for keys that stand twice: the JSON was made from what has none.
    """
    try:
        card = CARD.validate_json(raw)
    except ValidationError as error:
        return _rejected(raw, error)
    canonical = canonical_bytes(card)
    findings: list[Finding] = []
    if _has_doubtful_text(canonical):
        # The stricter orjson refuses what pydantic reads over in a key that stands twice, as NaN.
        findings += _text_findings(json.loads(raw))
    if not keys_are_unique and raw != canonical and _may_have_key_twice(raw):
        findings += _key_findings(raw)
    if findings:
        return Reading(None, b"", findings[:_MOST_FINDINGS], card.school_year, card.card_id, card.school.code)
    return Reading(card, canonical, [], card.school_year, card.card_id, card.school.code)


def _rejected(raw: bytes, error: ValidationError) -> Reading:
    problems = error.errors(include_url=False)
    if problems[0]["type"] == "json_invalid":
        return Reading(None, b"", [_malformed(problems[0]["ctx"]["error"])], None, None, None)
    document = json.loads(raw)
    if not isinstance(document, dict):
        return Reading(None, b"", [Finding(kinds.NOT_OBJECT, "", "{ }", class_of(document).english)], None, None, None)
    findings = [*schema_findings(problems, document), *_text_findings(document), *_key_findings(raw)]
    identity = (_identity(document, path, form) for path, form in _IDENTITY)
    return Reading(None, b"", findings[:_MOST_FINDINGS], *identity)


def _malformed(complaint: str) -> Finding:
    """The finding for a complaint of pydantic's JSON reader."""
    if complaint.startswith("recursion limit"):
        return Finding(kinds.TOO_DEEP, "", str(_DEEPEST))
    place = _PLACE.search(complaint)
    line, column = place.groups() if place else ("1", "1")
    return Finding(kinds.MALFORMED, "", facts={"line": line, "column": column})


def _identity(document: Any, path: tuple[str, ...], form: re.Pattern[str]) -> str | None:  # noqa: ANN401 - any JSON
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document if isinstance(document, str) and form.fullmatch(document) else None


def _has_doubtful_text(canonical: bytes) -> bool:
    """Whether a text is not NFC, has the letter eth or a control character; said quickly of canonical JSON."""
    if any(hint in canonical for hint in _CONTROL_HINTS) and any(mark in canonical for mark in _CONTROL_MARKS):
        return True
    text = canonical.decode("utf-8")
    return "Ð" in text or not unicodedata.is_normalized("NFC", text)


def _text_findings(document: Any) -> Iterator[Finding]:  # noqa: ANN401 - any JSON
    """What a text can hide that looks right."""
    for pointer, text in _texts(document, ""):
        value_class = class_of(text).english
        if not unicodedata.is_normalized("NFC", text):
            yield Finding(kinds.NOT_NFC, pointer, "NFC", value_class)
        if "Ð" in text:
            yield Finding(kinds.ETH, pointer, "U+0110", value_class)
        if _CONTROL.search(text):
            yield Finding(kinds.CONTROL, pointer, "", value_class)


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{pointer}/{escaped(key)}")


def _may_have_key_twice(raw: bytes) -> bool:
    """A quick look that never says no wrongly: whether quotes are lost when the JSON is read and written again.

    No string gets more quotes by that, and a key that stands twice loses its own.
    """
    try:
        again = orjson.dumps(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return True
    return _quotes(raw) != _quotes(again)


def _quotes(text: bytes) -> int:
    return text.count(b'"') - text.count(b'\\"')


def _key_findings(raw: bytes) -> Iterator[Finding]:
    """Keys that stand twice in their object."""
    for pointer in _keys_twice(json.loads(raw, object_pairs_hook=_Pairs), ""):
        yield Finding(kinds.DUPLICATE_KEY, pointer)


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object with all its keys."""

    __slots__ = ()


def _keys_twice(value: Any, pointer: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, _Pairs):
        last = dict(value)
        if len(last) != len(value):
            keys = [key for key, _ in value]
            yield from (f"{pointer}/{escaped(key)}" for key in last if keys.count(key) > 1)
        for key, item in last.items():
            yield from _keys_twice(item, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _keys_twice(item, f"{pointer}/{place}")
