"""A mapping tried all the way: what would become of each record, as if it were sent."""

import json

import pytest

from hocba_hub import bootstrap
from hocba_hub.intake.trial import Summary
from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.schemas import target_schema
from hocba_hub.mappings.schemas.targets import from_json_schema
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.consistency import NEEDED
from hocba_hub.model.reading import read_card
from hocba_hub.settings import Settings
from tests.support.sample_cards import continuing_card, primary_card, secondary_card
from tests.support.vendor_records import NAME, SOURCE, flat

TABLES = shipped_tables()
PROFILES = [one for one in shipped_library().documents if one.target == "report-card"]


def trial(document):
    return bootstrap.trial(Settings(), document, TABLES)


@pytest.mark.parametrize("document", PROFILES, ids=lambda one: one.name)
def test_every_profile_has_an_example_that_is_accepted(document):
    tried = trial(document)
    assert "mapping.check.none-accepted" not in {one.kind.code for one in tried.against_examples()}


def test_the_records_of_a_file_are_judged_as_if_they_were_sent(tmp_path):
    file = tmp_path / "x.json"
    wrong = [flat(2, danToc="Nhóm lạ"), flat(3, danToc="Nhóm lạ", tenLop=""), flat(4, danhHieu="Học sinh Xuất sắc")]
    file.write_text(json.dumps({"hocBa": [flat(1), *wrong]}), encoding="utf-8")
    judged = list(trial(load_document(SOURCE)).of_file(file))
    assert [(one.position, one.accepted) for one in judged[:3]] == [(0, True), (1, False), (2, False)]
    summary = Summary(load_document(SOURCE))
    for one in judged:
        summary.add(one)
    assert (summary.records, summary.unreadable) == (4, 0)
    first = summary.by_weight()[0]
    assert (first.finding.kind.code, first.records, first.position) == ("mapping.table.unknown", 2, 1)
    assert first.finding.pointer == "/danToc"
    assert summary.unmapped == {("ethnic-groups", "Nhóm lạ"): 2}
    assert summary.unread() == []
    less = Summary(load_document(SOURCE.replace("  class/code: maLop\n", "")))
    for one in judged:
        less.add(one)
    assert less.unread() == ["maLop"]
    codes = [cause.finding.kind.severity.value for cause in summary.by_weight()]
    assert codes == sorted(codes, key=lambda severity: severity != "error")


@pytest.mark.parametrize(
    ("content", "records", "code"),
    [(b'{"hocBa": [{}, {"a": ', 1, "body.not-json"), (b"{}", 0, "profile.records")],
)
def test_a_file_that_cannot_be_read_to_its_end_is_found_out(tmp_path, content, records, code):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    judged = list(trial(load_document(SOURCE)).of_file(file))
    assert judged[-1].position == -1
    assert len(judged) <= records + 1
    assert judged[-1].findings[0].kind.code == code


def test_examples_that_pass_are_no_proof_of_a_card():
    text = SOURCE.replace('hocTapCn: "1"', 'hocTapCn: "2"').replace(
        "{term1: K, term2: T, year: T,", "{term1: K, term2: T, year: K,"
    )
    document = load_document(text)
    assert check(document, TABLES, target_schema("report-card")) == []
    found = trial(document).against_examples()
    assert [one.kind.code for one in found] == ["mapping.check.none-accepted", *["mapping.check.example-refused"] * 3]
    assert found[1].expected == "secondary.title.good /danhHieu"
    assert "Dòng 175" in found[1].as_json()["message_vi"]


@pytest.mark.parametrize("name", [NAME, "vendor-flat-primary"])
def test_the_check_asks_for_what_a_card_is_refused_without(name):
    document = shipped_library().select(name)
    kind = "primary" if name.endswith("primary") else "secondary"
    for path in NEEDED[kind]:
        given = json.loads(json.dumps(document.given))
        _drop(given["fields"], path.split("/"))
        less = load_document(json.dumps(given))
        missing = [
            str(one.facts.get("target"))
            for one in check(less, TABLES, target_schema("report-card"))
            if one.kind.code == "mapping.check.target-unmapped"
        ]
        assert path in missing


def _drop(fields, names):
    """Take the rule for a target out of a document's fields, however it is written."""
    for length in range(len(names), 0, -1):
        key = "/".join(names[:length]).removesuffix("[]")
        if key in fields:
            if length == len(names):
                del fields[key]
            else:
                rule = fields[key]
                _drop((rule[0] if isinstance(rule, list) else rule)["fields"], names[length:])
            return
    raise AssertionError(names)


@pytest.mark.parametrize("card", [primary_card(), secondary_card(), continuing_card()], ids=lambda card: card["kind"])
def test_a_card_without_what_is_needed_is_refused(card):
    for path in NEEDED[card["kind"]]:
        if "[]" in path:
            continue  # a rule asks for the results of subjects; see the rules' own tests
        less = json.loads(json.dumps(card))
        less["pupil"] |= {"nationality": "VN", "not_assessed": False}
        *above, last = path.split("/")
        here = less
        for name in above:
            here = here[name]
        del here[last]
        assert read_card(json.dumps(less).encode()).card is None, path


def test_required_parts_of_what_is_not_mapped_are_named_one_by_one():
    schema = from_json_schema(
        {
            "type": "object",
            "required": ["school", "rows"],
            "properties": {
                "school": {
                    "type": "object",
                    "required": ["code", "place"],
                    "properties": {
                        "code": {"type": "string"},
                        "no": {"type": "string"},
                        "place": {"type": "object", "required": ["x"], "properties": {"x": {}}},
                    },
                },
                "rows": {
                    "type": "array",
                    "items": {"type": "object", "required": ["y"], "properties": {"y": {}, "z": {}}},
                },
                "other": {},
            },
        }
    )
    document = load_document("mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\nfields: {other: o}")
    found = [str(one.facts["target"]) for one in check(document, {}, schema) if "unmapped" in one.kind.code]
    assert found == ["school/code", "school/place/x", "rows[]/y"]
