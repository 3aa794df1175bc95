"""The audit trail on both stores: a chain that shows every tampering, and a database user who cannot tamper."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from hocba_hub.model.audit_chain import FIRST, Anchor, Fault, link
from hocba_hub.queue.jobs.audit_anchors import AuditAnchors, read_anchors
from hocba_hub.store import audit, control
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.grants import RoleNameError, grants
from hocba_hub.store.tables import audit as table
from tests.support.acceptance import submit
from tests.support.engine import PROVINCE, Bench, answered
from tests.support.jobs import run_once

ROWS = 12
c = table.c


def written(store: Store, number: int = ROWS, *, first: int = 0) -> None:
    for n in range(first, first + number):
        with store.write() as connection:
            audit.write(
                connection, at=1000 * n, actor="os:lan", action="pause", reason=f"r{n}", detail={"n": n, "é": 1.5}
            )


def verified(store: Store, **how: object) -> list[Fault]:
    with store.read() as connection:
        return list(audit.verify(connection, **how))  # type: ignore[arg-type]


def ends(store: Store) -> Anchor:
    with store.read() as connection:
        found = audit.newest(connection)
    assert found is not None
    return found


def test_a_chain_that_nobody_touched_is_whole(store: Store):
    assert verified(store) == []
    written(store)
    assert verified(store) == []
    assert verified(store, since=5000) == []
    assert verified(store, since=10**9) == []
    assert ends(store).seq == ROWS


def _edit(connection: Connection) -> None:
    connection.execute(update(table).where(c.seq == 5).values(reason="another"))


def _edit_detail(connection: Connection) -> None:
    connection.execute(update(table).where(c.seq == 5).values(detail={"n": 99}))


def _delete(connection: Connection) -> None:
    connection.execute(delete(table).where(c.seq == 5))


def _swap(connection: Connection) -> None:
    for before, after in ((5, 1005), (6, 5), (1005, 6)):
        connection.execute(update(table).where(c.seq == before).values(seq=after))


def _restore_an_old_row(connection: Connection) -> None:
    """A row as an older backup has it at this place, with its own hash."""
    other = link(bytes(32), 5, {"id": 5, "at": 1, "actor": "a", "action": "x", "reason": "y", "detail": {}})
    connection.execute(update(table).where(c.seq == 5).values(
        at=1, actor="a", action="x", reason="y", detail={}, hash=other,
    ))  # fmt: skip


def _insert_unchained(connection: Connection) -> None:
    connection.execute(insert(table).values(id=999, at=1, actor="a", action="x", reason="y", detail={}))


def _close_the_gap(connection: Connection) -> None:
    connection.execute(delete(table).where(c.seq == 5))
    for seq in range(6, ROWS + 1):
        connection.execute(update(table).where(c.seq == seq).values(seq=seq - 1))


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (_edit, [Fault(5, "changed")]),
        (_edit_detail, [Fault(5, "changed")]),
        (_delete, [Fault(5, "missing")]),
        (_swap, [Fault(5, "changed"), Fault(6, "changed"), Fault(7, "changed")]),
        (_restore_an_old_row, [Fault(5, "changed"), Fault(6, "changed")]),
        (_insert_unchained, [Fault(0, "unchained")]),
    ],
)
def test_tampering_is_found(store: Store, tamper: Callable[[Connection], None], found: list[Fault]):
    written(store)
    with store.write() as connection:
        tamper(connection)
    assert verified(store) == found
    written(store, 2, first=ROWS)
    assert verified(store) == found, "what comes after it does not hide it"


def test_a_gap_that_was_closed_is_found(store: Store):
    written(store)
    with store.write() as connection:
        _close_the_gap(connection)
    assert verified(store)[0] == Fault(5, "changed")


def test_since_looks_from_there_on_only(store: Store):
    written(store)
    with store.write() as connection:
        connection.execute(update(table).where(c.seq == 3).values(reason="another"))
    assert verified(store, since=6000) == []
    assert verified(store, since=1000) == [Fault(3, "changed")]


def test_a_cut_end_and_a_chain_that_was_made_anew_are_found_by_anchors(store: Store, tmp_path: Path):
    file = tmp_path / "kept" / "anchors.ndjson"
    job = AuditAnchors(file)
    assert run_once(store, "audit-anchors", job, now=1).result == {}
    written(store, 6)
    run_once(store, "audit-anchors", job, now=2)
    written(store, 6, first=6)
    run_once(store, "audit-anchors", job, now=3)
    again = run_once(store, "audit-anchors", job, now=4)
    assert again.result == {}, "nothing was added"
    anchors = list(read_anchors(file))
    assert [one.seq for one in anchors] == [6, 12]
    assert file.stat().st_mode & 0o777 == 0o600
    assert verified(store, anchors=anchors) == []
    with store.write() as connection:
        connection.execute(delete(table).where(c.seq > 9))
    assert verified(store) == [], "the chain alone does not know its end"
    assert verified(store, anchors=anchors) == [Fault(12, "cut")]
    before = FIRST
    with store.write() as connection:
        for row in connection.execute(select(table).order_by(c.seq)).all():
            told = {**row._mapping, "reason": "made anew"}
            before = link(before, row.seq, told)
            connection.execute(update(table).where(c.seq == row.seq).values(reason="made anew", hash=before))
    assert verified(store) == []
    assert verified(store, anchors=anchors) == [Fault(6, "rewritten"), Fault(12, "cut")]
    with file.open("a") as broken:
        broken.write('{"seq": 13, "ha')
    assert [one.seq for one in read_anchors(file)] == [6, 12]


def test_rows_of_many_writers_are_one_chain_and_a_transaction_that_fails_leaves_none(store: Store):
    def write(number: int) -> None:
        for n in range(10):
            with store.write() as connection:
                audit.write(connection, at=n, actor=f"w{number}", action="a", reason="r", detail={})
                audit.write(connection, at=n, actor=f"w{number}", action="b", reason="r", detail={})

    with ThreadPoolExecutor(4) as pool:
        for ended in [pool.submit(write, n) for n in range(4)]:
            ended.result()
    with suppress(RuntimeError), store.write() as connection:
        audit.write(connection, at=1, actor="a", action="lost", reason="r", detail={})
        raise RuntimeError
    written(store, 1)
    assert verified(store) == []
    with store.read() as connection:
        assert connection.execute(select(c.seq).order_by(c.seq)).scalars().all() == list(range(1, 82))
        assert "lost" not in [one.action for one in audit.entries(connection, limit=1000)]


def test_the_end_of_the_chain_is_held_for_the_commit_alone(store: Store):
    """Another transaction writes to the trail while this one, which has done so before, is still at work."""
    if store.is_sqlite:
        pytest.skip("SQLite has one writer at a time in any case")
    done = threading.Event()

    def other() -> None:
        written(store, 1)
        done.set()

    with store.write() as connection:
        audit.write(connection, at=1, actor="a", action="x", reason="r", detail={})
        thread = threading.Thread(target=other)
        thread.start()
        assert done.wait(5), "it waited for a transaction that had not come to its end"
    thread.join()
    assert verified(store) == []


def test_the_user_of_the_processes_runs_the_hub_and_cannot_change_the_trail(store: Store):
    if store.is_sqlite:
        pytest.skip("SQLite has no users")
    role = "hub_processes"
    with store._writing.begin() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {role}")
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        for statement in grants(role):
            connection.exec_driver_sql(statement)
    limited = Store(store.url.set(username=role).render_as_string(hide_password=False))
    try:
        bench = Bench(limited)
        submit(limited, ("a", "1"), now=bench.now)
        bench.peer.on_send = answered("WRONG")
        bench.drain(1)
        with limited.write() as connection:
            control.pause(connection, PROVINCE, actor="os:lan", reason="works there", now=1)
        assert verified(limited) == []
        for forbidden in (
            "UPDATE audit SET reason = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit",
            "ALTER TABLE audit DISABLE TRIGGER ALL",
        ):  # fmt: skip
            with pytest.raises((DBAPIError, StoreError)), limited.write() as connection:
                connection.execute(text(forbidden))
        assert verified(limited) == []
    finally:
        limited.close()
        with store._writing.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_role_is_named_plainly():
    for wrong in ("x; DROP TABLE audit", "", "A", '"x"', "x" * 64):
        with pytest.raises(RoleNameError):
            list(grants(wrong))
    assert "GRANT SELECT, INSERT ON audit TO hub;" in list(grants("hub"))
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO hub;" in list(grants("hub"))
