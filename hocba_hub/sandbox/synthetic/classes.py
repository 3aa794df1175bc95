"""Classes of a school: their names, their teachers, and the subjects they are taught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from hocba_hub.model.subjects import Subject, subjects_of
from hocba_hub.sandbox.synthetic.people import pick, teacher
from hocba_hub.sandbox.synthetic.schools import GRADES, Unit

_MOST_PUPILS = {"TH": 35, "THCS": 45, "THPT": 45, "GDTX": 45}
"""Pupils of a class at most (TT 32/2020, TT 28/2020); centres as upper secondary."""
_CHOICES = {
    "THPT": (
        ("VLI", "HOA", "SIN", "TIN"), ("VLI", "HOA", "CNG", "TIN"), ("DLI", "KPL", "TIN", "CNG"),
        ("DLI", "KPL", "SIN", "MTH"), ("VLI", "HOA", "DLI", "AMN"), ("DLI", "KPL", "AMN", "MTH"),
        ("VLI", "HOA", "TIN", "CNG", "NN2"),
    ),
    "GDTX": (
        ("DLI", "KPL", "VLI", "HOA"), ("DLI", "KPL", "SIN", "CNG"), ("DLI", "KPL", "TIN", "CNG", "NNG"),
        ("VLI", "HOA", "SIN", "TIN"),
    ),
    "THCS": ((), (), (), ("NN2",)),
    "TH": ((),),
}  # fmt: skip
"""Combinations of chosen subjects that classes learn."""


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """One class with so many of its pupils."""

    unit: Unit
    grade: int
    name: str
    pupils: int
    homeroom: dict[str, Any]
    subjects: tuple[tuple[Subject, dict[str, Any]], ...]
    """Each subject with its teacher."""


def classes(unit: Unit, pupils: int, start: int, *, seed: str) -> Iterator[SchoolClass]:
    """The unit's classes for so many pupils, spread over its grades from the `start`-th on."""
    rng = Random(f"{seed}/{unit.number}/{unit.programme}")  # noqa: S311 - made-up people
    grades = GRADES[unit.programme]
    serial = 2_000 * unit.number + 500 * int(unit.school["level"][1])
    for turn in range(len(grades)):
        grade = grades[(start + turn) % len(grades)]
        of_grade = (pupils + len(grades) - 1 - turn) // len(grades)
        count = -(-of_grade // _MOST_PUPILS[unit.programme])
        for place in range(count):
            size = (of_grade + count - 1 - place) // count
            chosen = pick(rng, _CHOICES[unit.programme])
            taught = [s for s in subjects_of(unit.programme, grade) if not s.chosen or s.code in chosen]
            teachers = [teacher(rng, serial + offset) for offset in range(len(taught))]
            serial += len(taught)
            yield SchoolClass(
                unit, grade, _name(unit, grade, place), size, teachers[0], tuple(zip(taught, teachers, strict=True))
            )


def _name(unit: Unit, grade: int, place: int) -> str:
    """4A, 4B, … at primary and lower secondary; 11A1, 11A2, … above; never more than 10 characters."""
    if unit.programme in {"TH", "THCS"} and place < len("ABCDEGHIKLMN"):
        return f"{grade}{'ABCDEGHIKLMN'[place]}"
    return f"{grade}A{place + 1}"
