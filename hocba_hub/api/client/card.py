"""The report card explained, for those who map their own data to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from hocba_hub.api.http.authentication import ANYONE
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.shapes import Shape, shown_as
from hocba_hub.model.card_fields import CardField, card_fields
from hocba_hub.rules.of_field import rules_of_fields

router = APIRouter(
    prefix="/v1", tags=["card-fields"], responses=problems(401, 403, 422, 429, 500, 503), dependencies=[*ANYONE]
)

_FIELD = {
    "path": "pupil/gender",
    "label_vi": "Giới tính (0 chưa rõ, 1 nam, 2 nữ)",
    "label_en": "Gender",
    "needed_by": {"primary": "required", "secondary": "required", "continuing": "required"},
    "form_vi": "một trong các mã",
    "form_en": "one of the codes",
    "codes": [{"code": "2", "name_vi": "nữ", "name_en": "female"}],
    "example": "2",
    "ndc": "gioitinh",
    "source": "QCVN 109:2017",
    "rules": ["identity.number-gender"],
}


class CodeName(Shape):
    """A code that a field may have. / Một mã của trường."""

    code: str
    name_vi: str
    name_en: str


class FieldEntry(Shape):
    """One field of a card. / Một trường của học bạ."""

    model_config = shown_as(_FIELD)

    path: str = Field(description="From the card on, lists as `[]`. / Đường dẫn, danh sách ghi `[]`.")
    label_vi: str
    label_en: str
    meaning_vi: str | None = None
    meaning_en: str | None = None
    needed_by: dict[str, str] = Field(
        description="Kind of card → `required`, `needed` (nearly always refused without it) or `optional`. "
        "/ Loại học bạ → mức cần."
    )
    form_vi: str
    form_en: str
    codes: Sequence[CodeName] | None = None
    example: str | int | bool | None = None
    ndc: str | None = Field(None, description="Name in the data dictionary. / Tên trong từ điển dữ liệu.")
    source: str
    rules: Sequence[str] = Field(description="Rules that can find it wrong. / Quy tắc có thể nêu phát hiện ở đây.")


@router.get("/card-fields", response_model_exclude_none=True)
def fields(
    under: Annotated[
        str | None,
        Query(max_length=200, description="Only this field and those in it. / Chỉ trường này và các trường bên trong."),
    ] = None,
) -> Sequence[FieldEntry]:
    """Every field of a report card, in the order of the card. / Mọi trường của học bạ."""
    rules = rules_of_fields()
    wanted = (under or "").strip("/")
    return [
        _entry(one, rules[path])
        for path, one in card_fields().items()
        if not wanted or path == wanted or path.startswith((f"{wanted}/", f"{wanted}[]"))
    ]


def _entry(one: CardField, rules: Sequence[str]) -> FieldEntry:
    forms = list(dict.fromkeys(one.forms.values()))
    return FieldEntry(
        path=one.path,
        label_vi=one.label_vi,
        label_en=one.label_en,
        meaning_vi=one.meaning_vi or None,
        meaning_en=one.meaning_en or None,
        needed_by=one.kinds,
        form_vi=" · ".join(vi for vi, _ in forms),
        form_en=" · ".join(en for _, en in forms),
        codes=[CodeName(code=code, name_vi=vi, name_en=en) for code, (vi, en) in one.codes.items()] or None,
        example=one.example,
        ndc=one.ndc or None,
        source=one.source,
        rules=list(rules),
    )
