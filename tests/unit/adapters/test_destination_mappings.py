"""Canonical cards as the destinations want them: names, values, children, keys; and what they could not hold."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub import adapters
from hocba_hub.adapters.contracts import PROVINCE_OPENAPI
from hocba_hub.adapters.destination import DestinationError, load_destinations
from hocba_hub.adapters.protocol import OutboundRecord
from hocba_hub.adapters.translation import (
    NotRepresentableError,
    Translations,
)
from hocba_hub.intake.deliverability import Deliverability
from hocba_hub.mappings.check.deliverability import deliverability_check, undeliverable
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library
from hocba_hub.mappings.library.mapping_set import MappingFileError, MappingSet, mappings_beside, shipped_mappings
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas import field_rows, target_schema
from hocba_hub.mappings.schemas.delivery_facts import envelope_facts
from hocba_hub.mappings.schemas.targets import from_json_schema
from hocba_hub.model.card import CARD, canonical_bytes
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolCode, SchoolYear, Version
from hocba_hub.sandbox.contract import record_check
from hocba_hub.sandbox.synthetic.cards import generate
from scripts import dictionary
from tests.support.sample_cards import continuing_card, primary_card, secondary_card

SCHEMAS = yaml.safe_load(PROVINCE_OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"]
ACCEPTED = datetime(2026, 6, 30, 17, 30, 15, 123456, tzinfo=UTC)
PROVINCE = load_destinations(Path(adapters.__file__).parent / "destinations", {})["province"]
MAPPINGS = shipped_mappings()
TRANSLATIONS = Translations(PROVINCE, shipped_mappings)
DELIVERABILITY = Deliverability([PROVINCE])
CARDS = [primary_card(), secondary_card(), continuing_card()]
RESULT = "ketquahoctapththcsthpttx"


def outbound(card, version: int = 3, event: Event = Event.UPDATE) -> OutboundRecord:
    card_id = CardId(card["card_id"] if isinstance(card, dict) and "card_id" in card else "x")
    content = b"" if card is None else orjson.dumps(card)
    return OutboundRecord(
        delivery_id=1,
        key=CardKey(SchoolYear("2025-2026"), card_id),
        version=Version(version),
        event=event,
        school=SchoolCode("33000123"),
        accepted_at=ACCEPTED,
        canonical=content,
        document=content,
        document_type="application/json",
    )


def records_of(card, version: int = 3, event: Event = Event.UPDATE):
    return TRANSLATIONS.represent(outbound(card, version, event)).records


def record_of(card, version: int = 3, event: Event = Event.UPDATE):
    (record,) = records_of(card, version, event)
    return record


def held(card):
    return DELIVERABILITY.findings(MAPPINGS, card["kind"], card["school_year"], lambda: card)


def without_absent(card):
    """The card as the hub keeps it: defaults and absent values left out."""
    return orjson.loads(canonical_bytes(CARD.validate_json(orjson.dumps(card))))


@pytest.mark.parametrize("card", CARDS[:2], ids=lambda card: card["kind"])
def test_a_full_card_fills_every_field_of_its_table(card):
    record = record_of(without_absent(card))
    assert record_check()(record) is None
    table = record["bang"]
    expected = set(SCHEMAS[table]["properties"]) - {"thangnamsinh", "namsinh"}
    assert set(record) == expected
    for name, rows in record.items():
        if isinstance(rows, list):
            assert set().union(*rows) == set(SCHEMAS[name]["properties"])


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card["kind"])
def test_the_least_card_still_fits_the_contract(card):
    least = copy.deepcopy(card)
    for part, names in {
        "pupil": ("policy_category", "not_assessed", "passport_number"),
        "school": ("commune_code", "district_name"),
        "class": ("code",),
        "": ("register_number", "family", "study_history", "status", "transcribed"),
        "year": ("completion_text", "reward_text", "title", "certificates", "weight_kg", "height_cm", "result"),
    }.items():
        for name in names:
            (least[part] if part else least).pop(name, None)
    made = records_of(without_absent(least))
    assert [record_check()(record) for record in made] == [None] * len(made)
    if len(made) > 1:
        return
    (record,) = made
    assert (record["trangthaithongtinhocba"], record["trichluc"], record["cokhuyettatkhongdanhgia"]) == (
        "1",
        False,
        False,
    )


def test_the_envelope_is_in_vietnam_time_and_the_same_in_every_attempt():
    record = record_of(secondary_card())
    assert {
        "idbanghi": "2025-2026/HB-secondary-000001",
        "sukien": "UPDATE",
        "phienban": 3,
        "thoigiancapnhat": "2026-07-01T00:30:15",
        "ngaycapnhat": "2026-07-01T00:30:15",
        "phienbanthongtinhocba": "3",
    }.items() <= record.items()
    assert record_of(secondary_card()) == record


def test_a_recall_is_the_envelope_and_the_key():
    record = record_of(None, event=Event.CANCEL)
    assert set(record) == {*SCHEMAS["envelope"]["required"], "madinhdanhhocba", "namhoc"}
    assert record_check()(record) is None


def test_values_as_the_dictionary_writes_them():
    primary, secondary = record_of(primary_card()), record_of(secondary_card())
    assert (primary["cannang"], primary["chieucao"], primary["makhoi"]) == (28.5, 131.0, "4")
    assert primary["thongtinsohocbasotieuhoc_dsbangdiem"][1]["mucdatduoc"] == "M"
    assert (secondary["hotencha"], secondary["nghenghiepcha"]) == ("Nguyễn Văn Mẫu", "nông dân")
    assert (secondary["hocky1"], secondary["renluyenlai"], secondary["sobuoinghi"]) == ("K", "Đ", 3)
    none = secondary_card()
    none["year"]["absences"] = 0
    assert "sobuoinghi" not in record_of(none)
    recalled = {**secondary_card(), "status": "recalled"}
    assert record_of(recalled)["trangthaithongtinhocba"] == "2"


@pytest.mark.parametrize(
    ("birth", "field"), [("2015-09-02", "ngaythangnamsinh"), ("2015-09", "thangnamsinh"), ("2015", "namsinh")]
)
def test_three_precisions_of_a_birth_date(birth, field):
    card = primary_card()
    card["pupil"]["birth"] = birth
    found = {name: value for name, value in record_of(card).items() if name.endswith("namsinh")}
    assert found == {field: birth}


def test_a_commune_code_of_another_list_is_left_out():
    card = primary_card()
    card["pupil"]["hometown"] = {**card["pupil"]["hometown"], "commune_list": "before-2025"}
    record = record_of(card)
    assert record["noisinh_maxa"] == "12391"
    assert "quequan_maxa" not in record
    assert record["quequan_diachichitiet"] == "Xã Mẫu, Hưng Yên"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card["kind"])
def test_technical_keys_are_distinct_stable_and_linked(card):
    keys = []
    for record in records_of(card):
        table = record["bang"]
        keys.append(record[f"key{table}"])
        for name, rows in record.items():
            for row in rows if isinstance(rows, list) else ():
                assert row[f"key{table}"] == record[f"key{table}"]
                (own,) = [value for key, value in row.items() if key in (f"key{name}", f"keyt{name}")]
                keys.append(own)
    assert len(set(keys)) == len(keys) > 3
    assert all(re.fullmatch("[0-9a-z]{28,32}", key) for key in keys)


def test_a_card_of_continuing_education_is_three_learning_results():
    card = continuing_card()
    card["year"]["subjects"][1] |= {"term1": "Đ", "term2": "CĐ", "year": "M"}
    made = records_of(card)
    check = record_check()
    assert [check(record) for record in made] == [None] * 3
    facts = [(record["idbanghi"].rpartition("000001")[2], record["hocky"], record["mahocluc"]) for record in made]
    assert facts == [("/1", "1", "2"), ("/2", "2", "1"), ("", "3", "1")]
    assert [record[f"{RESULT}_diemmon"][0]["diem"] for record in made] == [8, 7.5, 7.7]
    assert {len(record[f"{RESULT}_diemmon"]) for record in made} == {6}
    assert {record["colenlop"] for record in made} == {"1"}
    assert (made[2]["diemtongket"], made[2]["madanhhieu"], made[2]["corenluyenlai"]) == (7.9, "Học sinh Giỏi", "1")
    assert not {"diemtongket", "madanhhieu"} & (made[0].keys() | made[1].keys())
    fields = set().union(*made)
    assert set(SCHEMAS[RESULT]["properties"]) - fields == {
        *("thangnamsinh", "namsinh", "songaynghi"),
        f"{RESULT}_cogndannuocngoai",
    } - {"thangnamsinh", "namsinh"}


def test_a_foreign_pupil_of_continuing_education_is_in_the_other_child_table():
    card = continuing_card()
    card["pupil"]["nationality"] = "LA"
    del card["pupil"]["personal_number"]
    for record in records_of(card):
        assert record_check()(record) is None
        assert f"{RESULT}_nguoivn" not in record
        (row,) = record[f"{RESULT}_cogndannuocngoai"]
        assert (row["hotennn"], row["sogiaytoxnc"], row["quoctichnn"]) == ("Nguyễn Thị Đỗ Mẫu", "C0000001", "LA")


def test_a_recall_of_learning_results_recalls_each_of_them():
    made = records_of(continuing_card(), 4, Event.CANCEL)
    assert [record_check()(record) for record in made] == [None] * 3
    assert {record["sukien"] for record in made} == {"CANCEL"}
    assert {record["idbanghi"] for record in made} == {record["idbanghi"] for record in records_of(continuing_card())}


@pytest.mark.parametrize(
    "card",
    [
        None,
        {},
        [],
        {"kind": "other"},
        {"kind": []},
        {"kind": "primary"},
        {**primary_card(), "pupil": "x"},
        {**primary_card(), "status": "unknown"},
        {**primary_card(), "pupil": {**primary_card()["pupil"], "birth": "20"}},
        {**secondary_card(), "year": {"subjects": [1]}},
    ],
)
def test_what_is_no_card_is_refused_without_its_values(card):
    with pytest.raises(NotRepresentableError) as caught:
        records_of(card)
    assert "Mẫu" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["pupil", "year", "school", "family", "study_history", "status", "class"]), JSON)
def test_any_damage_is_written_or_refused(part, damage):
    try:
        orjson.dumps(record_of({**secondary_card(subjects=1), part: damage}))
    except (NotRepresentableError, TypeError):  # orjson's limit of integers is a TypeError
        return


@cache
def synthetic():
    return [orjson.loads(raw) for raw in generate(600, 20261124)]


@pytest.mark.parametrize("kind", ["primary", "secondary", "continuing"])
def test_every_synthetic_card_fits_the_contract_and_the_dictionary(kind):
    cards = [card for card in synthetic() if card["kind"] == kind]
    assert cards
    name = PROVINCE.mappings[kind]
    document = MAPPINGS.shipped.select(name)
    strict = compile_mapping(document, MAPPINGS.tables, target_schema(document.target))
    for card in cards:
        assert held(card) == []
        assert [problem for record in records_of(card) if (problem := record_check()(record))] == []
        facts = envelope_facts(
            CardKey(SchoolYear("2025-2026"), CardId(card["card_id"])), Version(1), Event.NEW, ACCEPTED
        )
        assert strict.translate(JsonRecord({**card, "delivery": facts})).findings == ()


def test_what_a_destination_could_not_hold_is_found_with_its_place_in_the_card():
    card = continuing_card()
    card["year"]["homeroom_comment"] = "x" * 256
    card["year"]["reward_text"] = "x" * 300
    del card["pupil"]["personal_number"]
    found = {(f.kind.code, f.pointer, f.facts["destination"], f.facts["field"], f.expected) for f in held(card)}
    assert found == {
        ("destination.too-long", "/year/homeroom_comment", "province", "nhanxet", "255"),
        ("destination.too-long", "/year/reward_text", "province", "khenthuong", "255"),
        ("destination.missing", "/pupil/personal_number", "province", "sodinhdanh", ""),
    }
    for finding in held(card):
        shown = finding.as_json()
        assert "province" in shown["message_en"]
        assert "province" in shown["message_vi"]
        assert "xxx" not in str(shown)


TIGHT = """mapping: tight
version: 1.0.0
source: {format: json, schema: secondary-delivery}
target: t
fields:
  lop: {from: class/name, required: true}
  so: pupil/personal_number
  mon: {each: year/subjects, fields: {ten: {from: name, required: true}, diem: year}}
"""


def tight(**limits):
    """A destination of which some limits are tighter than the model's."""
    text = {name: {"type": "string", "maxLength": limits.get(name, 2000)} for name in ("lop", "so", "ten", "diem")}
    text["diem"] |= {"pattern": limits.get("form", "")} if "form" in limits else {}
    item = {"type": "object", "properties": {"ten": text["ten"], "diem": text["diem"]}}
    required = ["so"] if limits.get("needs_number") else []
    return {
        "type": "object",
        "properties": {"lop": text["lop"], "so": text["so"], "mon": {"type": "array", "items": item}},
        "required": required,
    }


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"lop": 10, "ten": 20, "diem": 4, "so": 12}, None),
        ({"lop": 1}, {("destination.too-long", "/class/name", "lop", "1")}),
        ({"ten": 4}, {("destination.too-long", f"/year/subjects/{n}/name", "ten", "4") for n in range(3)}),
        (
            {"form": "^[0-9]$"},
            {("destination.not-held", f"/year/subjects/{n}/year", "diem", "^[0-9]$") for n in range(3)},
        ),
        ({"needs_number": True}, {("destination.missing", "/pupil/personal_number", "so", "")}),
    ],
)
def test_only_what_a_card_could_get_wrong_is_looked_at(limits, expected):
    check = deliverability_check("tight", load_document(TIGHT), {}, from_json_schema(tight(**limits)))
    assert (check.mapping is None) is (expected is None)
    card = secondary_card(subjects=3)
    del card["pupil"]["personal_number"]
    found = {(f.kind.code, f.pointer, f.facts["field"], f.expected) for f in undeliverable(card, [check])}
    assert found == (expected or set())


def test_a_card_of_school_is_not_even_parsed_since_the_model_is_as_strict_as_the_destinations():
    def never():
        raise AssertionError

    for kind in ("primary", "secondary"):
        assert DELIVERABILITY.findings(MAPPINGS, kind, "2025-2026", never) == []


def test_versions_of_a_mapping_live_side_by_side_by_school_year():
    newer = """mapping: ndc-recall
version: 2.0.0
applies: {school-years: [2026-2027]}
source: {format: json, schema: delivery}
target: ndc-recall-record
fields: {idbanghi: {from: delivery/record_id, required: true}, moi: {value: "1"}}
"""
    library = Library((*MAPPINGS.shipped.documents, load_document(newer)), {})
    translations = Translations(PROVINCE, lambda: MappingSet(library, MAPPINGS.tables))
    record = outbound(None, event=Event.CANCEL)
    assert "moi" not in translations.represent(record).records[0]
    key = CardKey(SchoolYear("2026-2027"), CardId("x"))
    later = OutboundRecord(1, key, record.version, Event.CANCEL, record.school, ACCEPTED, b"", b"", "")
    assert translations.represent(later).records == [{"idbanghi": "2026-2027/x", "moi": "1"}]


def test_a_mapping_that_is_not_there_is_named():
    wrong = PROVINCE.model_copy(update={"mappings": {"card": "nothing-such"}})
    with pytest.raises(DestinationError, match="nothing-such"):
        Translations(wrong, shipped_mappings)
    with pytest.raises(NotRepresentableError):
        Translations(PROVINCE.model_copy(update={"mappings": {}}), shipped_mappings).represent(outbound(primary_card()))


def unheld(library: Library) -> list[tuple[str, str]]:
    """The fields of the dictionary that are neither written nor listed with a reason."""
    return [
        (one.table, one.field)
        for name in dictionary.MAPPINGS
        for one in dictionary.held(library.select(name))
        if not one.source and (one.table, one.field) not in dictionary.NOT_HELD
    ]


def test_every_field_of_the_dictionary_is_written_or_listed_with_a_reason():
    assert unheld(MAPPINGS.shipped) == []
    for name in dictionary.MAPPINGS:
        fields = {(one.table, one.field): one for one in dictionary.held(MAPPINGS.shipped.select(name))}
        for row in field_rows(MAPPINGS.shipped.select(name).target):
            one = fields[row["table"], row["field"]]
            assert one.source or one.remark


def test_a_field_that_no_rule_writes_is_not_passed_over():
    given = orjson.loads(orjson.dumps(MAPPINGS.shipped.select("ndc-secondary").given))
    del given["fields"]["tenhuyen"]
    others = (document for document in MAPPINGS.shipped.documents if document.name != "ndc-secondary")
    library = Library((load_document(yaml.safe_dump(given)), *others), {})
    assert unheld(library) == [("thongtinsohocbasothcsthpt", "tenhuyen")]


def test_a_format_is_added_without_programming(tmp_path):
    (tmp_path / "mappings").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "mappings" / "own.yaml").write_text(TIGHT, encoding="utf-8")
    (tmp_path / "schemas" / "t.json").write_bytes(orjson.dumps(tight(lop=1)))
    mappings = mappings_beside(tmp_path)
    own = PROVINCE.model_copy(update={"name": "own", "mappings": {"card": "tight"}})
    (record,) = Translations(own, lambda: mappings).represent(outbound(secondary_card(subjects=1))).records
    assert record == {"lop": "8A", "so": "033315000001", "mon": [{"ten": "Môn 0", "diem": "7.7"}]}
    findings = Deliverability([own]).findings(mappings, "secondary", "2025-2026", secondary_card)
    assert [(f.kind.code, f.pointer, f.facts["destination"]) for f in findings] == [
        ("destination.too-long", "/class/name", "own")
    ]
    (tmp_path / "schemas" / "u.csv").write_text("table,field,type,max_length\nr,lop,varchar,3\n", encoding="utf-8")
    assert mappings_beside(tmp_path).schemas["u"].find("lop").longest == 3


@pytest.mark.parametrize(
    ("file", "text"), [("mappings/own.yaml", "mapping: x"), ("schemas/t.json", "["), ("schemas/t.csv", "")]
)
def test_a_file_beside_the_destinations_that_cannot_be_read_is_named(tmp_path, file, text):
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingFileError, match=path.name):
        mappings_beside(tmp_path)
