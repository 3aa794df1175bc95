"""Cards wait for their destination's window, and nobody calls it during its maintenance; no attempt is burnt."""

from __future__ import annotations

from datetime import datetime

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store.engine import Store
from tests.support.engine import Bench, answered, not_sent, put

S = DeliveryState
DAY = 86_400


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp() * 1000)


def bench_at(store: Store, moment: str, **destination: object) -> Bench:
    bench = Bench(store, **destination)
    bench.now = at(moment)
    return bench


WINDOWS = {"windows": [{"opens": "06-01", "closes": "07-10", "levels": ["lower-secondary"]}]}


def test_a_card_waits_until_its_window_opens(store: Store):
    bench = bench_at(store, "2026-05-30 12:00", **WINDOWS)
    put(bench, ("a", "1"))
    bench.drain()
    row = bench.row("a")
    assert (row.state, row.code, row.attempts) == (S.HELD, "window-closed", 0)
    assert row.next_attempt_at == bench.now + DAY * 1000  # looked at again in a day: the file may be changed
    bench.drain(DAY)
    assert bench.row("a").next_attempt_at == at("2026-06-01 00:00")
    bench.now = at("2026-06-01 00:00")
    bench.drain()
    assert (bench.states(), bench.peer.calls["send"], bench.row("a").attempts) == ({S.ACKNOWLEDGED: 1}, 1, 1)


def test_a_batch_is_parted_by_its_windows(store: Store):
    bench = bench_at(
        store, "2026-05-30 12:00", windows=[{"opens": "06-01", "closes": "07-10", "school_years": ["2025-2026"]}]
    )
    put(bench, ("a", "1"))
    bench.destination = bench.destination.model_copy(update={"outside_windows": "send"})
    bench.engine = bench.process("w")
    bench.drain()
    assert bench.states() == {S.ACKNOWLEDGED: 1}


def test_a_closed_window_is_no_failure_of_the_destination(store: Store):
    bench = bench_at(store, "2026-05-30 12:00", breaker={"failures": 1}, **WINDOWS)
    put(bench, ("a", "1"), ("b", "1"))
    bench.drain()
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT failures, open_until FROM destinations").one() == (0, None)


MAINTENANCE = {"maintenance": [{"begins": "2026-05-30T00:00:00+07:00", "ends": "2026-06-01T00:00:00+07:00"}]}


def test_nobody_is_called_during_maintenance_and_no_window_of_retries_runs(store: Store):
    bench = bench_at(
        store,
        "2026-05-29 23:00",
        retry={"schedule_seconds": [60], "then_every_seconds": 60, "window_seconds": DAY},
        **MAINTENANCE,
    )
    bench.peer.on_send = not_sent
    put(bench, ("a", "1"))
    bench.drain()
    assert (bench.row("a").state, bench.row("a").attempts) == (S.QUEUED, 1)
    for hour in range(2, 48):
        bench.now = at("2026-05-29 23:00") + hour * 3_600_000
        assert bench.engine.due() == []
        bench.drain()
    assert bench.peer.calls["send"] == 1
    bench.now = at("2026-06-01 12:00")  # 61 hours after the first attempt, 48 of them maintenance
    bench.drain()
    assert (bench.row("a").state, bench.row("a").attempts) == (S.QUEUED, 2)
    bench.drain(12 * 3600)
    assert bench.row("a").state == S.PARKED


def test_polls_and_look_ups_wait_as_well(store: Store):
    bench = bench_at(store, "2026-05-29 23:59", acknowledgement={"poll_seconds": [60]}, **MAINTENANCE)
    bench.peer.on_send = answered("TAKEN", reference="r")
    bench.peer.on_poll = answered("OK")
    put(bench, ("a", "1"))
    bench.drain()
    bench.drain(3_600)
    assert bench.states() == {S.AWAITING_ACK: 1}
    bench.now = at("2026-06-01 00:00")
    bench.drain()
    assert bench.states() == {S.ACKNOWLEDGED: 1}
