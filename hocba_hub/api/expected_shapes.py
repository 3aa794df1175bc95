"""How many cards are expected, as the department or a school says it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.shapes import AskedYear
from hocba_hub.model.deadlines import ExpectedClass
from hocba_hub.model.windows import Level, level_of

_MOST = 1_000


class ExpectedEntry(BaseModel):
    """So many pupils of a class, or of a whole grade. / Sĩ số của một lớp hoặc cả khối."""

    model_config = ConfigDict(extra="forbid")

    school_code: str = Field(pattern=r"^[0-9A-Za-z._-]{1,20}$", examples=["33-TH-0001"])
    grade: int = Field(ge=1, le=12, examples=[3])
    class_code: str = Field(
        "", max_length=40, pattern=r"^[^\x00-\x1f]*$",
        description="Empty for the whole grade. / Rỗng nếu tính cả khối.", examples=["3A"],
    )  # fmt: skip
    level: Level | None = Field(None, description="That of the grade, unless said. / Theo khối nếu không nêu.")
    pupils: int = Field(ge=0, le=10_000, examples=[34])

    def as_expected(self) -> ExpectedClass:
        """As the store takes it."""
        level = self.level or level_of("", self.grade)
        return ExpectedClass(self.school_code, level, self.grade, self.class_code, self.pupils)


class AskedExpected(BaseModel):
    """Replaces what was said of each grade that is named. / Thay số đã báo của từng khối được nêu."""

    model_config = ConfigDict(extra="forbid")

    school_year: AskedYear
    classes: Sequence[ExpectedEntry] = Field(min_length=1, max_length=_MOST)


class ExpectedReport(BaseModel):
    """What was taken. / Kết quả."""

    grades: int = Field(description="Grades that were replaced. / Số khối đã thay.", examples=[5])
