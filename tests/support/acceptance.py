"""Accepting made-up cards straight into the store, for tests of what comes after it."""

from __future__ import annotations

import hashlib

from hocba_hub.model.compared_card import ComparedCard
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardId, CardKey, SchoolCode, SchoolYear
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import Content, Portion, ReceivedRecord, RecordResult, Submission
from hocba_hub.store.engine import Store

YEAR = SchoolYear("2025-2026")
BOTH = ("province", "ministry")
COMPARISON = CardComparison()


def key(card: str, year: str = YEAR) -> CardKey:
    return CardKey(SchoolYear(year), CardId(card))


def received(
    position: int, card: str, content: str, *, school: str = "SCHOOL", recalled: bool = False, year: str = YEAR
) -> ReceivedRecord:
    body = content.encode()
    digest = hashlib.sha256(body).digest()
    compared = compared_card(card, school=school, recalled=recalled)._replace(key=key(card, year))
    return ReceivedRecord(
        position, digest, key(card, year), school,
        Content(digest, pack(body), None, "application/json", len(body), compared),
    )  # fmt: skip


def compared_card(card: str, *, school: str = "SCHOOL", recalled: bool = False) -> ComparedCard:
    """Of a pupil, and in a class, that no other card is of."""
    pupil = int.from_bytes(hashlib.sha256(card.encode()).digest()[:8], signed=True)
    return ComparedCard(key(card), SchoolCode(school), recalled, pupil, "TT22/2021", 8, card, True, "2012", "1")


def submit(
    store: Store,
    *cards: tuple[str, str],
    now: int = 1_000_000,
    destinations: tuple[str, ...] = BOTH,
    schools: set[str] | None = None,
    recalled: bool = False,
    atomic: bool = False,
    year: str = YEAR,
) -> list[RecordResult]:
    """Accept (card, content) pairs as one submission of client 1."""
    records = [received(n, card, content, recalled=recalled, year=year) for n, (card, content) in enumerate(cards)]
    portion = Portion(
        Submission(uuid7(), Client(1, "vendor", schools), now, "application/json", atomic), records, size=1
    )
    with store.write() as connection:
        return accept(connection, [portion], destinations, COMPARISON, now)[0]
