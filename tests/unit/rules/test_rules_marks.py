"""Properties of the arithmetic of marks: exact, half up, and monotone."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.model.card import AnyCard
from hocba_hub.rules.checking import rules_for
from hocba_hub.rules.circulars import Thresholds
from hocba_hub.rules.marks import (
    LEVELS,
    TENTHS,
    half_up,
    plain_rank,
    rank_with_one_lifted,
    rank_without_one,
    shown,
    term_average,
    year_average,
)
from tests.support.corpus import base, made

MARK = st.integers(0, 100)
MARKS = st.lists(MARK, min_size=6, max_size=14)
SCORED = ["NGV", "TOA", "NN1", "GCD", "LDL", "KTN", "CNG", "TIN"]


def _rounded(exact: Fraction) -> Decimal:
    """To one decimal, half up, by the decimal module."""
    decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
    return decimal.quantize(Decimal("0.1"), ROUND_HALF_UP)


@settings(deadline=None)
@given(MARK)
def test_a_mark_shown_is_read_as_the_same(tenths: int) -> None:
    assert TENTHS[shown(tenths)] == tenths
    assert Decimal(shown(tenths)) == Decimal(tenths) / 10


@settings(deadline=None)
@given(st.lists(MARK, min_size=1, max_size=6), MARK, MARK)
def test_a_term_average_is_that_of_exact_decimals(regular: list[int], midterm: int, final: int) -> None:
    exact = Fraction(sum(regular) + 2 * midterm + 3 * final, 10 * (len(regular) + 5))
    assert Decimal(shown(term_average(regular, midterm, final))) == _rounded(exact)


@settings(deadline=None)
@given(MARK, MARK)
def test_a_year_average_is_that_of_exact_decimals(term1: int, term2: int) -> None:
    assert Decimal(shown(year_average(term1, term2))) == _rounded(Fraction(term1 + 2 * term2, 30))


@settings(deadline=None)
@given(MARK, MARK)
def test_a_year_average_lies_between_the_terms_and_is_never_a_tie(term1: int, term2: int) -> None:
    assert min(term1, term2) <= year_average(term1, term2) <= max(term1, term2)
    assert (2 * (term1 + 2 * term2)) % 6 != 3


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_half_goes_up(total: int, parts: int) -> None:
    assert half_up(total, parts) == int((Decimal(total) / parts).quantize(Decimal(1), ROUND_HALF_UP))


@settings(deadline=None)
@given(MARKS, st.integers(0, 3), st.integers(0, 13), st.integers(1, 30), st.sampled_from([5, 6]))
def test_a_better_mark_never_lowers_the_level(
    marks: list[int], failed: int, place: int, more: int, enough: int
) -> None:
    limits = Thresholds(enough=enough)
    better = list(marks)
    better[place % len(marks)] = min(100, better[place % len(marks)] + more)
    assert plain_rank(sorted(better), failed, limits) <= plain_rank(sorted(marks), failed, limits)


@settings(deadline=None)
@given(MARKS, st.integers(1, 3))
def test_one_more_comment_subject_passed_never_lowers_the_level(marks: list[int], failed: int) -> None:
    limits = Thresholds()
    assert plain_rank(sorted(marks), failed - 1, limits) <= plain_rank(sorted(marks), failed, limits)


@settings(deadline=None)
@given(MARKS, st.integers(0, 3))
def test_leaving_out_the_worst_subject_is_best(marks: list[int], failed: int) -> None:
    """Art. 9.3 asks for any one subject; looking at the lowest mark and one failed comment subject is enough."""
    limits = Thresholds()
    each = [plain_rank(sorted(marks[:place] + marks[place + 1 :]), failed, limits) for place in range(len(marks))]
    if failed:
        each.append(plain_rank(sorted(marks), failed - 1, limits))
    assert rank_without_one(sorted(marks), failed, limits) == min(each)


@settings(deadline=None)
@given(st.lists(MARK, min_size=8, max_size=8), st.permutations(range(12)))
def test_the_order_of_subjects_changes_no_finding(marks: list[int], order: list[int]) -> None:
    entry = {"card": "school-8", "marks": {code: shown(mark) for code, mark in zip(SCORED, marks, strict=True)}}
    card = made(entry)
    subjects = card.year.subjects
    year = card.year.model_copy(update={"subjects": tuple(subjects[place] for place in order)})
    permuted = card.model_copy(update={"year": year})
    found, again = ([f.kind.code for f in rules_for(card).check(one)] for one in (card, permuted))
    assert sorted(found) == sorted(again)


@settings(deadline=None)
@given(st.lists(st.integers(35, 100), min_size=8, max_size=8))
def test_an_exempt_subject_is_as_one_that_is_not_there(marks: list[int]) -> None:
    by_code = {code: shown(mark) for code, mark in zip(SCORED, marks, strict=True)}
    levels = []
    for change in ({}, {"GTC": "M"}, {"GTC": "M", "NTH": "M"}):
        card = made({"card": "school-8", "marks": by_code | change})
        wrong = [f.expected for f in rules_for(card).check(card) if f.kind.code.startswith("secondary.learning")]
        levels.append(wrong)
    assert levels[0] == levels[1] == levels[2]


@settings(deadline=None)
@given(st.lists(MARK, min_size=8, max_size=8), st.sets(st.sampled_from(SCORED), min_size=1, max_size=3))
def test_a_scored_subject_from_which_the_pupil_is_exempt_weighs_nothing(marks: list[int], exempt: set[str]) -> None:
    """The level is the one of the marks that are left, and of a card on which those subjects do not stand."""
    left = sorted(mark for code, mark in zip(SCORED, marks, strict=True) if code not in exempt)
    by_code = {code: "M" if code in exempt else shown(mark) for code, mark in zip(SCORED, marks, strict=True)}
    card = made({"card": "school-8", "marks": by_code})
    subjects = tuple(subject for subject in card.year.subjects if subject.code not in exempt)
    assert len(subjects) == len(card.year.subjects) - len(exempt)
    without = card.model_copy(update={"year": card.year.model_copy(update={"subjects": subjects})})

    def about_levels(of: AnyCard) -> list[tuple[str, str, str]]:
        found = [one for root in rules_for(of).check(of) for one in (root, *root.folded)]
        return [(f.kind.code, f.pointer, f.expected) for f in found if f.kind.code.startswith("secondary.learning")]

    assert about_levels(card) == about_levels(without)
    if len(left) < Thresholds().enough:
        assert about_levels(card) == []  # too few marks are left to say anything
        return
    right = made({"card": "school-8", "marks": by_code, "levels": [LEVELS[plain_rank(left, 0, Thresholds())]] * 3})
    assert {code for code, _, _ in about_levels(right)} <= {"secondary.learning.adjusted"}


@settings(deadline=None)
@given(st.lists(MARK, min_size=8, max_size=8))
def test_exactly_the_computed_level_is_accepted(marks: list[int]) -> None:
    """Of the four levels one is right; by the doubtful reading of Art. 9.3 others may be warnings, never accepted."""
    by_code = {code: shown(mark) for code, mark in zip(SCORED, marks, strict=True)}
    accepted = []
    for level in LEVELS:
        card = made({"card": "school-8", "marks": by_code, "levels": [level, level, level]})
        codes = {
            finding.kind.code
            for root in rules_for(card).check(card)
            for finding in (root, *root.folded)
            if finding.pointer == "/year/learning/year"
        }
        if not codes:
            accepted.append(level)
    assert len(accepted) == 1


@settings(deadline=None)
@given(st.sampled_from(["9", "10"]), st.sampled_from(["T", "H", "C"]))
def test_a_better_level_at_primary_never_gives_a_worse_result(test: str, level: str) -> None:
    results = ["Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành"]

    def right(at: str) -> int:
        for rank, result in enumerate(results):
            changes = {"year/subjects/3/level": at, "year/subjects/0/test": test, "year/result": result}
            card = made({"card": "primary-4", "set": changes})
            if not any(f.kind.code.startswith("primary.result") for f in rules_for(card).check(card)):
                return rank
        raise AssertionError

    assert right("T") <= right(level)


@settings(deadline=None)
@given(st.lists(MARK, min_size=8, max_size=8), st.text(min_size=1, max_size=20))
def test_what_has_no_weight_changes_no_finding(marks: list[int], text: str) -> None:
    by_code = {code: shown(mark) for code, mark in zip(SCORED, marks, strict=True)}
    card = made({"card": "school-8", "marks": by_code})
    subjects = tuple(subject.model_copy(update={"comment": text}) for subject in card.year.subjects)
    more = {"subjects": subjects, "contests_text": text, "reward_text": text, "homeroom_comment": text}
    talked_about = card.model_copy(update={"year": card.year.model_copy(update=more)})
    assert rules_for(card).check(card) == rules_for(card).check(talked_about)


def test_the_base_cards_are_of_made_up_people() -> None:
    assert base("school-8")["pupil"]["full_name"].endswith("Mẫu")


@pytest.mark.parametrize(
    ("level", "found"),
    [
        ("CĐ", set()),
        ("Đ", {("secondary.learning.adjusted", "warning")}),
        ("K", {("secondary.learning.unsatisfactory", "error")}),
    ],
)
def test_a_level_by_the_other_reading_of_article_9_3_is_a_warning(level: str, found: set[tuple[str, str]]) -> None:
    """Without the weak subject there are five marks of 6.5, with it lifted six: the article says neither."""
    marks = ("6.5", "6.5", "6.4", "7.9", "9.0", "6.4", "6.5", "3.4")
    card = made({"card": "school-8", "marks": dict(zip(SCORED, marks, strict=True)), "levels": [level, level, level]})
    said = [one for one in rules_for(card).check(card) if one.pointer == "/year/learning/year"]
    assert {(one.kind.code, one.kind.severity.value) for one in said} == found
    assert all("9.3" in one.kind.reference for one in said if one.kind.code.endswith("adjusted"))


@settings(deadline=None)
@given(MARKS, st.integers(0, 3))
def test_lifting_the_worst_subject_is_best_and_never_worse_than_leaving_it_out(marks: list[int], failed: int) -> None:
    limits = Thresholds()
    each = [
        plain_rank(sorted([*marks[:place], 100, *marks[place + 1 :]]), failed, limits) for place in range(len(marks))
    ]
    if failed:
        each.append(plain_rank(sorted(marks), failed - 1, limits))
    lifted = rank_with_one_lifted(sorted(marks), failed, limits)
    assert lifted == min(each)
    assert lifted <= rank_without_one(sorted(marks), failed, limits)
