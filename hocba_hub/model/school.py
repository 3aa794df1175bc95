"""The school, its department and the class."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from hocba_hub.model.fields import CommuneCode, Date, Name, Part, ProvinceCode, SchoolYearText, Text250, field, form

Level = Literal["02", "03", "04", "05"]
"""Cấp học: 02 tiểu học, 03 THCS, 04 THPT, 05 giáo dục thường xuyên."""


class Department(Part):
    """The provincial department of education (Sở GDĐT)."""

    code: Annotated[str, form(r"^[0-9A-Z]{2}$", "2 chữ số hoặc chữ in hoa", "2 digits or capital letters")] = field(
        "Mã sở giáo dục", "masogd"
    )
    name: Name = field("Tên sở giáo dục", "tensogd")


class School(Part):
    """The school that issues the card."""

    code: Annotated[
        str,
        form(
            r"^[0-9A-Za-z._-]{1,20}$",
            "1 đến 20 chữ cái không dấu, chữ số hoặc . _ -",
            "1 to 20 letters A-Z, digits or . _ -",
        ),
    ] = field("Mã trường", "matruong")
    name: Name = field("Tên trường", "tentruong")
    level: Level = field("Mã cấp học", "macaphoc")
    commune_name: Name = field("Tên xã, phường của trường", "thongtintruong_diachi_tenxa")
    commune_code: CommuneCode | None = field("Mã xã, phường của trường", "thongtintruong_diachi_maxa", default=None)
    district_name: Text250 | None = field("Tên huyện", "tenhuyen", default=None)
    province_name: Name = field("Tên tỉnh của trường", "thongtintruong_diachi_tentinh")
    province_code: ProvinceCode = field("Mã tỉnh của trường", "thongtintruong_diachi_matinh")


class Class(Part):
    """The class that the pupil was in."""

    grade: int = field("Khối", "makhoi", ge=1, le=12)
    name: Annotated[str, StringConstraints(min_length=1, max_length=10)] = field("Tên lớp học", "tenlop")
    code: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = field("Mã lớp", "malop", default=None)


class Issue(Part):
    """Where and when the card was issued."""

    place: Name = field("Địa danh phát hành học bạ", "diadanhphathanh")
    issued_on: Date = field("Ngày phát hành học bạ", "ngaykyphathanh")
    created_on: Date = field("Ngày tạo học bạ", "ngaytao")


class StudyYear(Part):
    """One earlier year of the pupil (quá trình học tập)."""

    school_year: SchoolYearText = field("Năm học", "namhoc")
    class_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = field("Tên lớp", "tenlop")
    school_name: Text250 = field("Tên trường", "tentruong")
    province_name: Name = field("Tên tỉnh", "tentinh")
    arrived_on: Date | None = field("Ngày chuyển đến", "ngaytrangthaichuyenden", default=None)
