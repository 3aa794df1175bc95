"""What a draft mapping would do to records that this hub has: those of vendors as they were sent, or canonical cards.

Each record is read as its client's would be, on the day on which it came: by what is in force for that client now, and
by what would be in force for it with the draft. Where a client has a narrower version of its own, the draft changes
nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.profiles import vendor_type
from hocba_hub.intake.translate import record_of, translate
from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, compile_mapping
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.library.preview import Outcome, Preview, preview
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas import DELIVERIES, DELIVERY
from hocba_hub.mappings.schemas.delivery_facts import envelope_facts
from hocba_hub.model.activation import EVERYWHERE, ActivationScope
from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import Version
from hocba_hub.store import recent_records
from hocba_hub.store.recent_records import AcceptedVersion, Recorded

MOST_RECORDS = 1_000
"""Records that one preview runs on at most."""


@dataclass(frozen=True, slots=True)
class RecordsPreview:
    """A preview, with the records that it ran on."""

    effect: Preview
    record_ids: Sequence[str]
    """By the numbers that the preview gives its records; empty for one whose card is not known."""
    unreadable: int
    """Records that the draft cannot read, since they came in another syntax."""
    not_kept: int
    """Records that were rejected, and of which nothing is kept any more to try the draft on."""


def preview_draft(  # noqa: PLR0917 - a draft, where it would count, and what it is tried on
    connection: Connection,
    mappings: MappingSet,
    checker: RecordChecker,
    draft: Document,
    limit: int,
    scope: ActivationScope = EVERYWHERE,
) -> RecordsPreview:
    """The effect of putting a draft in force for `scope`, on the newest records that mappings of its name read.

    With a client in the scope only on that client's. Accepted, waiting and rejected ones, by whatever way they came.

    Raises:
        DocumentError: the draft cannot be compiled.
    """
    of_draft = mappings.with_draft(draft, scope)
    if draft.source.schema in (DELIVERY, *DELIVERIES):
        deliveries = list(_deliveries(connection, draft.source.schema, limit, scope.client))
        compiled = _Compiled(mappings), _Compiled(of_draft)
        effect = preview(
            (compiled[0].outcome(draft.name, *one), _known(compiled[1].outcome(draft.name, *one))) for one in deliveries
        )
        return RecordsPreview(effect, [version.key.record_id() for version, _ in deliveries], 0, 0)
    found = recent_records.sent(
        connection, draft.name, vendor_type(draft.name, draft.source.format), limit, client=scope.client
    )
    readable = [one for one in found.records if not isinstance(record_of(one.original, draft.source), Finding)]
    effect = preview(
        (_outcome(mappings, checker, draft.name, one), _known(_outcome(of_draft, checker, draft.name, one)))
        for one in readable
    )
    names = ["" if one.key is None else one.key.record_id() for one in readable]
    return RecordsPreview(effect, names, len(found.records) - len(readable), found.not_kept)


def _known(outcome: Outcome | None) -> Outcome:
    """What a draft makes of a record; nothing if it does not count for it."""
    return outcome or Outcome({}, ())


def _outcome(mappings: MappingSet, checker: RecordChecker, name: str, one: Recorded) -> Outcome | None:
    """What one record becomes under these mappings; None if none of this name counts for its client."""
    day = vietnam_day(one.received_at)
    try:
        translated = translate(one.original, mappings, name, client=one.client, on=day)
    except MappingNotFoundError:
        return None
    reading = translated.reading()
    findings: Sequence[Finding] = reading.findings
    if reading.card is not None:
        findings = [*findings, *checker.findings(reading.card, reading.canonical, mappings)]
    output = orjson.loads(translated.canonical) if translated.canonical else {}
    return Outcome(output, findings, translated.unmapped)


class _Compiled:
    """What versions become for destinations under these mappings."""

    def __init__(self, mappings: MappingSet) -> None:
        self._mappings = mappings
        self._made: dict[int, CompiledMapping] = {}

    def outcome(self, name: str, version: AcceptedVersion, record: JsonRecord) -> Outcome | None:
        """What one version becomes; None if no mapping of this name counts for it."""
        day, year = vietnam_day(version.received_at), version.key.school_year
        try:
            document = self._mappings.select(name, school_year=year, on=day)
        except MappingNotFoundError:
            return None
        compiled = self._made.get(id(document))
        if compiled is None:
            filled, target = self._mappings.filled(document), self._mappings.schema(document.target)
            compiled = self._made[id(document)] = compile_mapping(filled, self._mappings.tables, target)
        made = compiled.translate(record)
        return Outcome(made.output, made.findings, made.unmapped)


def _deliveries(
    connection: Connection, schema: str, limit: int, client: str | None
) -> Iterator[tuple[AcceptedVersion, JsonRecord]]:
    for one in recent_records.accepted(connection, limit, client=client):
        card: dict[str, Any] = orjson.loads(one.canonical)
        if schema not in (DELIVERY, f"{card['kind']}-{DELIVERY}"):
            continue
        facts = envelope_facts(one.key, Version(one.version), one.event, one.accepted_at)
        bodies = {"canonical": one.canonical, "original": one.original, "signed": False}
        yield one, JsonRecord({**card, "delivery": {**facts, "school": one.school, **bodies}})
