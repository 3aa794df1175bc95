"""The rules and the synthetic province: right cards have no finding, mistakes of judgement are found."""

from __future__ import annotations

from collections import Counter

from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.reading import read_card
from hocba_hub.rules.checking import rules_for
from hocba_hub.sandbox.synthetic import generate, generate_with_defects
from hocba_hub.sandbox.synthetic.misjudged import MISJUDGED


def _findings(raw: bytes) -> list[Finding]:
    card = read_card(raw).card
    assert card is not None
    return rules_for(card).check(card)


def test_right_cards_of_all_levels_have_neither_error_nor_warning() -> None:
    levels: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for raw in generate(6000, 41):
        card = read_card(raw).card
        assert card is not None
        levels[card.school.level] += 1
        for finding in rules_for(card).check(card):
            assert finding.kind.severity is Severity.NOT_CHECKABLE, finding.as_json()
            reasons[finding.kind.code] += 1
    assert set(levels) == {"02", "03", "04", "05"}
    assert sum(levels.values()) == 6000
    assert set(reasons) == {"unchecked.exempt", "unchecked.no-raw-marks", "unchecked.not-assessed"}


def test_every_mistake_of_judgement_is_found_as_an_error() -> None:
    names = set()
    for raw, planted in generate_with_defects(800, 43, 0.4, defects=MISJUDGED):
        errors = [finding for finding in _findings(raw) if finding.kind.severity is Severity.ERROR]
        if planted is None:
            assert errors == []
            continue
        names.add(planted.name)
        assert any(
            finding.kind.code == planted.code
            or (planted.code[-1] == "." and finding.kind.code.startswith(planted.code))
            for finding in errors
        ), (planted, [finding.as_json() for finding in errors])
    assert names == {defect.name for defect in MISJUDGED}


def test_a_revision_has_no_more_findings_than_its_first_version() -> None:
    from hocba_hub.sandbox.synthetic import revise

    for raw in generate(100, 44):
        assert _findings(revise(raw, 1)) == _findings(raw)
