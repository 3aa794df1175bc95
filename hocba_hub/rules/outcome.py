"""Rules of training, promotion and titles at secondary: TT 22/2021 and TT 43/2021, rows S11 to S13 and S15."""

from __future__ import annotations

from hocba_hub.model.findings import Severity
from hocba_hub.rules.learning import LEVEL_CODES
from hocba_hub.rules.marks import LEVELS, RANKS, shown
from hocba_hub.rules.rule import NOTHING, Objection, Outcomes, Reason, Unchecked, rule
from hocba_hub.rules.secondary import ASSESSED, OF_SECONDARY, articles
from hocba_hub.rules.view import SecondaryView

_YEAR_OF_TERMS = (
    (0, 1, 1, 3),
    (0, 1, 2, 3),
    (1, 1, 2, 3),
    (1, 2, 2, 3),
)
"""Training rank of the year by [term 1][term 2]; term 2 weighs more (Art. 8)."""
_NOT_PROMOTED_STARTS = ("không", "chưa", "ở lại", "lưu ban")
_PROMOTED_STARTS = ("được lên lớp", "lên lớp", "hoàn thành")
_UNKNOWN = (Unchecked(Reason.INCOMPLETE, "/year/promoted"),)


@rule(
    "secondary.training-year",
    Severity.WARNING,
    row="S11",
    vi="Kết quả rèn luyện cả năm theo hai học kì, học kì II là chính: {expected}.",
    en="The year's training level follows from the two terms, term 2 first of all: {expected}.",
    **articles("8", "8"),
    **OF_SECONDARY,
)
def training_year(view: SecondaryView) -> Outcomes:
    """The year's training level is that of the table of both terms."""
    training = view.year.training
    rank = _YEAR_OF_TERMS[RANKS[training.term1]][RANKS[training.term2]]
    return () if RANKS[training.year] == rank else (Objection("/year/training/year", LEVELS[rank]),)


@rule(
    "secondary.promoted",
    Severity.ERROR,
    row="S12",
    vi="Được lên lớp (hoàn thành chương trình) khi và chỉ khi rèn luyện và học tập từ mức Đạt, kể cả sau rèn luyện hè "
    "và kiểm tra lại, và nghỉ không quá số buổi quy định (45): {expected}.",
    en="A pupil is promoted (or has completed the programme) if training and learning are at least Đạt, summer "
    "training and re-assessment included, and no more sessions were missed than allowed (45), and not otherwise: "
    "{expected}.",
    **articles("12", "11"),
    **ASSESSED,
    follows=(*LEVEL_CODES, "secondary.learning.again", "secondary.training-year"),
)
def promoted(view: SecondaryView) -> Outcomes:
    """Promotion is what training, learning and absences say."""
    year = view.year
    learning = year.learning.again or year.learning.year
    if learning is None:
        return _UNKNOWN
    training = year.training.again or year.training.year
    expected = learning != "CĐ" and training != "CĐ" and year.absences <= view.basis.limits.most_absences
    return () if year.promoted == expected else (Objection("/year/promoted", "true" if expected else "false"),)


@rule(
    "secondary.promotion-text",
    Severity.WARNING,
    row="S12",
    vi="Nội dung được lên lớp trái với ô được lên lớp: {expected}.",
    en="The text about promotion says the contrary of the promotion flag: {expected}.",
    **articles("12", "11"),
    **OF_SECONDARY,
    follows=("secondary.promoted",),
)
def promotion_text(view: SecondaryView) -> Outcomes:
    """The text does not begin with the words of the other outcome."""
    text = view.year.promotion_text.casefold()
    if not text.startswith(_NOT_PROMOTED_STARTS if view.year.promoted else _PROMOTED_STARTS):
        return ()
    return (Objection("/year/promotion_text", "promoted = true" if view.year.promoted else "promoted = false"),)


@rule(
    "secondary.summer-training",
    Severity.WARNING,
    row="S13",
    vi="Chỉ học sinh có kết quả rèn luyện cả năm CĐ mới rèn luyện lại trong hè: {expected}.",
    en="Only a pupil whose year's training level is CĐ is trained again in summer: {expected}.",
    **articles("13", "12"),
    **OF_SECONDARY,
    follows=("secondary.training-year",),
)
def summer_training(view: SecondaryView) -> Outcomes:
    """A result of summer training stands only after Chưa đạt."""
    training = view.year.training
    return (Objection("/year/training/again", NOTHING),) if training.again is not None and training.year != "CĐ" else ()


@rule(
    "secondary.title.excellent",
    Severity.ERROR,
    row="S15",
    vi="Học sinh Xuất sắc cần rèn luyện Tốt, học tập Tốt và ít nhất 6 môn (GDTX: 5) có điểm cả năm từ 9,0: {expected}.",
    en="Học sinh Xuất sắc needs training Tốt, learning Tốt, and 6 subjects (5 at a centre) of 9.0 or more: {expected}.",
    **articles("15", "14"),
    **ASSESSED,
    follows=(*LEVEL_CODES, "secondary.year-average", "secondary.training-year"),
)
def title_excellent(view: SecondaryView) -> Outcomes:
    """The higher title's conditions."""
    if view.year.title != "Học sinh Xuất sắc":
        return ()
    limits = view.basis.limits
    outstanding = sum(mark >= limits.outstanding for mark in view.whole.marks)
    if outstanding >= limits.enough and _is_good(view):
        return ()
    return (Objection("/year/title", f"T, T, ≥ {limits.enough} × ≥ {shown(limits.outstanding)}"),)


@rule(
    "secondary.title.good",
    Severity.ERROR,
    row="S15",
    vi="Học sinh Giỏi cần rèn luyện Tốt và học tập Tốt: {expected}.",
    en="Học sinh Giỏi needs training Tốt and learning Tốt: {expected}.",
    **articles("15", "14"),
    **ASSESSED,
    follows=(*LEVEL_CODES, "secondary.training-year"),
)
def title_good(view: SecondaryView) -> Outcomes:
    """The title's conditions."""
    return (Objection("/year/title", "T, T"),) if view.year.title == "Học sinh Giỏi" and not _is_good(view) else ()


def _is_good(view: SecondaryView) -> bool:
    return view.year.training.year == view.year.learning.year == "T"


RULES = (training_year, promoted, promotion_text, summer_training, title_excellent, title_good)
"""In the order of the rows."""
