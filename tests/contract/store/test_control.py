"""Pausing and resuming a destination, on both stores."""

from __future__ import annotations

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store import audit, control
from hocba_hub.store.engine import Store
from tests.support.engine import PROVINCE, Bench, answered, put


def test_a_paused_destination_gets_nothing_until_it_is_resumed(store: Store):
    bench = Bench(store)
    with store.write() as c:
        control.pause(c, PROVINCE, actor="os:lan", reason="maintenance there", now=bench.now)
    put(bench, ("a", "1"))
    bench.drain(1)
    assert bench.peer.calls["send"] == 0
    with store.read() as c:
        [standing] = control.overview(c, [PROVINCE], bench.now)
    assert (standing.paused_at, standing.pause_reason) == (1_000_000, "maintenance there")
    assert standing.depth[DeliveryState.QUEUED] == 1
    assert standing.oldest_due_at == 1_000_000
    with store.write() as c:
        control.resume(c, PROVINCE, actor="os:lan", reason="it is over", now=bench.now)
    bench.drain(1)
    assert bench.states() == {"acknowledged": 1}
    with store.read() as c:
        [standing] = control.overview(c, [PROVINCE], bench.now)
        acts = [(entry.action, entry.actor, entry.reason, entry.detail) for entry in audit.entries(c)]
    assert (standing.paused_at, standing.pause_reason, standing.oldest_due_at) == (None, None, None)
    assert acts == [
        ("resume", "os:lan", "it is over", {"destination": "province"}),
        ("pause", "os:lan", "maintenance there", {"destination": "province"}),
    ]


def test_the_overview_has_every_destination_that_is_configured_and_shows_an_open_breaker(store: Store):
    bench = Bench(store, breaker={"failures": 1, "open_seconds": 60})
    put(bench, ("a", "1"))
    bench.peer.on_send = answered("http-503")
    bench.drain()
    with store.read() as c:
        known = control.overview(c, [PROVINCE, DestinationName("ministry")], bench.now)
        later = control.overview(c, [PROVINCE], bench.now + 61_000)
    assert [each.name for each in known] == ["ministry", "province"]
    assert (known[0].failures, known[0].open_until, sum(known[0].depth.values())) == (0, None, 0)
    assert (known[1].failures, known[1].open_until) == (1, bench.now + 60_000)
    assert later[0].open_until is None


def test_the_audit_trail_is_read_backwards_page_by_page(store: Store):
    with store.write() as c:
        for n in range(5):
            audit.write(c, at=n, actor="a", action="x", reason=str(n), detail={"n": n})
    with store.read() as c:
        first = audit.entries(c, limit=2)
        second = audit.entries(c, before=first[-1].id, limit=10)
    assert [entry.detail["n"] for entry in (*first, *second)] == [4, 3, 2, 1, 0]
