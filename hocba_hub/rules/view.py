"""What rules look at: a card with its marks as numbers, read once, and what is known before any card is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hocba_hub.model.card import AnyCard, ContinuingCard, PrimaryCard, SecondaryCard
from hocba_hub.model.secondary import SecondarySubject
from hocba_hub.rules.circulars import Thresholds, first_year
from hocba_hub.rules.marks import TENTHS, plain_rank, rank_with_one_lifted, rank_without_one
from hocba_hub.rules.programme import Taught, taught


class Scope(NamedTuple):
    """What chooses the rules of a card."""

    kind: str
    level: str
    circular: str
    grade: int
    school_year: str


def scope_of(card: AnyCard) -> Scope:
    """What chooses the rules of this card."""
    return Scope(card.kind, card.school.level, card.circular, card.class_.grade, card.school_year)


_TWO_STEPS = 2
"""Art. 9.3; tốt and khá are never two steps below themselves."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the rules of a scope know before they see a card."""

    scope: Scope
    limits: Thresholds
    taught: Taught
    first_year: int
    """The year in which the school year begins."""


def basis(scope: Scope, limits: Thresholds) -> Basis:
    """The basis of a scope."""
    return Basis(scope, limits, taught(scope.level, scope.grade), first_year(scope.school_year))


class PrimaryView:
    """A card of primary school, with what its results add up to."""

    __slots__ = ("basis", "card", "codes", "degrees", "levels", "tests", "year")

    def __init__(self, card: PrimaryCard, basis: Basis) -> None:
        self.card = card
        self.year = year = card.year
        self.basis = basis
        self.codes = frozenset([subject.code for subject in year.subjects])
        self.levels = [subject.level for subject in year.subjects]
        self.tests = [int(test) for subject in year.subjects if (test := subject.test) is not None and test != "M"]
        self.degrees: list[str] = [*filter(None, vars(year.qualities).values())]
        self.degrees += filter(None, vars(year.capacities).values())


Row = tuple[SecondarySubject, str, int | None, int | None, int | None]
"""One subject of a secondary card: itself, its code, and term 1, term 2 and the year in tenths where they are marks."""


class Readings(NamedTuple):
    """Rank of a learning level by Art. 9.2, and by Art. 9.3, which speaks of a level that one subject alone lowers.

    How to see that one subject alone does it, the article does not say: by leaving it out, or by lifting it. With marks
    6.5 6.5 6.4 7.9 9.0 6.4 6.5 3.4 there are five marks of 6.5 without the weak subject, too few for khá, and six with
    it lifted, which is khá.
    """

    plain: int
    """By Art. 9.2 alone."""
    adjusted: int
    """By Art. 9.3 as read here: where leaving out one subject would give tốt or khá, two steps or more above the
    level, the level rises by one step."""
    other: int
    """By Art. 9.3 read otherwise: it rises to the step below that better level."""
    lifted: int
    """As `adjusted`, where the one subject is lifted instead of left out."""
    other_lifted: int
    """As `other`, where it is lifted."""


class Tally:
    """What the results of one term, or of the year, add up to."""

    __slots__ = ("_readings", "complete", "failed", "marks")

    def __init__(self, results: Sequence[str | None], tenths: Sequence[int | None]) -> None:
        self._readings: Readings | None = None
        self.marks: list[int] = [mark for mark in tenths if mark is not None]
        """Of scored subjects, ascending; exempt ones are left out."""
        self.marks.sort()
        self.failed = results.count("CĐ")
        """Comment subjects not passed."""
        self.complete = None not in results
        """Whether no subject's result is missing."""

    def readings(self, limits: Thresholds) -> Readings | None:
        """Rank of the learning level; None where a result is missing, or too few subjects have marks."""
        if self._readings is None and self.complete and len(self.marks) >= limits.enough:
            self._readings = self._read(limits)
        return self._readings

    def _read(self, limits: Thresholds) -> Readings:
        plain = plain_rank(self.marks, self.failed, limits)
        if plain < _TWO_STEPS:
            return Readings(plain, plain, plain, plain, plain)
        left_out = _risen(plain, rank_without_one(self.marks, self.failed, limits))
        lifted = _risen(plain, rank_with_one_lifted(self.marks, self.failed, limits))
        return Readings(plain, *left_out, *lifted)


def _risen(plain: int, better: int) -> tuple[int, int]:
    """To what a level rises where one subject alone keeps it from a better one: by one step, or to just below that."""
    return (plain - 1, better + 1) if better <= 1 and plain - better >= _TWO_STEPS else (plain, plain)


class SecondaryView:
    """A card of secondary school or continuing education, with what its results add up to."""

    __slots__ = ("again", "basis", "card", "codes", "rows", "shows_marks", "term1", "term2", "whole", "year")

    def __init__(self, card: SecondaryCard | ContinuingCard, basis: Basis) -> None:
        self.card = card
        self.year = card.year
        self.basis = basis
        subjects = [vars(subject) for subject in self.year.subjects]
        codes = [subject["code"] for subject in subjects]
        self.codes = frozenset(codes)
        self.term1, first = _tally(subjects, "term1")
        self.term2, second = _tally(subjects, "term2")
        self.whole, whole = _tally(subjects, "year")
        self.rows: list[Row] = list(zip(self.year.subjects, codes, first, second, whole, strict=True))
        self.shows_marks = any(
            subject["term1_marks"] is not None or subject["term2_marks"] is not None for subject in subjects
        )
        """Whether there is a mark behind any average."""
        self.again: Tally | None = None
        """The year after re-assessment; None where no subject was tested again."""
        retests = [subject["retest"] for subject in subjects]
        if any(retests):
            results = [subject["retest"] or subject["year"] for subject in subjects]
            self.again = Tally(results, [TENTHS.get(result) for result in results])


_tenths: Callable[[str | None], int | None] = TENTHS.get  # type: ignore[assignment]


def _tally(subjects: Sequence[dict[str, Any]], when: str) -> tuple[Tally, list[int | None]]:
    """What the results of a term or the year add up to, and each in tenths where it is a mark."""
    results = [subject[when] for subject in subjects]
    tenths = list(map(_tenths, results))
    return Tally(results, tenths), tenths


View = PrimaryView | SecondaryView


def view_of(card: AnyCard, basis: Basis) -> View:
    """The card as its rules look at it."""
    return PrimaryView(card, basis) if isinstance(card, PrimaryCard) else SecondaryView(card, basis)
