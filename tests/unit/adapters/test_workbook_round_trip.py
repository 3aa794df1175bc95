"""Cards written as workbooks and translated by the profile of that name are the same cards again."""

import io
import json
import os
from collections import Counter
from itertools import islice

import orjson
import pytest

from hocba_hub.adapters.workbook.file_records import file_records
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.findings import Finding
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS

CARDS = int(os.environ.get("HOCBA_ROUND_TRIP", "200"))
KINDS = {"workbook-primary": {"primary"}, "workbook-secondary": {"secondary", "continuing"}}


def mapping_of(name):
    return compile_mapping(shipped_library().select(name), shipped_tables())


def in_any_order(raw):
    """The card with its subjects by their codes: those of a mark-book come in the order of its sheets."""
    card = json.loads(raw)
    card["year"]["subjects"].sort(key=lambda subject: subject["code"])
    return card


@pytest.mark.parametrize("name", KINDS)
def test_the_same_cards_come_back(name):
    mapping = mapping_of(name)
    held = (raw for raw in generate(10 * CARDS, 20261124, schools=200) if json.loads(raw)["kind"] in KINDS[name])
    cards = {json.loads(raw)["card_id"]: raw for raw in islice(held, CARDS)}
    file = io.BytesIO()
    assert WRITERS[name](map(json.loads, cards.values()), file) == CARDS == len(cards)
    kinds = Counter()
    order = iter(cards)
    for record in file_records(file, "x.xlsx", mapping.document.source):
        assert not isinstance(record, Finding), record
        made = mapping.translate(record)
        assert made.findings == ()
        reading = read_card(orjson.dumps(made.output))
        assert reading.findings == []
        raw = cards[next(order)]
        if name == "workbook-primary":
            assert reading.canonical == raw
        else:
            assert in_any_order(reading.canonical) == in_any_order(raw)
        kinds[reading.card.kind] += 1
    assert kinds.total() == CARDS
    assert set(kinds) == KINDS[name]


@pytest.mark.parametrize("name", KINDS)
def test_the_cards_that_a_form_does_not_hold_are_left_out_and_not_counted(name):
    cards = [json.loads(raw) for raw in generate(60, 5, schools=20)]
    held = sum(card["kind"] in KINDS[name] for card in cards)
    assert 0 < held < len(cards)
    assert WRITERS[name](cards, io.BytesIO()) == held


@pytest.mark.parametrize("name", KINDS)
def test_sheets_in_another_order_and_columns_in_another_order_are_the_same_cards(name):
    from openpyxl import Workbook, load_workbook

    mapping = mapping_of(name)
    cards = [json.loads(raw) for raw in generate(60, 7, schools=20)]
    file = io.BytesIO()
    WRITERS[name](cards, file)
    turned = Workbook()
    turned.remove(turned.active)
    for sheet in reversed(load_workbook(file).worksheets):
        other = turned.create_sheet(sheet.title)
        # Whole groups of columns change places: what stands under one merged name stays together.
        flat = all(cell.value is not None for cell in sheet[1])
        for row in sheet.iter_rows(values_only=True):
            other.append(row[::-1] if flat else row)
    again = io.BytesIO()
    turned.save(again)

    def outputs(source):
        records = file_records(source, "x.xlsx", mapping.document.source)
        return [in_any_order(orjson.dumps(mapping.translate(record).output)) for record in records]

    assert outputs(again) == outputs(file)
    assert outputs(file)
