"""The frozen corpus: what was found about a card once is found again; every rule fires there, and keeps still."""

from __future__ import annotations

import pytest

from hocba_hub.model.compared_card import compared_card
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.rules.catalogue import CATALOGUE, ELSEWHERE, OF_CLASS
from hocba_hub.rules.checking import rules_for
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.rules.rule import Reason
from tests.support.corpus import Case, cases, told

CASES = list(cases())
OF_CARDS = sorted(CATALOGUE.keys() - {rule.code for rule in OF_CLASS})


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_findings_of_a_case(case: Case) -> None:
    assert told(_found(case)) == case.findings


def _found(case: Case) -> list[Finding]:
    others = [compared_card(card) for card in case.earlier]
    return [*rules_for(case.card).check(case.card), *CardComparison().between(compared_card(case.card), others)]


def _codes(findings: list[Finding]) -> set[str]:
    return {one.kind.code for finding in findings for one in (finding, *finding.folded)}


@pytest.mark.parametrize("code", OF_CARDS)
def test_every_rule_fires_in_one_case_and_keeps_still_in_another(code: str) -> None:
    fired = still = 0
    for case in CASES:
        rules = rules_for(case.card)
        if code in {rule.code for rule in rules.rules} or (code.startswith("between.") and case.earlier):
            found = code in _codes(_found(case))
            fired, still = fired + found, still + (not found)
    assert fired
    assert still


def test_every_reason_for_not_checking_occurs() -> None:
    reasons = {line.split()[1] for case in CASES for line in case.findings if line.startswith("not_checkable")}
    assert reasons == {reason.value.code for reason in Reason}


def test_every_row_of_the_circulars_has_a_rule_or_a_place_where_it_is_kept() -> None:
    rows = {rule.row for rule in CATALOGUE.values()} | ELSEWHERE.keys()
    assert {f"P{number}" for number in range(1, 14)} | {f"S{number}" for number in range(1, 18)} <= rows


def test_the_names_of_cases_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_no_case_tells_a_number_or_a_name() -> None:
    for case in CASES:
        pupil = case.card.pupil
        for finding in _found(case):
            shown = str(finding.as_json())
            assert pupil.full_name not in shown
            assert str(pupil.personal_number) not in shown


def test_findings_of_errors_and_warnings_say_what_was_expected_in_two_languages() -> None:
    for case in CASES:
        for finding in _found(case):
            shown = finding.as_json()
            assert shown["message_vi"] != shown["message_en"]
            assert "{" not in shown["message_vi"] + shown["message_en"]
            assert finding.kind.severity is not Severity.NOT_CHECKABLE or finding.facts["rules"]
