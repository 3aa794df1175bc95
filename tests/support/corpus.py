"""The frozen corpus of the rules: base cards of made-up people, cases that change them, and what must be found.

`NAME.json` is a base card about which nothing is found unless a case says so. A case of `cases.yaml` takes one
(`card`), changes it (`marks`, `levels`, `set`, where null removes; `raw: false` takes the raw marks away), may put the
pupil's other cards beside it (`earlier`, in the same form), and says every finding: severity, code, place, what was
expected. A finding that is folded stands below its root, after `>`. Cases are added, never changed: what was found
about a card once must be found again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml

from hocba_hub.model.card import AnyCard
from hocba_hub.model.findings import Finding
from hocba_hub.model.reading import read_card

_FOLDER = Path(__file__).parents[1] / "corpus"


class Case(NamedTuple):
    """One card of the corpus, with the pupil's other cards, and what must be found."""

    name: str
    card: AnyCard
    earlier: tuple[AnyCard, ...]
    findings: list[str]


def cases() -> Iterator[Case]:
    """Every case."""
    for entry in yaml.safe_load((_FOLDER / "cases.yaml").read_text(encoding="utf-8")):
        earlier = tuple(made(other) for other in entry.get("earlier", ()))
        yield Case(entry["name"], made(entry), earlier, entry.get("findings", []))


def base(name: str) -> dict[str, Any]:
    """A base card."""
    card: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return card


def made(entry: dict[str, Any]) -> AnyCard:
    """The card that an entry describes."""
    card = base(entry["card"])
    if "marks" in entry:
        for subject in card["year"]["subjects"]:
            _mark(subject, entry["marks"])
    if entry.get("raw") is False:
        for subject in card["year"]["subjects"]:
            subject.pop("term1_marks", None)
            subject.pop("term2_marks", None)
    if "levels" in entry:
        card["year"]["learning"] = dict(zip(("term1", "term2", "year"), entry["levels"], strict=True))
    for path, value in entry.get("set", {}).items():
        _set(card, path, value)
    reading = read_card(orjson.dumps(card))
    assert reading.card is not None, (entry, [finding.as_json() for finding in reading.findings])
    return reading.card


def _mark(subject: dict[str, Any], marks: dict[str, str]) -> None:
    """The same result in both terms and the year, with raw marks to match where the subject shows some.

    `rest` is for all scored subjects that are not named.
    """
    is_scored = subject["year"][0].isdigit()
    mark = marks.get(subject["code"], marks.get("rest") if is_scored else None)
    if mark is None:
        return
    subject |= {"term1": mark, "term2": mark, "year": mark}
    for term in ("term1_marks", "term2_marks"):
        shown = subject.pop(term, None)
        if shown is not None and mark[0].isdigit():
            subject[term] = {"regular": [mark] * len(shown["regular"]), "midterm": mark, "final": mark}


def _set(card: dict[str, Any], path: str, value: Any) -> None:
    part: Any = card
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    for step in steps:
        part = part[step]
    if value is None:
        part.pop(last, None)
    else:
        part[last] = value


def told(findings: list[Finding]) -> list[str]:
    """Findings as the corpus writes them."""
    lines = []
    for finding in findings:
        lines.append(_line(finding))
        lines += [f"> {_line(folded)}" for folded in finding.folded]
    return lines


def _line(finding: Finding) -> str:
    said = finding.expected or str(finding.facts.get("rules", ""))
    return " ".join(filter(None, (finding.kind.severity.value, finding.kind.code, finding.pointer, said)))
