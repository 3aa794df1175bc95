"""Every check of one record: its form, the rules in force, and what its destinations could hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from hocba_hub.adapters.holdings import Holdings
from hocba_hub.api.translation import Translated
from hocba_hub.model.card import AnyCard, card_key
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.keys import CardId, CardKey, SchoolCode, SchoolYear
from hocba_hub.model.reading import Reading, read_card
from hocba_hub.rules.checking import rules_for
from hocba_hub.rules.configuration import Configuration
from hocba_hub.store.accept import Content, ReceivedRecord
from hocba_hub.store.bodies import pack


class Judge:
    """Makes of a record's bytes what can be accepted, with every finding. Used from any thread."""

    def __init__(self, holdings: Holdings, rules: Configuration) -> None:
        self._holdings, self._rules = holdings, rules

    def record(
        self, position: int, raw: bytes, media_type: str, translated: Translated | None = None
    ) -> ReceivedRecord:
        """One record after every check, ready to be accepted; never raises, whatever the bytes.

        `translated` is what a vendor's record became; the bytes that are kept are his own.
        """
        reading = read_card(raw) if translated is None else translated.reading()
        return self.read(position, raw, media_type, reading, translated)

    def read(
        self, position: int, raw: bytes, media_type: str, reading: Reading, translated: Translated | None = None
    ) -> ReceivedRecord:
        """As `record`, of bytes that were read already."""
        digest = hashlib.sha256(raw).digest()
        if reading.card is None:
            key = None
            if reading.school_year and reading.card_id:
                key = CardKey(SchoolYear(reading.school_year), CardId(reading.card_id))
            unmapped = () if translated is None else translated.unmapped
            kept = translated.kept(raw, reading.findings) if translated is not None and unmapped else None
            return ReceivedRecord(position, digest, key, reading.school_code, None, reading.findings, unmapped, kept)
        said = self.findings(reading.card, reading.canonical)
        findings = [*reading.findings, *said] if translated is None else translated.at_source(said)
        same = reading.canonical == raw
        content = Content(
            school=SchoolCode(reading.card.school.code),
            recalled=reading.card.is_recalled,
            content_sha256=digest if same else hashlib.sha256(reading.canonical).digest(),
            canonical=pack(reading.canonical),
            original=None if same else pack(raw),
            original_type=media_type,
            original_bytes=len(raw),
        )
        unmapped = () if translated is None else translated.unmapped  # kept as it came, with a warning
        return ReceivedRecord(position, digest, card_key(reading.card), content.school, content, findings, unmapped)

    def findings(self, card: AnyCard, canonical: bytes) -> Sequence[Finding]:
        """What is said of a card that can be read, places as in its canonical JSON; of a recall, nothing."""
        if card.is_recalled:
            return ()

        def parsed() -> dict[str, Any]:
            found: dict[str, Any] = orjson.loads(canonical)
            return found

        # What could not be checked is nobody's fault, and most cards have some of it: `hocba-hub rules check` tells it.
        said = [
            one for one in rules_for(card, self._rules).check(card) if one.kind.severity is not Severity.NOT_CHECKABLE
        ]
        return [*said, *self._holdings.findings(card.kind, card.school_year, parsed)]
