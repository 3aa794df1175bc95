"""Rules as a whole: chosen by scope, configured, folded; the catalogue; a class of too many."""

from __future__ import annotations

from typing import Any

import pytest

from hocba_hub.model.findings import Severity
from hocba_hub.rules.between import ClassFigures
from hocba_hub.rules.catalogue import CATALOGUE, KINDS
from hocba_hub.rules.checking import RuleSet, rules_for
from hocba_hub.rules.circulars import CONTINUING, PRIMARY, SCHOOL
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.rules.configuration import DEFAULT, RuleConfigurationError, configured
from hocba_hub.rules.view import Scope
from tests.support.corpus import made, told

PRIMARY_4 = Scope("primary", "02", PRIMARY, 4, "2025-2026")
SCHOOL_8 = Scope("secondary", "03", SCHOOL, 8, "2025-2026")
CENTRE_11 = Scope("continuing", "05", CONTINUING, 11, "2025-2026")


def rule_set(scope: Scope) -> RuleSet:
    return RuleSet(scope, DEFAULT)


def _codes(rules: RuleSet) -> set[str]:
    return {rule.code for rule in rules.rules}


def test_rules_are_chosen_by_kind_of_card() -> None:
    primary, school, centre = (_codes(rule_set(scope)) for scope in (PRIMARY_4, SCHOOL_8, CENTRE_11))
    assert not any(code.startswith("secondary.") for code in primary)
    assert not any(code.startswith("primary.") for code in school | centre)
    assert "cross.age" in primary & school
    assert "cross.age" not in centre


def test_rules_are_chosen_by_grade_and_school_year() -> None:
    assert "cross.subjects-chosen" not in _codes(rule_set(SCHOOL_8))
    assert "cross.subjects-chosen" in _codes(rule_set(CENTRE_11))
    before = _codes(rule_set(SCHOOL_8._replace(school_year="2022-2023")))
    first = _codes(rule_set(SCHOOL_8._replace(school_year="2023-2024")))
    assert not any(code.startswith("secondary.") for code in before)
    assert {code for code in first if code.startswith("secondary.")} == {
        code for code in CATALOGUE if code.startswith("secondary.")
    }


def test_rules_are_chosen_by_circular() -> None:
    earlier = SCHOOL_8._replace(circular="TT58/2011", school_year="2019-2020")
    assert {code.partition(".")[0] for code in _codes(rule_set(earlier))} == {"earlier", "identity", "cross"}
    assert not any(code.startswith("earlier.") for code in _codes(rule_set(SCHOOL_8)))


def test_the_rules_of_a_scope_are_made_once() -> None:
    card, same = made({"card": "school-8"}), made({"card": "school-8", "set": {"card_id": "another"}})
    assert rules_for(card) is rules_for(same)


def test_the_article_is_that_of_the_cards_circular() -> None:
    wrong = {"set": {"year/absences": 46}}
    (school,) = _check({"card": "school-8", **wrong})
    (centre,) = _check({"card": "centre-11", **wrong})
    assert school.kind.reference == "TT 22/2021 Art. 12"
    assert centre.kind.reference == "TT 43/2021 Art. 11"


def _check(entry: dict[str, Any], document: Any = None) -> list[Any]:
    card = made(entry)
    configuration = configured(document)
    return rules_for(card, configuration).check(card)


ABSENT: dict[str, Any] = {"card": "school-8", "set": {"year/absences": 46}}


def test_a_rule_can_be_switched_off() -> None:
    assert _check(ABSENT, {"rules": {"secondary.promoted": "off"}}) == []
    assert _check(ABSENT, {"rules": {"secondary.promoted": False}}) == []


def test_a_rules_severity_can_be_changed() -> None:
    (finding,) = _check(ABSENT, {"rules": {"secondary.promoted": {"severity": "warning"}}})
    assert finding.kind.severity is Severity.WARNING
    assert finding.kind.code == "secondary.promoted"


def test_a_circulars_figures_can_be_changed() -> None:
    assert _check(ABSENT, {"thresholds": {"TT22/2021": {"most_absences": 46}}}) == []
    four_good = {"card": "centre-11", "marks": {"DLI": "7.9", "KPL": "7.9", "VLI": "7.9"}}
    assert told(_check(four_good, {"thresholds": {"TT43/2021": {"enough": 4}}})) == []
    assert _check(four_good)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "/"),
        ({"rule": {}}, "rule"),
        ({"rules": []}, "rules"),
        ({"rules": {"secondary.nothing": "off"}}, "rules/secondary.nothing"),
        ({"rules": {"secondary.promoted": "on"}}, "rules/secondary.promoted"),
        ({"rules": {"secondary.promoted": {"severity": "fatal"}}}, "rules/secondary.promoted"),
        ({"rules": {"secondary.promoted": {"severity": []}}}, "rules/secondary.promoted"),
        ({"thresholds": {"TT99/2030": {}}}, "thresholds/TT99/2030"),
        ({"thresholds": {"TT22/2021": {"many": 5}}}, "thresholds/TT22/2021/many"),
        ({"thresholds": {"TT22/2021": {"enough": "5"}}}, "thresholds/TT22/2021/enough"),
        ({"thresholds": {"TT22/2021": {"enough": True}}}, "thresholds/TT22/2021/enough"),
        ({"thresholds": {"TT22/2021": {"enough": 0}}}, "thresholds/TT22/2021/enough"),
    ],
)
def test_a_configuration_that_is_not_understood(document: Any, where: str) -> None:
    with pytest.raises(RuleConfigurationError) as refused:
        configured(document)
    assert refused.value.where == where


def test_an_error_does_not_fold_under_a_warning() -> None:
    entry = {"card": "school-8", "set": {"year/training": {"term1": "CĐ", "term2": "CĐ", "year": "Đ"}}}
    entry["set"] |= {"year/promoted": False, "year/promotion_text": "Không"}
    assert told(_check(entry)) == [
        "warning secondary.training-year /year/training/year CĐ",
        "error secondary.promoted /year/promoted true",
    ]
    softer = {"rules": {"secondary.promoted": {"severity": "warning"}}}
    assert told(_check(entry, softer)) == [
        "warning secondary.training-year /year/training/year CĐ",
        "> warning secondary.promoted /year/promoted true",
    ]


def test_folded_findings_are_shown_in_their_root() -> None:
    (root,) = _check({"card": "school-8", "set": {"year/subjects/0/term1": "8.5"}})
    shown = root.as_json()
    assert [folded["code"] for folded in shown["folded"]] == ["secondary.year-average"]
    assert "folded" not in shown["folded"][0]


def test_a_class_may_be_full_but_not_too_full() -> None:
    for circular, most in ((PRIMARY, 35), (SCHOOL, 45), (CONTINUING, 45)):
        assert CardComparison().of_class(circular, ClassFigures(most)) == []
        (finding,) = CardComparison().of_class(circular, ClassFigures(most + 1))
        assert (finding.kind.code, finding.pointer, finding.expected) == ("class.size", "/class", f"≤ {most}")


def test_checking_changes_nothing() -> None:
    card = made(ABSENT)
    before = card.model_dump_json()
    rules_for(card).check(card)
    assert card.model_dump_json() == before


def test_codes_are_unique_and_roots_are_rules_that_come_before() -> None:
    codes = [kind.code for kind in KINDS.values()]
    assert codes == list(KINDS)
    assert set(CATALOGUE) == {code for code in codes if not code.startswith("unchecked.")} - {"between.other-card"}
    order = {code: place for place, code in enumerate(CATALOGUE)}
    for rule in CATALOGUE.values():
        assert all(order[root] < order[rule.code] for root in rule.follows), rule.code
