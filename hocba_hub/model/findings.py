"""What a check says about a record: severity, stable code, place, what was expected, in Vietnamese and English.

A finding never holds the offending value, only its class ("text of 13 characters"), so that findings may be
logged, counted and shown without personal data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from hocba_hub.model.catalogues import read_catalogue


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The record is rejected."""
    WARNING = "warning"
    """The record is accepted; the school should look."""
    NOT_CHECKABLE = "not_checkable"
    """The rule could not be applied (exempt, disabled, transcribed, raw marks missing)."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One entry of the public finding catalogue.

    `code` is hierarchical and stable (`schema.length.too-long`); its first part is the family that metrics count.
    `message_vi` and `message_en` are format strings over the finding's `facts`.
    """

    code: str
    severity: Severity
    message_vi: str
    message_en: str
    reference: str = ""
    """Article of a circular, RFC section or field list that the check rests on."""

    @property
    def family(self) -> str:
        """First part of the code: a bounded label."""
        return self.code.partition(".")[0]


def finding_kinds(package: str) -> dict[str, FindingKind]:
    """The kinds of findings of a room, by their codes, from its `findings.yaml`."""
    return {
        code: FindingKind(code, Severity(entry["severity"]), entry["vi"], entry["en"], entry.get("reference", ""))
        for code, entry in read_catalogue(package, "findings.yaml").items()
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check, at one place of one record."""

    kind: FindingKind
    pointer: str
    """Place in the record as the client sent it: JSON Pointer (RFC 6901), XPath or cell; empty for the whole record."""
    expected: str = ""
    """What was expected there, in a form both languages can show (a range, a list of codes, a length)."""
    value_class: str = ""
    """Kind of the offending value, never the value: `text of 13 characters`, `missing`, `number`."""
    facts: dict[str, str | int] = field(default_factory=dict)
    """Values for the message's placeholders; no personal data.

    `sent` is what the card itself says there, where that is a level, a mark or a code: for those who may see the card.
    """
    folded: tuple[Finding, ...] = ()
    """Findings that this one may be the cause of: none is worse, and they may go when it goes."""

    def as_json(self) -> dict[str, Any]:
        """The finding as the API shows it; `folded` only where there is something in it.

        `target` is the canonical field of a finding whose place is in a vendor's own record.
        """
        facts = {"expected": self.expected, "value_class": self.value_class, **self.facts}
        shown: dict[str, Any] = {
            "code": self.kind.code,
            "severity": self.kind.severity.value,
            "pointer": self.pointer,
            "expected": self.expected,
            "value_class": self.value_class,
            "message_vi": self.kind.message_vi.format_map(facts),
            "message_en": self.kind.message_en.format_map(facts),
        }
        if "sent" in self.facts:
            shown["sent"] = str(self.facts["sent"])
        if "target" in self.facts:
            shown["target"] = str(self.facts["target"])
        if self.folded:
            shown["folded"] = [finding.as_json() for finding in self.folded]
        return shown


class ValueClass(NamedTuple):
    """The kind of a value, never the value itself."""

    english: str
    vietnamese: str


MISSING = ValueClass("missing", "không có")
"""There is no value."""


def class_of(value: object) -> ValueClass:
    """The kind of a JSON value, in both languages."""
    match value:
        case None:
            return ValueClass("null", "null")
        case bool():
            return ValueClass("true or false", "true hoặc false")
        case int() | float():
            return ValueClass("number", "số")
        case str():
            return ValueClass(f"text of {len(value)} characters", f"văn bản {len(value)} ký tự")
        case list() | tuple():
            return ValueClass(f"list of {len(value)}", f"danh sách {len(value)} mục")
        case _:
            return ValueClass("object", "đối tượng")
