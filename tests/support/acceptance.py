"""Accepting made-up cards straight into the store, for tests of what comes after it."""

from __future__ import annotations

import hashlib

from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardId, CardKey, SchoolCode, SchoolYear
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import Content, Portion, ReceivedRecord, RecordResult, Submission
from hocba_hub.store.engine import Store

YEAR = SchoolYear("2025-2026")
BOTH = ("province", "ministry")


def key(card: str) -> CardKey:
    return CardKey(YEAR, CardId(card))


def received(
    position: int, card: str, content: str, *, school: str = "SCHOOL", recalled: bool = False
) -> ReceivedRecord:
    body = content.encode()
    digest = hashlib.sha256(body).digest()
    return ReceivedRecord(
        position, digest, key(card), school,
        Content(SchoolCode(school), recalled, digest, pack(body), None, "application/json", len(body)),
    )  # fmt: skip


def submit(
    store: Store,
    *cards: tuple[str, str],
    now: int = 1_000_000,
    destinations: tuple[str, ...] = BOTH,
    schools: set[str] | None = None,
    recalled: bool = False,
    atomic: bool = False,
) -> list[RecordResult]:
    """Accept (card, content) pairs as one submission of client 1."""
    records = [received(n, card, content, recalled=recalled) for n, (card, content) in enumerate(cards)]
    portion = Portion(
        Submission(uuid7(), Client(1, "vendor", schools), now, "application/json", atomic), records, size=1
    )
    with store.write() as connection:
        return accept(connection, [portion], destinations, now)[0]
