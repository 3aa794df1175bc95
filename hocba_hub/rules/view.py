"""What rules look at: a card with its marks as numbers, read once, and what is known before any card is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hocba_hub.model.card import AnyCard, ContinuingCard, PrimaryCard, SecondaryCard
from hocba_hub.model.secondary import SecondarySubject
from hocba_hub.rules.circulars import Thresholds, first_year
from hocba_hub.rules.marks import TENTHS, plain_rank, rank_without_one
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

    __slots__ = ("basis", "card", "degrees", "levels", "tests", "year")

    def __init__(self, card: PrimaryCard, basis: Basis) -> None:
        self.card = card
        self.year = year = card.year
        self.basis = basis
        self.levels = [subject.level for subject in year.subjects]
        self.tests = [int(test) for subject in year.subjects if (test := subject.test) is not None and test != "M"]
        self.degrees: list[str] = [*filter(None, vars(year.qualities).values())]
        self.degrees += filter(None, vars(year.capacities).values())


class Row(NamedTuple):
    """One subject of a secondary card, with its results in tenths where they are marks."""

    place: int
    subject: SecondarySubject
    term1: int | None
    term2: int | None
    year: int | None


class Readings(NamedTuple):
    """Rank of a learning level by Art. 9.2, and by Art. 9.3, which speaks of a level that one subject alone lowers."""

    plain: int
    """By Art. 9.2 alone."""
    adjusted: int
    """By Art. 9.3 as read here: where leaving out one subject would give tốt or khá, two steps or more above the
    level, the level rises by one step."""
    other: int
    """By Art. 9.3 read otherwise: it rises to the step below that better level."""


class Tally:
    """What the results of one term, or of the year, add up to."""

    __slots__ = ("_readings", "complete", "failed", "marks")

    def __init__(self) -> None:
        self._readings: Readings | None = None
        self.marks: list[int] = []
        """Of scored subjects, ascending once all are counted."""
        self.failed = 0
        """Comment subjects not passed."""
        self.complete = True
        """Whether no subject's result is missing."""

    def count(self, result: str | None, tenths: int | None) -> None:
        """Count one subject's result; exempt ones are left out."""
        if tenths is not None:
            self.marks.append(tenths)
        elif result == "CĐ":
            self.failed += 1
        elif result is None:
            self.complete = False

    def readings(self, limits: Thresholds) -> Readings | None:
        """Rank of the learning level; None where a result is missing, or too few subjects have marks."""
        if self._readings is None and self.complete and len(self.marks) >= limits.enough:
            self._readings = self._read(limits)
        return self._readings

    def _read(self, limits: Thresholds) -> Readings:
        plain = plain_rank(self.marks, self.failed, limits)
        if plain >= _TWO_STEPS:
            without_one = rank_without_one(self.marks, self.failed, limits)
            if without_one <= 1 and plain - without_one >= _TWO_STEPS:
                return Readings(plain, plain - 1, without_one + 1)
        return Readings(plain, plain, plain)


class SecondaryView:
    """A card of secondary school or continuing education, with what its results add up to."""

    __slots__ = ("again", "basis", "card", "rows", "term1", "term2", "whole", "year")

    def __init__(self, card: SecondaryCard | ContinuingCard, basis: Basis) -> None:
        self.card = card
        self.year = card.year
        self.basis = basis
        self.term1, self.term2, self.whole = first, second, whole = Tally(), Tally(), Tally()
        self.again: Tally | None = None
        """The year after re-assessment; None where no subject was tested again."""
        rows: list[Row] = []
        tenths = TENTHS.get
        retested = False
        for place, subject in enumerate(self.year.subjects):
            row = vars(subject)
            results = row["term1"], row["term2"], row["year"]
            marks = tenths(results[0]), tenths(results[1]), tenths(results[2])
            for result, mark, tally in zip(results, marks, (first, second, whole), strict=True):
                tally.count(result, mark)
            retested = retested or row["retest"] is not None
            rows.append(Row(place, subject, *marks))
        for tally in (first, second, whole):
            tally.marks.sort()
        self.rows = rows
        if retested:
            self.again = self._after_retests()

    def _after_retests(self) -> Tally:
        tally = Tally()
        for row in self.rows:
            retest = row.subject.retest
            if retest is None:
                tally.count(row.subject.year, row.year)
            else:
                tally.count(retest, TENTHS.get(retest))
        tally.marks.sort()
        return tally


View = PrimaryView | SecondaryView


def view_of(card: AnyCard, basis: Basis) -> View:
    """The card as its rules look at it."""
    return PrimaryView(card, basis) if isinstance(card, PrimaryCard) else SecondaryView(card, basis)
