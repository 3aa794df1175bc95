"""The change log of the rules: no change of a rule goes untold."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hocba_hub.model.findings import Severity
from hocba_hub.rules import marks
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.rules.rule import Objection, Outcome
from hocba_hub.rules.view import SecondaryView
from scripts import check_generated, rule_changes
from scripts.rule_changes import fingerprint, tell, untold
from scripts.rules_pages import rules_page, rules_page_vi

RULE = CATALOGUE["secondary.promoted"]


def test_the_log_tells_every_rule_as_it_is() -> None:
    assert list(untold()) == []


def test_a_changed_rule_fails_the_check_until_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "rules-changes.yaml"
    log.write_bytes(rule_changes.LOG.read_bytes())
    monkeypatch.setattr(rule_changes, "LOG", log)
    monkeypatch.setattr(rule_changes.untold, "__defaults__", (log,))
    monkeypatch.setattr(check_generated, "GENERATED", ())
    assert check_generated.main([]) == 0
    monkeypatch.setitem(CATALOGUE, RULE.code, replace(RULE, severity=Severity.WARNING))  # type: ignore[misc]
    assert check_generated.main([]) == 1
    assert "secondary.promoted is changed" in capsys.readouterr().err
    assert tell("Chỉ cảnh báo.", "Only a warning.", log) == [RULE.code]
    assert check_generated.main([]) == 0


def test_a_new_rule_and_a_removed_one_are_told_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "rules-changes.yaml"
    assert len(list(untold(log))) == len(CATALOGUE)
    tell("Đầu tiên.", "The first.", log)
    assert list(untold(log)) == []
    monkeypatch.delitem(CATALOGUE, RULE.code)  # type: ignore[misc]
    assert list(untold(log)) == ["secondary.promoted is gone, and no entry tells it"]
    tell("Bỏ.", "Gone.", log)
    assert list(untold(log)) == []
    assert log.read_text(encoding="utf-8").endswith("secondary.promoted: removed\n")


def test_entries_have_both_languages_and_stand_in_order(tmp_path: Path) -> None:
    log = tmp_path / "rules-changes.yaml"
    tell("Đầu tiên.", "The first.", log)
    text = log.read_text(encoding="utf-8")
    log.write_text(text + "- {date: 2020-01-01, vi: Cũ., en: '', rules: {}}\n", encoding="utf-8")
    assert list(untold(log)) == ["entry 2 is older than the one before", "entry 2 has no text in both languages"]


def _check(view: SecondaryView) -> Iterator[Outcome]:
    """Says one thing."""
    # and has a comment
    if view.year.absences > 45:
        yield Objection("/year/absences")


def _check_laid_out_otherwise(
    view: SecondaryView,
) -> Iterator[Outcome]:
    if view.year.absences > 45: yield Objection("/year/absences")  # fmt: skip  # noqa: E701


def _check_with_another_figure(view: SecondaryView) -> Iterator[Outcome]:
    if view.year.absences > 46:
        yield Objection("/year/absences")


def test_a_fingerprint_is_of_the_meaning_not_of_the_layout() -> None:
    first, second, third = (
        rule_changes._meaning(inspect.getsource(check).replace(check.__name__, "_check"))
        for check in (_check, _check_laid_out_otherwise, _check_with_another_figure)
    )
    assert first == second
    assert first != third


def test_a_fingerprint_sees_what_a_check_rests_on() -> None:
    rests_on: dict[str, str] = {}
    rule_changes._rests_on(CATALOGUE["secondary.training-year"].check, rests_on)
    assert "hocba_hub.rules.outcome._YEAR_OF_TERMS" in rests_on
    rests_on = {}
    rule_changes._rests_on(CATALOGUE["secondary.term-average"].check, rests_on)
    assert f"{marks.__name__}.term_average" in rests_on


def test_a_fingerprint_sees_every_declared_fact() -> None:
    changes = (
        {"vi": "x"}, {"en": "x"}, {"reference": "x"}, {"severity": Severity.WARNING}, {"since": 2030}, {"follows": ()},
        {"grades": range(6, 7)}, {"until": 2030}, {"needs_assessment": False}, {"checks_paper": True},
    )  # fmt: skip
    prints = {fingerprint(RULE), *(fingerprint(replace(RULE, **change)) for change in changes)}  # type: ignore[arg-type]
    assert len(prints) == len(changes) + 1


@pytest.mark.parametrize("page", [rules_page, rules_page_vi])
def test_the_page_has_every_rule_and_no_placeholder(page: object) -> None:
    text = page().decode()  # type: ignore[operator]
    assert all(f"`{code}`" in text for code in CATALOGUE)
    assert "{expected}" not in text
    assert "{rules}" not in text
