"""What is forgotten in time: what was found in files and rejected records, and how much clients used.

Accepted cards, their versions and deliveries are not touched here.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, tuple_, update

from hocba_hub.model.ids import first_uuid7
from hocba_hub.store.engine import in_states
from hocba_hub.store.open_findings import RECORD
from hocba_hub.store.rejected_records import forget_old
from hocba_hub.store.tables import (
    attempt_bodies,
    failure_counts,
    file_parts,
    files,
    open_findings,
    records,
    usage,
    waiting_codes,
    waiting_records,
)

_AT_ONCE = 2_000
"""Rows that one transaction forgets: it holds up nobody."""


def forget_rejected(connection: Connection, *, before: int) -> int:
    """Forget some records that were rejected before a moment (milliseconds), with their findings; how many."""
    r = records.c
    old = select(r.submission_id, r.position).where(
        r.submission_id < first_uuid7(before), in_states(r.status, "rejected")
    )
    keys = [tuple(row) for row in connection.execute(old.order_by(r.submission_id, r.position).limit(_AT_ONCE))]
    if keys:
        connection.execute(delete(records).where(tuple_(r.submission_id, r.position).in_(keys)))
    return len(keys)


def forget_rejected_bytes(connection: Connection, *, before: int) -> int:
    """Forget the bytes of some vendors' records that were rejected before a moment; how many."""
    return forget_old(connection, before=first_uuid7(before), limit=_AT_ONCE)


def forget_open_findings(connection: Connection, *, before: int) -> int:
    """Forget the open findings of cards that nobody sent again since a moment, and what waits for codes in them."""
    o, w, c = open_findings.c, waiting_records.c, waiting_codes.c
    old = [
        tuple(row)
        for row in connection.execute(
            select(o.school_code, o.school_year, o.card_id, o.client_id, o.matter)
            .where(o.last_at < before)
            .limit(_AT_ONCE)
        )
    ]
    if old:
        whole = tuple_(o.school_code, o.school_year, o.card_id, o.client_id, o.matter)
        connection.execute(delete(open_findings).where(whole.in_(old)))
        cards = [key[1:4] for key in old if key[4] == RECORD]
        if not cards:
            return len(old)
        connection.execute(delete(waiting_codes).where(tuple_(c.school_year, c.card_id, c.client_id).in_(cards)))
        connection.execute(delete(waiting_records).where(tuple_(w.school_year, w.card_id, w.client_id).in_(cards)))
    return len(old)


def forget_file_findings(connection: Connection, *, before: int) -> int:
    """Forget what was found of files that ended before a moment, and the names of their parts; the row stays."""
    f = files.c
    old = select(f.id).where(
        f.changed_at < before, f.findings.is_not(None), f.state.in_(["done", "failed", "cancelled"])
    )
    ids = list(connection.execute(old.limit(_AT_ONCE)).scalars())
    if ids:
        connection.execute(update(files).where(f.id.in_(ids)).values(findings=None, name=""))
        connection.execute(delete(file_parts).where(file_parts.c.file_id.in_(ids)))
    return len(ids)


def forget_failure_counts(connection: Connection, *, before: int) -> int:
    """Forget in which hours before a moment failures happened where; the groups' sums stay."""
    return connection.execute(delete(failure_counts).where(failure_counts.c.hour_at < before)).rowcount


def forget_bodies(connection: Connection, *, before: int) -> int:
    """Forget some bodies of requests and answers that were kept before a moment; the digests stay."""
    b = attempt_bodies.c
    old = select(b.attempt_id).where(b.kept_at < before).order_by(b.kept_at).limit(_AT_ONCE // 20)
    return connection.execute(delete(attempt_bodies).where(b.attempt_id.in_(old))).rowcount


def forget_usage(connection: Connection, *, before: int) -> int:
    """Forget how much clients used in windows that began before a moment."""
    return connection.execute(delete(usage).where(usage.c.window_start < before)).rowcount
