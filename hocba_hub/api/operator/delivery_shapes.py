"""The shapes of what operators ask and get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from hocba_hub.api.openapi import examples
from hocba_hub.api.shapes import CardId, Moment, SchoolYear, Shape, shown_as
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store.selection import Selection

DestinationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", examples=["province"])]
Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$", examples=["SCHOOL_UNKNOWN"])]
SchoolCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,20}$", examples=["33-TH-0001"])]
DeliveryId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Reason = Annotated[
    str,
    Field(
        min_length=3,
        max_length=500,
        pattern=r"^[^\x00-\x1f]+$",
        description="Why; kept in the audit trail, so no personal data. / Lý do; không ghi dữ liệu cá nhân.",
        examples=["The province declared the missing schools on 31 May"],
    ),
]


_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")


def _as_rfc_3339(value: object) -> object:
    """Pydantic would also take seconds since 1970, and times without a zone."""
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        return value
    raise PydanticCustomError("time", "not an RFC 3339 time")


Time = Annotated[AwareDatetime, BeforeValidator(_as_rfc_3339), Field(examples=["2026-05-31T07:00:00+07:00"])]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskedSelection(_Asked):
    """Which deliveries; all conditions that are given hold at once. / Chọn bản ghi nào; mọi điều kiện cùng đúng."""

    deliveries: Sequence[DeliveryId] = Field((), max_length=1000)
    destination: DestinationName | None = None
    code: Code | None = None
    school: SchoolCode | None = None
    since: Time | None = Field(None, description="The last outcome is not older. / Từ thời điểm này.")
    until: Time | None = Field(None, description="The last outcome is older. / Trước thời điểm này.")
    group: int | None = Field(None, ge=1, le=2**63 - 1, description="Failure group. / Nhóm lỗi.")
    states: Sequence[DeliveryState] = Field(
        (), max_length=10, description="By default what the call is for. / Mặc định theo việc gọi."
    )

    def as_selection(self) -> Selection:
        """As the store knows it."""
        return Selection(
            deliveries=tuple(self.deliveries),
            destination=self.destination,
            code=self.code,
            school=self.school,
            since=milliseconds(self.since),
            until=milliseconds(self.until),
            states=frozenset(self.states),
            group=self.group,
        )


def milliseconds(time: datetime | None) -> int | None:
    """Milliseconds since 1970-01-01T00:00Z."""
    return None if time is None else round(time.timestamp() * 1000)


class AskedAct(_Asked):
    """What is done to many deliveries. / Việc làm với nhiều bản ghi."""

    model_config = shown_as(examples.ACT)

    selection: AskedSelection
    reason: Reason
    dry_run: StrictBool = Field(False, description="Only count. / Chỉ đếm, không làm.")  # noqa: FBT003 - a field's default


class AskedReason(_Asked):
    """Why a destination is paused or resumed. / Lý do tạm dừng hoặc chạy tiếp."""

    reason: Reason


class CountEntry(Shape):
    """Deliveries of one destination, state and code. / Số bản ghi theo nơi nhận, trạng thái và mã."""

    destination: str
    state: DeliveryState
    code: str
    deliveries: int


class ActReport(Shape):
    """What was done, or would be, in exact counts. / Kết quả, đếm chính xác."""

    model_config = shown_as(examples.ACT_REPORT)

    dry_run: bool
    deliveries: int = Field(description="Taken, over all counts. / Tổng số đã làm.")
    counts: Sequence[CountEntry]
    changed: int = Field(description="Skipped: no longer in their state. / Bỏ qua: trạng thái đã đổi.")
    unmatched: int = Field(description="Ids that are not there, or in another state. / Mã không khớp.")
    audit_id: int | None = None


class DeliveryGroupEntry(Shape):
    """Deliveries in one state for one code. / Các bản ghi cùng trạng thái và mã."""

    destination: str
    state: DeliveryState
    code: str
    deliveries: int
    oldest_at: Moment
    newest_at: Moment
    next_attempt_at: Moment | None = Field(
        None, description="When the first is tried or asked about again. / Khi nào được thử hoặc hỏi lại."
    )
    detail: str | None = Field(
        None, description="What the last attempt of one of them said. / Chi tiết của một bản ghi."
    )


class DeliverySummary(Shape):
    """All groups, the largest first. / Các nhóm lỗi, nhóm lớn trước."""

    model_config = shown_as(examples.FAILURES)

    deliveries: int
    groups: Sequence[DeliveryGroupEntry]
    misfits: Mapping[str, str] | None = Field(
        None, description="Destinations that cannot be called as described, and why. / Nơi nhận chưa gửi được, lý do."
    )


class DeliveryEntry(Shape):
    """One delivery. / Một bản ghi chuyển đến một nơi nhận."""

    model_config = shown_as(examples.FAILED_DELIVERY)

    id: int
    destination: str
    school_year: SchoolYear
    card_id: CardId
    version: int
    state: DeliveryState
    code: str
    attempts: int
    accepted_at: Moment
    settled_at: Moment
    next_attempt_at: Moment | None = None


class DestinationEntry(Shape):
    """How a destination stands. / Tình trạng một nơi nhận."""

    model_config = shown_as(examples.DESTINATION)

    name: str
    title_vi: str
    title_en: str
    paused_at: Moment | None = None
    pause_reason: str | None = None
    breaker_open_until: Moment | None = None
    maintained_until: Moment | None = Field(None, description="Not called before. / Đang bảo trì đến khi đó.")
    failed_calls: int = Field(description="One after the other. / Số lần gọi lỗi liên tiếp.")
    concurrency: int = Field(description="Calls that may be under way now. / Số cuộc gọi đồng thời được phép.")
    oldest_due_at: Moment | None = None
    depth: Mapping[DeliveryState, int] = Field(description="Deliveries by state. / Số bản ghi theo trạng thái.")
    misfit: str | None = Field(
        None, description="Why it cannot be called as it is described. / Vì sao chưa gửi được như đã mô tả."
    )


class DestinationList(Shape):
    """Every destination. / Mọi nơi nhận."""

    destinations: Sequence[DestinationEntry]


class TestedDestination(Shape):
    """What came of a test call. / Kết quả gọi thử."""

    state: Annotated[str, Field(json_schema_extra={"enum": ["ok", "warning", "error"]})]
    code: Annotated[str, Field(examples=["destination.ok"])]
    says_vi: str
    says_en: str
    do_vi: str | None = Field(None, description="What is to be done. / Cần làm gì.")
    do_en: str | None = None


class AuditEntry(Shape):
    """One act of a person. / Một việc do người thực hiện."""

    model_config = shown_as(examples.AUDIT)

    id: int
    at: Moment
    actor: str
    action: str
    reason: str
    detail: Mapping[str, Any]
