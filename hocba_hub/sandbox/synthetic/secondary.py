# ruff: noqa: PLR2004 - the bare numbers are chances and sizes of a made-up province
"""A made-up year at secondary school or a continuing centre that agrees with TT 22/2021 and TT 43/2021."""

from __future__ import annotations

from random import Random
from typing import Any

from hocba_hub.sandbox.synthetic.assessment import (
    MARKS,
    RANKS,
    RAW_MARKS,
    TRAINING_YEAR,
    learning_rank,
    term_average,
    year_average,
)
from hocba_hub.sandbox.synthetic.classes import SchoolClass
from hocba_hub.sandbox.synthetic.comments import homeroom_comment, subject_comment

_MOST_ABSENCES = 45
_REGULAR_MARKS = {"NGV": 4, "TOA": 4, "NN1": 4, "NN2": 4, "NNG": 4, "LDL": 4, "KTN": 4, "QPA": 2, "GCD": 2}
"""Regular marks of a term by periods of a year (TT 22/2021 Art. 6); three for all others."""
_ONE_PERIOD_A_WEEK = {("TIN", 6), ("TIN", 7), ("TIN", 8), ("TIN", 9), ("CNG", 6), ("CNG", 7)}
"""Subjects with 35 periods in these grades only (TT 32/2018): two regular marks."""
_COMPLETED = {9: "Hoàn thành chương trình trung học cơ sở", 12: "Hoàn thành chương trình trung học phổ thông"}
_SUMMER = "Tham gia hoạt động tình nguyện hè tại địa phương theo kế hoạch của nhà trường"
_CERTIFICATE = {"name": "Chứng chỉ ứng dụng công nghệ thông tin cơ bản", "kind": "Tin học"}


class _Tally:
    """What the rows of one card add up to: averages and failed comment subjects of term 1, term 2, year, re-test."""

    __slots__ = ("enough", "failed", "marks")

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.marks: tuple[list[int], ...] = ([], [], [], [])
        self.failed = [0, 0, 0, 0]

    def rank(self, when: int) -> int:
        """Learning rank of term 1, term 2, the year, or the year after re-assessment (0 to 3)."""
        return learning_rank(self.marks[when], self.failed[when], self.enough)


def secondary_year(
    rng: Random, school_class: SchoolClass, *, not_assessed: bool, exempt: bool, raw_marks: bool
) -> dict[str, Any]:
    """The card's year block, in the model's order of fields."""
    r = rng.random
    ability = min(99.0, max(34.0, rng.gauss(77, 11)))
    terms = _training_rank(r(), ability), _training_rank(r(), ability)
    training_year = TRAINING_YEAR[terms[0]][terms[1]]
    tally = _Tally(5 if school_class.unit.programme == "GDTX" else 6)
    rows = []
    for subject, teacher in school_class.subjects:
        row: dict[str, Any] = {"code": subject.code, "name": subject.short_name}
        rank = 2
        if exempt and subject.code == "GTC":
            row["term1"] = row["term2"] = row["year"] = "M"
        elif not_assessed:
            pass
        elif subject.assessment == "comment":
            rank = _comment_results(rng, row, ability, tally)
        else:
            one_a_week = (subject.code, school_class.grade) in _ONE_PERIOD_A_WEEK
            regular = 2 if one_a_week else _REGULAR_MARKS.get(subject.code, 3)
            rank = _mark_results(rng, row, ability, tally, regular=regular if raw_marks else 0)
        row["comment"] = subject_comment(rng, subject.code, rank)
        row["teacher"] = teacher
        rows.append(row)
    ranks = [2, 2, 2] if not_assessed else [tally.rank(when) for when in range(3)]
    names = ("term1", "term2", "year")
    learning = {} if not_assessed else {name: RANKS[rank] for name, rank in zip(names, ranks, strict=True)}
    training = {name: RANKS[rank] for name, rank in zip(names, (*terms, training_year), strict=True)}
    final_learning, final_training = ranks[2], training_year
    if training_year == 3:
        final_training = 2 if r() < 0.8 else 3
        training["again"] = RANKS[final_training]
    elif final_learning == 3 and r() < 0.95:
        rows = [_with_retest(rng, row, tally) for row in rows]
        final_learning = tally.rank(3)
        learning["again"] = RANKS[final_learning]
    absences = int(14 * r() ** 2) if r() < 0.997 else _MOST_ABSENCES + 1 + int(10 * r())
    promoted = final_learning < 3 and final_training < 3 and absences <= _MOST_ABSENCES
    return {
        "subjects": rows,
        "learning": learning,
        "training": training,
        "absences": absences,
        "promoted": promoted,
        **_outcome_texts(school_class.grade, promoted=promoted),
        **(_rewards(rng, tally) if ranks[2] == training_year == 0 else {}),
        **({"summer_training_text": _SUMMER} if training_year == 3 else {}),
        "certificates": [_CERTIFICATE] if r() < 0.03 else [],
        "homeroom_comment": homeroom_comment(rng, max(ranks[2], training_year)),
    }


def _outcome_texts(grade: int, *, promoted: bool) -> dict[str, str]:
    completed = _COMPLETED.get(grade)
    if not promoted:
        return {"promotion_text": "Chưa hoàn thành chương trình" if completed else "Không được lên lớp"}
    if completed is None:
        return {"promotion_text": f"Được lên lớp {grade + 1}"}
    return {"promotion_text": completed, "completion_text": completed}


def _rewards(rng: Random, tally: _Tally) -> dict[str, str]:
    """The title of one whose learning and training are tốt (TT 22/2021 Art. 15), and sometimes a prize."""
    title = "Học sinh Xuất sắc" if sum(mark >= 90 for mark in tally.marks[2]) >= 6 else "Học sinh Giỏi"
    rewards = {"title": title, "reward_text": f"Khen thưởng danh hiệu {title} năm học"}
    if rng.random() < 0.05:
        rewards["contests_text"] = "Giải Khuyến khích kì thi chọn học sinh giỏi cấp tỉnh"
    return rewards


def _training_rank(chance: float, ability: float) -> int:
    """Mostly tốt; the weaker the pupil, the more often less."""
    return 0 if chance < 0.3 + ability / 140 else 1 if chance < 0.96 else 2 if chance < 0.995 else 3


def _comment_results(rng: Random, row: dict[str, Any], ability: float, tally: _Tally) -> int:
    """Đ or CĐ; the year's result is that of term 2."""
    passed = [ability > 45 or rng.random() < 0.6 for _ in range(2)]
    row["term1"], row["term2"] = ("Đ" if p else "CĐ" for p in passed)
    row["year"] = row["term2"]
    tally.failed[0] += not passed[0]
    tally.failed[1] += not passed[1]
    tally.failed[2] += not passed[1]
    return (0 if ability > 82 else 1 if ability > 65 else 2) if passed[1] else 3


def _mark_results(rng: Random, row: dict[str, Any], ability: float, tally: _Tally, *, regular: int) -> int:
    """Term averages, from raw marks with so many `regular` ones (0: none are shown), and the year's average."""
    r = rng.random
    base = ability + 22 * r() - 11
    shown = []
    averages = []
    for _ in range(2):
        level = base + 12 * r() - 6
        if regular:
            marks = [_raw(level + 24 * r() - 10, 10) for _ in range(regular)]
            midterm, final = _raw(level + 16 * r() - 8, 5), _raw(level + 16 * r() - 8, 5)
            averages.append(term_average(marks, midterm, final))
            shown.append(
                {
                    "regular": [RAW_MARKS[mark] for mark in marks],
                    "midterm": RAW_MARKS[midterm],
                    "final": RAW_MARKS[final],
                }
            )
        else:
            averages.append(_raw(level, 1))
    term1, term2 = averages
    year = year_average(term1, term2)
    row["term1"], row["term2"], row["year"] = MARKS[term1], MARKS[term2], MARKS[year]
    if regular:
        row["term1_marks"], row["term2_marks"] = shown
    for when, mark in enumerate((term1, term2, year)):
        tally.marks[when].append(mark)
    return 0 if year >= 80 else 1 if year >= 65 else 2 if year >= 50 else 3


def _raw(tenths: float, step: int) -> int:
    """The nearest mark in steps of so many tenths, from 0 to 100."""
    return max(0, min(100, int(tenths / step + 0.5) * step))


def _with_retest(rng: Random, row: dict[str, Any], tally: _Tally) -> dict[str, Any]:
    """The row after re-assessment in summer: only what was CĐ or below 5.0 (TT 22/2021 Art. 14)."""
    year = row.get("year", "M")
    if year == "M":
        return row
    retest = None
    if year in {"Đ", "CĐ"}:
        if year == "CĐ":
            retest = "Đ" if rng.random() < 0.95 else "CĐ"
        tally.failed[3] += retest == "CĐ"
    else:
        mark = round(10 * float(year))
        if mark < 50:
            mark = max(mark, min(75, 45 + 5 * int(6 * rng.random())))
            retest = MARKS[mark]
        tally.marks[3].append(mark)
    return row if retest is None else _placed(row, retest)


def _placed(row: dict[str, Any], retest: str) -> dict[str, Any]:
    """The row with the re-test in its place, after the year's result."""
    placed: dict[str, Any] = {}
    for name, value in row.items():
        placed[name] = value
        if name == "year":
            placed["retest"] = retest
    return placed
