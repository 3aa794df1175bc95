"""Six formats that no profile knows: from a sample to accepted, truthful cards, by what a person adds to the draft."""

import json
import os
from itertools import chain

import pytest
import yaml

from hocba_hub import bootstrap
from hocba_hub.intake.sampling import SampleError, folded_name, sample_of
from hocba_hub.intake.trial import Summary
from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.schemas import target_schema
from hocba_hub.mappings.start.guess import Guesser
from hocba_hub.mappings.start.written import PHRASES, written
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.reading import read_card
from hocba_hub.settings import Settings
from tests.support.formats import FORMATS, LEVELS, cards

CARDS = int(os.environ.get("HOCBA_ROUND_TRIP", "200"))
TABLES, CARD = shipped_tables(), target_schema("report-card")
WORDS = {word: letter for letter, word in LEVELS.items()}
ANSWERS = {
    "xml-book": {
        "issue/created_on": {"from": "//Ky/@lap", "apply": [{"date": "dd/mm/yyyy"}], "required": True},
        "year/promoted": {"from": "@lenLop", "apply": [{"flag": {"true": ["x"], "false": ["-"]}}], "required": True},
    },
    "json-classes": {
        "department/code": {"from": "//so/code", "required": True},
        "department/name": {"from": "//so/name", "required": True},
    },
}
"""What the sample does not tell, and its author knows."""


def drafted(path):
    source, sample = sample_of(path, 1_000_000)
    return written("draft", source, Guesser(sample, CARD, TABLES).draft(), CARD, dict.fromkeys(PHRASES, "said"))


@pytest.fixture(params=FORMATS)
def files(request, tmp_path):
    """The name of a format, and its files with all cards, the largest first."""
    ending, write = FORMATS[request.param]
    documents = sorted(write(cards(CARDS)), key=len, reverse=True)
    paths = [tmp_path / f"{number}{ending}" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    return request.param, paths


def test_from_a_sample_to_accepted_cards(files):
    name, paths = files
    sample = paths[0]
    if name == "mark-book":  # its subjects are columns: a sample has to have them all
        sample = next(path for path in paths if "Ngoại ngữ 2" in drafted(path))
    given = yaml.safe_load(drafted(sample))
    assert load_document(yaml.safe_dump(given, allow_unicode=True, sort_keys=False))
    questions = drafted(sample).count("# ?")
    assert questions <= 4
    given["fields"] |= {"kind": {"value": "secondary"}, **ANSWERS.get(name, {})}
    for table, own in given.get("tables", {}).items():
        own["pairs"] |= WORDS if table.startswith("muc-") else {}
    document = load_document(yaml.safe_dump(given, allow_unicode=True, sort_keys=False))
    assert [one.kind.code for one in check(document, TABLES, CARD) if one.kind.severity == "error"] == []
    tried = bootstrap.trial(Settings(), document, TABLES)
    judged = list(chain.from_iterable(map(tried.of_file, paths)))
    summary = Summary(document)
    for one in judged:
        summary.add(one)
    assert set(summary.unread()) <= {"STT", "//A1", "//A2", "s:Header"}
    wrong = [
        (one.kind.code, one.pointer, one.expected) for each in judged if not each.accepted for one in each.findings
    ]
    assert wrong[:5] == []
    made = {card["card_id"]: card for card in (json.loads(one.translated.reading().canonical) for one in judged)}
    wanted = {card["card_id"]: json.loads(read_card(json.dumps(card).encode()).canonical) for card in cards(CARDS)}
    assert made.keys() == wanted.keys()
    for key, card in wanted.items():
        assert made[key] == card


@pytest.mark.parametrize("name", FORMATS)
def test_a_draft_invents_nothing(name, tmp_path):
    ending, write = FORMATS[name]
    path = tmp_path / f"sample{ending}"
    path.write_bytes(write(cards(40))[0])
    text = drafted(path)
    given = yaml.safe_load(text)
    constants = {rule["value"] for rule in _rules(given["fields"]) if isinstance(rule, dict) and "value" in rule}
    subjects = {subject["name"] for card in cards(40) for subject in card["year"]["subjects"]}
    assert constants <= {"QD121", *subjects}  # the list of the code table that is used; columns that are named so
    assert "  # ? kind (Loại học bạ)" in text
    people = {card["pupil"]["full_name"] for card in cards(40)} | {
        card["pupil"]["personal_number"] for card in cards(40)
    }
    assert not any(person in text or person.upper() in text for person in people)


def _rules(fields):
    for rule in fields.values():
        yield rule
        if isinstance(rule, dict):
            for inner in (rule.get("fields", {}), *rule.get("items", ())):
                yield from _rules(inner)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b"{"),
        ("x.json", b'{"a": 1}'),
        ("x.json", b"[]"),
        ("x.xml", b"<a>"),
        ("x.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
        ("x.csv", b"a,b\n1,2\n"),
        ("x.xlsx", b"no workbook"),
        ("x.ndjson", b""),
    ],
)
def test_what_is_no_sample_is_said(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SampleError):
        sample_of(path, 1_000_000)


def test_a_mapping_is_named_after_its_sample(tmp_path):
    assert folded_name(tmp_path / "Sổ điểm 6A.xlsx") == "so-diem-6a"
    assert folded_name(tmp_path / "2025.json") == "mapping-2025"
