"""Arithmetic of marks in whole tenths, half up: exact, because no binary fraction ever appears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hocba_hub.rules.circulars import Thresholds

LEVELS = ("T", "K", "Đ", "CĐ")
"""Learning and training levels by rank, the best first."""
RANKS: Mapping[str, int] = {level: rank for rank, level in enumerate(LEVELS)}

TENTHS: Mapping[str, int] = {
    **{str(mark): 10 * mark for mark in range(11)},
    **{f"{tenths // 10}.{tenths % 10}": tenths for tenths in range(101)},
}
"""Every text that is a mark → its tenths; Đ, CĐ and M are not marks."""


_HIGHEST = 100
"""The best mark, in tenths."""


def shown(tenths: int) -> str:
    """A mark with its one decimal, as averages are recorded."""
    return f"{tenths // 10}.{tenths % 10}"


def half_up(total: int, parts: int) -> int:
    """`total / parts` in whole numbers, a half going up."""
    return (2 * total + parts) // (2 * parts)


def term_average(regular: Sequence[int], midterm: int, final: int) -> int:
    """Term average of a scored subject, in tenths, half up.

    (sum of the regular marks + 2 × midterm + 3 × final) / (number of regular marks + 5).
    Source: TT 22/2021/TT-BGDĐT, Art. 9.1.
    """
    parts = len(regular) + 5
    return (2 * (sum(regular) + 2 * midterm + 3 * final) + parts) // (2 * parts)


def year_average(term1: int, term2: int) -> int:
    """Year average of a scored subject, in tenths, half up.

    (term 1 + 2 × term 2) / 3 on the recorded one-decimal term averages; a tie cannot occur.
    Source: TT 22/2021/TT-BGDĐT, Art. 9.1.
    """
    return (2 * (term1 + 2 * term2) + 3) // 6


def plain_rank(ordered: Sequence[int], failed: int, limits: Thresholds) -> int:
    """Rank of the learning level before any adjustment, from marks in ascending order and subjects not passed.

    Source: TT 22/2021/TT-BGDĐT, Art. 9.2; TT 43/2021/TT-BGDĐT, Art. 9.2.
    """
    if len(ordered) < limits.enough:
        return 3
    lowest, many = ordered[0], ordered[-limits.enough]
    if not failed:
        if lowest >= limits.good_each and many >= limits.good_many:
            return 0
        if lowest >= limits.fair_each and many >= limits.fair_many:
            return 1
    if failed <= 1 and lowest >= limits.satisfactory_each and many >= limits.satisfactory_many:
        return 2
    return 3


def rank_without_one(ordered: Sequence[int], failed: int, limits: Thresholds) -> int:
    """Best rank that leaving out one subject gives: the lowest mark, or one comment subject that was not passed."""
    best = plain_rank(ordered[1:], failed, limits)
    if failed:
        best = min(best, plain_rank(ordered, failed - 1, limits))
    return best


def rank_with_one_lifted(ordered: Sequence[int], failed: int, limits: Thresholds) -> int:
    """Best rank that lifting one subject gives: the lowest mark to the highest there is, or one comment subject passed.

    Never worse than leaving it out, since the number of marks that a level asks for stays within reach.
    """
    best = plain_rank([*ordered[1:], _HIGHEST], failed, limits)
    if failed:
        best = min(best, plain_rank(ordered, failed - 1, limits))
    return best
