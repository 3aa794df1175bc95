"""The SOAP vendor: text in any form comes back normalised, communes are never guessed."""

import asyncio
import copy
import csv
import io
import json
import random
import unicodedata
from importlib.resources import files

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from hocba_hub.intake.split.splitter import split_stream, splitter_for
from hocba_hub.intake.translate import translate
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.record import parse_xml, xml_records
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from hocba_hub.sandbox.vendors.codes import former_commune
from hocba_hub.sandbox.vendors.soap_xml import PEOPLE

MAPPING = compile_mapping(shipped_library().select("soap-vendor"), shipped_tables())
CARD = json.loads(next(generate(1, 7, schools=1)))


def written(card):
    file = io.BytesIO()
    WRITERS["soap-vendor"]([card], file)
    return file.getvalue()


def translated(document):
    [record] = xml_records(parse_xml(document.decode()), MAPPING.document.source)
    return MAPPING.translate(record)


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("ĐÐđðắằẳ\u0301\u0323 \n\t"))


@given(TEXT, TEXT, st.uuids())
@settings(deadline=None)
def test_any_text_comes_back_normalised(comment, place, number):
    def normal(text):
        return unicodedata.normalize("NFC", text).replace("Ð", "Đ").replace("ð", "đ").strip()

    assume(normal(comment) and normal(place))
    card = {**copy.deepcopy(CARD), "card_id": str(number)}
    card["year"]["homeroom_comment"] = comment
    card["issue"]["place"] = place
    made = translated(written(card))
    assert made.findings == ()
    assert made.output["year"]["homeroom_comment"] == normal(comment)
    assert made.output["issue"]["place"] == normal(place)


def test_it_writes_text_as_carelessly_as_it_says():
    file = io.BytesIO()
    WRITERS["soap-vendor"](map(json.loads, generate(20, 8, schools=20)), file)
    text = file.getvalue().decode()
    assert "Ð" in text
    assert "Đ" in text
    assert not unicodedata.is_normalized("NFC", text)
    assert not unicodedata.is_normalized("NFD", text)
    assert text == _written_again()


def _written_again():
    file = io.BytesIO()
    WRITERS["soap-vendor"](map(json.loads, generate(20, 8, schools=20)), file)
    return file.getvalue().decode()


def _rows():
    text = files("hocba_hub.mappings.tables").joinpath("communes.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _with_commune(code, new=None):
    root = etree.fromstring(written(CARD))
    [home] = root.iter(f"{{{PEOPLE}}}NoiO")
    home.set("maXa", code)
    if new:
        home.set("maXaMoi", new)
    return etree.tostring(root)


def test_every_old_commune_becomes_its_new_one_or_is_asked_for():
    became = {}
    for row in _rows():
        became.setdefault(row["legacy_code"], set()).add(row["code"])
    split = {old: new for old, new in became.items() if len(new) > 1}
    assert set(split) == {"11989", "12004", "12322"}
    for old, new in [*list(became.items())[::15], *split.items()]:
        made = translated(_with_commune(old))
        if len(new) == 1:
            assert made.findings == ()
            assert made.output["pupil"]["residence"]["commune_code"] in new
            continue
        [finding] = made.findings
        assert finding.kind.code == "mapping.table.ambiguous"
        assert finding.pointer.endswith("/nd:NoiO/@maXa")
        assert set(finding.expected.split(" · ")) == new
        assert "commune_code" not in made.output["pupil"]["residence"]
        assert made.unmapped == ()
        for chosen in new:
            answered = translated(_with_commune(old, chosen))
            assert answered.findings == ()
            assert answered.output["pupil"]["residence"]["commune_code"] == chosen


@pytest.mark.parametrize("seed", range(3))
def test_the_writer_chooses_old_communes_that_were_not_split(seed):
    rng = random.Random(seed)
    new = {row["code"] for row in _rows()}
    chosen = {former_commune(rng, code).code for code in new for _ in range(5)}
    assert len(chosen) > len(new)
    assert chosen.isdisjoint({"11989", "12004", "12322"})


def test_a_code_that_nobody_knows_goes_to_the_work_list():
    made = translated(_with_commune("99999"))
    assert [finding.kind.code for finding in made.findings] == ["mapping.table.unknown"]
    [entry] = made.unmapped
    assert (entry.table, entry.value) == ("communes", "99999")


def test_each_card_of_a_call_is_a_document_of_its_own_and_reads_as_the_same_card():
    cards = list(generate(40, 3, schools=10))
    file = io.BytesIO()
    WRITERS["soap-vendor"](map(json.loads, cards), file)

    async def pieces():
        for place in range(0, len(file.getvalue()), 5000):
            yield file.getvalue()[place : place + 5000]

    async def run():
        splitter = splitter_for(MAPPING.document.source, 1_000_000, is_xml=True, has_lines=False)
        return [one async for one in split_stream(pieces(), splitter, 1_000_000, 100)]

    mapping_set = MappingSet(shipped_library(), shipped_tables())
    for raw, document in zip(cards, asyncio.run(run()), strict=True):
        made = translate(document, mapping_set, "soap-vendor")
        assert made.findings == ()
        assert read_card(made.canonical).canonical == raw
