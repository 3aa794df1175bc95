"""Every text that is kept as data exists in Vietnamese and English, once, and says the same facts in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

import hocba_hub
from hocba_hub.model.catalogues import read_catalogue

PACKAGE = Path(hocba_hub.__file__).parent
CATALOGUES = sorted(path for name in ("findings", "problems", "texts") for path in PACKAGE.rglob(f"{name}.yaml"))
"""Those whose entries have `vi` beside `en`; `messages.yaml` has English → Vietnamese."""
MESSAGES = PACKAGE / "mappings" / "messages.yaml"


def room_of(path: Path) -> str:
    return ".".join(path.parent.relative_to(PACKAGE.parent).parts)


def facts(text: str) -> set[str]:
    """The placeholders of a text; a fact in Vietnamese has its name with `_vi`, a field its label for its name."""
    return {
        {"label": "name"}.get(field, field.removesuffix("_vi").removesuffix("_en"))
        for _, field, _, _ in Formatter().parse(text)
        if field is not None
    }


def texts(entry: Any) -> list[str]:
    return list(entry.values()) if isinstance(entry, dict) else [entry]


def entries() -> Iterator[Any]:
    for path in CATALOGUES:
        for code, entry in read_catalogue(room_of(path), path.name).items():
            yield pytest.param(entry, id=f"{path.parent.name}/{code}")


def test_there_is_a_catalogue_for_each_room_that_says_something():
    rooms = {path.relative_to(PACKAGE).as_posix() for path in CATALOGUES}
    assert rooms == {
        "api/problems/problems.yaml", "cli/texts.yaml", "intake/findings.yaml", "intake/problems.yaml",
        "mappings/findings.yaml", "model/findings.yaml", "rules/findings.yaml",
    }  # fmt: skip


@pytest.mark.parametrize("entry", list(entries()))
def test_neither_language_is_missing(entry: dict[str, Any]):
    vi, en = texts(entry["vi"]), texts(entry["en"])
    assert len(vi) == len(en)
    for vietnamese, english in zip(vi, en, strict=True):
        assert vietnamese.strip()
        assert english.strip()
        assert vietnamese != english
        # XML that is unsafe is said by whoever read it; a problem's texts have no facts.
        if (vietnamese, english) != ("{vi}", "{en}") and isinstance(entry["vi"], str):
            assert facts(vietnamese) == facts(english)


@pytest.mark.parametrize("path", [*CATALOGUES, MESSAGES], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_entry_stands_twice(path: Path):
    keys = [key.value for key, _ in yaml.compose(path.read_text(encoding="utf-8")).value]
    assert len(keys) == len(set(keys))


def test_every_message_is_said_in_vietnamese_too():
    for english, vietnamese in read_catalogue("hocba_hub.mappings", "messages.yaml").items():
        assert english.strip()
        assert vietnamese.strip()


def test_every_kind_of_finding_has_its_place_in_the_code():
    for path in CATALOGUES:
        if path.name != "findings.yaml" or path.parent.name == "rules":  # a rule without its kind fails when it is made
            continue
        source = (path.parent / "finding_kinds.py").read_text(encoding="utf-8")
        bound = set(re.findall(r'KINDS\["([a-z.-]+)"\]', source))
        codes = set(read_catalogue(room_of(path), path.name))
        assert bound <= codes
        assert {code for code in codes - bound if not code.startswith("card.")} == set()


def test_every_problem_that_intake_raises_is_one_of_its_own():
    source = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "intake").rglob("*.py"))
    raised = set(re.findall(r'(?:SubmissionError|PROBLEM_KINDS\[|_problem)\(?\s*"([a-z.-]+)"', source))
    assert raised
    assert raised <= set(read_catalogue("hocba_hub.intake", "problems.yaml"))
