"""What the 2018 programme says of a subject in a grade: whether it is taught, how it is assessed, how many periods.

Periods of a year: TT 32/2018 and TT 13/2022; continuing education from memory of TT 12/2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hocba_hub.model.subjects import SUBJECTS, Programme, subjects_of

PROGRAMMES: Mapping[str, Programme] = {"02": "TH", "03": "THCS", "04": "THPT", "05": "GDTX"}
"""School level → programme."""
KNOWN = frozenset(subject.code for subject in SUBJECTS)
"""Codes that some grade of some programme has."""

_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "TH": {"NTH": ("AMN", "MTH"), "THC": ("TIN", "CNG")},
    "THCS": {"NTH": ("AMN", "MTH")},
}
"""Subjects that some systems record as their parts."""
_FREELY_CHOSEN = frozenset({"NN2", "DTT", "NNG"})
"""Tự chọn: beside the subjects to choose four of."""
_PERIODS: Mapping[tuple[str, str], int] = {
    **{("THCS", code): 140 for code in ("NGV", "TOA", "KTN")},
    **{("THCS", code): 105 for code in ("NN1", "LDL", "NN2", "DTT")},
    **{("THCS", code): 35 for code in ("GCD", "TIN", "CNG")},
    **{("THPT", code): 105 for code in ("NGV", "TOA", "NN1", "NN2", "DTT")},
    **{("THPT", code): 70 for code in ("DLI", "KPL", "VLI", "HOA", "SIN", "CNG", "TIN")},
    ("THPT", "LSU"): 52,
    ("THPT", "QPA"): 35,
    **{("GDTX", code): 105 for code in ("NGV", "TOA", "NNG")},
    **{("GDTX", code): 70 for code in ("LSU", "DLI", "KPL", "VLI", "HOA", "SIN", "CNG", "TIN")},
}
_PERIODS_OF_GRADE: Mapping[tuple[str, str, int], int] = {("THCS", "CNG", 8): 52, ("THCS", "CNG", 9): 52}
_TOPICS = frozenset({"NGV", "TOA", "LSU", "DLI", "KPL", "VLI", "HOA", "SIN", "CNG", "TIN"})
"""Subjects of upper secondary with learning topics (chuyên đề), whose result is one more regular mark."""


@dataclass(frozen=True, slots=True)
class Taught:
    """The subjects of one grade of one programme."""

    assessments: Mapping[str, str]
    """Code → how it is assessed, parts of subjects included; empty where the programme is not known."""
    compulsory: Mapping[str, tuple[str, ...]]
    """Code of a subject that everybody learns → the parts that may stand in its place."""
    electives: frozenset[str]
    """Subjects to choose four of, at upper secondary."""
    regular_marks: Mapping[str, tuple[int, ...]]
    """Code of a scored subject → how many regular marks a term may have."""


@cache
def taught(level: str, grade: int) -> Taught:
    """The subjects of a grade at a school of a level."""
    programme = PROGRAMMES[level]
    subjects = subjects_of(programme, grade)
    parts = _PARTS.get(programme, {})
    assessments: dict[str, str] = {subject.code: subject.assessment for subject in subjects}
    for whole, names in parts.items():
        if whole in assessments:
            assessments |= dict.fromkeys(names, assessments[whole])
    return Taught(
        assessments,
        {subject.code: parts.get(subject.code, ()) for subject in subjects if not subject.chosen},
        frozenset(s.code for s in subjects if s.chosen and s.code not in _FREELY_CHOSEN and programme != "TH"),
        {code: counts for code in assessments if (counts := _regular_marks(programme, code, grade))},
    )


def _regular_marks(programme: str, code: str, grade: int) -> tuple[int, ...]:
    periods = _PERIODS_OF_GRADE.get((programme, code, grade)) or _PERIODS.get((programme, code))
    if periods is None:
        return ()
    count = 2 if periods <= 35 else 3 if periods <= 70 else 4  # noqa: PLR2004 - TT 22/2021 Art. 6
    return (count, count + 1) if grade >= 10 and code in _TOPICS else (count,)  # noqa: PLR2004 - upper secondary
