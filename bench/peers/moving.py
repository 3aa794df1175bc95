"""The work of every peer's job: post one card to both sinks over kept connections."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

REDIS = os.environ.get("PEER_REDIS", "")
POSTGRESQL = os.environ.get("PEER_POSTGRESQL", "")
SINKS = os.environ.get("PEER_SINKS", "").split()
_client = httpx.Client(timeout=30)


def move(card: str) -> None:
    """Post a card to each sink."""
    for sink in SINKS:
        _client.post(sink, content=card.encode()).raise_for_status()


def cards() -> Iterator[str]:
    """The cards of the file that the command line names, one in each line."""
    yield from Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
