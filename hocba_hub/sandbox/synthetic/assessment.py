# ruff: noqa: PLR2004 - the bare numbers are those of the circulars
"""What the circulars compute from marks, in whole tenths, so that no binary fraction can move a mark.

TT 22/2021/TT-BGDĐT Art. 8, 9, 15; TT 43/2021/TT-BGDĐT; TT 27/2020/TT-BGDĐT Art. 9. A rank is 0 tốt, 1 khá, 2 đạt,
3 chưa đạt.
"""

from __future__ import annotations

from collections.abc import Sequence

RANKS = ("T", "K", "Đ", "CĐ")
MARKS = tuple(f"{tenths // 10}.{tenths % 10}" for tenths in range(101))
"""Tenths → an average as it is recorded, one decimal."""
RAW_MARKS = tuple(str(tenths // 10) if tenths % 10 == 0 else MARKS[tenths] for tenths in range(101))
"""Tenths → a single mark as teachers write it: a whole number without decimal."""
TRAINING_YEAR = (
    (0, 1, 1, 3),
    (0, 1, 2, 3),
    (1, 1, 2, 3),
    (1, 2, 2, 3),
)
"""Training rank of the year by [term 1][term 2] (TT 22/2021 Art. 8)."""

_STEPS = ((65, 80), (50, 65))
"""Every mark at least, and enough marks at least, in tenths, for tốt and khá."""


def term_average(regular: Sequence[int], midterm: int, final: int) -> int:
    """Term average of a subject, half up: regular marks once, midterm twice, final three times (Art. 9.1)."""
    weights = len(regular) + 5
    return (2 * (sum(regular) + 2 * midterm + 3 * final) + weights) // (2 * weights)


def year_average(term1: int, term2: int) -> int:
    """Year average of a subject: term 2 counts twice (Art. 9.1); a tie cannot occur."""
    return (2 * (term1 + 2 * term2) + 3) // 6


def learning_rank(marks: Sequence[int], failed_comments: int, enough: int) -> int:
    """Learning rank from averages and the number of comment subjects not passed, with the adjustment of Art. 9.3.

    `enough` is how many subjects must be good: 6 at school, 5 in continuing education. The adjustment: where one
    subject alone pulls the rank two steps below tốt or khá, it rises by one.
    """
    rank = _plain_rank(marks, failed_comments, enough)
    if rank < 2:
        return rank
    without = [_plain_rank(sorted(marks)[1:], failed_comments, enough)]
    if failed_comments:
        without.append(_plain_rank(marks, failed_comments - 1, enough))
    best = min(without)
    return rank - 1 if best <= 1 and rank - best >= 2 else rank


def _plain_rank(marks: Sequence[int], failed_comments: int, enough: int) -> int:
    lowest = min(marks)
    if not failed_comments:
        for rank, (each, many) in enumerate(_STEPS):
            if lowest >= each and sum(mark >= many for mark in marks) >= enough:
                return rank
    if failed_comments <= 1 and lowest >= 35 and sum(mark >= 50 for mark in marks) >= enough:
        return 2
    return 3


def primary_result(levels: Sequence[str], degrees: Sequence[str], tests: Sequence[int]) -> str:
    """Result of a year at primary, from subject levels, qualities and capacities, and year-end tests (Art. 9.2)."""
    lowest = min(tests)
    if all(level in "TM" for level in levels) and all(degree == "T" for degree in degrees):
        if lowest >= 9:
            return "Hoàn thành xuất sắc"
        if lowest >= 7:
            return "Hoàn thành tốt"
    if "C" not in levels and "C" not in degrees and lowest >= 5:
        return "Hoàn thành"
    return "Chưa hoàn thành"
