"""The texts of the operators' commands: each is used, in the language of the terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hocba_hub.cli.texts import TEXTS, language, text
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.terms import TERMS
from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.queue.jobs.schedules import DEFAULTS
from hocba_hub.settings import Settings

COMMANDS = Path(__file__).parents[3] / "hocba_hub" / "cli"
JOBS = COMMANDS.parent / "queue" / "jobs"


def test_no_text_stands_twice():
    catalogues = (COMMANDS / "texts.yaml", COMMANDS.parent / "model" / "terms.yaml")
    written = "\n".join(path.read_text(encoding="utf-8") for path in catalogues)
    names = re.findall(r"^([^\s#:]+):", written, re.MULTILINE)
    assert len(names) == len(set(names)) == len(TEXTS)


def test_every_text_is_used_and_every_text_used_exists():
    source = "".join(path.read_text(encoding="utf-8") for path in COMMANDS.glob("*.py"))
    used = set(re.findall(r"""text\(\s*["']([a-z.-]+)["']""", source))
    assert used <= set(TEXTS)
    by_name = {
        "column.",
        "card.",
        "change.",
        "draft.",
        "edits.",
        "error.",
        "absent.",
        "act.",
        "ack.",
        "audit.",
        "hurry.",
        "group.",
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
        "way.",
        "kind.",
        "replay.",
        "returns.",
        "trace.",
        "rule.",
        "roster.",
        "deadlines.",
        "reports.",
        "doctor.",
    }  # names that are put together from a prefix and a fact
    own = TEXTS.keys() - TERMS.keys()
    assert {name for name in own if name not in used and not name.startswith(tuple(by_name))} == set()


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


def test_each_kind_of_job_each_count_and_each_way_that_one_fails_has_a_text():
    kinds = {*DEFAULTS, "import"}
    assert {f"job.{kind}" for kind in kinds} <= TEXTS.keys()
    counts = {*Difference, *(rule.name for rule in Retention(Settings())._rules())}
    source = "".join(path.read_text(encoding="utf-8") for path in JOBS.glob("*.py"))
    counts |= set(re.findall(r'run\.result\["([a-z_]+)"\]', source))
    assert {f"job.count.{count}" for count in counts} <= TEXTS.keys()
    known = {name.removeprefix("job.error.") for name in TEXTS if name.startswith("job.error.")}
    assert set(re.findall(r'JobFailedError\("([a-z-]+)"\)', source)) <= known
