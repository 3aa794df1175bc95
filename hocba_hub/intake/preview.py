"""What a draft mapping would do to records that this hub has: run on vendors' own bytes, or on canonical cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.profiles import vendor_type
from hocba_hub.intake.translate import record_of
from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, compile_mapping
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.library.preview import Preview, preview
from hocba_hub.mappings.records.record import JsonRecord, Record
from hocba_hub.mappings.schemas import DELIVERIES, DELIVERY, REPORT_CARD
from hocba_hub.mappings.schemas.delivery_facts import envelope_facts
from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import CardKey, Version
from hocba_hub.model.reading import read_card
from hocba_hub.store import recent_records as recorded

MOST_RECORDS = 1_000
"""Records that one preview runs on at most."""


@dataclass(frozen=True, slots=True)
class CardsPreview:
    """A preview, with the cards that its records are of."""

    effect: Preview
    cards: list[CardKey]
    """By the numbers that the preview gives its records."""


def preview_draft(
    connection: Connection, mappings: MappingSet, checker: RecordChecker, draft: Document, limit: int
) -> CardsPreview:
    """The effect of putting a draft in the place of what is in force, on the newest records that it would read.

    Raises:
        DocumentError: the draft cannot be compiled.
    """
    current: CompiledMapping | None = None
    with suppress(MappingNotFoundError):  # nothing of this name is in force
        current = _compiled(mappings, mappings.select(draft.name))

    def said(output: Mapping[str, Any]) -> Sequence[Finding]:
        reading = read_card(orjson.dumps(output))
        return reading.findings if reading.card is None else checker.findings(reading.card, reading.canonical, mappings)

    found = list(_records(connection, draft, limit))
    effect = preview(
        _compiled(mappings, draft),
        current,
        [record for _, record in found],
        said if draft.target == REPORT_CARD else None,
    )
    return CardsPreview(effect, [key for key, _ in found])


def _compiled(mappings: MappingSet, document: Document) -> CompiledMapping:
    if document.target == REPORT_CARD:
        return mappings.compiled(document)
    return compile_mapping(mappings.filled(document), mappings.tables, mappings.schema(document.target))


def _records(connection: Connection, draft: Document, limit: int) -> Iterator[tuple[CardKey, Record]]:
    if draft.source.schema in (DELIVERY, *DELIVERIES):
        yield from _deliveries(connection, draft.source.schema, limit)
        return
    media_type = vendor_type(draft.name, draft.source.format)
    waiting = recorded.waiting(connection, draft.name, limit)
    accepted = recorded.accepted(connection, limit - len(waiting), [media_type])
    for key, raw in [*waiting, *((one.key, one.original) for one in accepted)]:
        record = record_of(raw, draft.source)
        if not isinstance(record, Finding):
            yield key, record


def _deliveries(connection: Connection, schema: str, limit: int) -> Iterator[tuple[CardKey, Record]]:
    for one in recorded.accepted(connection, limit):
        card = orjson.loads(one.canonical)
        if schema not in (DELIVERY, f"{card['kind']}-{DELIVERY}"):
            continue
        facts = envelope_facts(one.key, Version(one.version), one.event, one.accepted_at)
        bodies = {"canonical": one.canonical, "original": one.original, "signed": False}
        yield one.key, JsonRecord({**card, "delivery": {**facts, "school": one.school, **bodies}})
