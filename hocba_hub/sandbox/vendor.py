"""A simulated vendor system: pushes cards over HTTP as a careful one would, and remembers what it was answered.

It sends every batch under an idempotency key, waits when it is told to, and sends the same batch again when no
answer came. What it was answered is the one side of the oracle; the destinations' ledgers are the other.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import uuid4

import httpx
import orjson

_PATIENCE_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0


@dataclass
class Answers:
    """What a vendor was told."""

    accepted: dict[str, int] = field(default_factory=dict)
    """Record id → newest version that was answered with `accepted` or `unchanged`."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Finding code → rejected records that it stood first on."""
    sent: int = 0
    """Records sent, each counted once, however often its batch went out."""
    resent: int = 0
    """Batches that went out again: no answer, or the hub asked to wait."""
    broken: int = 0
    """Calls under way that got no answer."""
    replayed: int = 0
    """Answers that the hub had stored."""


class Vendor:
    """One client of the hub. `push` may be called from several threads."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        batch: int = 100,
        stop: threading.Event | None = None,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        """`stop` ends every waiting and sending; a call without an answer is made again after `answer_seconds`."""
        self.answers = Answers()
        self.key = key
        self._batch = batch
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=answer_seconds)

    def push(self, cards: Iterable[bytes], *, on_batch: Callable[[int], None] | None = None) -> None:
        """Send all cards, in batches, until each has been answered; `on_batch` learns how many were."""
        for batch in _batches(cards, self._batch):
            answer = self._sure(b"\n".join(batch))
            if answer is None:
                return
            self._note(answer["records"])
            if on_batch is not None:
                on_batch(len(batch))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _sure(self, body: bytes) -> dict[str, Any] | None:
        """The hub's answer to a batch, however long that takes; None if told to stop."""
        headers = {"Idempotency-Key": f'"{uuid4()}"', "Content-Type": "application/x-ndjson"}
        while not self._stop.is_set():
            wait = _PATIENCE_SECONDS
            try:
                response = self._http.post("/v1/report-cards", content=body, headers=headers)
            except httpx.ConnectError:
                pass  # nobody was there
            except httpx.TransportError:
                self.answers.broken += 1
            else:
                answer = orjson.loads(response.content) if response.content else {}
                self.answers.replayed += "Idempotency-Replayed" in response.headers
                if "records" in answer:
                    return answer
                if response.status_code < 500 and response.status_code not in {409, 429}:  # noqa: PLR2004
                    raise RuntimeError(f"The hub refuses the batch: {response.status_code} {answer.get('code')}.")
                wait = float(response.headers.get("Retry-After", wait))
            self.answers.resent += 1
            self._stop.wait(min(wait, _LONGEST_WAIT_SECONDS))
        return None

    def _note(self, records: list[dict[str, Any]]) -> None:
        with self._lock:
            for record in records:
                self.answers.sent += 1
                if record["status"] == "rejected":
                    self.answers.rejected[record["findings"][0]["code"]] += 1
                else:
                    known = self.answers.accepted.get(record["record_id"], 0)
                    self.answers.accepted[record["record_id"]] = max(known, record["version"])


def _batches(cards: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    source = iter(cards)
    while batch := list(islice(source, size)):
        yield batch


def wait_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.2) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True
