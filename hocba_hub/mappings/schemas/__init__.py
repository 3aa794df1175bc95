"""The schemas that mappings can name, and the field tables of the data dictionary as they were found.

`report-card` is the canonical model; `ndc-…` are the tables of the 2026 data dictionary towards the National Data
Centre (third-party copy). Those that end in `-record` or `-records` are the same tables as a destination gets them:
with the envelope, the technical keys, and what `ndc_sent.csv` adds or says otherwise. `delivery` is what a mapping to
a destination reads: a canonical card with the facts of its delivery; `primary-delivery` a card of one kind, and so on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from hocba_hub.mappings.schemas.delivery_facts import FACTS
from hocba_hub.mappings.schemas.targets import LIST, OBJECT, TargetField, from_field_table, from_json_schema
from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.model.card import CARD
from hocba_hub.model.consistency import NEEDED
from hocba_hub.model.errors import HubError

REPORT_CARD, DELIVERY = "report-card", "delivery"
DELIVERIES = ("primary-delivery", "secondary-delivery", "continuing-delivery")
RECORDS = "records"
"""Where a mapping that makes several records of one card puts them."""
_SENT = "ndc_sent.csv"
_PRIMARY = ("ndc_primary.csv", "thongtinsohocbasotieuhoc")
_SECONDARY = ("ndc_secondary.csv", "thongtinsohocbasothcsthpt")
_RESULT = ("ndc_learning_result.csv", "ketquahoctapththcsthpttx")
_RECALL = (_SENT, "thuhoi")


_ALSO_KNOWN: Mapping[str, Mapping[str, Mapping[str, JsonValue]]] = {
    "primary-delivery": {
        "signers/homeroom/personal_number": {"required": True},  # a check of the model
        "year/weight_kg": {"least": 1, "most": 300},  # the text's own form
        "year/height_cm": {"least": 10, "most": 300},
    }
}
"""What is sure of a field besides what the model's schema says of it."""


class _Sent(NamedTuple):
    """A record as a destination gets it."""

    file: str
    table: str
    several: bool = False
    """Whether one card makes several."""


_TABLES = {"ndc-primary": _PRIMARY, "ndc-secondary": _SECONDARY, "ndc-learning-result": _RESULT}
_RECORDS = {
    "ndc-primary-record": _Sent(*_PRIMARY),
    "ndc-secondary-record": _Sent(*_SECONDARY),
    "ndc-learning-result-records": _Sent(*_RESULT, several=True),
    "ndc-recall-record": _Sent(*_RECALL),
    "ndc-recall-records": _Sent(*_RECALL, several=True),
}
_MINISTRY = "ministry-record"
NAMES = (REPORT_CARD, DELIVERY, *DELIVERIES, *_TABLES, *_RECORDS, _MINISTRY)
"""Every schema by the name that a mapping gives."""


class SchemaUnknownError(HubError):
    """There is no schema of this name."""


@cache
def target_schema(name: str) -> TargetField:
    """The schema of this name.

    Raises:
        SchemaUnknownError: there is none.
    """
    if name == REPORT_CARD:
        return _report_card()
    if name in (DELIVERY, *DELIVERIES):
        delivery = _with_facts(target_schema(REPORT_CARD)).variant(name.removesuffix("-" + DELIVERY))
        for path, known in _ALSO_KNOWN.get(name, {}).items():
            delivery = _with(delivery, path.split("/"), known)
        return delivery
    if name in _TABLES:
        file, table = _TABLES[name]
        return from_field_table(_rows(file), table)
    if name in _RECORDS:
        return _sent_record(_RECORDS[name])
    if name == _MINISTRY:
        return from_json_schema(json.loads(_text(files(__package__ or "").joinpath("ministry_record.json"))))
    raise SchemaUnknownError(f"There is no schema {name}; known: {', '.join(NAMES)}.")


def load_schema(file: Traversable) -> TargetField:
    """The schema of a file: a JSON Schema (`.json`), or a field table (`.csv`) whose first row names the root table.

    Raises:
        SchemaUnknownError: it is neither.
    """
    try:
        text = _text(file)
        if file.name.endswith(".csv"):
            rows = list(csv.DictReader(io.StringIO(text)))
            return from_field_table(rows, rows[0]["table"], whole=True)
        return from_json_schema(json.loads(text))
    except (ValueError, LookupError, AttributeError) as error:
        raise SchemaUnknownError(f"{file.name}: not a JSON Schema or a field table.") from error


def table_of(name: str) -> tuple[str, str]:
    """The file and the root table behind a record's schema."""
    return _RECORDS[name].file, _RECORDS[name].table


def field_rows(name: str) -> Iterator[Mapping[str, str]]:
    """The rows of the field table behind a record's schema, as the data dictionary has them."""
    yield from _rows(_RECORDS[name].file)


def sent_rows(file: str, table: str) -> Iterator[Mapping[str, str]]:
    """The rows of a field table as it is sent: the dictionary's, and then those of ours that count instead."""
    if file != _SENT:
        yield from _rows(file)
    for row in _rows(_SENT):
        if row["table"] in ("*", table):
            yield {**row, "table": table}


def _sent_record(sent: _Sent) -> TargetField:
    record = from_field_table(sent_rows(sent.file, sent.table), sent.table, whole=True)
    if not sent.several:
        return record
    return TargetField(OBJECT, children={RECORDS: TargetField(LIST, required=True, item=record)})


def _report_card() -> TargetField:
    card = from_json_schema(CARD.json_schema(by_alias=True))
    variants = dict(card.variants)
    for kind, paths in NEEDED.items():
        for path in paths:
            variants[kind] = _with(variants[kind], path.split("/"), {"needed": True})
    return replace(card, variants=variants)


def _with(field: TargetField, names: list[str], known: Mapping[str, JsonValue]) -> TargetField:
    if not names:
        return replace(field, **known)
    name = names[0].removesuffix("[]")
    child = field.children[name]
    if name == names[0]:
        inner = _with(child, names[1:], known)
    else:
        inner = replace(child, item=_with(child.item or TargetField(), names[1:], known))
    return replace(field, children={**field.children, name: inner})


def _with_facts(card: TargetField) -> TargetField:
    facts = {"delivery": replace(from_json_schema(FACTS), required=True)}
    variants = {name: replace(one, children={**one.children, **facts}) for name, one in card.variants.items()}
    return replace(card, children={**card.children, **facts}, variants=variants)


def _rows(file: str) -> Iterator[Mapping[str, str]]:
    yield from csv.DictReader(io.StringIO(_text(files(__package__ or "").joinpath(file))))


def _text(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
