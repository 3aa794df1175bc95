"""Killing a process at the moment that hurts, while it holds a lease: for the demo and the kill tests."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import select

from hocba_hub.cli.supervision import Child
from hocba_hub.store.tables import attempts

if TYPE_CHECKING:
    from hocba_hub.store.engine import Store

_END_SECONDS = 10


def kill_while_delivering(child: Child, store: Store) -> bool:
    """SIGKILL a worker if it holds a lease; whether it did so until its end, which its lease then outlives.

    A worker that holds none, or has ended already, is left alone.
    """
    process, lease = child.process, lease_of(child, store)
    if process is None or lease is None:
        return False
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    return is_open(lease, store)


def lease_of(child: Child, store: Store) -> int | None:
    """An open lease of a worker that runs; holders are `host:pid:random`."""
    process = child.process
    if process is None or process.poll() is not None:
        return None
    with store.read() as connection:
        held = connection.execute(select(attempts.c.id, attempts.c.holder).where(attempts.c.ended_at.is_(None))).all()
    return next((row.id for row in held if row.holder.split(":")[-2] == str(process.pid)), None)


def is_open(lease: int, store: Store) -> bool:
    """Whether nobody has ended this lease yet: neither its holder nor who takes over."""
    with store.read() as connection:
        return connection.execute(select(attempts.c.ended_at).where(attempts.c.id == lease)).scalar_one() is None
