# ruff: noqa: PLR2004 - the bare numbers are chances and sizes of a made-up province
"""The province's schools: 719 schools and 20 continuing centres in the true mix, each in one of the 104 communes.

Numbers of schools and pupils: Hưng Yên at 1/7/2025. How many of the upper secondary pupils learn at centres is not
published; 8,000 is an estimate. Schools, their sizes and teachers are the same for every seed of the cards.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from hocba_hub.model.subjects import Programme
from hocba_hub.sandbox.synthetic.people import full_name, personal_number

_PROGRAMMES: tuple[Programme, ...] = ("TH", "THCS", "THPT", "GDTX")
PUPILS: dict[Programme, int] = {"TH": 257_682, "THCS": 202_550, "THPT": 100_193, "GDTX": 8_000}
LEVELS: dict[Programme, str] = {"TH": "02", "THCS": "03", "THPT": "04", "GDTX": "05"}
GRADES: dict[Programme, range] = {"TH": range(1, 6), "THCS": range(6, 10), "THPT": range(10, 13), "GDTX": range(10, 13)}

_TYPES: tuple[tuple[int, str, dict[Programme, float]], ...] = (
    (255, "Trường Tiểu học và Trung học cơ sở {}", {"TH": 0.75, "THCS": 0.7}),
    (197, "Trường Tiểu học {}", {"TH": 1.3}),
    (187, "Trường Trung học cơ sở {}", {"THCS": 1.4}),
    (71, "Trường Trung học phổ thông {}", {"THPT": 1.0}),
    (1, "Trường Trung học cơ sở và Trung học phổ thông {}", {"THCS": 0.6, "THPT": 0.6}),
    (8, "Trường Tiểu học, Trung học cơ sở và Trung học phổ thông {}", {"TH": 0.5, "THCS": 0.5, "THPT": 0.4}),
    (18, "Trung tâm Giáo dục nghề nghiệp - Giáo dục thường xuyên {}", {"GDTX": 1.0}),
    (2, "Trung tâm Giáo dục thường xuyên {}", {"GDTX": 1.2}),
)
"""How many, how they are called, and how large a part of the usual size each of their levels has."""
_HONOURED = (
    "Nguyễn Du", "Lê Hữu Trác", "Nguyễn Thiện Thuật", "Phạm Ngũ Lão", "Lê Quý Đôn", "Trần Hưng Đạo", "Kim Đồng",
    "Võ Thị Sáu", "Nguyễn Trãi", "Đoàn Thị Điểm", "Chu Văn An", "Lý Thường Kiệt", "Nguyễn Đức Cảnh", "Hoàng Hoa Thám",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """One level of one school: what has classes of its own."""

    number: int
    school: dict[str, Any]
    """The card's school block."""
    manager: dict[str, Any]
    """The card's signing manager."""
    programme: Programme
    pupils: int


@cache
def communes() -> tuple[tuple[str, str], ...]:
    """Code and name of the 104 communes since 1/7/2025 (QĐ 19/2025/QĐ-TTg)."""
    text = files(__package__).joinpath("communes.csv").read_text(encoding="utf-8")
    return tuple((row["code"], row["name"]) for row in csv.DictReader(text.splitlines()))


@cache
def institutions() -> tuple[tuple[Unit, ...], ...]:
    """The 739 schools and centres, by type, each with its levels."""
    rng = Random(33)  # noqa: S311 - made-up schools
    shape = [(title, shares) for count, title, shares in _TYPES for _ in range(count)]
    sizes = [{p: share * rng.lognormvariate(0, 0.4) for p, share in shares.items()} for _, shares in shape]
    scale = {p: PUPILS[p] / sum(size.get(p, 0.0) for size in sizes) for p in _PROGRAMMES}
    built = []
    running: dict[str, int] = {}
    left = {p: (PUPILS[p], sum(p in size for size in sizes)) for p in _PROGRAMMES}
    for number, ((title, _), size) in enumerate(zip(shape, sizes, strict=True)):
        code, commune = communes()[number * 37 % len(communes())]
        running[code] = running.get(code, 0) + 1
        school = {
            "code": f"33{code}{running[code]:03d}",
            "name": title.format(_name(commune, running[code])),
            "level": "",
            "commune_name": commune,
            "commune_code": code,
            "province_name": "Hưng Yên",
            "province_code": "33",
        }
        manager = _manager(rng, number, centre="GDTX" in size)
        units = []
        for programme, share in size.items():
            pupils, units_left = left[programme]
            own = pupils if units_left == 1 else round(share * scale[programme])
            left[programme] = pupils - own, units_left - 1
            units.append(Unit(number, {**school, "level": LEVELS[programme]}, manager, programme, own))
        built.append(tuple(units))
    return tuple(built)


def _name(commune: str, running: int) -> str:
    place = commune.partition(" ")[2]
    return place if running == 1 else f"{_HONOURED[running - 2]} - {place}"


def _manager(rng: Random, number: int, *, centre: bool) -> dict[str, Any]:
    gender = "2" if rng.random() < 0.5 else "1"
    title = "Giám đốc" if centre else "Hiệu trưởng"
    return {
        "full_name": full_name(rng, gender),
        "personal_number": personal_number(rng, gender, 1966 + int(rng.random() * 20), 900_000 + number),
        "title": title if rng.random() < 0.8 else f"Phó {title[0].lower()}{title[1:]}",
    }


def chosen_institutions(count: int | None) -> tuple[tuple[Unit, ...], ...]:
    """So many schools in the province's mix (all without a number); from two on, every kind of card is among them.

    Raises ValueError unless the count is from 1 to 739.
    """
    every = institutions()
    if count is None:
        return every
    if not 1 <= count <= len(every):
        raise ValueError(f"The province has 1 to {len(every)} schools.")
    last = max(count - 1, 1)
    return tuple(every[place * (len(every) - 1) // last] for place in range(count))
