"""Records of vendors that were rejected, as they were sent: what a mended mapping is tried on before it is activated.

A sample, not an archive: of each client and mapping the newest ones, and those only for a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, tuple_

from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.decide import Portion, RecordResult
from hocba_hub.store.tables import rejected_records

MOST_KEPT = 1_000
"""Of one client and mapping."""
_MOST_OF_PORTION = 100
_r = rejected_records.c


def keep(connection: Connection, portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]]) -> None:
    """Keep what was rejected of vendors' records; those that wait for a code are kept elsewhere."""
    for portion, decided in zip(portions, results, strict=True):
        client, submission_id = portion.submission.client, portion.submission.id
        rows: dict[str, list[dict[str, object]]] = {}
        for record, result in zip(portion.records, decided, strict=True):
            sent = record.sent
            if sent is None or result.status != "rejected" or sent.waits:
                continue
            if result.school is not None and not client.may_speak_for(result.school):
                continue
            row = {
                "submission_id": submission_id,
                "position": result.position,
                "client_id": client.id,
                "mapping": sent.mapping,
                "school_year": result.key.school_year if result.key else None,
                "card_id": result.key.card_id if result.key else None,
                "original": sent.original,
            }
            rows.setdefault(sent.mapping, []).append(row)
        for mapping, some in rows.items():
            insert_rows(connection, rejected_records, some[:_MOST_OF_PORTION])
            _forget_oldest(connection, client.id, mapping)


def forget_old(connection: Connection, *, before: str, limit: int) -> int:
    """Forget some records of submissions before this id; how many."""
    old = select(_r.submission_id, _r.position).where(_r.submission_id < before).limit(limit)
    keys = [tuple(row) for row in connection.execute(old)]
    if keys:
        connection.execute(delete(rejected_records).where(tuple_(_r.submission_id, _r.position).in_(keys)))
    return len(keys)


def _forget_oldest(connection: Connection, client_id: int, mapping: str) -> None:
    mine = (_r.client_id == client_id, _r.mapping == mapping)
    last = connection.execute(
        select(_r.submission_id, _r.position)
        .where(*mine)
        .order_by(_r.submission_id.desc(), _r.position.desc())
        .offset(MOST_KEPT)
        .limit(1)
    ).one_or_none()
    if last is not None:
        older = tuple_(_r.submission_id, _r.position) <= tuple_(*last)
        connection.execute(delete(rejected_records).where(*mine, older))
