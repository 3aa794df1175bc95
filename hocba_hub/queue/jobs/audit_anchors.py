"""The job `audit-anchors`: the end of the audit trail's chain is written to a file that can be copied away."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from hocba_hub.model.audit_chain import Anchor
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store import audit


@dataclass(frozen=True)
class AuditAnchors:
    """Adds a line to the file whenever the chain has grown."""

    file: Path

    def __call__(self, run: JobRun) -> None:
        """One line at most; a line that was written twice says the same twice."""
        with run.store.read() as connection:
            end = audit.newest(connection)
        last = next(iter(deque(read_anchors(self.file), maxlen=1)), None)
        if end is not None and (last is None or last.seq != end.seq or last.hash != end.hash):
            _add(self.file, end)
            with run.step():
                run.result["anchors"] += 1
                run.done += 1


def _add(file: Path, anchor: Anchor) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    line = orjson.dumps({"seq": anchor.seq, "hash": anchor.hash.hex(), "at": anchor.at}) + b"\n"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as opened:
        opened.write(line)
        opened.flush()
        os.fsync(opened.fileno())


def read_anchors(file: Path) -> Iterator[Anchor]:
    """The anchors of a file, the oldest first; none if there is no file. A line that broke off is left out."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            try:
                read = orjson.loads(line)
                yield Anchor(int(read["seq"]), bytes.fromhex(read["hash"]), int(read["at"]))
            except (orjson.JSONDecodeError, KeyError, ValueError, TypeError):
                continue
