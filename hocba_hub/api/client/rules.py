"""The public catalogues: the rules that cards are checked by, and every kind of finding, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from hocba_hub.api.http.authentication import ANYONE
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.shapes import Shape, shown_as
from hocba_hub.intake.finding_kinds import KINDS as INTAKE_KINDS
from hocba_hub.mappings.finding_kinds import KINDS as MAPPING_KINDS
from hocba_hub.model.finding_kinds import KINDS as CARD_KINDS
from hocba_hub.model.findings import FindingKind, Severity
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.rules.catalogue import KINDS as RULE_KINDS
from hocba_hub.rules.rule import Rule

router = APIRouter(
    tags=["rules"],
    responses=problems(401, 403, 422, 429, 500, 503),
    dependencies=[*ANYONE],
)

_KIND = {
    "code": "secondary.summer-training",
    "severity": "warning",
    "message_vi": "Chỉ học sinh có kết quả rèn luyện cả năm CĐ mới rèn luyện lại trong hè: {expected}.",
    "message_en": "Only a pupil whose year's training level is CĐ is trained again in summer: {expected}.",
    "reference": "TT 22/2021 Art. 13",
}


class KindOfFinding(Shape):
    """One kind of finding. / Một loại phát hiện."""

    model_config = shown_as(_KIND)

    code: Annotated[str, Field(examples=["schema.missing"])]
    severity: Severity
    message_vi: str = Field(description="`{…}` stands for facts of a finding. / `{…}` là dữ kiện của phát hiện.")
    message_en: str
    reference: str = Field(description="Article, RFC section or field list. / Căn cứ.")


class RuleEntry(KindOfFinding):
    """One rule, and which cards it is applied to. / Một quy tắc và phạm vi áp dụng."""

    model_config = shown_as(
        _KIND
        | {
            "row": "S13",
            "references": {"TT43/2021": "TT 43/2021 Art. 12"},
            "kinds": ["continuing", "secondary"],
            "circulars": ["TT22/2021", "TT43/2021"],
            "first_grade": 1,
            "last_grade": 12,
            "since": "2021-2022",
            "needs_assessment": False,
            "checks_paper": False,
            "follows": ["secondary.training-year"],
        }
    )

    row: str | None = Field(None, description="P1-P13, S1-S17. / Dòng trong bảng quy tắc.")
    references: dict[str, str] | None = Field(None, description="By circular. / Căn cứ theo thông tư.")
    kinds: Sequence[str] = Field(description="primary, secondary, continuing. / Loại học bạ.")
    circulars: Sequence[str] | None = Field(None, description="Absent: any. / Không có: mọi thông tư.")
    first_grade: int
    last_grade: int
    since: str | None = Field(None, description="First school year. / Năm học đầu tiên.")
    until: str | None = Field(None, description="Last school year. / Năm học cuối cùng.")
    needs_assessment: bool = Field(description="Not for a pupil who is not assessed. / Trừ học sinh không đánh giá.")
    checks_paper: bool = Field(description="For transcribed cards too. / Cả học bạ trích lục.")
    follows: Sequence[str] | None = Field(None, description="Codes it may fold under. / Có thể là hệ quả của.")


def _entry(rule: Rule) -> RuleEntry:
    return RuleEntry(
        code=rule.code,
        severity=rule.severity,
        message_vi=rule.vi,
        message_en=rule.en,
        reference=rule.reference,
        row=rule.row or None,
        references=dict(rule.references) or None,
        kinds=sorted(rule.kinds),
        circulars=sorted(rule.circulars) or None,
        first_grade=rule.grades.start,
        last_grade=rule.grades.stop - 1,
        since=_school_year(rule.since or None),
        until=_school_year(rule.until),
        needs_assessment=rule.needs_assessment,
        checks_paper=rule.checks_paper,
        follows=list(rule.follows) or None,
    )


def _school_year(first: int | None) -> str | None:
    return None if first is None else f"{first}-{first + 1}"


@router.get("/v1/rules", response_model_exclude_none=True)
def rules() -> Sequence[RuleEntry]:
    """Every rule, as declared; an installation may switch one off. / Mọi quy tắc kiểm tra học bạ."""
    return [_entry(rule) for rule in CATALOGUE.values()]


@router.get("/v1/findings/catalogue")
def catalogue() -> Sequence[KindOfFinding]:
    """Every kind of finding, by code. / Danh mục mọi loại phát hiện."""
    kinds: Sequence[FindingKind] = sorted(
        (*CARD_KINDS.values(), *MAPPING_KINDS.values(), *INTAKE_KINDS.values(), *RULE_KINDS.values()),
        key=lambda kind: kind.code,
    )
    return [KindOfFinding.model_validate(kind) for kind in kinds]
