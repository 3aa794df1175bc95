"""The limits of every kind of field, just inside and just outside, and of what has to fit together."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hocba_hub.model.reading import read_card
from tests.support.sample_cards import MAKERS, changed, own, primary_card, secondary_card

Card = dict[str, Any]


def _codes(card: Card) -> list[str]:
    return [finding.kind.code for finding in read_card(orjson.dumps(card)).findings]


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("class/name", 10),
        ("pupil/full_name", 150),
        ("pupil/pupil_code", 20),
        ("pupil/residence/address", 250),
        ("register_number", 50),
        ("year/subjects/0/name", 20),
        ("year/subjects/0/comment", 2000),
        ("year/homeroom_comment", 2000),
        ("year/summer_training_text", 500),
    ],
)
def test_lengths_count_characters_up_to_the_limit(path: str, most: int) -> None:
    card = secondary_card(subjects=2)
    assert _codes(changed(card, path, "Ạ" * most)) == []
    assert _codes(changed(card, path, "Ạ")) == []
    assert _codes(changed(card, path, "Ạ" * (most + 1))) == ["schema.length.too-long"]
    assert _codes(changed(card, path, "")) == ["schema.length.too-short"]


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("year/subjects/0/year", "0 0.0 9.9 10 10.0 Đ CĐ M", "10.1 11 -1 8,5 8.55 08 .5 8. T đ"),
        ("year/subjects/0/term1_marks/midterm", "0 7.5 10", "Đ M 10.5 7.25"),
        ("pupil/personal_number", "033315000001", "03331500001 0333150000011 03331500000A"),
        ("card_id", "a HB-1 " + "x" * 36, "x" * 37 + " thẻ a/b"),
        ("school/commune_code", "12391", "1239 123911 1239A"),
        ("pupil/nationality", "VN LA", "vn VNM V"),
    ],
)
def test_forms(path: str, right: str, wrong: str) -> None:
    card = secondary_card(subjects=2)
    for value in right.split():
        assert _codes(changed(card, path, value)) == [], value
    for value in [*wrong.split(), ""]:
        assert _codes(changed(card, path, value)) == ["schema.pattern"], value


def test_a_line_break_at_the_end_is_part_of_the_value() -> None:
    assert _codes(changed(secondary_card(subjects=2), "pupil/personal_number", "033315000001\n")) == ["schema.pattern"]


@pytest.mark.parametrize(("test", "right"), [("0", True), ("10", True), ("M", True), ("9.5", False), ("11", False)])
def test_periodic_tests_at_primary_are_whole_numbers(test: str, *, right: bool) -> None:
    assert _codes(changed(primary_card(), "year/subjects/0/test", test)) == ([] if right else ["schema.pattern"])


@pytest.mark.parametrize(
    ("birth", "code"),
    [
        ("2015", None),
        ("2015-02", None),
        ("2016-02-29", None),
        ("2015-02-29", "card.date"),
        ("2015-04-31", "card.date"),
        ("2015-13-01", "schema.pattern"),
        ("2015-00-01", "schema.pattern"),
        ("2015-01-32", "schema.pattern"),
        ("01/02/2015", "schema.pattern"),
        ("2015-2-1", "schema.pattern"),
    ],
)
def test_birth_dates_in_three_precisions(birth: str, code: str | None) -> None:
    card = secondary_card(subjects=2)
    assert _codes(changed(card, "pupil/birth", birth)) == ([code] if code else [])


@pytest.mark.parametrize(
    ("path", "least", "most"), [("year/absences_excused", 0, 200), ("year/absences_unexcused", 0, 200)]
)
def test_ranges(path: str, least: int, most: int) -> None:
    for value in (least, most):
        assert _codes(changed(primary_card(), path, value)) == []
    for value in (least - 1, most + 1):
        assert _codes(changed(primary_card(), path, value)) == ["schema.range"]
    for value in ("3", 3.5, True, None):
        assert _codes(changed(primary_card(), path, value)) == ["schema.type"]


@pytest.mark.parametrize(("level", "grades"), [("03", range(6, 10)), ("04", range(10, 13))])
def test_grades_of_a_level(level: str, grades: range) -> None:
    for grade in range(1, 13):
        card = changed(changed(secondary_card(subjects=2), "school/level", level), "class/grade", grade)
        assert _codes(card) == ([] if grade in grades else ["card.grade-level"])


def test_only_a_foreign_pupil_with_a_passport_may_have_no_personal_number() -> None:
    for nationality, passport, right in (("LA", "P1", True), ("LA", None, False), ("VN", "P1", False)):
        card = changed(changed(secondary_card(subjects=2), "pupil/nationality", nationality),
                        "pupil/passport_number", passport)  # fmt: skip
        del card["pupil"]["personal_number"]
        assert _codes(card) == ([] if right else ["card.personal-number"])


@pytest.mark.parametrize(
    ("kind", "circular", "transcribed", "right"),
    [
        ("primary", "TT27/2020", False, True),
        ("primary", "TT22/2016", True, True),
        ("primary", "TT22/2016", False, False),
        ("primary", "TT22/2021", True, False),
        ("secondary", "TT22/2021", False, True),
        ("secondary", "TT58/2011", True, True),
        ("secondary", "TT58/2011", False, False),
        ("secondary", "TT43/2021", False, False),
        ("continuing", "TT43/2021", False, True),
        ("continuing", "TT22/2021", False, False),
    ],
)
def test_the_circular_goes_with_the_kind_of_card(kind: str, circular: str, *, transcribed: bool, right: bool) -> None:
    card = changed(changed(MAKERS[kind](), "circular", circular), "transcribed", transcribed)
    assert _codes(card) == ([] if right else ["card.circular"])


@pytest.mark.parametrize("when", ["term1", "term2", "year"])
@pytest.mark.parametrize("kind", ["secondary", "continuing"])
def test_only_a_pupil_who_is_not_assessed_may_lack_learning_results(kind: str, when: str) -> None:
    card = own(MAKERS[kind]())
    del card["year"]["learning"][when]
    assert _codes(card) == []
    (finding,) = read_card(orjson.dumps(changed(card, "pupil/not_assessed", False))).findings
    assert (finding.kind.code, finding.pointer) == ("card.learning-missing", f"/year/learning/{when}")


def test_the_study_history_is_of_real_years_and_days() -> None:
    card = changed(secondary_card(subjects=2), "study_history/0/arrived_on", "2025-02-29")
    card = changed(card, "study_history/0/school_year", "2023-2025")
    assert _codes(card) == ["card.school-year", "card.date"]


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [("year/weight_kg", "1 28.5 299.9999 300 300.0", "0 0.9 300.1 301 028 28,5 28."),
     ("year/height_cm", "10 131 299.5 300", "9 9.9 300.0001 1310 131cm")],
)  # fmt: skip
def test_weight_and_height(path: str, right: str, wrong: str) -> None:
    for value in right.split():
        assert _codes(changed(primary_card(), path, value)) == [], value
    for value in wrong.split():
        assert _codes(changed(primary_card(), path, value)) == ["schema.pattern"], value
