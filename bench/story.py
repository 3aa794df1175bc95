"""How long one card's story takes to be found and told with a province's cards in the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench.accept import postgres
from bench.figures import Figure, Target
from hocba_hub.model.compared_card import personal_number_digest, pupil_code_digest
from hocba_hub.store import story
from hocba_hub.store.bodies import pack
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import (
    attempts,
    deliveries,
    delivery_attempts,
    records,
    report_cards,
    submissions,
    versions,
)

_CARDS = 600_000
_PORTION = 20_000
_BATCH = 200
_SCHOOLS = 740
_YEAR = "2025-2026"
_MOST_MS = 50
_TIMES = 30


def measure(folder: Path) -> Iterator[Figure]:
    """The slowest of the ways in which a card is found, and its story, on both engines."""
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", f"sqlite:///{folder / 'hub.db'}")):
            store = Store(url)
            upgrade(store)
            fill(store)
            with store.write() as connection:
                connection.exec_driver_sql("ANALYZE")
            for what, key in KEYS.items():
                yield _timed(store, f"{what}, {_CARDS:,} cards, {name}", key)
            store.close()


def submission(number: int) -> str:
    """The id of a submission by its number."""
    return f"0190a000-0000-7000-8000-{number:012d}"


SOME = 432_123
KEYS = {
    "by card id": f"card-{SOME}",
    "by record id": f"{_YEAR}/card-{SOME}",
    "by message id": f"{_YEAR}/card-{SOME}/1",
    "by personal number": f"0333{SOME:08d}",
    "by pupil's code": f"33{SOME:08d}",
    "by reference": f"batch-{SOME // _BATCH}",
    "by submission": submission(SOME // _BATCH),
    "by trace id": f"{SOME // _BATCH:032x}",
    "by school": f"S{SOME % _SCHOOLS}",
    "nobody": "nobody-at-all",
}


def _timed(store: Store, what: str, key: str) -> Figure:
    took = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        with store.read() as connection:
            found = story.find(connection, key)
            if found:
                told = story.story(connection, found[0])
                assert told is not None
                assert len(told.events) >= 3, told
        took.append(1000 * (time.perf_counter() - start))
    assert found or "nobody" in key, key
    return Figure(what, median(took), "ms", Target(_MOST_MS, at_most=True), f"worst {max(took):.1f} ms")


def fill(store: Store) -> None:
    """600,000 cards of 740 schools, each acknowledged at two destinations, with all that belongs to it."""
    digest, canonical = bytes(32), pack(b'{"school":{}}')
    for first in range(0, _CARDS, _PORTION):
        numbers = range(first, first + _PORTION)
        cards = [{"school_year": _YEAR, "card_id": f"card-{n}"} for n in numbers]
        batches = range(first // _BATCH, (first + _PORTION) // _BATCH)
        with store.write() as connection:
            put = partial(insert_rows, connection)
            put(report_cards, [
                {
                    **card, "school_code": f"S{n % _SCHOOLS}", "client_id": 1, "version": 1, "content_sha256": digest,
                    "recalled": False, "changed_at": n, "class_code": f"{n % 40}",
                    "pupil": personal_number_digest(f"0333{n:08d}"), "pupil_code": pupil_code_digest(f"33{n:08d}"),
                }
                for n, card in zip(numbers, cards, strict=True)
            ])  # fmt: skip
            put(versions, [
                {
                    **card, "version": 1, "event": "NEW", "accepted_at": n, "submission_id": submission(n // _BATCH),
                    "position": n % _BATCH, "school_code": "S", "content_sha256": digest, "original_sha256": digest,
                    "original_type": "application/json", "original_bytes": 2, "canonical": canonical,
                }
                for n, card in zip(numbers, cards, strict=True)
            ])  # fmt: skip
            put(records, [
                {
                    **card, "submission_id": submission(n // _BATCH), "position": n % _BATCH, "status": "accepted",
                    "sha256": digest, "version": 1,
                }
                for n, card in zip(numbers, cards, strict=True)
            ])  # fmt: skip
            put(submissions, [
                {
                    "id": submission(n), "client_id": 1, "received_at": n, "media_type": "application/json",
                    "state": "accepted", "bytes": 1, "accepted": _BATCH, "rejected": 0, "atomic": False,
                    "trace_parent": f"00-{n:032x}-b7ad6b7169203331-01",
                }
                for n in batches
            ])  # fmt: skip
            put(deliveries, [
                {
                    **card, "destination": destination, "version": 1, "event": "NEW", "state": "acknowledged",
                    "accepted_at": n, "next_attempt_at": n, "code": "OK", "settled_at": n,
                    "reference": f"batch-{n // _BATCH}" if destination == "ministry" else None,
                }
                for n, card in zip(numbers, cards, strict=True)
                for destination in ("ministry", "province")
            ])  # fmt: skip
            put(attempts, [
                {
                    "destination": "province", "kind": "send", "holder": "w", "leased_at": n, "expires_at": n,
                    "ended_at": n, "records": _BATCH,
                }
                for n in batches
            ])  # fmt: skip
            put(delivery_attempts, [
                {
                    "delivery_id": 1 + n, "attempt_id": 1 + n // (2 * _BATCH), "meaning": "acknowledged", "code": "OK",
                    "detail": "",
                }
                for n in range(2 * first, 2 * (first + _PORTION))
            ])  # fmt: skip
