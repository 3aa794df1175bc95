"""How a field of the canonical model is declared: its constraints, its Vietnamese label, its NDC name and source.

Lengths and names follow the 2026 data dictionary towards the National Data Centre (a third-party copy, see
docs/domain); a field without an NDC name is the hub's own.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

DICTIONARY = "NDC 2026"
"""Source of a field that the data dictionary names."""


class Part(BaseModel):
    """Base of every part of a card: strict, closed, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def field(label: str, ndc: str = "", *, source: str = "", **constraints: Any) -> Any:  # noqa: ANN401 - like pydantic's
    """Declare a field with its Vietnamese label and its NDC name (empty: the hub's own, whose `source` is given)."""
    extra: JsonDict = {"label_vi": label, "ndc": ndc, "source": source or (DICTIONARY if ndc else "hocba-hub")}
    return Field(**constraints, title=label, json_schema_extra=extra)


FORMS: dict[str, tuple[str, str]] = {}
"""Every pattern of the model → the same in words, Vietnamese and English, for those who do not read patterns."""


def form(pattern: str, vi: str, en: str) -> StringConstraints:
    """The form of a text, as a pattern and in words."""
    FORMS[pattern] = (vi, en)
    return StringConstraints(pattern=pattern)


Name = Annotated[str, StringConstraints(min_length=1, max_length=150)]
Text250 = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Text500 = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text2000 = Annotated[str, StringConstraints(min_length=1, max_length=2000)]

PersonalNumber = Annotated[str, form(r"^[0-9]{12}$", "12 chữ số", "12 digits")]
"""Số định danh cá nhân: 12 digits (Luật Căn cước 26/2023 Art. 12). No check digit exists."""

ProvinceCode = Annotated[str, form(r"^[0-9]{2}$", "2 chữ số", "2 digits")]
"""Mã tỉnh: 2 digits (QĐ 19/2025/QĐ-TTg)."""

CommuneCode = Annotated[str, form(r"^[0-9]{5}$", "5 chữ số", "5 digits")]
"""Mã xã: 5 digits; means nothing without the list it is taken from, see `CommuneList`."""

Date = Annotated[
    str,
    form(
        r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        "ngày viết theo dạng năm-tháng-ngày, ví dụ 2026-06-30",
        "a day as year-month-day, e.g. 2026-06-30",
    ),
]
"""A calendar day as YYYY-MM-DD; that the day exists is checked by the card as a whole."""

SchoolYearText = Annotated[
    str, form(r"^20[0-9]{2}-20[0-9]{2}$", "hai năm, ví dụ 2025-2026", "two years, e.g. 2025-2026")
]

Mark = Annotated[
    str,
    form(
        r"^(10(\.0)?|[0-9](\.[0-9])?)$",
        "điểm từ 0 đến 10, nhiều nhất một chữ số sau dấu chấm",
        "a mark from 0 to 10 with at most one digit after the point",
    ),
]
"""A mark from 0 to 10 with at most one decimal, as text, so that it stays exact (TT 22/2021 Art. 5.3)."""

SubjectResult = Annotated[
    str,
    form(
        r"^(10(\.0)?|[0-9](\.[0-9])?|Đ|CĐ|M)$",
        "điểm từ 0 đến 10 (nhiều nhất một chữ số sau dấu chấm), hoặc Đ, CĐ, M",
        "a mark from 0 to 10 (at most one digit after the point), or Đ, CĐ, M",
    ),
]
"""A subject's result: a mark, Đ (đạt), CĐ (chưa đạt), or M (exempt)."""

TestMark = Annotated[str, form(r"^(10|[0-9]|M)$", "số nguyên từ 0 đến 10, hoặc M", "a whole number from 0 to 10, or M")]
"""A periodic test at primary: a whole number from 0 to 10, or M (TT 27/2020 Art. 7)."""

SubjectCode = Annotated[
    str,
    form(r"^[A-Z0-9]{1,3}$", "1 đến 3 chữ in hoa không dấu hoặc chữ số", "1 to 3 capital letters A-Z or digits"),
]
