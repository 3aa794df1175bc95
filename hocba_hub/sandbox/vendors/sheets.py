"""What the workbooks of both levels have in common: sheets of pupils, classes and earlier years, written row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from hocba_hub.sandbox.vendors.codes import ethnic_names
from hocba_hub.sandbox.vendors.notations import LEVELS, circular, day

Cells = Mapping[str, Any]
"""Column → value; what is not there stays blank."""

PUPIL = "Mã học sinh"
HISTORY = (PUPIL, "Năm học", "Lớp", "Trường", "Tỉnh/thành phố")
CLASS = (
    "Mã lớp", "Tên lớp", "Khối", "Cấp học", "Năm học", "Thông tư", "Mã sở", "Tên sở", "Mã trường", "Tên trường",
    "Xã/phường", "Mã xã/phường", "Tỉnh/thành phố", "Cán bộ quản lý ký học bạ", "Số định danh cán bộ quản lý", "Chức vụ",
    "Giáo viên chủ nhiệm", "Số định danh giáo viên chủ nhiệm", "Nơi phát hành", "Ngày phát hành", "Ngày tạo",
)  # fmt: skip
PERSON = (
    PUPIL, "Mã định danh học bạ", "Số đăng bộ", "Số định danh cá nhân", "Số hộ chiếu", "Giới tính", "Nơi sinh",
    "Mã tỉnh nơi sinh", "Quê quán", "Mã xã quê quán", "Mã tỉnh quê quán", "Nơi ở hiện nay", "Mã xã nơi ở",
    "Mã tỉnh nơi ở", "Dân tộc", "Quốc tịch", "Đối tượng chính sách", "Khuyết tật không đánh giá (x)", "Họ tên cha",
    "Nghề nghiệp cha", "Họ tên mẹ", "Nghề nghiệp mẹ", "Họ tên người giám hộ", "Nghề nghiệp người giám hộ",
)  # fmt: skip
_RELATIVES = ("father", "mother", "guardian")
_GENDERS = {"0": "Không rõ", "1": "Nam", "2": "Nữ"}


class Sheets:
    """A workbook whose sheets grow side by side."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)
        self._columns: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, *head: Sequence[str | None], above: Sequence[str] = ()) -> None:
        """Add a sheet with its header rows, below one row for each text of `above`.

        In a header of several rows, a group stands over its first column only, as merged cells are kept.
        """
        sheet = self._book.create_sheet(name)
        self._columns[name] = _full_names(head)
        sheet.freeze_panes = f"A{len(above) + len(head) + 1}"
        for number, column in enumerate(self._columns[name], 1):
            sheet.column_dimensions[get_column_letter(number)].width = 8 + min(30, len(column) // 2)
        for text in above:
            sheet.append([text])
        for row, cells in enumerate(head):
            for first, last in _groups(head, row):
                sheet.merged_cells.add(f"{_cell(first, len(above) + row)}:{_cell(last, len(above) + row)}")
            sheet.append(cells)

    def append(self, name: str, cells: Cells) -> None:
        """Add a row; raises KeyError for a column that the sheet has not."""
        columns = self._columns[name]
        unknown = cells.keys() - set(columns)
        if unknown:
            raise KeyError(f"{name}: {sorted(unknown)}")
        self._book[name].append([cells.get(column) for column in columns])

    def save(self, out: BinaryIO) -> None:
        """Write the workbook."""
        self._book.save(out)


def _cell(column: int, row: int) -> str:
    return f"{get_column_letter(column + 1)}{row + 1}"


def _groups(head: Sequence[Sequence[str | None]], row: int) -> list[tuple[int, int]]:
    """First and last column of the merged groups of a header row: a name and the blanks after it, over other names."""
    groups: list[tuple[int, int]] = []
    below = head[row + 1] if row + 1 < len(head) else ()
    for column, (name, under) in enumerate(zip(head[row], below, strict=False)):
        above = [upper[column] for upper in head[:row]]
        if name and under:
            groups.append((column, column))
        elif not name and under and groups and groups[-1][1] == column - 1 and not any(above):
            groups[-1] = (groups[-1][0], column)
    return [group for group in groups if group[0] < group[1]]


def _full_names(head: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """The names of columns as a reader joins them: `Học kì I > ĐĐGgk`."""
    names = []
    carried = [""] * len(head)
    for parts in zip(*head, strict=True):
        own = []
        for level, part in enumerate(parts):
            if part:
                carried[level:] = [part, *[""] * (len(head) - level - 1)]
            if part or (carried[level] and any(parts[level + 1 :])):
                own.append(part or carried[level])
        names.append(" > ".join(own))
    return tuple(names)


def person_cells(card: dict[str, Any]) -> dict[str, Any]:
    """Who the pupil is, in the columns of `PERSON`."""
    pupil, family = card["pupil"], card.get("family", {})
    birthplace, hometown, residence = (pupil[place] for place in ("birthplace", "hometown", "residence"))
    relatives = [family.get(one, {}).get(what) for one in _RELATIVES for what in ("full_name", "job")]
    values = (
        pupil["pupil_code"], card["card_id"], card.get("register_number"), pupil.get("personal_number"),
        pupil.get("passport_number"), _GENDERS[pupil["gender"]], birthplace["address"],
        birthplace.get("province_code"), hometown["address"], hometown.get("commune_code"),
        hometown.get("province_code"), residence["address"], residence.get("commune_code"),
        residence.get("province_code"), ethnic_names(pupil["ethnic_list"])[pupil["ethnic_code"]],
        pupil["nationality"], pupil.get("policy_category"), flag(yes=pupil["not_assessed"]), *relatives,
    )  # fmt: skip
    return dict(zip(PERSON, values, strict=True))


def class_cells(card: dict[str, Any]) -> dict[str, Any]:
    """The class, its school and who signs for them, in the columns of `CLASS`."""
    school, group, signers, issue = card["school"], card["class"], card["signers"], card["issue"]
    manager, homeroom = signers["manager"], signers["homeroom"]
    values = (
        group["code"], group["name"], group["grade"], LEVELS[school["level"]], card["school_year"],
        circular(card["circular"]), card["department"]["code"], card["department"]["name"], school["code"],
        school["name"], school["commune_name"], school.get("commune_code"), school["province_name"],
        manager["full_name"], manager["personal_number"], manager["title"], homeroom["full_name"],
        homeroom.get("personal_number"), issue["place"], date.fromisoformat(issue["issued_on"]),
        date.fromisoformat(issue["created_on"]),
    )  # fmt: skip
    return dict(zip(CLASS, values, strict=True))


def history_cells(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The earlier years, in the columns of `HISTORY`."""
    names = ("school_year", "class_name", "school_name", "province_name")
    code = card["pupil"]["pupil_code"]
    return [dict(zip(HISTORY, (code, *(year[name] for name in names)), strict=True)) for year in card["study_history"]]


def flag(*, yes: bool) -> str | None:
    """A cross, or nothing."""
    return "x" if yes else None


def birth(card: dict[str, Any]) -> str:
    """The day of birth as clerks type it: dd/mm/yyyy, or as much of it as is known."""
    return day(card["pupil"]["birth"])


def figure(mark: str | None) -> float | str | None:
    """A mark as a number, a letter as it is."""
    return float(mark) if mark is not None and mark[0].isdigit() else mark
