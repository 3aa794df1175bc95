"""The vendor of the profile `workbook-secondary`: a school's mark-book, one sheet for each subject.

It cannot hold that a card is recalled or transcribed, a district, the day of coming from another school,
commune codes from before 1/7/2025 or of a birthplace, and what is said about graduation. The subjects of a card come
in the order of the sheets, whatever their order was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from hocba_hub.model.subjects import SUBJECTS
from hocba_hub.sandbox.vendors.sheets import (
    CLASS,
    HISTORY,
    PERSON,
    PUPIL,
    Sheets,
    birth,
    class_cells,
    figure,
    flag,
    history_cells,
    person_cells,
)

_PUPILS, _CLASSES, _HISTORY, _CERTIFICATES = "Học sinh", "Lớp học", "Quá trình học tập", "Chứng chỉ"
_CERTIFICATE = (PUPIL, "Tên chứng chỉ", "Loại chứng chỉ")
_REGULAR = 6
"""Columns of regular marks in a term."""
_TERMS = {"term1": "Học kì I", "term2": "Học kì II"}
_LEVELS = {
    "term1": "học kì I",
    "term2": "học kì II",
    "year": "cả năm",
}
_OF_YEAR = {
    "absences": "Số buổi nghỉ", "promotion_text": "Nội dung được lên lớp",
    "completion_text": "Nội dung hoàn thành chương trình", "title": "Danh hiệu", "reward_text": "Khen thưởng",
    "contests_text": "Kết quả các cuộc thi", "summer_training_text": "Nội dung rèn luyện trong hè",
    "discipline_text": "Kỉ luật", "homeroom_comment": "Nhận xét của giáo viên chủ nhiệm",
}  # fmt: skip
_PROMOTED, _OVERALL = "Được lên lớp (x)", "Điểm tổng kết"
_RESULTS = {
    **{("learning", when): f"Kết quả học tập {name}" for when, name in _LEVELS.items()},
    ("learning", "again"): "Kết quả học tập sau kiểm tra lại",
    **{("training", when): f"Kết quả rèn luyện {name}" for when, name in _LEVELS.items()},
    ("training", "again"): "Kết quả rèn luyện trong hè",
}


def write_workbook_secondary(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write the cards of secondary school and continuing education; returns how many there were."""
    sheets = Sheets()
    own = ("Họ tên", "Ngày sinh", "Mã lớp", *_RESULTS.values(), *_OF_YEAR.values(), _PROMOTED, _OVERALL)
    sheets.add(_PUPILS, (*PERSON, *own))
    for name in dict.fromkeys(subject.short_name for subject in SUBJECTS if subject.programme != "TH"):
        sheets.add(f"Môn {name}", *_head())
    sheets.add(_CLASSES, CLASS)
    sheets.add(_HISTORY, HISTORY)
    sheets.add(_CERTIFICATES, _CERTIFICATE)
    classes: set[str] = set()
    count = 0
    for card in cards:
        if card["kind"] == "primary":
            continue
        count += 1
        code = card["pupil"]["pupil_code"]
        sheets.append(_PUPILS, {**person_cells(card), **_pupil_cells(card)})
        for subject in card["year"]["subjects"]:
            name = card["pupil"]["full_name"]
            sheets.append(f"Môn {subject['name']}", {PUPIL: code, "Họ tên": name, **_subject_cells(subject)})
        for cells in history_cells(card):
            sheets.append(_HISTORY, cells)
        for one in card["year"]["certificates"]:
            sheets.append(_CERTIFICATES, dict(zip(_CERTIFICATE, (code, one["name"], one["kind"]), strict=True)))
        if card["class"]["code"] not in classes:
            classes.add(card["class"]["code"])
            sheets.append(_CLASSES, class_cells(card))
    sheets.save(out)
    return count


def _head() -> tuple[tuple[str | None, ...], ...]:
    """The three header rows of a subject's sheet, a group standing over its first column."""
    term = ("ĐĐGtx", *[None] * (_REGULAR - 1), "ĐĐGgk", "ĐĐGck", "ĐTBmhk")
    times = (*(f"Lần {number}" for number in range(1, _REGULAR + 1)), None, None, None)
    terms = [(name, *[None] * (len(term) - 1)) for name in _TERMS.values()]
    end = ("ĐTBmcn", "Kiểm tra lại", "Nhận xét", "Giáo viên", "Số định danh giáo viên")
    return (
        (PUPIL, "Họ tên", *terms[0], *terms[1], *end),
        (None, None, *term, *term, *[None] * len(end)),
        (None, None, *times, *times, *[None] * len(end)),
    )


def _pupil_cells(card: dict[str, Any]) -> dict[str, Any]:
    year = card["year"]
    return {
        "Họ tên": card["pupil"]["full_name"],
        "Ngày sinh": birth(card),
        "Mã lớp": card["class"]["code"],
        _PROMOTED: flag(yes=year["promoted"]),
        _OVERALL: figure(year.get("overall_average")),
        **{column: year[part].get(when) for (part, when), column in _RESULTS.items()},
        **{column: year.get(name) for name, column in _OF_YEAR.items()},
    }


def _subject_cells(subject: dict[str, Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "ĐTBmcn": figure(subject.get("year")),
        "Kiểm tra lại": figure(subject.get("retest")),
        "Nhận xét": subject.get("comment"),
        "Giáo viên": subject["teacher"]["full_name"],
        "Số định danh giáo viên": subject["teacher"]["personal_number"],
    }
    for term, name in _TERMS.items():
        marks = subject.get(f"{term}_marks", {})
        for number, mark in enumerate(marks.get("regular", ()), 1):
            cells[f"{name} > ĐĐGtx > Lần {number}"] = figure(mark)
        cells[f"{name} > ĐĐGgk"] = figure(marks.get("midterm"))
        cells[f"{name} > ĐĐGck"] = figure(marks.get("final"))
        cells[f"{name} > ĐTBmhk"] = figure(subject.get(term))
    return cells
