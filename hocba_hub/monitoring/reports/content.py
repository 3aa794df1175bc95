"""What stands in a report, in Vietnamese, whatever the form of the document: tables and sentences."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hocba_hub.model.clock import vietnam_day, vietnam_time
from hocba_hub.model.windows import Level
from hocba_hub.store.reports import Report, ReportKind

LEVELS = {
    Level.PRIMARY: "Tiểu học", Level.LOWER_SECONDARY: "THCS", Level.UPPER_SECONDARY: "THPT", Level.CONTINUING: "GDTX",
}  # fmt: skip
COUNTS = {
    "expected": "Phải có", "accepted": "Đã nhận", "acknowledged": "Đã xác nhận", "refused": "Bị từ chối",
    "waiting": "Đang chuyển", "missing": "Còn thiếu", "recalled": "Đã thu hồi",
}  # fmt: skip
COLOURS = {"acknowledged": "2E7D32", "waiting": "F9A825", "refused": "C62828", "missing": "9E9E9E"}
"""What bars are made of, in this order, in RGB."""
_STATES = {"open": "đang mở", "watching": "đang theo dõi", "resolved": "đã xử lý", "muted": "tạm ẩn"}
_STAGES = {"send": "gửi", "poll": "hỏi kết quả", "lookup": "tra cứu", "intake": "tiếp nhận"}
_NO_COMMUNE = "(chưa rõ xã)"


class Table(NamedTuple):
    """One table; numbers stand to the right."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | int]]


def title(report: Report) -> str:
    """The report's title."""
    if report.kind is ReportKind.YEARLY:
        return f"Báo cáo năm về triển khai học bạ số, năm học {report.school_year}"
    return f"Báo cáo tuần về học bạ số, năm học {report.school_year}"


def span(report: Report) -> str:
    """The time that it is about, and when its figures were taken."""
    since, until = (f"{vietnam_day(at):%d/%m/%Y}" for at in (report.since, report.until))
    taken = vietnam_time(report.until)
    return f"Từ ngày {since} đến ngày {until}. Số liệu chốt lúc {taken}, báo cáo số {report.id}."


def summary(report: Report) -> list[str]:
    """The sentences of the overview."""
    facts = report.facts
    known = sum(one["known"] for one in facts["institutions"].values())
    sending = sum(one["sending"] for one in facts["institutions"].values())
    pupils = number(facts["pupils"])
    said = [f"{number(sending)} trên {number(known)} cơ sở giáo dục đã gửi học bạ số, của {pupils} học sinh."]
    for name, of_it in facts["destinations"].items():
        total = sum_of(facts["totals"][name])
        said.append(
            f"{of_it}: đã xác nhận {number(total['acknowledged'])} học bạ, trên {number(total['expected'])} phải có "
            f"({share(total['acknowledged'], total['expected'])}); còn thiếu {number(total['missing'])}, "
            f"bị từ chối {number(total['refused'])}, đang chuyển {number(total['waiting'])}."
        )
    problems = sum(one["problems"] for one in facts["communes"])
    said.append(f"{number(problems)} học bạ còn dữ liệu phải sửa.")
    return said


def tables(report: Report) -> list[Table]:
    """Every table of the report, in order; those without a row are left out."""
    facts = report.facts
    levels = [
        (of_it, LEVELS[Level(level)], *(counts[name] for name in COUNTS))
        for name, of_it in facts["destinations"].items()
        for level, counts in in_order(facts["totals"][name])
        if any(counts.values())
    ]
    institutions = [
        (LEVELS[Level(level)], one["known"], one["sending"], share(one["sending"], one["known"]))
        for level, one in in_order(facts["institutions"])
    ]
    on_time = [
        (facts["destinations"][name], LEVELS[Level(level)], one["acknowledged"], one["in_time"],
         share(one["in_time"], one["acknowledged"]))
        for name, of_it in facts["on_time"].items()
        for level, one in in_order(of_it)
    ]  # fmt: skip
    incidents = [
        (facts["destinations"].get(one["destination"], "Tiếp nhận"), _STAGES.get(one["stage"], one["stage"]),
         one["code"], one["times"], vietnam_time(one["first_at"]), vietnam_time(one["last_at"]),
         _STATES.get(one["state"], one["state"]))
        for one in facts["incidents"]
    ]  # fmt: skip
    made = [
        Table("Cơ sở giáo dục", ("Cấp học", "Số cơ sở", "Đã gửi", "Tỷ lệ"), institutions),
        Table("Học bạ theo cấp học", ("Nơi nhận", "Cấp học", *COUNTS.values()), levels),
        Table(
            "Học bạ xác nhận đúng hạn", ("Nơi nhận", "Cấp học", "Đã xác nhận", "Trong hạn", "Tỷ lệ"), on_time
        ),
        Table("Theo xã, phường", _COMMUNE_HEADS, communes(facts)),
        Table(
            "Sự cố, theo nguyên nhân",
            ("Nơi nhận", "Bước", "Mã", "Số lần", "Lần đầu", "Lần cuối", "Tình trạng"), incidents,
        ),
    ]  # fmt: skip
    return [one for one in made if one.rows]


_COMMUNE_HEADS = ("Xã", "Số trường", "Phải có", "Đã nhận", "Đã xác nhận", "Bị từ chối", "Còn thiếu", "Phải sửa")


def communes(facts: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    """A row for each commune, whoever has most missing first; acknowledged are those that every destination has."""
    rows: list[tuple[str | int, ...]] = []
    for one in facts["communes"]:
        of_each = list(one["destinations"].values())
        first = of_each[0]
        acknowledged = min(counts["acknowledged"] for counts in of_each)
        refused = sum(counts["refused"] for counts in of_each)
        rows.append((
            one["commune"] or _NO_COMMUNE, one["schools"], first["expected"], first["accepted"], acknowledged, refused,
            first["missing"], one["problems"],
        ))  # fmt: skip
    return sorted(rows, key=lambda row: (-int(row[6]), str(row[0])))


def availability(report: Report) -> str:
    """How much of the time the hub was there."""
    found = report.facts["availability"]
    if not found["up"]:
        return "Mức sẵn sàng: chưa có số liệu."
    return (
        f"Trục làm việc {number(found['up'])} trên {number(found['minutes'])} phút của kỳ báo cáo "
        f"({share(found['up'], found['minutes'])})."
    )


def in_order(levels: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is told by level, from primary schools up."""
    return [(str(level), levels[level]) for level in Level if level in levels]


def weeks(report: Report) -> list[tuple[int, dict[str, int]]]:
    """When the figures of each week were taken, and the acknowledged cards by destination; this report's last."""
    facts = report.facts
    now = {name: sum_of(facts["totals"][name])["acknowledged"] for name in facts["destinations"]}
    return [*((week["until"], week["acknowledged"]) for week in facts["progress"]), (report.until, now)]


SIGNATURES = "Chữ ký số: trục chưa kiểm tra chữ ký, nên chưa có số liệu."


def sum_of(levels: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Counts over all levels."""
    return {name: sum(counts[name] for counts in levels.values()) for name in COUNTS}


def number(value: int) -> str:
    """As Vietnamese write it: 568.425."""
    return f"{value:,}".replace(",", ".")


def share(part: int, whole: int) -> str:
    """As 97,5 %; nothing of nothing."""
    return f"{100 * part / whole:.1f} %".replace(".", ",") if whole else ""


def reproducible(made: bytes, report: Report) -> bytes:
    """A document (a zip) without the times at which it was written: they become that of its facts."""
    at = datetime.fromtimestamp(report.until / 1000, UTC)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _CORE_TIME.sub(at.strftime(r"\g<1>%Y-%m-%dT%H:%M:%SZ\g<2>").encode(), content)
            after.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_CORE_TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
