"""The shapes of what clients and operators look up. Fields that do not apply are left out of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from hocba_hub.api.openapi import examples
from hocba_hub.api.receipt import moment
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.findings import Severity
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.keys import Event, is_school_year
from hocba_hub.store.lease import Kind

Moment = Annotated[
    int,
    PlainSerializer(moment, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-05-31T09:30:00.000Z"]}),
]
"""Milliseconds inside, RFC 3339 outside."""

Digest = Annotated[
    bytes,
    PlainSerializer(bytes.hex, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256, hex"}),
]


def _two_years(text: str) -> str:
    if not is_school_year(text):
        raise PydanticCustomError("school_year", "not two years in a row", {"expected": "2025-2026"})
    return text


SchoolYear = Annotated[str, Field(examples=["2025-2026"])]
AskedYear = Annotated[
    str, Field(pattern=r"^20[0-9]{2}-20[0-9]{2}$", examples=["2025-2026"]), AfterValidator(_two_years)
]
"""A school year that somebody asks for."""
CardId = Annotated[str, Field(examples=["HB-33-000001"])]
SchoolCode = Annotated[str, Field(examples=["33-TH-0001"])]

Item = TypeVar("Item")


class Shape(BaseModel):
    """Read from rows and dataclasses by name."""

    model_config = ConfigDict(from_attributes=True)


def shown_as(*made_up: examples.Example) -> ConfigDict:
    """The configuration of a shape with these examples in the document."""
    return ConfigDict(json_schema_extra={"examples": list(made_up)})


class Page(Shape, Generic[Item]):
    """One page of a listing. / Một trang."""

    items: Sequence[Item]
    next: str | None = Field(None, description="Cursor of the next page; absent on the last. / Con trỏ trang sau.")


class Finding(Shape):
    """One result of a check. / Một kết quả kiểm tra."""

    model_config = shown_as(examples.FINDING)

    code: Annotated[str, Field(examples=["schema.missing"])]
    severity: Severity
    pointer: str = Field(
        description="Place in the record: JSON Pointer (RFC 6901), XPath or `Sheet!B7`; with `//`, from the root of "
        "the document around it. / Vị trí trong bản ghi; với `//`, tính từ gốc của tài liệu."
    )
    expected: str
    value_class: str = Field(description="The kind of the offending value, never the value. / Loại giá trị sai.")
    target: str | None = Field(None, description="Canonical field, for a record of a profile. / Trường chuẩn.")
    message_vi: str
    message_en: str
    sent: str | None = Field(
        None,
        description="What the card itself says there: a level, mark or code. / Học bạ ghi ở đó: mức, điểm hoặc mã.",
    )
    folded: Sequence[Finding] | None = Field(None, description="What may follow from it. / Hệ quả có thể của nó.")


class RecordReadAgain(Shape):
    """What became of a rejected record when it was last read again. / Kết quả khi đọc lại bản ghi."""

    submission_id: str = Field(description="Made by the hub when a code was filled. / Lần đọc lại sau khi điền mã.")
    position: int
    status: Annotated[str, Field(json_schema_extra={"enum": ["accepted", "unchanged", "rejected"]})]
    version: int | None = None
    findings: Sequence[Finding] | None = None


class SubmittedRecord(Shape):
    """What became of one record. / Kết quả của một bản ghi."""

    position: int = Field(description="From 0, as in the body. / Thứ tự từ 0.")
    status: Annotated[str, Field(json_schema_extra={"enum": ["accepted", "unchanged", "rejected"]})]
    sha256: Digest
    record_id: str | None = None
    school_year: SchoolYear | None = None
    card_id: CardId | None = None
    version: int | None = None
    event: Event | None = None
    findings: Sequence[Finding] | None = None
    read_again: RecordReadAgain | None = Field(
        None, description="The newest that is known of a record that was rejected here. / Kết quả mới nhất."
    )


class Submission(Shape):
    """A submission with one page of its records. / Một lần gửi và một trang bản ghi."""

    model_config = shown_as(examples.SUBMISSION)

    submission_id: str
    state: Annotated[str, Field(json_schema_extra={"enum": ["receiving", "accepted", "partial", "rejected"]})]
    received_at: Moment
    media_type: str
    atomic: bool
    bytes: int
    sha256: str | None = None
    accepted: int
    rejected: int
    records: Sequence[SubmittedRecord]
    next: str | None = Field(None, description="Cursor of the next page of records. / Con trỏ trang sau.")


class Attempt(Shape):
    """One call to a destination, as far as it concerned this delivery. / Một lần gọi nơi nhận."""

    id: int
    kind: Kind
    leased_at: Moment
    sent_at: Moment | None = None
    ended_at: Moment | None = None
    http_status: int | None = None
    meaning: Meaning
    code: str
    detail: str
    mapping: str | None = Field(
        None, description="The mapping and version that made the record. / Ánh xạ và phiên bản đã dùng."
    )


class Delivery(Shape):
    """One version on its way to one destination. / Một phiên bản trên đường đến một nơi nhận."""

    id: int
    destination: str
    version: int
    event: Event = Field(description="As this destination sees it. / Sự kiện đối với nơi nhận này.")
    state: DeliveryState
    code: str | None = Field(None, description="Code of the last outcome. / Mã của kết quả gần nhất.")
    accepted_at: Moment
    settled_at: Moment | None = Field(None, description="When the last outcome came. / Thời điểm kết quả gần nhất.")
    next_attempt_at: Moment | None = Field(None, description="The timer of a state that waits. / Lần thử kế tiếp.")
    attempts: Sequence[Attempt]


class Version(Shape):
    """One accepted state of a report card. / Một phiên bản học bạ đã nhận."""

    version: int
    event: Event
    accepted_at: Moment
    school_code: SchoolCode
    sha256: Digest = Field(description="Of the bytes as sent. / Của nội dung đã gửi.")
    media_type: str
    bytes: int


class Identity(Shape):
    """What the check of the pupil's personal number came to. / Kết quả xác thực số định danh của học sinh."""

    destination: str = Field(description="That tells it. / Nơi báo kết quả.")
    version: int = Field(description="That was checked. / Phiên bản đã xác thực.")
    result: IdentityResult
    told_at: Moment


class ReturnedNote(Shape):
    """Why a card went back to its school. / Vì sao học bạ được trả lại trường."""

    destination: str = Field(description="That does not take it. / Nơi không nhận.")
    version: int
    code: str = Field(description="The destination's. / Mã của nơi nhận.")
    note: str = Field(description="What the school is to do. / Trường cần làm gì.")
    returned_at: Moment
    is_open: bool = Field(description="No corrected version was accepted yet. / Chưa có phiên bản đã sửa.")


class Card(Shape):
    """A report card: its newest versions, and where each of them stands at each destination. / Một học bạ."""

    model_config = shown_as(examples.CARD)

    record_id: str
    school_year: SchoolYear
    card_id: CardId
    school_code: SchoolCode
    managed_by: SchoolCode | None = Field(
        None, description="The school that may correct it, after a transfer. / Trường được sửa, sau khi chuyển trường."
    )
    version: int = Field(description="The newest. / Phiên bản mới nhất.")
    recalled: bool
    changed_at: Moment
    versions: Sequence[Version]
    deliveries: Sequence[Delivery]
    identity: Sequence[Identity] = Field([], description="Empty before it is told. / Rỗng khi chưa có kết quả.")
    returned: Sequence[ReturnedNote] = Field([], description="The newest first. / Các lần trả lại, mới nhất trước.")


class OpenCard(Shape):
    """A card that its school still has to mend. / Học bạ mà trường còn phải sửa."""

    model_config = shown_as(examples.OPEN_CARD)

    school_code: SchoolCode
    school_year: SchoolYear
    card_id: CardId
    since: Moment
    last_at: Moment
    times: int = Field(description="How often it was rejected. / Số lần bị từ chối.")
    submission_id: str | None = Field(None, description="The last one, if it is the caller's. / Lần gửi gần nhất.")
    position: int | None = None
    findings: Sequence[Finding]
    matter: Annotated[
        str, Field(json_schema_extra={"enum": ["record", "pupil", "class", "destination", "identity", "returned"]})
    ] = Field(
        description="record: rejected, not accepted since; pupil: accepted, but does not fit the pupil's other cards; "
        "class: accepted, but the class has too many; destination: what a reconciliation found there; identity: the "
        "personal number was checked and does not fit; returned: a destination does not take it. / record: bị từ "
        "chối; pupil: đã nhận nhưng không khớp học bạ khác của học sinh; class: đã nhận nhưng lớp quá sĩ số; "
        "destination: đối soát thấy ở nơi nhận; identity: số định danh đã xác thực và không khớp; returned: nơi nhận "
        "không nhận, cán bộ trả lại trường."
    )
