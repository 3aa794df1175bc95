"""Parameters that several calls share; each refuses what no record can hold."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

SubmissionId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="From the receipt. / Lấy từ biên nhận.")]
YearInPath = Annotated[
    str, Path(pattern=r"^[0-9]{4}-[0-9]{4}$", description="School year. / Năm học.", examples=["2025-2026"])
]
CardInPath = Annotated[str, Path(pattern=r"^[0-9A-Za-z._:-]{1,36}$", description="Card id. / Mã định danh học bạ.")]
VersionInPath = Annotated[int, Path(ge=1, le=2_147_483_647, description="Version. / Phiên bản.")]
SchoolQuery = Annotated[str | None, Query(pattern=r"^[0-9A-Za-z._-]{1,20}$", description="School code. / Mã trường.")]
YearQuery = Annotated[
    str | None, Query(pattern=r"^[0-9]{4}-[0-9]{4}$", description="School year. / Năm học.", examples=["2025-2026"])
]
DestinationInPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Its name. / Tên nơi nhận.")]
