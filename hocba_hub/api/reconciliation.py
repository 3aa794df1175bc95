"""The reports of a reconciliation, one way for API and command line: figures, differences, a workbook."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from sqlalchemy import Connection

from hocba_hub.adapters.workbook.written import write_table
from hocba_hub.model.finding_kinds import DIFFERENT_THERE, NEWER_THERE, REFUSED_THERE
from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.reconciliation import ALL, REPORTED, Difference, equal_cards
from hocba_hub.store.reconciliation import Counted, StoredDifference, counts, differences

LEVELS: dict[str, tuple[str, ...]] = {
    "all": (),
    "school": ("school_code",),
    "grade": ("school_code", "grade"),
    "class": ("school_code", "grade", "class_code"),
}
"""By what a report counts, and the columns for it."""
_MOST_ROWS = 200_000
_PAGE = 5_000
_HEADS = {
    "school_code": "Trường / School",
    "grade": "Khối / Grade",
    "class_code": "Lớp / Class",
    "all": "Học bạ / Cards",
    "equal": "Khớp / Equal",
    Difference.MISSING: "Nơi nhận thiếu / Missing there",
    Difference.OLDER: "Bản cũ hơn / Older there",
    Difference.NEWER: "Bản mới hơn / Newer there",
    Difference.UNKNOWN: "Ta không biết / Unknown to us",
    Difference.REFUSED: "Bị từ chối / Refused there",
    Difference.DIFFERENT: "Khác nội dung / Different content",
    Difference.ALIVE: "Đã thu hồi mà còn hiệu lực / Recalled here, alive there",
    Difference.WAITING: "Đang chuyển / Waiting",
}


def told_to_schools(destination: DestinationName) -> dict[Difference, Finding]:
    """What a school is told of a difference that only it can mend."""
    kinds = {
        Difference.REFUSED: REFUSED_THERE,
        Difference.DIFFERENT: DIFFERENT_THERE,
        Difference.NEWER: NEWER_THERE,
    }
    return {difference: Finding(kind, "", facts={"destination": destination}) for difference, kind in kinds.items()}


def figures(found: Sequence[Counted]) -> dict[tuple[str, str, int, str], dict[str, int]]:
    """Counts by place: of each kind, of all cards, and of those that are equal."""
    by_place: dict[tuple[str, str, int, str], dict[str, int]] = {}
    for one in found:
        by_place.setdefault((one.school_code, one.school_year, one.grade, one.class_code), {})[one.kind] = one.cards
    for of_place in by_place.values():
        of_place["equal"] = equal_cards(of_place)
    return by_place


def workbook(connection: Connection, run_id: int) -> bytes:
    """The report as a workbook: by school, by class, and what differs card by card."""
    made = Workbook(write_only=True)
    for title, level in (("Trường - School", "school"), ("Lớp - Class", "class")):
        columns = LEVELS[level]
        heads = [_HEADS[name] for name in (*columns, "all", "equal", *REPORTED)]
        write_table(made, title, heads, _by_place(connection, run_id, columns))
    heads = [
        "Trường / School", "Khối / Grade", "Lớp / Class", "Học bạ / Card", "Khác biệt / Difference",
        "Bản của ta / Our version", "Trạng thái / State", "Bản ở nơi nhận / Their version",
        "Trạng thái ở đó / Their state",
    ]  # fmt: skip
    differing = (
        (
            one.school_code, one.grade, one.class_code, f"{one.school_year}/{one.card_id}", _HEADS[one.kind],
            one.our_version, one.our_state, one.their_version, one.their_state,
        )
        for one in _all(connection, run_id)
    )  # fmt: skip
    write_table(made, "Khác biệt - Differences", heads, differing)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _by_place(connection: Connection, run_id: int, columns: Sequence[str]) -> Iterator[list[object]]:
    for (school, _, grade, class_), of_place in figures(counts(connection, run_id, by=columns)).items():
        place = {"school_code": school, "grade": grade, "class_code": class_}
        yield [*(place[name] for name in columns), *(of_place.get(name, 0) for name in (ALL, "equal", *REPORTED))]


def _all(connection: Connection, run_id: int) -> Iterator[StoredDifference]:
    after, given = 0, 0
    while given < _MOST_ROWS and (page := differences(connection, run_id, after=after, limit=_PAGE)):
        yield from page
        after, given = page[-1].id, given + len(page)
