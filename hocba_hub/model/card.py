"""The canonical report card: one pupil, one school year, in one of three kinds.

The only form that the core knows. Every way in is translated to it, every way out from it. Marks are text, so that
they stay exact; absent values are left out; text is Unicode NFC. What the circulars say of marks and results is not
checked here but in `rules/`; here is only what makes a card a card.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from hocba_hub.model import consistency
from hocba_hub.model.consistency import Check
from hocba_hub.model.fields import Part, SchoolYearText, field, form
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.people import Family, Pupil, Signers
from hocba_hub.model.primary import PrimaryYear
from hocba_hub.model.school import Class, Department, Issue, School, StudyYear
from hocba_hub.model.secondary import SecondaryYear

Status = Literal["in_force", "recalled"]
"""Trạng thái học bạ: in_force = 1 (có hiệu lực), recalled = 2 (thu hồi)."""

Circular = Literal["TT27/2020", "TT22/2021", "TT43/2021", "TT30/2014", "TT22/2016", "TT58/2011", "TT26/2020"]
"""The circular that the card was assessed by; the last four only on cards transcribed from paper."""


class _Card(Part):
    """What every kind of card has."""

    checks: ClassVar[tuple[Check, ...]] = consistency.COMMON
    """What makes its parts fit together."""

    card_id: Annotated[
        str,
        form(
            r"^[0-9A-Za-z._:-]{1,36}$",
            "1 đến 36 chữ cái không dấu, chữ số hoặc . _ : -",
            "1 to 36 letters A-Z, digits or . _ : -",
        ),
    ] = field("Mã định danh học bạ", "madinhdanhhocba")
    school_year: SchoolYearText = field("Năm học", "namhoc")
    status: Status = field("Trạng thái học bạ", "trangthaithongtinhocba", default="in_force")
    circular: Circular = field("Thông tư", "thongtu")
    transcribed: bool = field("Trích lục từ học bạ giấy", "trichluc", default=False)
    department: Department = field("Sở giáo dục và đào tạo")
    school: School = field("Trường")
    class_: Class = field("Lớp", alias="class")
    register_number: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = field(
        "Số sổ đăng bộ", "sosodangbo", default=None
    )
    pupil: Pupil = field("Học sinh")
    family: Family | None = field("Gia đình", default=None)
    signers: Signers = field("Người ký")
    issue: Issue = field("Phát hành")
    study_history: tuple[StudyYear, ...] = field("Quá trình học tập", "quatrinhhoctap", default=(), max_length=15)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        objections = [objection for check in self.checks for objection in check(self)]
        if objections:
            raise PydanticCustomError("card", "the parts do not fit", {"objections": objections})
        return self

    @property
    def is_recalled(self) -> bool:
        """Whether this card says that it is recalled (thu hồi)."""
        return self.status == "recalled"


class PrimaryCard(_Card):
    """A card of primary school (tiểu học, grades 1 to 5; TT 27/2020)."""

    checks = (*consistency.COMMON, consistency.homeroom_number)

    kind: Literal["primary"] = field("Loại học bạ")
    year: PrimaryYear = field("Kết quả năm học")


class SecondaryCard(_Card):
    """A card of lower or upper secondary school (THCS, THPT; grades 6 to 12; TT 22/2021)."""

    checks = (*consistency.COMMON, consistency.learning_results)

    kind: Literal["secondary"] = field("Loại học bạ")
    year: SecondaryYear = field("Kết quả năm học")


class ContinuingCard(_Card):
    """A card of continuing education (GDTX, grades 6 to 12; TT 43/2021)."""

    checks = (*consistency.COMMON, consistency.learning_results)

    kind: Literal["continuing"] = field("Loại học bạ")
    year: SecondaryYear = field("Kết quả năm học")


AnyCard = PrimaryCard | SecondaryCard | ContinuingCard
ReportCard = Annotated[AnyCard, Field(discriminator="kind")]

CARD: TypeAdapter[AnyCard] = TypeAdapter(ReportCard)
"""Reads and writes any kind of card."""


def card_key(card: AnyCard) -> CardKey:
    """The card's natural key."""
    return CardKey(SchoolYear(card.school_year), CardId(card.card_id))


def canonical_bytes(card: AnyCard) -> bytes:
    """The canonical JSON: UTF-8, the model's order of fields, no white space, absent values left out."""
    return card.__pydantic_serializer__.to_json(card, by_alias=True, exclude_none=True)


def recalled(card: AnyCard) -> AnyCard:
    """The same card, recalled (thu hồi)."""
    return card.model_copy(update={"status": "recalled"})
