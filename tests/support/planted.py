"""A synthetic province with planted gaps: cards of two years that stand everywhere a card can stand."""

from __future__ import annotations

import random

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries, report_cards

YEAR, BEFORE = "2025-2026", "2024-2025"
NAMES = [DestinationName("ministry"), DestinationName("province")]
NOW = 1_781_500_000_000  # 15 June 2026
SCHOOLS = 30
STATES = ["acknowledged"] * 70 + ["refused"] * 8 + ["queued", "awaiting_ack", "in_doubt", "held", "parked", "cancelled"]
CIRCULARS = {"primary": ("TT27/2020", (1, 5)), "lower": ("TT22/2021", (6, 9)), "centre": ("TT43/2021", (10, 12))}


def plant(store: Store, *, per_class: int = 4) -> None:
    """Cards of this year and last; some are recalled, some have two versions, and each stands somewhere."""
    chance = random.Random(4)
    cards, sent = [], []
    for n in range(SCHOOLS):
        circular, (low, high) = CIRCULARS[("primary", "lower", "centre")[n % 3]]
        for year, share in ((BEFORE, 1.0), (YEAR, chance.choice((0.0, 0.6, 1.0)))):
            for grade in range(low, high + 1):
                for class_number, pupil in ((c, p) for c in range(2) for p in range(per_class)):
                    if chance.random() > share:
                        continue
                    key = f"{n}-{grade}-{class_number}-{pupil}"
                    version = 1 + (chance.random() < 0.2)
                    cards.append({
                        "school_year": year, "card_id": key, "school_code": f"S{n}", "client_id": 1,
                        "version": version, "content_sha256": bytes(32), "recalled": chance.random() < 0.1,
                        "changed_at": 1, "circular": circular, "grade": grade, "class_code": f"{grade}{class_number}",
                        "commune_code": f"C{n % 7}",
                    })  # fmt: skip
                    sent += [
                        {
                            "destination": name, "school_year": year, "card_id": key, "version": number,
                            "event": "NEW", "state": chance.choice(STATES) if number == version else "acknowledged",
                            "accepted_at": 1, "next_attempt_at": 1,
                        }
                        for name in NAMES
                        for number in range(1, version + 1)
                    ]  # fmt: skip
    with store.write() as connection:
        insert_rows(connection, report_cards, cards)
        insert_rows(connection, deliveries, sent)


def destination(name: str, **more: object) -> Destination:
    return Destination(name=name, title=Title(vi="t", en="t"), adapter="x", address="x", **more)  # type: ignore[arg-type]
