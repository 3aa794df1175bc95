"""Canonical cards as NDC records: names, values, children and keys, held against the province's contract."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.adapters.contracts import PROVINCE_OPENAPI
from hocba_hub.mappings.ndc import NdcError, ndc_record
from hocba_hub.model.card import CARD, canonical_bytes
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear, Version
from hocba_hub.sandbox.contract import record_check
from tests.sample_cards import continuing_card, primary_card, secondary_card

SCHEMAS = yaml.safe_load(PROVINCE_OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"]
ACCEPTED = datetime(2026, 6, 30, 17, 30, 15, 123456, tzinfo=UTC)
CARDS = [primary_card(), secondary_card(), continuing_card()]


def record_of(card, version: int = 3, event: Event = Event.UPDATE):
    key = CardKey(SchoolYear("2025-2026"), CardId((card or {}).get("card_id", "x")))
    return ndc_record(key, Version(version), event, ACCEPTED, card)


def without_absent(card):
    """The card as the hub keeps it: defaults and absent values left out."""
    return orjson.loads(canonical_bytes(CARD.validate_json(orjson.dumps(card))))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card["kind"])
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
    record = record_of(without_absent(least))
    assert record_check()(record) is None
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
    assert record_of(continuing_card())["macaphoc"] == "05"
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


def test_technical_keys_are_distinct_stable_and_linked():
    record = record_of(secondary_card())
    table = "thongtinsohocbasothcsthpt"
    keys = [record[f"key{table}"]]
    for child in ("bangdiem", "quatrinhhoctap", "chungchi"):
        for row in record[f"{table}_{child}"]:
            assert row[f"key{table}"] == record[f"key{table}"]
            keys.append(row[f"key{table}_{child}"])
    assert len(set(keys)) == len(keys) == 17
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


@pytest.mark.parametrize(
    "card",
    [
        None,
        {},
        [],
        {"kind": "other"},
        {"kind": []},
        {**primary_card(), "pupil": "x"},
        {**primary_card(), "status": "unknown"},
        {**primary_card(), "pupil": {**primary_card()["pupil"], "birth": "20"}},
        {**secondary_card(), "year": {"subjects": [1]}},
    ],
)
def test_what_is_no_card_is_refused_without_its_values(card):
    with pytest.raises(NdcError) as caught:
        ndc_record(CardKey(SchoolYear("2025-2026"), CardId("x")), Version(1), Event.NEW, ACCEPTED, card)
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
    except (NdcError, TypeError):  # orjson's limit of integers is a TypeError
        return
