"""What a rule is: a declared object with a stable code, and what its check may answer about a card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from hocba_hub.model.findings import FindingKind, Severity, finding_kinds

_KINDS = finding_kinds("hocba_hub.rules")


class Reason(Enum):
    """Why a rule could not be applied; each member's value is its kind of finding."""

    NOT_ASSESSED = _KINDS["unchecked.not-assessed"]
    TRANSCRIBED = _KINDS["unchecked.transcribed"]
    EXEMPT = _KINDS["unchecked.exempt"]
    NO_RAW_MARKS = _KINDS["unchecked.no-raw-marks"]
    INCOMPLETE = _KINDS["unchecked.incomplete"]
    UNKNOWN_SUBJECT = _KINDS["unchecked.unknown-subject"]


class Objection(NamedTuple):
    """A place where a rule does not hold."""

    pointer: str
    expected: str = ""
    """What the rule wants there; never what was sent."""


class Unchecked(NamedTuple):
    """A place where a rule could not be applied: an outcome of its own, neither right nor wrong."""

    reason: Reason
    pointer: str = ""


Outcome = Objection | Unchecked
Outcomes = Iterable[Outcome]
Check = Callable[..., Outcomes]
"""Looks at a view of a card (rules over several cards: also at the others); nothing where the rule holds."""

NOTHING = "không có · none"
"""What is expected where no value may stand."""

ANY_GRADE = range(1, 13)
KINDS = frozenset({"primary", "secondary", "continuing"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a circular, or of common sense: what it demands, of which cards, and by which article."""

    code: str
    """Stable; the code of its findings too."""
    severity: Severity
    """Of its findings, unless the configuration says otherwise: `error` rejects, `warning` is kept."""
    vi: str
    """What it demands, in Vietnamese: the message of its findings, over `{expected}`."""
    en: str
    reference: str
    check: Check
    row: str = ""
    """Its row in the table of assessment rules (P1-P13, S1-S17), where it has one."""
    kinds: frozenset[str] = KINDS
    levels: frozenset[str] = frozenset()
    """School levels 02-05; empty for all levels of its kinds."""
    circulars: frozenset[str] = frozenset()
    """Circulars it belongs to; empty where it does not depend on one."""
    grades: range = ANY_GRADE
    since: int = 0
    """First school year it is applied to, by the year in which that begins."""
    until: int | None = None
    """Last such school year; None while it is in force."""
    needs_assessment: bool = False
    """Whether it says nothing of a disabled pupil who is not assessed."""
    checks_paper: bool = True
    """Whether it is applied to a card that was transcribed from paper too."""
    follows: tuple[str, ...] = ()
    """Rules whose findings may be the cause of this one's: its findings then fold under theirs."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Circular → article, where it differs from `reference`."""

    def kind(self, circular: str = "", severity: Severity | None = None) -> FindingKind:
        """The kind of its findings under a circular and a severity."""
        reference = self.references.get(circular, self.reference)
        return FindingKind(self.code, severity or self.severity, self.vi, self.en, reference)


def rule(code: str, **facts: Any) -> Callable[[Check], Rule]:  # noqa: ANN401 - the other fields of Rule
    """Declare the function below as a rule's check; its texts, severity and article stand in `findings.yaml`."""
    kind = _KINDS[code]

    def declared(check: Check) -> Rule:
        return Rule(code, kind.severity, kind.message_vi, kind.message_en, kind.reference, check, **facts)

    return declared
