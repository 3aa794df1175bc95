"""Replays as tests need them that are about something else: everything at once, without a job."""

from __future__ import annotations

from hocba_hub.model.replays import ReplayPlan
from hocba_hub.store import replays
from hocba_hub.store.engine import Store
from hocba_hub.store.replay_steps import Position, advance
from hocba_hub.store.selection import Selection

ALL_AT_ONCE = ReplayPlan(canary=(), most_failed=1)
_NO_BOUNDS = {"province": 10**6, "ministry": 10**6}
"""Also not by what comes in meanwhile."""


def send_again(store: Store, selection: Selection, *, now: int, plan: ReplayPlan = ALL_AT_ONCE) -> int:
    """Freeze and start a replay and let all of it out; how many deliveries were queued again."""
    with store.write() as connection:
        made = replays.freeze(connection, selection, plan, actor="os:lan", reason="cured", now=now).replay.id
        replays.start(connection, made, actor="os:lan", reason="cured", now=now)
    sent = 0
    while True:
        with store.write() as connection:
            progress = advance(connection, made, Position(shares=dict(_NO_BOUNDS)), _NO_BOUNDS, now)
        sent += progress.sent
        if not progress.sent:
            return sent
