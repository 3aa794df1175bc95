"""The deadline board as a workbook."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from sqlalchemy import Connection

from hocba_hub.adapters.workbook.written import write_table
from hocba_hub.model.clock import vietnam_time
from hocba_hub.model.windows import Level
from hocba_hub.monitoring.deadlines import Board, Known, needs
from hocba_hub.store.board import COUNTS, figures

_HEADS = {
    "destination": "Nơi nhận / Destination", "level": "Cấp học / Level", "commune_code": "Xã / Commune",
    "school_code": "Trường / School", "grade": "Khối / Grade", "class_code": "Lớp / Class",
    "expected": "Phải có / Expected", "accepted": "Đã nhận / Accepted", "acknowledged": "Đã xác nhận / Acknowledged",
    "refused": "Bị từ chối / Refused", "waiting": "Đang chuyển / Waiting", "missing": "Còn thiếu / Missing",
    "recalled": "Đã thu hồi / Recalled", "closes_at": "Đóng lúc / Closes", "in_time": "Kịp / In time",
    "timing": "Đợt nhận / Window",
}  # fmt: skip
_SHEETS = (
    ("Xã - Commune", "commune", ("commune_code",)),
    ("Trường - School", "school", ("commune_code", "school_code")),
    ("Lớp - Class", "class", ("commune_code", "school_code", "grade", "class_code")),
)
_LEVELS = {
    Level.PRIMARY: "Tiểu học / Primary", Level.LOWER_SECONDARY: "THCS / Lower secondary",
    Level.UPPER_SECONDARY: "THPT / Upper secondary", Level.CONTINUING: "GDTX / Continuing",
}  # fmt: skip
_TIMINGS = {
    "always": "Luôn nhận / Always", "open": "Đang mở / Open", "ahead": "Chưa mở / Ahead", "over": "Đã đóng / Over",
}  # fmt: skip
_IN_TIME = {True: "Có / Yes", False: "Không / No", None: ""}


def workbook(connection: Connection, known: Known, found: Board) -> bytes:
    """The board as a workbook: by level, commune, school and class, and who needs help first."""
    made = Workbook(write_only=True)
    counted = ("expected", "accepted", "acknowledged", "refused", "missing")
    levels = (
        (
            one.destination, _LEVELS[one.level], _TIMINGS[one.window.timing], _shown(one.window.closes_at),
            _IN_TIME[one.in_time], *(one.counts[name] for name in COUNTS),
        )
        for one in found.levels
    )  # fmt: skip
    _write(made, "Tổng hợp - Summary", ("destination", "level", "timing", "closes_at", "in_time", *COUNTS), levels)
    for title, by, places in _SHEETS:
        rows = (
            (
                row.destination, _LEVELS[Level(row.level)], *(getattr(row, name) for name in places),
                *(row.counts[name] for name in COUNTS),
            )
            for row in figures(connection, found.snapshot, by=by)
        )  # fmt: skip
        _write(made, title, ("destination", "level", *places, *COUNTS), rows)
    helped = (
        (
            need.school_code, need.commune_code, _LEVELS[need.level],
            *(getattr(need, name) for name in counted), _shown(need.closes_at),
        )
        for need in needs(connection, known, found)
    )  # fmt: skip
    columns = ("school_code", "commune_code", "level", *counted, "closes_at")
    _write(made, "Cần hỗ trợ - Need help", columns, helped)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _write(made: Workbook, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    write_table(made, title, [_HEADS[name] for name in columns], rows)


def _shown(milliseconds: int | None) -> str:
    return "" if milliseconds is None else vietnam_time(milliseconds)
