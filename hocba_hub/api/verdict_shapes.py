"""The shapes of verdicts that are brought, and of what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.acknowledging import MOST, Brought
from hocba_hub.api.openapi import examples
from hocba_hub.api.shapes import Shape, shown_as
from hocba_hub.store.acknowledgements import Reception


class AskedVerdict(BaseModel):
    """The verdict on one version. / Kết quả của một phiên bản."""

    model_config = ConfigDict(extra="forbid")

    record_id: str = Field(
        min_length=1, max_length=150, pattern=r"^[0-9A-Za-z._:/-]+$", description="As it was sent. / Như đã gửi.",
        examples=["2025-2026/card-1"],
    )  # fmt: skip
    version: int = Field(strict=True, ge=1, le=2_147_483_647)
    code: str = Field(
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
        description="The destination's own. / Mã của nơi nhận.",
        examples=["ACCEPTED"],
    )  # fmt: skip


class BroughtVerdict(AskedVerdict):
    """The verdict on one version, as a destination brings it. / Kết quả của một phiên bản, do nơi nhận báo về."""

    school_year: str | None = Field(
        None,
        pattern=r"^20[0-9]{2}-20[0-9]{2}$",
        description="Where the record id does not say it. / Khi mã bản ghi không nêu năm học.",
        examples=["2025-2026"],
    )  # fmt: skip


class AskedVerdicts(BaseModel):
    """Verdicts that a destination brings. / Kết quả mà nơi nhận báo về."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.VERDICTS]})

    acknowledgements: Sequence[BroughtVerdict] = Field(min_length=1, max_length=MOST)


class ReceptionEntry(Shape):
    """What became of one verdict. / Kết quả xử lý một bản báo."""

    record_id: str
    version: int
    reception: Reception = Field(
        description="`settled`: the first, it counts; `repeated`: known; `contradictory`: against the first, kept for "
        "a person; `not-a-verdict`: the code means none; `unknown`: this version was never sent there. / Xử lý thế nào."
    )


class ReceptionList(Shape):
    """What became of each, in their order. / Xử lý từng bản báo, theo thứ tự."""

    model_config = shown_as(examples.RECEPTIONS)

    results: Sequence[ReceptionEntry]


def reception_list(brought: Sequence[Brought], found: Sequence[Reception]) -> ReceptionList:
    """What became of each verdict, as an answer has it."""
    return ReceptionList(
        results=[
            ReceptionEntry(record_id=one.record_id, version=one.version, reception=reception)
            for one, reception in zip(brought, found, strict=True)
        ]
    )
