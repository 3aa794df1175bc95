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


Name = Annotated[str, StringConstraints(min_length=1, max_length=150)]
Text250 = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Text500 = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text2000 = Annotated[str, StringConstraints(min_length=1, max_length=2000)]

PersonalNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
"""Số định danh cá nhân: 12 digits (Luật Căn cước 26/2023 Art. 12). No check digit exists."""

ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
"""Mã tỉnh: 2 digits (QĐ 19/2025/QĐ-TTg)."""

CommuneCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
"""Mã xã: 5 digits; means nothing without the list it is taken from, see `CommuneList`."""

Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A calendar day as YYYY-MM-DD; that the day exists is checked by the card as a whole."""

SchoolYearText = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-20[0-9]{2}$")]

Mark = Annotated[str, StringConstraints(pattern=r"^(10(\.0)?|[0-9](\.[0-9])?)$")]
"""A mark from 0 to 10 with at most one decimal, as text, so that it stays exact (TT 22/2021 Art. 5.3)."""

SubjectResult = Annotated[str, StringConstraints(pattern=r"^(10(\.0)?|[0-9](\.[0-9])?|Đ|CĐ|M)$")]
"""A subject's result: a mark, Đ (đạt), CĐ (chưa đạt), or M (exempt)."""

TestMark = Annotated[str, StringConstraints(pattern=r"^(10|[0-9]|M)$")]
"""A periodic test at primary: a whole number from 0 to 10, or M (TT 27/2020 Art. 7)."""
