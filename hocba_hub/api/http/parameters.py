"""Parameters that several calls share; each refuses what no record can hold."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

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
JobInPath = Annotated[
    str,
    Path(
        pattern=r"^[a-z][a-z-]{0,30}(:[a-z0-9][a-z0-9_-]{0,63})?$",
        description="Its key. / Khóa của việc.",
        examples=["retention"],
    ),
]
AtomicQuery = Annotated[bool, Query(description="All records or none. / Nhận tất cả hoặc không bản ghi nào.")]
ReinstateQuery = Annotated[
    bool, Query(description="Put recalled cards into force again. / Đưa học bạ đã thu hồi vào sử dụng lại.")
]
NotCheckableQuery = Annotated[
    bool,
    Query(description="Tell what could not be checked, too. / Nêu cả những điều không kiểm tra được."),
]
ProfileQuery = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z][a-z0-9-]{0,60}$",
        description="Name of the mapping that reads the records; report-card for canonical ones. / Định dạng gửi.",
        examples=["vendor-flat-secondary"],
    ),
]


class SubmissionOptions(BaseModel):
    """What the query string of a submission may say."""

    model_config = ConfigDict(frozen=True)

    atomic: AtomicQuery = False
    reinstate: ReinstateQuery = False
    not_checkable: NotCheckableQuery = False
    profile: ProfileQuery = None


NO_OPTIONS = SubmissionOptions()
OPTIONS_DESCRIPTION: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": False, "schema": schema, "description": schema["description"]}
    for name, schema in SubmissionOptions.model_json_schema()["properties"].items()
]
"""The options as parameters of OpenAPI, for a call that reads them by `options_of`."""


def options_of(request: Request) -> SubmissionOptions:
    """The options of a call. The framework takes 4 % of a whole submission to find that there are none.

    Raises:
        RequestValidationError: an option is wrong.
    """
    if not request.scope["query_string"]:
        return NO_OPTIONS
    try:
        return SubmissionOptions.model_validate(dict(request.query_params))
    except ValidationError as error:
        wrong = [{**each, "loc": ("query", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(wrong) from error
