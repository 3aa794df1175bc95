"""A vendor's record becomes a canonical card; everything against it is told at the vendor's own place."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import orjson
import pytest

from hocba_hub.intake.translate import Translated, translate
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library, MappingNotFoundError, shipped_library
from hocba_hub.mappings.library.mapping_set import InForce, MappingSet
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.reading import read_card
from hocba_hub.store.bodies import unpack

TABLES = shipped_tables()
NAME = "vendor-flat-secondary"


@cache
def mapping_set() -> MappingSet:
    return MappingSet(shipped_library(), TABLES)


def record(**changes: Any) -> dict[str, Any]:
    """The record of the shipped profile's first example."""
    example = mapping_set().select(NAME).examples[0].input["hocBa"][0]
    return {**example, **changes}


def translated(
    raw: dict[str, Any] | bytes, some: MappingSet | None = None, name: str = NAME, **facts: Any
) -> Translated:
    return translate(raw if isinstance(raw, bytes) else orjson.dumps(raw), some or mapping_set(), name, **facts)


def judged(made: Translated) -> list[tuple[str, str, str | int | None]]:
    found = made.at_source(read_card(made.canonical).findings)
    assert all(one.as_json() for one in found)
    return [(one.kind.code, one.pointer, one.facts.get("target")) for one in found]


def test_a_right_record_becomes_a_card():
    made = translated(record())
    assert (made.findings, made.unmapped) == ((), ())
    reading = read_card(made.canonical)
    assert reading.findings == []
    assert reading.card.card_id == record()["maHocBa"]


def test_what_the_model_says_comes_at_the_vendors_place_with_the_target():
    made = translated(record(maHocBa="HB 2026/1", maTruong="?"))
    assert made.findings == ()
    assert [(place, target) for _, place, target in judged(made)] == [
        ("/maHocBa", "card_id"), ("/maTruong", "school/code"),
    ]  # fmt: skip


def test_what_could_not_be_translated_is_said_once():
    wrong = {key: value for key, value in record(danToc="Nobody's").items() if key not in {"noiSinh", "queQuan"}}
    found = judged(translated(wrong))
    assert sorted(place for _, place, _ in found) == ["/danToc", "/noiSinh", "/queQuan"]
    assert {code for code, _, _ in found} == {"mapping.table.unknown", "mapping.value.missing"}


def test_of_a_list_the_very_item_is_named():
    subjects = [dict(one) for one in record()["diem"]]
    subjects[1]["ma"], subjects[2]["nhanXet"] = "XYZ", "x" * 5_000
    found = judged(translated(record(diem=subjects)))
    assert {(place, target) for _, place, target in found} == {
        ("/diem/1/ma", "year/subjects[]/code"),
        ("/diem/2/nhanXet", "year/subjects[]/comment"),
    }


def test_a_record_waits_only_if_nothing_but_codes_stands_against_it():
    only = translated(record(danToc="Nobody's"))
    assert only.unmapped == (UnmappedCode("ethnic-groups", "name", "Nobody's", "qd121"),)
    raw = b"the record"
    kept = only.sent(raw, only.reading().findings)
    assert (kept.mapping, unpack(kept.original), kept.revision) == (NAME, raw, mapping_set().revision)
    assert kept.waits
    for wrong in (record(danToc="Nobody's", noiSinh=""), record(danToc="Nobody's", maTruong="?")):
        assert not translated(wrong).sent(raw, translated(wrong).reading().findings).waits
    too_long = translated(record(danToc="x" * 80))  # to be a code, so nobody is asked
    assert not too_long.sent(raw, too_long.reading().findings).waits


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "json.malformed"),
        (b"", "json.malformed"),
        (b"\xff", "json.malformed"),
        (b"[1]", "mapping.source.not-a-record"),
        (b"null", "mapping.source.not-a-record"),
    ],
)
def test_what_is_no_record_is_said(raw: bytes, code: str):
    made = translated(raw)
    assert [one.kind.code for one in made.findings] == [code]
    assert made.findings[0].as_json()


def test_the_version_is_that_of_the_cards_school_year():
    text = "mapping: m\nversion: {}\nsource: {{format: json}}\ntarget: t\nfields: {{v: {{value: {}}}, school_year: y}}"
    versions = [load_document(text.format(f"1.{n}.0", n)) for n in range(3)]
    some = MappingSet(
        Library((versions[0],), {}),
        TABLES,
        in_force=[
            InForce(versions[1], ActivationScope(school_year="2025-2026")),
            InForce(versions[2], ActivationScope(client="north")),
        ],
    )

    def version(year: str, **facts: Any) -> int:
        return orjson.loads(translated({"y": year}, some, "m", **facts).canonical)["v"]

    assert [version(year) for year in ("2024-2025", "2025-2026")] == [0, 1]
    assert version("2024-2025", client="north") == 2
    with pytest.raises(MappingNotFoundError):
        translated({"y": "2025-2026"}, some, "other", on=date(2026, 1, 1))


def test_a_school_year_that_no_version_is_for_is_said():
    text = "mapping: m\nversion: 1.0.0\napplies: {school-years: [2025-2026]}\nsource: {format: json}\ntarget: t\n"
    text += "fields: {school_year: y}"
    some = MappingSet(Library((load_document(text),), {}), TABLES)
    assert translated({"y": "2025-2026"}, some, "m").findings == ()
    assert [one.kind.code for one in translated({"y": "2026-2027"}, some, "m").findings] == [
        "mapping.source.no-version"
    ]


XML = """mapping: x
version: 1.0.0
source: {format: xml, namespaces: {h: "urn:h"}, records: h:Cards/h:Card}
target: report-card
fields:
  kind: {value: secondary}
  card_id: {from: '@id', required: true}
  school_year: h:Year
  class/name: {from: h:Class, required: true}
"""


def test_xml_places_are_xpaths_in_the_record():
    some = MappingSet(Library((load_document(XML),), {}), TABLES)
    made = translated(
        b'<a:G xmlns:a="urn:h"><a:Cards><a:Card id="?"><a:Year>x</a:Year></a:Card></a:Cards></a:G>', some, "x"
    )
    places = {target: place for _, place, target in judged(made) if target in {"card_id", "school_year", "class/name"}}
    assert places == {
        "card_id": "/h:Card/@id",
        "school_year": "/h:Card/h:Year",
        "class/name": "/h:Card/h:Class",
    }
    for wrong in (b"<a", b"<!DOCTYPE a><a/>"):
        assert [one.kind.code for one in translated(wrong, some, "x").findings] == ["xml.unsafe"]
    assert [one.kind.code for one in translated(b"<a/>", some, "x").findings] == ["mapping.source.no-records"]
