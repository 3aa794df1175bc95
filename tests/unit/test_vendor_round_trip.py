"""Cards written as a vendor would send them, translated by the profile of that name, are the same cards again."""

import io
import json
import os
import zipfile
from collections import Counter
from itertools import islice

import pytest

from hocba_hub.mappings.compile import compile_mapping
from hocba_hub.mappings.document import JSON
from hocba_hub.mappings.library import shipped_library
from hocba_hub.mappings.records import json_records, parse_xml, xml_records
from hocba_hub.mappings.tables.files import shipped_tables
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
"""The kinds of cards that a format holds; it holds every field of them that a synthetic card has."""


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


@pytest.mark.parametrize("name", KINDS)
def test_the_same_cards_come_back(name):
    mapping = compile_mapping(shipped_library().select(name), shipped_tables())
    held = (raw for raw in generate(10 * CARDS, 20261124, schools=200) if json.loads(raw)["kind"] in KINDS[name])
    cards = list(islice(held, CARDS))
    file = io.BytesIO()
    assert WRITERS[name](map(json.loads, cards), file) == CARDS == len(cards)
    kinds = Counter()
    for raw, record in zip(cards, records_of(file.getvalue(), mapping.document.source), strict=True):
        made = mapping.translate(record)
        assert made.findings == ()
        reading = read_card(json.dumps(made.output).encode())
        assert reading.findings == []
        assert reading.canonical == raw
        kinds[reading.card.kind] += 1
    assert set(kinds) == KINDS[name]


@pytest.mark.parametrize("name", KINDS)
def test_the_cards_that_a_form_does_not_hold_are_left_out_and_not_counted(name):
    cards = [json.loads(raw) for raw in generate(200, 5, schools=20)]
    held = sum(card["kind"] in KINDS[name] for card in cards)
    assert WRITERS[name](cards, io.BytesIO()) == held
