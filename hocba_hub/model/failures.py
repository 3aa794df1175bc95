"""Causes of failures: what makes two failures the same, so that 900 of them are four things to mend.

A cause is where it failed, how far it came, what kind of trouble it was and what was said, without anything that
differs from card to card. Failures of one cause are a failure group.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.masking import shown_value

INTAKE = "intake"
"""Stage of a record that was rejected; the other stages are what was asked of a destination, or who told of it."""
REJECTED = "rejected"
"""Error class of a record that was rejected."""
UNREACHABLE = "unreachable"
"""Code of the one cause behind all that happens while a destination does not answer."""
NOT_FAILURES = frozenset({"window-closed", "absent", "not-looked-up", "released"})
"""Codes that come in the course of things: nothing is to be mended."""
FAILING = frozenset({Meaning.REFUSED, Meaning.TRANSIENT, Meaning.PRECONDITION, Meaning.UNKNOWN_OUTCOME})
"""Error classes of attempts."""
_AWAY = frozenset({"connection-refused", "connection-failed", "connection-lost", "name-unknown", "timeout"})
_SERVER_FAULT = re.compile(r"http-5\d\d|http-429")
_MOST_DETAIL = 200
_NOT_IN_TABLE = "mapping.table."
"""First part of the codes of findings that say that a code table lacks a value."""
_POSITION = re.compile(r"(?<=[/\[A-Z])\d+")
"""A record's or list's place in a JSON Pointer or XPath, the row of a cell."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`")
_WITH_DIGIT = re.compile(r"[^\s;,:()\[\]{}<>=\"'*/|]*\d[^\s;,:()\[\]{}<>=\"'*/|]*")
_NAME = re.compile(r"\b[^\W\d_a-zà-ỹ][^\W\d_]*(?: [^\W\d_a-zà-ỹ][^\W\d_]*)+")
_REPEATED = re.compile(r"#(?:[\s/]+#)+")


class GroupState(StrEnum):
    """How a failure group stands with the people who mend it."""

    OPEN = "open"
    """Nobody has looked at it, or it came back."""
    WATCHING = "watching"
    """Somebody is at it."""
    RESOLVED = "resolved"
    """Mended; a new failure of it opens it again."""
    MUTED = "muted"
    """Known, and not to be told of until a moment; a failure after it opens the group again."""


class Cause(NamedTuple):
    """Why something failed; equal causes are one failure group."""

    destination: str
    """Empty of a record that was rejected."""
    stage: str
    """`intake`, or the kind of attempt (`send`, `lookup`, `poll`), or who told of a verdict (`push`, `person`)."""
    error_class: str
    """`rejected`, or what the failed attempt meant (`Meaning`)."""
    code: str
    """The destination's, or ours; of a rejection the finding's."""
    detail: str
    """What was said beside it, without ids, numbers and names."""
    mapping: str
    """The mapping in its version that made or read the record; empty if none did."""

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 over all of it."""
        return _digest(self)

    @property
    def essence(self) -> bytes:
        """SHA-256 over all but the mapping: the same trouble, whichever version of the mapping meets it."""
        return _digest(self[:-1])

    @property
    def root(self) -> Cause | None:
        """The cause behind this one, where it is but one of the faces of another; else None.

        A destination that is away is met as refused connections, time-outs, lost answers and faults of its server.
        """
        is_away = self.error_class in {Meaning.TRANSIENT, Meaning.UNKNOWN_OUTCOME} and (
            self.code in _AWAY or _SERVER_FAULT.fullmatch(self.code) is not None
        )
        return Cause(self.destination, "", Meaning.TRANSIENT, UNREACHABLE, "", "") if is_away else None


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def cause_of_attempt(  # noqa: PLR0917 - its parts
    destination: str, stage: str, meaning: str, code: str, detail: str, mapping: str | None
) -> Cause | None:
    """The cause of a failed attempt for one delivery, or of a refusal; None if it is no failure."""
    if meaning not in FAILING or code in NOT_FAILURES:
        return None
    return Cause(destination, stage, meaning, code, normalised(detail), mapping or "")


def cause_of_rejection(findings: Iterable[Finding], unmapped: Sequence[UnmappedCode], mapping: str) -> Cause | None:
    """The cause of a rejected record: the one of its errors that is to be mended first; None if there is no error.

    A value that no code table knows (`unmapped`) comes first, since the hub's own people mend it, then the first error.
    Other errors of the same record are met when it comes again.
    """
    errors = [one for one in findings if one.kind.severity is Severity.ERROR]
    if not errors:
        return None
    unknown = next((one for one in errors if one.kind.code.startswith(_NOT_IN_TABLE)), None)
    if unknown is not None and unmapped:
        code = unmapped[0]
        return Cause("", INTAKE, REJECTED, unknown.kind.code, f"{code.table}: {shown_value(code.value)}", mapping)
    first = unknown or errors[0]
    place = str(first.facts.get("target") or first.pointer)
    return Cause("", INTAKE, REJECTED, first.kind.code, _POSITION.sub("*", place)[:_MOST_DETAIL], mapping)


def normalised(detail: str) -> str:
    """What an attempt said, without what differs from card to card, nor anything of a person.

    Words with a digit become `#`, what is in quotation marks and rows of words that begin with capitals become `…`:
    of "Trường 33-TH-0001 chưa khai báo (batch 17)" is left "Trường # chưa khai báo (batch #)".
    """
    text = _QUOTED.sub("…", " ".join(detail.split()))
    text = _REPEATED.sub("#", _WITH_DIGIT.sub("#", text))
    return _NAME.sub("…", text)[:_MOST_DETAIL]
