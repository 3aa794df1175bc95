# ruff: noqa: PLR2004 - the bare numbers are chances and sizes of a made-up province
"""A made-up year at primary school that agrees with TT 27/2020/TT-BGDĐT."""

from __future__ import annotations

from random import Random
from typing import Any

from hocba_hub.sandbox.synthetic.assessment import primary_result
from hocba_hub.sandbox.synthetic.classes import SchoolClass
from hocba_hub.sandbox.synthetic.comments import degree_comment, homeroom_comment

_QUALITIES = ("patriotism", "compassion", "diligence", "honesty", "responsibility")
_CAPACITIES = (
    *("autonomy", "communication", "problem_solving", "language", "calculation", "science"),
    *("technology", "informatics", "aesthetics", "physical"),
)
_LATER = {"technology", "informatics"}
"""Capacities of subjects that begin in grade 3."""
_RANKS = {"Hoàn thành xuất sắc": 0, "Hoàn thành tốt": 1, "Hoàn thành": 2, "Chưa hoàn thành": 3}
_AWARDS = {
    "Hoàn thành xuất sắc": "Danh hiệu Học sinh Xuất sắc",
    "Hoàn thành tốt": "Danh hiệu Học sinh Hoàn thành tốt trong học tập và rèn luyện",
}


def primary_year(rng: Random, school_class: SchoolClass, *, not_assessed: bool, exempt: bool) -> dict[str, Any]:
    """The card's year block, in the model's order of fields."""
    r = rng.random
    ability = 6.2 + 3.7 * r() ** 0.7 if r() < 0.97 else 4.0 + 3 * r()
    excellent = ability > 9.2 and r() < 0.8
    subjects, levels, tests = [], [], []
    for subject, _ in school_class.subjects:
        row = {"code": subject.code, "name": subject.name}
        subjects.append(row)
        if not_assessed:
            continue
        if exempt and subject.code == "GTC":
            row["level"] = "M"
            continue
        strength = ability + r() - 0.5
        if subject.assessment == "level-and-mark":
            test = max(1, min(10, int(strength + 0.5))) if not excellent else 9 + (r() < 0.7)
            row["level"] = level = "T" if test >= 8 or (test == 7 and r() < 0.5) else "H" if test >= 5 else "C"
            row["test"] = str(test)
            tests.append(test)
        else:
            row["level"] = level = "T" if excellent or strength > 7.8 else "H" if strength > 4.2 else "C"
        levels.append(level)
    degrees = _degrees(rng, school_class.grade, ability if not excellent else 11.0, not_assessed=not_assessed)
    result = None if not_assessed else primary_result(levels, list(degrees.values()), tests)
    completed = result != "Chưa hoàn thành" or r() < 0.4
    rank = _RANKS.get(result or "", 2)
    year: dict[str, Any] = {
        "subjects": subjects,
        "qualities": {name: degrees[name] for name in _QUALITIES if name in degrees},
        "capacities": {name: degrees[name] for name in _CAPACITIES if name in degrees},
        "comment_on_qualities": degree_comment(rng, min(rank, 2)),
        "comment_on_general_capacities": degree_comment(rng, min(rank, 2)),
        "comment_on_specific_capacities": degree_comment(rng, min(rank, 2)),
    }
    if r() < 0.8:
        grade = school_class.grade
        year["weight_kg"] = f"{15 + 3 * grade + int(8 * r())}.{int(10 * r())}"
        year["height_cm"] = str(108 + 6 * grade + int(12 * r()))
    year["absences_excused"] = int(9 * r() ** 2)
    year["absences_unexcused"] = int(r() < 0.06)
    if result:
        year["result"] = result
    year["promoted"] = year["completed_grade"] = completed
    year["completed_primary"] = completed and school_class.grade == 5
    if completed:
        year["completion_text"] = (
            "Hoàn thành chương trình tiểu học"
            if school_class.grade == 5
            else f"Hoàn thành chương trình lớp {school_class.grade}"
        )
    if result in _AWARDS and (rank == 0 or r() < 0.7):
        year["reward_text"] = _AWARDS[result]
    if r() < 0.01:
        year["sudden_reward_text"] = "Khen thưởng đột xuất: giải Ba hội thi viết chữ đẹp cấp xã"
    year["homeroom_comment"] = homeroom_comment(rng, rank)
    return year


def _degrees(rng: Random, grade: int, ability: float, *, not_assessed: bool) -> dict[str, str]:
    if not_assessed:
        return {}
    return {
        name: "T" if (strength := ability + 1.6 * rng.random()) > 8.2 else "Đ" if strength > 4.6 else "C"
        for name in (*_QUALITIES, *_CAPACITIES)
        if grade > 2 or name not in _LATER
    }
