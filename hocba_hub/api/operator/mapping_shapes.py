"""The shapes of what operators ask and get of mappings, code tables and unmapped codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from hocba_hub.api.openapi import mapping_examples as examples
from hocba_hub.api.operator.delivery_shapes import Reason
from hocba_hub.api.shapes import Finding, Moment, Shape, shown_as
from hocba_hub.intake.preview import MOST_RECORDS

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", examples=["vendor-flat-secondary"])]
Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}$", examples=["1.0.0"])]
SchoolYear = Annotated[str, Field(pattern=r"^20[0-9]{2}-20[0-9]{2}$", examples=["2025-2026"])]
ClientName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["north-vendor"])]
Text = Annotated[str, Field(min_length=1, max_length=200_000, pattern=r"^[^\x00]+$", description="YAML")]
Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["01"])]
Id = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MappingVersion(Shape):
    """One version of a mapping. / Một phiên bản ánh xạ."""

    version: Number
    shipped: bool = Field(description="It comes with the hub. / Có sẵn trong hệ thống.")
    in_force: bool = Field(description="For somebody. / Đang có hiệu lực ở phạm vi nào đó.")
    sha256: str | None = None
    added_at: Moment | None = None
    added_by: str | None = None


class ActivationEntry(Shape):
    """A version that a person put in force. / Một phiên bản đã được kích hoạt."""

    id: int
    version: Number
    client: str | None = None
    school_year: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    activated_at: Moment
    activated_by: str


class MappingEntry(Shape):
    """A mapping in the list. / Một ánh xạ."""

    model_config = shown_as(examples.MAPPING_ENTRY)

    name: Name
    title_vi: str
    title_en: str
    source_format: str
    target: str
    default_version: Number | None = Field(
        None, description="For whom nothing narrower is activated. / Phiên bản dùng chung."
    )
    activations: int


class MappingList(Shape):
    """Every mapping. / Mọi ánh xạ."""

    mappings: Sequence[MappingEntry]


class MappingDetail(MappingEntry):
    """A mapping with its versions and where they are in force. / Ánh xạ với các phiên bản và phạm vi hiệu lực."""

    model_config = shown_as(examples.MAPPING)

    versions: Sequence[MappingVersion]
    in_force: Sequence[ActivationEntry] = Field(description="The narrowest, then the newest wins. / Hẹp nhất thắng.")
    document: str | None = Field(None, description="YAML of the version that was asked for. / Nội dung phiên bản.")


class AskedDraft(_Asked):
    """A new version, in force for nobody yet. / Bản nháp."""

    model_config = shown_as(examples.DRAFT)

    document: Text
    reason: Reason


class DraftReport(Shape):
    """A draft that was stored, and what the check says of it. / Bản nháp đã lưu và kết quả kiểm tra."""

    version: Number
    sha256: str
    findings: Sequence[Finding]


class AskedPreview(_Asked):
    """A draft: its text, or the number of a stored version. / Bản nháp cần xem trước."""

    model_config = shown_as(examples.ASKED_PREVIEW)

    document: Text | None = None
    version: Number | None = None
    client: ClientName | None = Field(
        None, description="As if activated for this client. / Như khi chỉ cho phần mềm này."
    )
    school_year: SchoolYear | None = Field(
        None, description="As if activated for this year. / Như khi chỉ cho năm này."
    )
    records: Annotated[int, Field(strict=True, ge=1, le=MOST_RECORDS)] = 200


class FieldChange(Shape):
    """What happens to one target field. / Thay đổi của một trường."""

    field: str
    change: Annotated[str, Field(json_schema_extra={"enum": ["added", "removed", "changed"]})]
    places: int


class Cards(Shape):
    """Cards by their ids, at most 100 of them; records whose id is not known are counted. / Các học bạ, tối đa 100."""

    count: int
    record_ids: Sequence[str]


class PreviewReport(Shape):
    """What a draft would change: names, codes and counts, never a value. / Bản nháp sẽ thay đổi những gì."""

    model_config = shown_as(examples.PREVIEW)

    records: int = Field(description="Looked at: accepted, waiting and rejected ones. / Số bản ghi đã xem.")
    unreadable: int = Field(description="In a syntax that the draft does not read. / Không đọc được theo bản nháp.")
    not_kept: int = Field(description="Rejected, and not kept any more. / Bị từ chối, không còn lưu nội dung.")
    changed: int
    fields: Sequence[FieldChange]
    start_failing: Cards
    start_passing: Cards
    findings_more: Mapping[str, int]
    findings_fewer: Mapping[str, int]
    unmapped: Mapping[str, int] = Field(description="Code table → values it does not know. / Mã chưa ánh xạ.")


class AskedTrial(_Asked):
    """A sample, and the mapping that reads it: its text, or the number of a version. / Mẫu cần chạy thử."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": "1.0.0", "sample": "{}"}]})

    document: Text | None = None
    version: Number | None = None
    sample: str = Field(
        min_length=1,
        max_length=200_000,
        description="As a client would send it: JSON, XML, or CSV for a workbook. / Như phần mềm sẽ gửi.",
    )


class TriedRecord(Shape):
    """What would become of one record. / Một bản ghi sẽ ra sao."""

    position: int = Field(description="From 0; -1: of the sample itself. / Từ 0; -1: về chính mẫu.")
    accepted: bool
    findings: Sequence[Finding]
    card: Mapping[str, Any] | None = Field(None, description="What the mapping makes of it. / Học bạ tạo ra.")


class TrialReport(Shape):
    """A mapping tried on a sample; the first fifty records. / Kết quả chạy thử, 50 bản ghi đầu."""

    records: Sequence[TriedRecord]


class AskedActivation(_Asked):
    """Put a version in force; nothing given but it means for everybody. / Kích hoạt một phiên bản."""

    model_config = shown_as(examples.ACTIVATION)

    version: Number
    client: ClientName | None = None
    school_year: SchoolYear | None = None
    valid_from: date | None = None
    valid_to: date | None = Field(None, description="Last day. / Ngày cuối.")
    reason: Reason


class AskedDeactivation(_Asked):
    """End an activation: the newest, or the one named. / Kết thúc một lần kích hoạt."""

    activation: Id | None = None
    reason: Reason


class TableEntry(Shape):
    """A code table in the list. / Một bảng mã."""

    model_config = shown_as(examples.TABLE)

    name: str
    mapping: str | None = Field(None, description="Of which it is the own table. / Bảng riêng của ánh xạ này.")
    version: str
    title_vi: str
    title_en: str
    systems: Sequence[str]
    rows: int
    filled: int = Field(description="Values that people filled. / Số mã đã điền.")


class TableList(Shape):
    """Every code table. / Mọi bảng mã."""

    tables: Sequence[TableEntry]


class TableRow(Shape):
    """One row. / Một dòng."""

    values: Mapping[str, Sequence[str]] = Field(description="The first is written, all are read. / Giá trị theo hệ mã.")
    valid_from: date | None = None
    valid_to: date | None = None


class FillEntry(Shape):
    """What somebody said that a value means. / Một mã đã điền."""

    id: int
    system: str
    value: str
    result_system: str
    result: str
    where: Mapping[str, str]
    source: str
    filled_at: Moment
    filled_by: str


class TableDetail(TableEntry):
    """A code table with one page of its rows. / Bảng mã và một trang dòng."""

    model_config = shown_as(examples.TABLE_PAGE)

    source: str
    page: Sequence[TableRow]
    fills: Sequence[FillEntry]
    next: str | None = Field(None, description="Cursor of the next page. / Con trỏ trang sau.")


class CodeSource(Shape):
    """Who sent a value. / Nơi gửi giá trị."""

    client: str
    school: str
    times: int
    last_at: Moment


class UnmappedCodeEntry(Shape):
    """A value that no table knows. / Một mã chưa ánh xạ."""

    model_config = shown_as(examples.UNMAPPED)

    id: int
    table: str
    system: str
    value: str
    result_system: str
    where: Mapping[str, str]
    times: int
    first_at: Moment
    last_at: Moment
    clients: int
    schools: int
    waiting: int = Field(description="Cards that wait for it. / Số học bạ đang chờ mã này.")
    fill_id: int | None = None
    sources: Sequence[CodeSource] | None = None


class AskedFill(_Asked):
    """What the value means. / Giá trị này nghĩa là gì."""

    model_config = shown_as(examples.FILL)

    result: Code
    source: Reason
    new: StrictBool = Field(False, description="The table has no row of it yet. / Mã mới.")  # noqa: FBT003 - a field
    valid_from: date | None = Field(None, description="Of a new result. / Chỉ cho mã mới.")
    valid_to: date | None = None
    dry_run: StrictBool = Field(False, description="Only show what it would do. / Chỉ xem thử.")  # noqa: FBT003 - a field


class StillRejectedCard(Shape):
    """A card against which something still stands. / Học bạ còn lỗi."""

    record_id: str
    findings: Sequence[Finding]


class FillReport(Shape):
    """A fill, and what became of the cards that waited. / Kết quả điền mã."""

    dry_run: bool
    fill_id: int | None = None
    meaning: Mapping[str, str] = Field(
        description="What the result is called in the table's other code systems. / Tên của mã trong bảng."
    )
    cards: Sequence[str] = Field(description="The first hundred cards that waited. / 100 học bạ đầu tiên đang chờ.")
    accepted: int = Field(description="Cards that were accepted at once. / Học bạ được nhận ngay.")
    rejected: int = Field(description="Cards against which something else stands. / Học bạ còn lỗi khác.")
    waiting: int = Field(description="Cards that are still to be read again. / Học bạ sẽ được đọc lại tiếp.")
    still: Sequence[StillRejectedCard] | None = Field(
        None, description="Why cards are still not right, the first twenty. / Lý do học bạ còn lỗi, 20 học bạ đầu."
    )


class AskedTakeBack(_Asked):
    """Why a fill is taken back. / Lý do rút lại."""

    reason: Reason
