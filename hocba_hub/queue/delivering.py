"""The work of a delivery worker: drain a destination when it is rung for, or whatever is due without Redis."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.drain import Engine
from hocba_hub.store.engine import StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivering:
    """What the delivery worker of a process works with."""

    engine: Engine
    doorbell: Doorbell
    drain_seconds: float
    """Longest time one destination is delivered to before the others get their turn."""
    stop: threading.Event
    """Set when the process is to end: what is under way is finished, nothing new is leased."""

    def run(self, destination: str) -> None:
        """Work off what is due at a destination; ring again if something is left when the time is over."""
        name = DestinationName(destination)
        if name not in self.engine.destinations:
            return
        self.doorbell.answer("drain", name)
        try:
            finished = self.engine.drain(name, seconds=self.drain_seconds, stop=self.stop)
            if finished and not self.stop.is_set() and name in self.engine.due():
                self.doorbell.ring_now("drain", name)
        except Exception:
            # A drain that fails would be tried again by nobody: the scheduler rings again for what is due.
            log.exception("draining %s failed", name)

    def poll(self) -> None:
        """One round without Redis: take over expired leases, then drain whatever is due."""
        try:
            self.engine.sweep()
            for name in self.engine.due():
                if not self.stop.is_set():
                    self.engine.drain(name, seconds=self.drain_seconds, stop=self.stop)
        except StoreError as error:
            log.warning("the store cannot be polled: %s", error)
