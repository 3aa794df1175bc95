"""Why a submission or a file as a whole cannot be taken; what stands against one record is a finding."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.model.errors import HubError
from hocba_hub.model.problems import problem_kinds

PROBLEM_KINDS = problem_kinds("hocba_hub.intake")
"""Code → kind of problem: the closed list of what a `SubmissionError` can say."""


class SubmissionError(HubError):
    """What was sent cannot be read, or not as it is asked to be read."""

    def __init__(self, code: str, expected: str = "") -> None:
        """`code` is one of `PROBLEM_KINDS`; `expected` says more in English, without anything of what was sent."""
        kind = PROBLEM_KINDS[code]
        super().__init__(expected or kind.detail_en)
        self.code = code
        self.kind = kind


class UnknownProfileError(SubmissionError):
    """A profile that is not there for a client."""

    def __init__(self, known: Sequence[str]) -> None:
        """`known` are those that are."""
        super().__init__("profile.unknown", f"The profiles are: {', '.join(known)}.")
        self.known = known
