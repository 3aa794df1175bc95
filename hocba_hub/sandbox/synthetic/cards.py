# ruff: noqa: PLR2004 - the bare numbers are chances and sizes of a made-up province
"""Report cards as canonical bytes, class by class through the schools of the province; the same seed, the same bytes.

No pydantic model is built on the way: blocks are plain dicts in the model's order of fields, so that 100,000 cards
take seconds. That they are canonical is a test's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import orjson

from hocba_hub.sandbox.synthetic.classes import SchoolClass, classes
from hocba_hub.sandbox.synthetic.comments import homeroom_comment
from hocba_hub.sandbox.synthetic.people import child_name, full_name, personal_number, pick, relative
from hocba_hub.sandbox.synthetic.primary import primary_year
from hocba_hub.sandbox.synthetic.schools import GRADES, Unit, chosen_institutions, communes
from hocba_hub.sandbox.synthetic.secondary import secondary_year

_KINDS = {"TH": "primary", "THCS": "secondary", "THPT": "secondary", "GDTX": "continuing"}
_CIRCULARS = {"primary": "TT27/2020", "secondary": "TT22/2021", "continuing": "TT43/2021"}
_DEPARTMENT = {"code": "33", "name": "Sở Giáo dục và Đào tạo Hưng Yên"}
_ETHNIC = (*("01",) * 194, "02", "02", "06", "06", "03", "07")
"""Kinh mostly, some Tày, Mường, Thái and Nùng, in the numbering of QĐ 121-TCTK/PPCĐ."""
_FORMER_DISTRICTS = (
    "Thành phố Hưng Yên", "huyện Ân Thi", "huyện Khoái Châu", "huyện Kim Động", "huyện Phù Cừ", "huyện Tiên Lữ",
    "huyện Văn Giang", "huyện Văn Lâm", "huyện Yên Mỹ", "thị xã Mỹ Hào",
)  # fmt: skip
_FOREIGN = (("LA", "Somsavat Vilay"), ("KR", "Kim Min Jun"), ("CN", "Li Xiao Ming"), ("JP", "Sato Yuki"))
_POLICIES = ("Con thương binh", "Hộ nghèo", "Hộ cận nghèo", "Con liệt sĩ")


def generate(cards: int, seed: int, *, schools: int | None = None, school_year: str = "2025-2026") -> Iterator[bytes]:
    """So many report cards as canonical JSON, each byte-identical to the canonical bytes of the card it reads as.

    Pupils are spread over the schools by their true sizes, whatever the number of cards; classes follow each other so
    that every stretch has many schools. `schools` takes only so many of the 739 schools and centres, in the same mix.

    Raises ValueError for a number of schools that the province does not have.
    """
    chosen = [unit for units in chosen_institutions(schools) for unit in units]
    return _generated(cards, seed, chosen, school_year)


def _generated(cards: int, seed: int, chosen: list[Unit], school_year: str) -> Iterator[bytes]:
    rng = Random(seed)  # noqa: S311 - made-up pupils
    rounds = [
        classes(unit, quota, int(rng.random() * 12), seed=school_year) for unit, quota in _quotas(rng, chosen, cards)
    ]
    rng.shuffle(rounds)
    serial = int(rng.random() * 1_000_000)
    while rounds:
        going = []
        for unit_classes in rounds:
            school_class = next(unit_classes, None)
            if school_class is None:
                continue
            going.append(unit_classes)
            for card in _class_cards(rng, school_class, school_year, serial):
                yield orjson.dumps(card)
            serial += school_class.pupils
        rounds = going


def _quotas(rng: Random, chosen: list[Unit], cards: int) -> Iterator[tuple[Unit, int]]:
    """Cards of each unit, in proportion to its pupils: a systematic sample over units sorted by level."""
    chosen = sorted(chosen, key=lambda unit: unit.school["level"])
    total = sum(unit.pupils for unit in chosen)
    start = rng.random()
    before = passed = 0
    for unit in chosen:
        passed += unit.pupils
        upto = cards if passed == total else int(cards * passed / total + start)
        if upto > before:
            yield unit, min(upto, cards) - before
        before = min(upto, cards)


def _class_cards(rng: Random, school_class: SchoolClass, school_year: str, serial: int) -> Iterator[dict[str, Any]]:
    """The cards of one class's pupils."""
    unit, grade = school_class.unit, school_class.grade
    kind = _KINDS[unit.programme]
    ends = int(school_year[5:])
    common = {
        "department": _DEPARTMENT,
        "school": unit.school,
        "class": {"grade": grade, "name": school_class.name, "code": f"{unit.number:03d}{school_class.name}"},
    }
    signers = {"manager": unit.manager, "homeroom": school_class.homeroom}
    raw_marks = rng.random() < 1 / 3
    issue = {
        "place": unit.school["commune_name"],
        "issued_on": f"{ends}-06-{10 + int(15 * rng.random()):02d}",
        "created_on": f"{ends}-06-0{1 + int(8 * rng.random())}",
    }
    history = _history(school_class, ends)
    for number in range(school_class.pupils):
        not_assessed = rng.random() < 0.004
        exempt = not not_assessed and rng.random() < 0.006
        father = full_name(rng, "1")
        card: dict[str, Any] = {
            "card_id": str(UUID(int=rng.getrandbits(128), version=4)),
            "school_year": school_year,
            "status": "in_force",
            "circular": _CIRCULARS[kind],
            "transcribed": False,
            **common,
            "register_number": f"{number + 1}/{school_class.name}",
            "pupil": _pupil(rng, unit, ends - 1 - grade - 5, father, serial + number, not_assessed=not_assessed),
            "family": {"father": relative(rng, father), "mother": relative(rng, full_name(rng, "2"))},
            "signers": signers,
            "issue": issue,
            "study_history": history,
            "kind": kind,
        }
        if kind == "primary":
            card["year"] = primary_year(rng, school_class, not_assessed=not_assessed, exempt=exempt)
        else:
            card["year"] = secondary_year(
                rng, school_class, not_assessed=not_assessed, exempt=exempt, raw_marks=raw_marks
            )
        yield card


def _history(school_class: SchoolClass, ends: int) -> list[dict[str, Any]]:
    """The earlier years at the same school."""
    grades = GRADES[school_class.unit.programme]
    return [
        {
            "school_year": f"{ends - 1 - back}-{ends - back}",
            "class_name": f"{school_class.grade - back}{school_class.name.removeprefix(str(school_class.grade))}",
            "school_name": school_class.unit.school["name"],
            "province_name": "Hưng Yên",
        }
        for back in range(school_class.grade - grades.start, 0, -1)
    ]


def _pupil(rng: Random, unit: Unit, birth_year: int, father: str, serial: int, *, not_assessed: bool) -> dict[str, Any]:
    r = rng.random
    gender = "1" if r() < 0.52 else "2"
    birth_year -= r() < 0.02
    commune, name = communes()[int(r() * 104)]
    residence = {
        "address": f"{unit.school['commune_name']}, tỉnh Hưng Yên",
        "commune_code": unit.school["commune_code"],
        "commune_list": "2025",
        "province_code": "33",
    }
    hometown = {
        "address": f"{name}, tỉnh Hưng Yên", "commune_code": commune, "commune_list": "2025", "province_code": "33",
    }  # fmt: skip
    pupil: dict[str, Any] = {}
    nationality = "VN"
    if r() < 0.0015:
        nationality, pupil["full_name"] = pick(rng, _FOREIGN)
        pupil["passport_number"] = f"P{serial % 10_000_000:07d}"
    else:
        pupil["full_name"] = child_name(rng, gender, father)
        pupil["personal_number"] = personal_number(rng, gender, birth_year, serial)
    precision = r()
    month = 1 + int(12 * r())
    pupil["pupil_code"] = f"33{serial:08d}"
    pupil["gender"] = gender
    pupil["birth"] = (
        f"{birth_year}-{month:02d}-{1 + int(28 * r()):02d}"
        if precision < 0.99
        else f"{birth_year}-{month:02d}"
        if precision < 0.995
        else str(birth_year)
    )
    pupil["birthplace"] = {"address": f"{pick(rng, _FORMER_DISTRICTS)}, tỉnh Hưng Yên", "province_code": "33"}
    pupil["hometown"] = hometown
    pupil["residence"] = residence
    pupil["ethnic_code"], pupil["ethnic_list"] = (pick(rng, _ETHNIC), "QD121") if nationality == "VN" else ("55", "GSO")
    pupil["nationality"] = nationality
    if r() < 0.04:
        pupil["policy_category"] = pick(rng, _POLICIES)
    pupil["not_assessed"] = not_assessed
    return pupil


def revise(raw: bytes, seed: int) -> bytes:
    """The same card, legally corrected: another homeroom comment; canonical as before."""
    card = orjson.loads(raw)
    rng = Random(seed)  # noqa: S311 - a made-up comment
    before = card["year"]["homeroom_comment"]
    while card["year"]["homeroom_comment"] == before:
        card["year"]["homeroom_comment"] = f"{homeroom_comment(rng, 1)} Nhận xét đã đính chính lần {seed}."
    return orjson.dumps(card)
