"""The job `audit-verify`: the audit trail's chain is held against its rows and its anchors, and the faults counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hocba_hub.queue.jobs.audit_anchors import read_anchors
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store import audit


@dataclass(frozen=True)
class AuditVerify:
    """Verifies the whole chain in one view of the store; `hocba-hub audit verify` names the faults."""

    anchors: Path

    def __call__(self, run: JobRun) -> None:
        """One step."""
        with run.store.read() as connection:
            end = audit.newest(connection)
            faults = sum(1 for _ in audit.verify(connection, anchors=read_anchors(self.anchors)))
        with run.step():
            run.result["faults"] = faults
            run.result["rows"] = run.done = 0 if end is None else end.seq
