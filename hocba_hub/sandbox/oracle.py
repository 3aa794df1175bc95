"""The oracle: every record that was answered 202 is in each ledger exactly once, in its newest version.

It compares what the vendors were answered with what the simulators hold, and asks the hub nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

_PAGE = 10_000


@dataclass
class Verdict:
    """How one destination stands against what the vendors were answered."""

    held: int = 0
    """Accepted records that it holds in their newest version."""
    refused: int = 0
    """Accepted records whose newest version it refused by a code of its own."""
    lost: list[str] = field(default_factory=list)
    """Accepted records of which it has neither."""
    doubled: int = 0
    """Versions that arrived again after it held them."""
    altered: int = 0
    """Versions that arrived with other bytes than at first."""
    arrivals: int = 0
    """Arrivals of records, repeated ones included."""
    ledger_versions: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing doubled, nothing altered."""
        return not (self.lost or self.doubled or self.altered)


def examine(ledger_url: str, accepted: Mapping[str, int]) -> Verdict:
    """Compare one simulator's ledger with the vendors' answers (record id → newest version)."""
    verdict = Verdict()
    held: dict[str, int] = {}
    refused: set[tuple[str, int]] = set()
    for row in ledger_rows(ledger_url):
        verdict.ledger_versions += 1
        verdict.arrivals += row["received"]
        verdict.doubled += row["doubled"] + max(0, row["committed"] - 1)
        verdict.altered += row["altered"]
        if row["committed"]:
            held[row["record_id"]] = max(held.get(row["record_id"], 0), row["version"])
        elif row["verdict"] is not None:
            refused.add((row["record_id"], row["version"]))
    for record_id, version in accepted.items():
        if held.get(record_id) == version:
            verdict.held += 1
        elif (record_id, version) in refused:
            verdict.refused += 1
        else:
            verdict.lost.append(record_id)
    return verdict


def ledger_rows(ledger_url: str) -> Iterator[dict[str, Any]]:
    """Every version in a ledger."""
    after = 0
    with httpx.Client(timeout=60) as http:
        while True:
            page = http.get(f"{ledger_url}/ledger/records", params={"after": after, "limit": _PAGE}).content
            rows = [orjson.loads(line) for line in page.splitlines()]
            yield from rows
            if not rows:
                return
            after = rows[-1]["seq"]
