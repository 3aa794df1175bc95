"""The scheduler: rings for whatever is due, takes over expired leases and clears away what is too old.

Any number may run; each round is idempotent, so they need not know of each other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.drain import Engine
from hocba_hub.store.engine import StoreError

log = logging.getLogger(__name__)

_HOUSEKEEPING_ROUNDS = 600


def schedule(
    engine: Engine,
    doorbell: Doorbell,
    stop: threading.Event,
    *,
    ring_files: Callable[[], None],
    every_seconds: float = 1.0,
    housekeeping: Sequence[Callable[[], None]] = (),
) -> None:
    """One round each `every_seconds` until `stop` is set; `housekeeping` at the first and every 600th round."""
    rounds = 0
    while not stop.is_set():
        try:
            if engine.sweep():
                log.warning("expired leases were taken over")
            for name in engine.due():
                doorbell.ring_now("drain", name)
            ring_files()
            if rounds % _HOUSEKEEPING_ROUNDS == 0:
                for task in housekeeping:
                    task()
        except StoreError as error:
            log.warning("the scheduler cannot use the store: %s", error)
        rounds += 1
        stop.wait(every_seconds)
