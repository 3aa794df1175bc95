"""The scheduler: rings for whatever is due, and takes over expired leases of deliveries.

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


def schedule(
    engine: Engine,
    doorbell: Doorbell,
    stop: threading.Event,
    *,
    ring: Sequence[Callable[[], None]],
    done: Callable[[], None],
    every_seconds: float = 1.0,
) -> None:
    """One round each `every_seconds` until `stop` is set.

    `ring` are those that ring for what else is due; `done` is told of every round that came to its end.
    """
    while not stop.is_set():
        try:
            if engine.sweep():
                log.warning("expired leases were taken over")
            for name in engine.due():
                doorbell.ring_now("drain", name)
            for ring_due in ring:
                ring_due()
            done()
        except StoreError as error:
            log.warning("the scheduler cannot use the store: %s", error)
        stop.wait(every_seconds)
