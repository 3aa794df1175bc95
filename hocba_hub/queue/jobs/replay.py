"""The jobs `replay:ID`: a replay's records go out again, a few at first, and it stops when the trouble comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.replays import ReplayState
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store.replay_steps import Position, advance
from hocba_hub.store.replays import find

_PACE_SECONDS = 0.1
"""Between two steps: what went out has a chance to arrive, and the store to serve others."""
_SLOWER_BESIDE = 3
"""So many times as long while cards come in: each step takes the store from those who bring them."""
_PATIENCE = 20
"""Steps in which nothing moved, after which the job rests and others get its process."""
_LONGEST_REST_AS_POWER = 5
"""Of two, in seconds."""


@dataclass(frozen=True)
class Replaying:
    """Sends replays."""

    destinations: Mapping[DestinationName, Destination]
    ring: Callable[[DestinationName], object]
    """Rings for the deliveries to a destination."""
    pace_seconds: float = _PACE_SECONDS
    patience: int = _PATIENCE

    def __call__(self, run: JobRun) -> None:
        """Step after step, until each record has its outcome; while nothing moves it rests, longer and longer.

        At a destination at most one batch of it waits unsent at any time.
        """
        windows = {str(name): one.batch.records for name, one in self.destinations.items()}
        replay_id = int(run.about)
        while True:
            run.give_way()
            cursor = run.cursor or {}
            position, still = Position(**cursor.get("position", {})), cursor.get("still", 0)
            with run.step() as connection:
                progress = advance(connection, replay_id, position, windows, run.clock())
                if run.total is None and (replay := find(connection, replay_id)) is not None:
                    run.total = replay.records
                run.done += progress.ended
                run.result["sent"] += progress.sent
                still = 0 if progress.has_moved else still + 1
                run.cursor = {"position": asdict(position), "still": still}
            for name in progress.sent_to:
                self.ring(DestinationName(name))
            if progress.state is ReplayState.STOPPED:
                run.pause(progress.stop_code or progress.state)
            if progress.state is not ReplayState.RUNNING:
                return
            if still > self.patience:
                run.rest(2.0 ** min(still - self.patience - 1, _LONGEST_REST_AS_POWER))
            time.sleep(self.pace_seconds * (_SLOWER_BESIDE if progress.is_beside else 1))
