"""The job `recheck`: records that waited for the meaning of a code are read again, those that nobody came back to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hocba_hub.intake.recheck import Recheck
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store.unmapped_codes import ready

_PORTION = 200


@dataclass(frozen=True)
class Rechecking:
    """Reads again what a call that filled a code left, or a process that died."""

    make: Callable[[], Recheck]
    """Called when there is something to read: that needs much that other jobs do not."""

    def __call__(self, run: JobRun) -> None:
        """Portion by portion, until none is left; a portion that was read is not met again."""
        recheck: Recheck | None = None
        while True:
            with run.store.read() as connection:
                if not ready(connection, 1):
                    return
            recheck = recheck or self.make()
            run.give_way()
            read = recheck.run(now=run.clock(), most=_PORTION)
            with run.step():
                run.result["accepted"] += read.accepted
                run.result["rejected"] += read.rejected
                run.done += read.accepted + read.rejected
