"""The canonical report card: one pupil, one school year, in one of three kinds.

The only form that the core knows. Every way in is translated to it, every way out from it. Marks are text, so that
they stay exact; absent values are left out; text is Unicode NFC. What the circulars say of marks and results is not
checked here but in `rules/`; here is only what makes a card a card.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from hocba_hub.model.fields import Part, SchoolYearText, field
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.people import Family, Pupil, Signers
from hocba_hub.model.primary import PrimaryYear
from hocba_hub.model.school import Class, Department, Issue, School, StudyYear
from hocba_hub.model.secondary import SecondaryYear

Status = Literal["in_force", "recalled"]
"""Trạng thái học bạ: in_force = 1 (có hiệu lực), recalled = 2 (thu hồi)."""

Circular = Literal["TT27/2020", "TT22/2021", "TT43/2021", "TT30/2014", "TT22/2016", "TT58/2011", "TT26/2020"]
"""The circular that the card was assessed by; the last four only on cards transcribed from paper."""

_GRADES = {"02": range(1, 6), "03": range(6, 10), "04": range(10, 13), "05": range(6, 13)}


class Objection(NamedTuple):
    """Parts of a card that are right by themselves but do not fit together."""

    kind: str
    """Last part of the finding's code."""
    pointer: str
    expected: str


class _Card(Part):
    """What every kind of card has."""

    card_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:-]{1,36}$")] = field(
        "Mã định danh học bạ", "madinhdanhhocba"
    )
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

    def _objections(self) -> list[Objection]:
        """What makes the parts not fit together."""
        found = []
        first, last = int(self.school_year[:4]), int(self.school_year[5:])
        grades = _GRADES[self.school.level]
        if last != first + 1:
            found.append(Objection("school-year", "/school_year", f"{first}-{first + 1}"))
        if self.class_.grade not in grades:
            found.append(Objection("grade-level", "/class/grade", f"{grades.start}-{grades.stop - 1}"))
        foreign = self.pupil.nationality != "VN" and self.pupil.passport_number is not None
        if self.pupil.personal_number is None and not foreign:
            found.append(Objection("personal-number", "/pupil/personal_number", "12"))
        for place, day in (
            ("/pupil/birth", self.pupil.birth),
            ("/issue/issued_on", self.issue.issued_on),
            ("/issue/created_on", self.issue.created_on),
        ):
            if len(day) == len("YYYY-MM-DD") and not _exists(day):
                found.append(Objection("date", place, "YYYY-MM-DD"))
        return found

    @model_validator(mode="after")
    def _fits(self) -> Self:
        objections = self._objections()
        if objections:
            raise PydanticCustomError("card", "the parts do not fit", {"objections": objections})
        return self

    @property
    def is_recalled(self) -> bool:
        """Whether this card says that it is recalled (thu hồi)."""
        return self.status == "recalled"


class PrimaryCard(_Card):
    """A card of primary school (tiểu học, grades 1 to 5)."""

    kind: Literal["primary"] = field("Loại học bạ")
    year: PrimaryYear = field("Kết quả năm học")

    def _objections(self) -> list[Objection]:
        codes = [subject.code for subject in self.year.subjects]
        found = [*super()._objections(), *_wrong_level(self.school.level, ("02",)), *_twice(codes)]
        if self.signers.homeroom.personal_number is None:
            found.append(Objection("homeroom-number", "/signers/homeroom/personal_number", "12"))
        return found


class SecondaryCard(_Card):
    """A card of lower or upper secondary school (THCS, THPT; grades 6 to 12)."""

    kind: Literal["secondary"] = field("Loại học bạ")
    year: SecondaryYear = field("Kết quả năm học")

    def _objections(self) -> list[Objection]:
        codes = [subject.code for subject in self.year.subjects]
        return [*super()._objections(), *_wrong_level(self.school.level, ("03", "04")), *_twice(codes)]


class ContinuingCard(_Card):
    """A card of continuing education (GDTX, grades 6 to 12; TT 43/2021)."""

    kind: Literal["continuing"] = field("Loại học bạ")
    year: SecondaryYear = field("Kết quả năm học")

    def _objections(self) -> list[Objection]:
        codes = [subject.code for subject in self.year.subjects]
        return [*super()._objections(), *_wrong_level(self.school.level, ("05",)), *_twice(codes)]


ReportCard = Annotated[PrimaryCard | SecondaryCard | ContinuingCard, Field(discriminator="kind")]

CARD: TypeAdapter[PrimaryCard | SecondaryCard | ContinuingCard] = TypeAdapter(ReportCard)
"""Reads and writes any kind of card."""


def card_key(card: PrimaryCard | SecondaryCard | ContinuingCard) -> CardKey:
    """The card's natural key."""
    return CardKey(SchoolYear(card.school_year), CardId(card.card_id))


def canonical_bytes(card: PrimaryCard | SecondaryCard | ContinuingCard) -> bytes:
    """The canonical JSON: UTF-8, the model's order of fields, no white space, absent values left out."""
    return card.__pydantic_serializer__.to_json(card, by_alias=True, exclude_none=True)


def recalled(card: PrimaryCard | SecondaryCard | ContinuingCard) -> PrimaryCard | SecondaryCard | ContinuingCard:
    """The same card, recalled (thu hồi)."""
    return card.model_copy(update={"status": "recalled"})


def _wrong_level(level: str, right: tuple[str, ...]) -> list[Objection]:
    return [] if level in right else [Objection("kind-level", "/school/level", ", ".join(right))]


def _twice(codes: list[str]) -> list[Objection]:
    return [
        Objection("subject-twice", f"/year/subjects/{place}/code", "")
        for place, code in enumerate(codes)
        if code in codes[:place]
    ]


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
