"""What a kind of problem is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: what it is called and what to do about it, in both languages."""

    code: str
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
