"""What a kind of problem (RFC 9457) is: it stands against a whole call, file or submission, not against a record."""

from __future__ import annotations

from dataclasses import dataclass

from hocba_hub.model.catalogues import read_catalogue
from hocba_hub.model.findings import Finding, FindingKind, Severity


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: what it is called and what to do about it, in both languages."""

    code: str
    """Stable; `/problems/<code>` is the problem's type and an address of this very service."""
    status: int
    """HTTP status (RFC 9110)."""
    title_vi: str
    title_en: str
    detail_vi: str
    detail_en: str

    @property
    def type(self) -> str:
        """URI reference of the problem type."""
        return f"/problems/{self.code}"


def problem_kinds(package: str) -> dict[str, ProblemKind]:
    """The kinds of problems of a room, by their codes, from its `problems.yaml`."""
    return {
        code: ProblemKind(
            code,
            entry["status"],
            entry["vi"]["title"],
            entry["en"]["title"],
            entry["vi"]["detail"],
            entry["en"]["detail"],
        )
        for code, entry in read_catalogue(package, "problems.yaml").items()
    }


def finding_from_problem(kind: ProblemKind, place: str = "") -> Finding:
    """A problem as something that was found: an error at a place of a file, or of the whole file."""
    return Finding(FindingKind(kind.code, Severity.ERROR, kind.detail_vi, kind.detail_en), place)
