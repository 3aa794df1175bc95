"""The vendor of the profile `workbook-primary`: the Ministry's Excel template of primary results, and more sheets.

It cannot hold that a card is recalled or transcribed, a district, the day of coming from another school,
commune codes from before 1/7/2025 or of a birthplace, and names of subjects other than the official ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

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

_RESULTS, _PUPILS, _CLASSES, _HISTORY = "Kết quả học tập", "Hồ sơ học sinh", "Lớp học", "Quá trình học tập"
_SUBJECTS = "Môn học và HĐGD"
_LEVEL, _TEST = "Mức đạt được", "Điểm KTĐK"
_COLUMNS = {
    "TOA": "Toán", "TVI": "Tiếng Việt", "DDU": "Đạo đức", "TXH": "Tự nhiên và Xã hội", "LDL": "Lịch sử và Địa lí",
    "KHO": "Khoa học", "NN1": "Ngoại ngữ", "DTT": "Tiếng dân tộc", "THC": "TH-CN (Tin học)",
    "HTN": "Hoạt động trải nghiệm", "GTC": "Giáo dục thể chất",
}  # fmt: skip
"""Subject code → its column, in the order of the template; the arts stand before the last two."""
_TESTED = frozenset({"TOA", "TVI", "LDL", "KHO", "NN1", "THC"})
_ARTS = ("Nghệ thuật (Âm nhạc)", "Nghệ thuật (Mĩ thuật)")
_DEGREES = {
    "autonomy": ("Năng lực chung", "Tự chủ và tự học"),
    "communication": ("Năng lực chung", "Giao tiếp và hợp tác"),
    "problem_solving": ("Năng lực chung", "Giải quyết vấn đề và sáng tạo"),
    "language": ("Năng lực đặc thù", "Ngôn ngữ"),
    "calculation": ("Năng lực đặc thù", "Tính toán"),
    "science": ("Năng lực đặc thù", "Khoa học"),
    "technology": ("Năng lực đặc thù", "Công nghệ"),
    "informatics": ("Năng lực đặc thù", "Tin học"),
    "aesthetics": ("Năng lực đặc thù", "Thẩm mĩ"),
    "physical": ("Năng lực đặc thù", "Thể chất"),
    "patriotism": ("Phẩm chất", "Yêu nước"),
    "compassion": ("Phẩm chất", "Nhân ái"),
    "diligence": ("Phẩm chất", "Chăm chỉ"),
    "honesty": ("Phẩm chất", "Trung thực"),
    "responsibility": ("Phẩm chất", "Trách nhiệm"),
}
_COMPLETED, _PROMOTED, _RESULT = "Hoàn thành chương trình lớp học (x)", "Lên lớp (x)", "Xếp loại"
_OF_YEAR = {
    "weight_kg": "Cân nặng (kg)", "height_cm": "Chiều cao (cm)", "absences_excused": "Nghỉ có phép",
    "absences_unexcused": "Nghỉ không phép", "comment_on_qualities": "Nhận xét phẩm chất",
    "comment_on_general_capacities": "Nhận xét năng lực chung",
    "comment_on_specific_capacities": "Nhận xét năng lực đặc thù",
    "homeroom_comment": "Nhận xét của giáo viên chủ nhiệm", "completion_text": "Nội dung hoàn thành chương trình",
    "reward_text": "Khen thưởng", "sudden_reward_text": "Khen thưởng đột xuất",
}  # fmt: skip
_NUMBERS = frozenset({"weight_kg", "height_cm"})


def write_workbook_primary(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write the cards of primary school; returns how many there were."""
    sheets = Sheets()
    sheets.add(_RESULTS, *_head(), above=["KẾT QUẢ HỌC TẬP VÀ RÈN LUYỆN CUỐI NĂM HỌC"])
    sheets.add(_PUPILS, (*PERSON, *_OF_YEAR.values()))
    sheets.add(_CLASSES, CLASS)
    sheets.add(_HISTORY, HISTORY)
    classes: set[str] = set()
    count = 0
    for count, card in enumerate((card for card in cards if card["kind"] == "primary"), start=1):
        year = card["year"]
        sheets.append(_RESULTS, {"STT": count, **_result_cells(card)})
        of_year = {_OF_YEAR[name]: year.get(name) for name in _OF_YEAR if name not in _NUMBERS}
        sizes = {_OF_YEAR[name]: figure(year.get(name)) for name in _NUMBERS}
        sheets.append(_PUPILS, {**person_cells(card), **of_year, **sizes})
        for cells in history_cells(card):
            sheets.append(_HISTORY, cells)
        if card["class"]["code"] not in classes:
            classes.add(card["class"]["code"])
            sheets.append(_CLASSES, class_cells(card))
    sheets.save(out)
    return count


def _head() -> list[list[str | None]]:
    """The three header rows of the results, a group standing over its first column."""
    columns: list[tuple[str, str | None, str | None]] = [
        (name, None, None) for name in ("STT", "Mã lớp", PUPIL, "Họ tên", "Ngày sinh")
    ]
    for code, name in _COLUMNS.items():
        if code == "HTN":
            columns += [(_SUBJECTS, art, None) for art in _ARTS]
        if code in _TESTED:
            columns += [(_SUBJECTS, name, _LEVEL), (_SUBJECTS, name, _TEST)]
        else:
            columns.append((_SUBJECTS, name, None))
    columns += [(group, name, None) for group, name in _DEGREES.values()]
    columns += [(name, None, None) for name in (_COMPLETED, _PROMOTED, _RESULT)]
    rows: list[list[str | None]] = [[], [], []]
    before: tuple[str | None, ...] = (None, None, None)
    for column in columns:
        for level, row in enumerate(rows):
            same = column[: level + 1] == before[: level + 1]
            row.append(None if same else column[level])
        before = column
    return rows


def _result_cells(card: dict[str, Any]) -> dict[str, Any]:
    year = card["year"]
    cells: dict[str, Any] = {
        "Mã lớp": card["class"]["code"],
        PUPIL: card["pupil"]["pupil_code"],
        "Họ tên": card["pupil"]["full_name"],
        "Ngày sinh": birth(card),
        _COMPLETED: flag(yes=year["completed_grade"]),
        _PROMOTED: flag(yes=year["promoted"]),
        _RESULT: year.get("result"),
    }
    for subject in year["subjects"]:
        level = subject.get("level", "-")
        if subject["code"] == "NTH":
            cells |= {f"{_SUBJECTS} > {art}": level for art in _ARTS}
            continue
        column = f"{_SUBJECTS} > {_COLUMNS[subject['code']]}"
        if subject["code"] in _TESTED:
            cells[f"{column} > {_TEST}"] = figure(subject.get("test"))
            column = f"{column} > {_LEVEL}"
        cells[column] = level
    for name, degree in {**year["qualities"], **year["capacities"]}.items():
        cells[" > ".join(_DEGREES[name])] = degree
    return cells
