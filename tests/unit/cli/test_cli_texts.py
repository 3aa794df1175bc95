"""The texts of the operators' commands: each is used, in the language of the terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hocba_hub.cli.texts import TEXTS, language, text

COMMANDS = Path(__file__).parents[3] / "hocba_hub" / "cli"


def test_every_text_is_used_and_every_text_used_exists():
    source = "".join(path.read_text(encoding="utf-8") for path in COMMANDS.glob("*.py"))
    used = set(re.findall(r"""text\(\s*["']([a-z.-]+)["']""", source))
    assert used <= set(TEXTS)
    by_name = {
        "column.",
        "card.",
        "change.",
        "draft.",
        "error.",
        "absent.",
        "ack.",
        "hurry.",
        "level.",
        "reconcile.",
        "list.",
        "windows.",
        "job.",
        "jobs.",
        "run.",
        "standing.",
        "severity.",
        "state.",
        "kind.",
        "replay.",
        "rule.",
    }  # names that are put together from a prefix and a fact
    assert {name for name in TEXTS if name not in used and not name.startswith(tuple(by_name))} == set()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": ""}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "HOCBA_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "HOCBA_LANG": "VI"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "HOCBA_LANG": "fr"}, "vi"),
    ],
)
def test_the_language_is_the_terminals(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str):
    for name in ("HOCBA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected
    assert text("total") == {"vi": "Tổng", "en": "Total"}[expected]
