"""Every kind of problem that the API answers with: the closed list that `docs/problems.md` is made from."""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.intake.errors import PROBLEM_KINDS
from hocba_hub.model.problems import ProblemKind, problem_kinds

KINDS: Mapping[str, ProblemKind] = dict(sorted((PROBLEM_KINDS | problem_kinds("hocba_hub.api.problems")).items()))
"""Code → kind: those of intake, and those of the API itself."""
