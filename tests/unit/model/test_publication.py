"""The published schemas describe every card, and refuse what is none; the generated documents are up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from lxml import etree

from hocba_hub.mappings.finding_kinds import KINDS as MAPPING_KINDS
from hocba_hub.model.card import CARD, canonical_bytes
from hocba_hub.model.finding_kinds import KINDS
from hocba_hub.model.publication import json_schema, xsd
from hocba_hub.sandbox.synthetic import generate, generate_with_defects
from scripts import check_generated
from tests.support.sample_cards import continuing_card, primary_card, secondary_card
from tests.support.xml_cards import canonical_xml

_SCHEMA = orjson.loads(json_schema())
_JSON = jsonschema.Draft202012Validator(_SCHEMA)
_XSD = etree.XMLSchema(etree.fromstring(xsd()))
_FULL = [primary_card(), secondary_card(), continuing_card()]
_CARDS = [*_FULL, *(orjson.loads(raw) for raw in generate(240, 6))]


def _xml(card: dict[str, Any]) -> etree._Element:
    return etree.fromstring(canonical_xml(CARD.validate_json(orjson.dumps(card))))


def test_the_json_schema_is_one_and_describes_every_card() -> None:
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)
    assert {card["kind"] for card in _CARDS} == {"primary", "secondary", "continuing"}
    for card in _CARDS:
        _JSON.validate(card)


def test_every_field_is_published_with_its_label_and_source() -> None:
    fields = [field for part in _SCHEMA["$defs"].values() for field in part["properties"].values()]
    assert len(fields) > 100
    for field in fields:
        assert field["label_vi"]
        assert field["source"]
        assert isinstance(field["ndc"], str)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("pupil", "personal_number"), "03321500001"),
        (("pupil", "nickname"), "Bi"),
        (("class", "grade"), 13),
        (("class", "name"), "Lớp chất lượng cao"),
        (("class", "grade"), "8"),
        (("year", "training", "year"), "G"),
        (("year", "subjects", 0, "year"), "11"),
        (("year", "subjects", 0, "name"), "Giáo dục quốc phòng và an ninh"),
        (("year", "absences"), 301),
        (("issue", "issued_on"), "20/06/2026"),
    ],
)
def test_the_json_schema_refuses(path: tuple[Any, ...], value: Any) -> None:
    card = secondary_card()
    part: Any = card
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not _JSON.is_valid(card)


def test_the_json_schema_refuses_what_is_found_against_the_schema() -> None:
    refused = set()
    for raw, planted in generate_with_defects(400, 8, 0.5):
        if planted is not None and planted.code.startswith("schema."):
            assert not _JSON.is_valid(orjson.loads(raw)), planted.name
            refused.add(planted.code)
    assert refused == {kind.code for kind in KINDS.values() if kind.family == "schema"} - {"schema.invalid"}


def test_the_xsd_describes_every_card() -> None:
    for card in _CARDS:
        _XSD.assertValid(_xml(card))


def test_the_xml_form_holds_every_value_in_order() -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for item in value.values() for text in texts(item)]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return [str(value).lower() if isinstance(value, bool) else str(value)]

    for sample in _FULL:
        card = orjson.loads(canonical_bytes(CARD.validate_json(orjson.dumps(sample))))
        assert [element.text for element in _xml(card).iter() if len(element) == 0] == texts(card)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pupil/personal_number", "03321500001"),
        ("class/grade", "13"),
        ("class/name", "Lớp chất lượng cao"),
        ("class/name", ""),
        ("year/training/year", "G"),
        ("year/subjects/year", "11"),
        ("year/subjects/name", "Giáo dục quốc phòng và an ninh"),
        ("year/absences", "301"),
        ("year/promoted", "có"),
        ("issue/issued_on", "20/06/2026"),
        ("kind", "primary"),
    ],
)
def test_the_xsd_refuses(path: str, text: str) -> None:
    root = _xml(secondary_card())
    element = root.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    assert element is not None
    element.text = text
    assert not _XSD.validate(root)


def test_the_xsd_refuses_unknown_missing_and_too_many_elements() -> None:
    unknown, missing, many = (_xml(secondary_card()) for _ in range(3))
    etree.SubElement(unknown, etree.QName(unknown, "nickname"))
    missing.remove(missing.find("{*}pupil"))
    year = many.find("{*}year")
    for _ in range(20):
        year.insert(0, etree.fromstring(etree.tostring(year[0])))
    assert [_XSD.validate(root) for root in (unknown, missing, many)] == [False, False, False]


def test_every_finding_stands_in_the_catalogue_page_in_both_languages() -> None:
    page = check_generated.findings_page().decode()
    for kind in (*KINDS.values(), *MAPPING_KINDS.values()):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind.code}` |"))
        assert kind.message_vi.replace("|", r"\|") in row
        assert kind.message_en.replace("|", r"\|") in row


def test_the_repository_holds_the_documents_that_the_code_generates() -> None:
    assert check_generated.stale(Path(__file__).parents[3]) == []


def test_a_document_that_differs_is_named(tmp_path: Path) -> None:
    every = [path for path, _ in check_generated.GENERATED]
    assert check_generated.stale(tmp_path) == every
    check_generated.write(tmp_path)
    assert check_generated.stale(tmp_path) == []
    (tmp_path / every[0]).write_bytes(b"{}")
    assert check_generated.stale(tmp_path) == every[:1]


def test_the_script_exits_with_1_and_names_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_generated, "_ROOT", tmp_path)
    assert check_generated.main([]) == 1
    assert "docs/findings.md" in capsys.readouterr().err
    assert check_generated.main(["--write"]) == 0
    assert check_generated.main([]) == 0
