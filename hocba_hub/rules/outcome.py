"""Rules of training, promotion and titles at secondary: TT 22/2021 and TT 43/2021, rows S11 to S13 and S15."""

from __future__ import annotations

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


@rule("secondary.training-year", row="S11", **articles("8", "8"), **OF_SECONDARY)
def training_year(view: SecondaryView) -> Outcomes:
    """The year's training level is that of the table of both terms."""
    training = view.year.training
    rank = _YEAR_OF_TERMS[RANKS[training.term1]][RANKS[training.term2]]
    return () if RANKS[training.year] == rank else (Objection("/year/training/year", LEVELS[rank]),)


@rule(
    "secondary.promoted",
    row="S12",
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


@rule("secondary.promotion-text", row="S12", **articles("12", "11"), **OF_SECONDARY, follows=("secondary.promoted",))
def promotion_text(view: SecondaryView) -> Outcomes:
    """The text does not begin with the words of the other outcome."""
    text = view.year.promotion_text.casefold()
    if not text.startswith(_NOT_PROMOTED_STARTS if view.year.promoted else _PROMOTED_STARTS):
        return ()
    return (Objection("/year/promotion_text", "promoted = true" if view.year.promoted else "promoted = false"),)


@rule(
    "secondary.summer-training", row="S13", **articles("13", "12"), **OF_SECONDARY, follows=("secondary.training-year",)
)
def summer_training(view: SecondaryView) -> Outcomes:
    """A result of summer training stands only after Chưa đạt."""
    training = view.year.training
    return (Objection("/year/training/again", NOTHING),) if training.again is not None and training.year != "CĐ" else ()


@rule(
    "secondary.title.excellent",
    row="S15",
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
    row="S15",
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
