"""A store with many cards, made in a second: for tests of how queries find their rows among them."""

from __future__ import annotations

import random

from sqlalchemy import insert

from hocba_hub.store.bodies import pack
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import (
    acknowledgements,
    attempts,
    audit,
    audit_cards,
    data_locks,
    deliveries,
    delivery_attempts,
    edits,
    failure_counts,
    failure_groups,
    idempotency_keys,
    identity_results,
    job_runs,
    jobs,
    open_findings,
    reconcile_counts,
    reconcile_differences,
    reconcile_entries,
    records,
    replay_items,
    replays,
    report_cards,
    returned_cards,
    submissions,
    transfers,
    versions,
)

CARDS = 20_000
SCHOOLS = 200
YEARS = ("2023-2024", "2024-2025", "2025-2026")
_STATES = ["acknowledged"] * 93 + ["refused"] * 3 + ["parked", "held", "queued", "awaiting_ack", "in_doubt"]


def fill(store: Store) -> None:
    """20,000 cards in 2,000 submissions, each card with a delivery to both destinations; few of them failed."""
    chance = random.Random(1)
    digest, findings, canonical = bytes(32), pack(b"[]"), pack(b'{"school":{}}')
    cards = [{"school_year": YEARS[n % 3], "card_id": f"card-{n}"} for n in range(CARDS)]
    with store.write() as connection:
        insert_rows(connection, report_cards,
            [
                {
                    **card, "school_code": f"S{n % SCHOOLS}", "client_id": 1, "version": 1, "content_sha256": digest,
                    "recalled": False, "changed_at": n, "pupil": n, "class_code": f"{n % 40}",
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, versions,
            [
                {
                    **card, "version": 1, "event": "NEW", "accepted_at": n, "submission_id": f"sub-{n // 10}",
                    "position": n % 10, "school_code": f"S{n % SCHOOLS}", "content_sha256": digest,
                    "original_sha256": digest, "original_type": "application/json", "original_bytes": 2,
                    "canonical": canonical,
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, deliveries,
            [
                {
                    **card, "destination": destination, "version": 1, "event": "NEW", "state": chance.choice(_STATES),
                    "accepted_at": n, "next_attempt_at": n, "code": f"E{n % 7}", "settled_at": n,
                    "reference": f"ref-{n // 200}", "first_attempt_at": n, "awaiting_since": n,
                    "failure_group_id": n % 500 if n % 50 == 7 else None,
                }
                for n, card in enumerate(cards)
                for destination in ("ministry", "province")
            ],
        )  # fmt: skip
        insert_rows(connection, attempts,
            [
                {
                    "destination": "province", "kind": "send", "holder": "w", "leased_at": n, "expires_at": n,
                    "ended_at": n, "records": 10,
                }
                for n in range(CARDS // 5)
            ],
        )  # fmt: skip
        insert_rows(connection, delivery_attempts,
            [
                {
                    "delivery_id": 1 + n, "attempt_id": 1 + n // 10, "meaning": "acknowledged", "code": "OK",
                    "detail": "",
                }
                for n in range(2 * CARDS)
            ],
        )  # fmt: skip
        insert_rows(connection, submissions,
            [
                {
                    "id": f"sub-{n}", "client_id": 1 + n % 5, "received_at": n, "media_type": "application/json",
                    "state": "accepted", "bytes": 1, "accepted": 10, "rejected": 0, "atomic": False,
                }
                for n in range(CARDS // 10)
            ],
        )  # fmt: skip
        insert_rows(connection, records,
            [
                {
                    **card, "submission_id": f"sub-{n // 10}", "position": n % 10, "status": "accepted",
                    "sha256": digest, "school_code": f"S{n % SCHOOLS}", "version": 1,
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, open_findings,
            [
                {
                    **card, "school_code": f"S{n % SCHOOLS}", "client_id": 1, "since": n, "last_at": n, "times": 1,
                    "submission_id": "sub-1", "position": 0, "findings": findings,
                    "failure_group_id": n % 500 if n % 50 == 8 else None,
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, acknowledgements,
            [
                {
                    "delivery_id": n, "destination": ("ministry", "province")[n % 2], "source": "poll",
                    "kind": ("late", "repeated", "settled", "contradictory")[n % 4], "code": "OK",
                    "verdict": "acknowledged", "first_at": n, "last_at": n, "times": 1,
                    "decided_at": None if n % 80 == 3 else n,
                }
                for n in range(8_000)
            ],
        )  # fmt: skip
        connection.execute(insert(job_runs),
            [
                {
                    "key": f"kind-{n % 6}" if n % 7 else "retention", "kind": "kind", "asked_by": "schedule",
                    "started_at": n, "ended_at": n, "state": "done", "result": {}, "leased_until": 0, "attempts": 1,
                    "takeovers": 0,
                }
                for n in range(8_000)
            ],
        )  # fmt: skip
        insert_rows(connection, jobs,
            [{"key": key, "kind": "kind", "next_run_at": 1} for key in ("retention", *(f"kind-{n}" for n in range(6)))],
        )  # fmt: skip
        insert_rows(connection, reconcile_differences,
            [
                {
                    **card, "run_id": 1 + n % 14, "destination": "ministry", "kind": ("missing", "older")[n % 2],
                    "school_code": f"S{n % SCHOOLS}", "grade": 5, "class_code": "5A", "our_version": 1,
                    "our_state": "acknowledged", "delivery_id": 1 + 2 * n,
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, reconcile_counts,
            [
                {
                    "run_id": 1 + n % 14, "school_code": f"S{n // 100}", "school_year": YEARS[2], "grade": 5,
                    "class_code": f"{n % 100}", "kind": "all", "cards": 30,
                }
                for n in range(CARDS)
            ],
        )  # fmt: skip
        insert_rows(connection, reconcile_entries,
            [{**card, "run_id": 1 + n % 20, "version": 1, "state": "held"} for n, card in enumerate(cards)],
        )  # fmt: skip
        insert_rows(connection, failure_groups,
            [
                {
                    "fingerprint": n.to_bytes(32), "essence": n.to_bytes(32),
                    "root_id": None if n % 5 else n // 10 + 1, "destination": "province", "stage": "send",
                    "error_class": "refused", "code": f"E{n}", "detail": "", "mapping": "", "times": 1, "first_at": n,
                    "last_at": n, "state": "open", "revision": 1,
                }
                for n in range(1, 2_000)
            ],
        )  # fmt: skip
        insert_rows(connection, failure_counts,
            [
                {
                    "group_id": n % 500, "hour_at": n // 500 * 3_600_000, "school_code": f"S{n % SCHOOLS}",
                    "client_id": 1, "times": 1,
                }
                for n in range(CARDS)
            ],
        )  # fmt: skip
        connection.execute(insert(replays),
            [
                {
                    "created_at": n, "created_by": "a", "reason": "r", "meaning": "mapping-in-force", "records": 10,
                    "most_failed": 0.1, "state": "done", "selection": {}, "canary": [],
                }
                for n in range(2_000)
            ],
        )  # fmt: skip
        insert_rows(connection, replay_items,
            [
                {
                    "replay_id": 1 + n // 40, "delivery_id": 1 + n, "destination": "province", "turn": n % 40,
                    "state": "refused", "released_at": n if n % 3 else None,
                    "outcome": "acknowledged" if n < CARDS // 2 else None,
                }
                for n in range(CARDS)
            ],
        )  # fmt: skip
        insert_rows(connection, returned_cards,
            [
                {
                    **card, "delivery_id": 1 + 2 * n, "destination": "ministry", "version": 1,
                    "school_code": f"S{n % SCHOOLS}", "code": "E", "note": "n", "returned_at": n, "returned_by": "a",
                }
                for n, card in enumerate(cards[:8_000])
            ],
        )  # fmt: skip
        insert_rows(connection, edits,
            [
                {
                    **card, "base_version": 1, "changes": findings, "canonical": canonical, "state": "made",
                    "asked_at": n, "asked_by": "a", "reason": "r",
                }
                for n, card in enumerate(cards[:8_000])
            ],
        )  # fmt: skip
        insert_rows(connection, identity_results,
            [
                {
                    **card, "destination": ("ministry", "province")[n % 2], "version": 1,
                    "result": ("verified", "mismatch", "not-found")[n % 3], "told_at": n,
                    "school_code": f"S{n % SCHOOLS}", "commune_code": f"{n % SCHOOLS % 104:05d}",
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, transfers,
            [
                {
                    **card, "from_school": f"S{n % SCHOOLS}", "to_school": f"S{(n + 1) % SCHOOLS}", "decided_at": n,
                    "decided_by": "p", "reason": "r",
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        insert_rows(connection, data_locks,
            [
                {
                    "school_code": f"S{n % SCHOOLS}", "school_year": YEARS[n % 3], "grade": n // SCHOOLS,
                    "locked_at": n, "locked_by": "p", "reason": "r", "unlocked_at": n if n % 4 else None,
                }
                for n in range(8_000)
            ],
        )  # fmt: skip
        connection.execute(
            insert(audit),
            [{"at": n, "actor": "a", "action": "pause", "reason": "r", "detail": {}} for n in range(2_000)],
        )
        insert_rows(
            connection, audit_cards,
            [{"school_year": YEARS[n % 3], "card_id": f"card-{n}", "audit_id": 1 + n % 2_000} for n in range(8_000)],
        )  # fmt: skip
        insert_rows(
            connection,
            idempotency_keys,
            [{"client_id": 1, "route": "r", "key": f"k{n}", "started_at": n, "locked_until": n} for n in range(2_000)],
        )
