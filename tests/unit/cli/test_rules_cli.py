"""`hocba-hub rules`: what a person at a terminal sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hocba_hub.cli import main
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.sandbox.synthetic import generate
from tests.support.corpus import base


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["rules", *map(str, arguments)])


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOCBA_LANG", "en")


def test_every_rule_is_listed() -> None:
    lines = _run("list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)


def test_a_rule_is_shown_in_either_language(monkeypatch: pytest.MonkeyPatch) -> None:
    english = _run("show", "secondary.promoted").output
    assert "S12" in english
    assert "TT 22/2021 Art. 12; TT 43/2021 Art. 11" in english
    assert CATALOGUE["secondary.promoted"].en in english
    monkeypatch.setenv("HOCBA_LANG", "vi")
    assert CATALOGUE["secondary.promoted"].vi in _run("show", "secondary.promoted").output


def test_a_rule_that_is_not_there() -> None:
    result = _run("show", "secondary.nothing")
    assert result.exit_code == 1
    assert "rules list" in result.output


def test_a_file_of_right_cards(tmp_path: Path) -> None:
    file = tmp_path / "cards.ndjson"
    file.write_bytes(b"\n".join([*generate(20, 1), b""]))
    result = _run("check", file)
    assert result.output == "20 cards, 0 with errors.\n"
    assert result.exit_code == 0
    assert "not_checkable" in _run("check", file, "--all").output


def _absent(tmp_path: Path) -> Path:
    card = base("school-8")
    card["year"]["absences"] = 46
    file = tmp_path / "card.json"
    file.write_text(json.dumps(card), encoding="utf-8")
    return file


def test_a_card_with_an_error(tmp_path: Path) -> None:
    result = _run("check", _absent(tmp_path))
    assert result.exit_code == 1
    assert "1: error: A pupil is promoted" in result.output
    assert "(secondary.promoted) [/year/promoted]" in result.output


def test_folded_findings_stand_below_their_root(tmp_path: Path) -> None:
    card = base("school-8")
    card["year"]["subjects"][0]["term1"] = "8.5"
    file = tmp_path / "cards.ndjson"
    file.write_text(f"\n{json.dumps(card)}\n", encoding="utf-8")
    root, folded, total = _run("check", file).output.splitlines()
    assert root.startswith("2: error:")
    assert folded.startswith("2:   error:")
    assert total == "1 cards, 1 with errors."


def test_a_record_that_is_no_card_is_told_like_one(tmp_path: Path) -> None:
    file = tmp_path / "cards.ndjson"
    file.write_text("{}\n", encoding="utf-8")
    result = _run("check", file)
    assert result.exit_code == 1
    assert "schema.kind" in result.output


def test_a_configuration(tmp_path: Path) -> None:
    file, configuration = _absent(tmp_path), tmp_path / "rules.yaml"
    configuration.write_text("rules: {secondary.promoted: off}\n", encoding="utf-8")
    assert _run("check", file, "--configuration", configuration).exit_code == 0
    for wrong, told in (("rules: {nothing: off}", "rules/nothing"), ("rules: [", "YAML")):
        configuration.write_text(wrong, encoding="utf-8")
        result = _run("check", file, "--configuration", configuration)
        assert result.exit_code == 1
        assert told in result.output
