"""Cards written as a vendor would send them, translated by the profile of that name, are the same cards again."""

import io
import json
import os
import zipfile
from collections import Counter
from itertools import islice

import pytest

from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.document import JSON
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.records.record import json_records, parse_xml, xml_records
from hocba_hub.mappings.schemas import target_schema
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS

CARDS = int(os.environ.get("HOCBA_ROUND_TRIP", "400"))
KINDS = {
    "signed-card": {"primary", "secondary", "continuing"},
    "soap-vendor": {"primary", "secondary", "continuing"},
    "vendor-flat-primary": {"primary"},
    "vendor-flat-secondary": {"secondary", "continuing"},
}
"""The kinds of cards that a format holds."""


def records_of(document, source):
    """The records of what a writer wrote."""
    if source.format == JSON:
        yield from json_records(json.loads(document), source)
        return
    single = zipfile.is_zipfile(io.BytesIO(document))
    for one in unzipped(document) if single else [document]:
        yield from xml_records(parse_xml(one.decode()), source)


def unzipped(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in files.namelist():
            yield files.read(name)


def came_back(name, cards):
    """The canonical bytes of what the profile makes of the cards that its writer wrote; nothing may be found wrong."""
    mapping = compile_mapping(shipped_library().select(name), shipped_tables())
    file = io.BytesIO()
    assert WRITERS[name](cards, file) == len(cards)
    for record in records_of(file.getvalue(), mapping.document.source):
        made = mapping.translate(record)
        assert made.findings == ()
        reading = read_card(json.dumps(made.output).encode())
        assert reading.findings == []
        yield reading.canonical


@pytest.mark.parametrize("name", KINDS)
def test_the_same_cards_come_back(name):
    held = (raw for raw in generate(10 * CARDS, 20261124, schools=200) if json.loads(raw)["kind"] in KINDS[name])
    cards = list(islice(held, CARDS))
    assert len(cards) == CARDS
    kinds = Counter()
    back = came_back(name, list(map(json.loads, cards)))
    for raw, canonical in zip(cards, back, strict=True):
        assert canonical == raw
        kinds[json.loads(raw)["kind"]] += 1
    assert set(kinds) == KINDS[name]


def fullest(card):
    """The card with every field that a card of its kind can have, and values that synthetic cards do not have."""
    card |= {
        "status": "recalled",
        "transcribed": True,
        "circular": "TT22/2016" if card["kind"] == "primary" else "TT58/2011",
    }
    card["school"]["district_name"] = "Huyện Mẫu"
    card["family"] = {who: {"full_name": "Đỗ Thị Mẫu", "job": "thợ may"} for who in ("father", "mother", "guardian")}
    pupil, year = card["pupil"], card["year"]
    pupil |= {"gender": "0", "passport_number": "C0000001", "policy_category": "Hộ nghèo", "birth": "2015-02"}
    pupil["birthplace"] = {"address": "Xã Mẫu", "commune_code": "11953", "commune_list": "2025", "province_code": "33"}
    card["study_history"] = [
        {
            "school_year": "2024-2025",
            "class_name": "Lớp Mẫu",
            "school_name": "Trường Mẫu",
            "province_name": "Hưng Yên",
            "arrived_on": "2024-10-01",
        }
    ]
    if card["kind"] == "primary":
        year |= {"weight_kg": "23.4", "height_cm": "128.5", "result": "Hoàn thành", "comment_on_qualities": "Ngoan"}
        year |= {"completion_text": "Xong", "reward_text": "Giấy khen", "sudden_reward_text": "Thưởng"}
        return card
    marks = {"regular": ["8", "7.5"], "midterm": "9", "final": "10"}
    year["subjects"][0] |= {"retest": "5.0", "term1_marks": marks, "term2_marks": marks}
    year["subjects"][1]["term2_marks"] = {"regular": ["0"]}
    year["learning"]["again"], year["training"]["again"] = "Đ", "K"
    texts = ("completion_text", "reward_text", "contests_text", "summer_training_text", "discipline_text")
    year |= {name: f"Nội dung {name}" for name in (*texts, "graduation_text")}
    year |= {"title": "Học sinh Xuất sắc", "overall_average": "10.0", "graduation_eligible": True}
    year["certificates"] = [{"name": "Chứng chỉ", "kind": "Tin học"}, {"kind": "Ngoại ngữ"}]
    return card


def names_in(node, above=""):
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{above}/{name}"
            yield from names_in(value, f"{above}/{name}")
    elif isinstance(node, list):
        for value in node:
            yield from names_in(value, above)


@pytest.mark.parametrize("name", KINDS)
def test_every_field_that_a_card_can_have_comes_back(name):
    seen = {}
    for raw in generate(400, 9, schools=40):
        seen.setdefault(json.loads(raw)["kind"], fullest(json.loads(raw)))
    cards = [read_card(json.dumps(seen[kind]).encode()) for kind in sorted(KINDS[name])]
    assert [reading.findings for reading in cards] == [[]] * len(cards)
    for reading in cards:
        whole = {path.replace("[]", "") for path, _ in target_schema("report-card").variant(reading.card.kind).walk()}
        assert whole <= {path.removeprefix("/") for path in names_in(json.loads(reading.canonical))}
    assert list(came_back(name, [json.loads(one.canonical) for one in cards])) == [one.canonical for one in cards]


@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"signed-card"}))
@pytest.mark.parametrize(
    "change",
    [
        {"residence": {"address": "Xã Mẫu", "commune_code": "11956", "commune_list": "before-2025"}},
        {"ethnic_code": "01", "ethnic_list": "QCVN109"},
    ],
)
def test_what_a_form_cannot_hold_is_refused_and_never_left_out(name, change):
    kinds = KINDS[name]
    card = next(one for one in map(json.loads, generate(200, 5, schools=20)) if one["kind"] in kinds)
    card["pupil"] |= change
    with pytest.raises((ValueError, KeyError)):
        WRITERS[name]([card], io.BytesIO())


@pytest.mark.parametrize("name", KINDS)
def test_the_cards_that_a_form_does_not_hold_are_left_out_and_not_counted(name):
    cards = [json.loads(raw) for raw in generate(200, 5, schools=20)]
    held = sum(card["kind"] in KINDS[name] for card in cards)
    assert WRITERS[name](cards, io.BytesIO()) == held
