"""Every check of one record: its form, the rules in force, and what its destinations could hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from hocba_hub.intake.deliverability import Deliverability
from hocba_hub.intake.source import SentRecord
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.model.card import AnyCard
from hocba_hub.model.compared_card import compared_card
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.reading import read_card
from hocba_hub.model.windows import IntakeWindows
from hocba_hub.rules.checking import rules_for
from hocba_hub.rules.comparing import ALWAYS, CardComparison
from hocba_hub.rules.configuration import Configuration
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import Content, ReceivedRecord


class RecordChecker:
    """Makes of a record what can be accepted, with every finding. Used from any thread."""

    def __init__(self, deliverability: Deliverability, rules: Configuration, windows: IntakeWindows = ALWAYS) -> None:
        self._deliverability, self._rules = deliverability, rules
        self.comparison = CardComparison(rules, windows)
        """What needs more than the card itself; it judges where cards are accepted."""

    def check(
        self, position: int, sent: SentRecord, mappings: MappingSet, *, tells_unchecked: bool = False
    ) -> ReceivedRecord:
        """A record after every check; never raises for what it holds. `mappings` are those that destinations get.

        The bytes that are kept are the sender's own, also where a mapping translated them. What could not be checked
        is among the findings if `tells_unchecked`.
        """
        raw, media_type, reading, translated = sent
        if reading is None:
            reading = read_card(raw) if translated is None else translated.reading()
        digest = hashlib.sha256(raw).digest()
        if reading.card is None:
            key = None
            if reading.school_year and reading.card_id:
                key = CardKey(SchoolYear(reading.school_year), CardId(reading.card_id))
            received = ReceivedRecord(position, digest, key, reading.school_code, None, reading.findings)
            if translated is not None:
                received.unmapped = translated.unmapped
                received.mapping = translated.mapping
                received.sent = translated.sent(raw, reading.findings)
            return received
        found = self.findings(reading.card, reading.canonical, mappings, tells_unchecked=tells_unchecked)
        findings = [*reading.findings, *found] if translated is None else translated.at_source(found)
        same = reading.canonical == raw
        compared = compared_card(reading.card)
        content = Content(
            content_sha256=digest if same else hashlib.sha256(reading.canonical).digest(),
            canonical=pack(reading.canonical),
            original=None if same else pack(raw),
            original_type=media_type,
            original_bytes=len(raw),
            compared=compared,
        )
        received = ReceivedRecord(position, digest, compared.key, compared.school, content, findings)
        if translated is not None:
            received.unmapped = translated.unmapped  # kept as it came, with a warning
            received.mapping = translated.mapping
            received.at_source = translated.moved
            if any(one.kind.severity is Severity.ERROR for one in findings):
                received.sent = translated.sent(raw, findings)
        return received

    def findings(
        self, card: AnyCard, canonical: bytes, mappings: MappingSet, *, tells_unchecked: bool = False
    ) -> Sequence[Finding]:
        """What is found of a card that can be read, places as in its canonical JSON; of a recall, nothing."""
        if card.is_recalled:
            return ()

        def parsed() -> dict[str, Any]:
            found: dict[str, Any] = orjson.loads(canonical)
            return found

        # What could not be checked is nobody's fault, and most cards have some of it: it is told to whoever asks.
        found = [
            one
            for one in rules_for(card, self._rules).check(card)
            if tells_unchecked or one.kind.severity is not Severity.NOT_CHECKABLE
        ]
        return [*found, *self._deliverability.findings(mappings, card.kind, card.school_year, parsed)]
