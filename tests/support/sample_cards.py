"""Canonical cards with every field filled, one of each kind; all people are made up."""

from __future__ import annotations

from typing import Any

import orjson

TEACHER = {"full_name": "Phạm Thị Mẫu", "personal_number": "033180000001"}


def _common(kind: str, level: str, grade: int, circular: str, number: int) -> dict[str, Any]:
    place = {"address": "Xã Mẫu, Hưng Yên", "commune_code": "12391", "commune_list": "2025", "province_code": "33"}
    relative = {"full_name": "Nguyễn Văn Mẫu", "job": "nông dân"}
    return {
        "kind": kind,
        "card_id": f"HB-{kind}-{number:06d}",
        "school_year": "2025-2026",
        "status": "in_force",
        "circular": circular,
        "transcribed": True,
        "department": {"code": "33", "name": "Sở Giáo dục và Đào tạo Hưng Yên"},
        "school": {
            "code": "33000123",
            "name": "Trường Mẫu",
            "level": level,
            "commune_name": "Xã Mẫu",
            "commune_code": "12391",
            "district_name": "Huyện Mẫu",
            "province_name": "Hưng Yên",
            "province_code": "33",
        },
        "class": {"grade": grade, "name": f"{grade}A", "code": "L01"},
        "register_number": "12/2025",
        "pupil": {
            "full_name": "Nguyễn Thị Đỗ Mẫu",
            "personal_number": "033315000001",
            "passport_number": "C0000001",
            "pupil_code": "3300000001",
            "gender": "2",
            "birth": "2015-09-02",
            "birthplace": place,
            "hometown": place,
            "residence": place,
            "ethnic_code": "01",
            "ethnic_list": "QCVN109",
            "nationality": "VN",
            "policy_category": "Con thương binh",
            "not_assessed": True,
        },
        "family": {"father": relative, "mother": relative, "guardian": relative},
        "signers": {
            "manager": {"full_name": "Trần Văn Mẫu", "personal_number": "033070000002", "title": "Hiệu trưởng"},
            "homeroom": TEACHER,
        },
        "issue": {"place": "Hưng Yên", "issued_on": "2026-06-20", "created_on": "2026-06-01"},
        "study_history": [
            {
                "school_year": "2024-2025",
                "class_name": f"{grade - 1}A",
                "school_name": "Trường Mẫu",
                "province_name": "Hưng Yên",
                "arrived_on": "2024-09-05",
            }
        ],
    }


def primary_card(number: int = 1) -> dict[str, Any]:
    """A card of grade 4."""
    degrees = ("patriotism", "compassion", "diligence", "honesty", "responsibility")
    capacities = (
        *("autonomy", "communication", "problem_solving", "language", "calculation"),
        *("science", "technology", "informatics", "aesthetics", "physical"),
    )
    year = {
        "subjects": [
            {"code": "TV", "name": "Tiếng Việt", "level": "T", "test": "9"},
            {"code": "GDT", "name": "Giáo dục thể chất", "level": "M"},
        ],
        "qualities": dict.fromkeys(degrees, "T"),
        "capacities": dict.fromkeys(capacities, "Đ"),
        "comment_on_qualities": "Ngoan",
        "comment_on_general_capacities": "Tốt",
        "comment_on_specific_capacities": "Khá",
        "weight_kg": "28.5",
        "height_cm": "131",
        "absences_excused": 2,
        "absences_unexcused": 0,
        "result": "Hoàn thành tốt",
        "promoted": True,
        "completed_grade": True,
        "completed_primary": False,
        "completion_text": "Hoàn thành chương trình lớp 4",
        "reward_text": "Khen",
        "sudden_reward_text": "Khen đột xuất",
        "homeroom_comment": "Chăm học",
    }
    return {**_common("primary", "02", 4, "TT27/2020", number), "year": year}


def _secondary_year(subjects: int) -> dict[str, Any]:
    marks = {"regular": ["8.0", "9"], "midterm": "8.5", "final": "7.5"}
    return {
        "subjects": [
            {
                "code": f"M{place}",
                "name": f"Môn {place}",
                "term1": "8.0",
                "term2": "7.5",
                "year": "7.7",
                "retest": "Đ",
                "term1_marks": marks,
                "term2_marks": marks,
                "comment": "Nắm chắc kiến thức, vận dụng tốt, cần đọc thêm sách ở nhà.",
                "teacher": TEACHER,
            }
            for place in range(subjects)
        ],
        "learning": {"term1": "K", "term2": "T", "year": "T", "again": "Đ"},
        "training": {"term1": "T", "term2": "T", "year": "T", "again": "Đ"},
        "absences": 3,
        "promoted": True,
        "promotion_text": "Được lên lớp",
        "completion_text": "Hoàn thành chương trình",
        "title": "Học sinh Giỏi",
        "reward_text": "Khen",
        "contests_text": "Giải nhì",
        "summer_training_text": "Không",
        "discipline_text": "Nhắc nhở",
        "overall_average": "7.9",
        "graduation_eligible": True,
        "graduation_text": "Tốt nghiệp trung học cơ sở",
        "certificates": [{"name": "Tin học", "kind": "A"}],
        "homeroom_comment": "Chăm học",
    }


def secondary_card(number: int = 1, subjects: int = 14) -> dict[str, Any]:
    """A card of grade 8."""
    return {**_common("secondary", "03", 8, "TT22/2021", number), "year": _secondary_year(subjects)}


def continuing_card(number: int = 1) -> dict[str, Any]:
    """A card of continuing education, grade 11."""
    return {**_common("continuing", "05", 11, "TT43/2021", number), "year": _secondary_year(7)}


def canonical(card: dict[str, Any]) -> bytes:
    """The card as canonical JSON."""
    return orjson.dumps(card)


MAKERS = {"primary": primary_card, "secondary": lambda: secondary_card(subjects=2), "continuing": continuing_card}
"""Kind of card → what makes one."""


def own(card: dict[str, Any]) -> dict[str, Any]:
    """The card with no part shared with another."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(card))
    return copy


def changed(card: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the card with another value at a path such as `year/subjects/0/name`."""
    card = own(card)
    part: Any = card
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    for step in steps:
        part = part[step]
    part[last] = value
    return card
