"""Files that clients send: how much has come, how far the import is, who is at it.

    receiving ─▶ waiting ─▶ done          the whole file was read; each record has its result
                    └─────▶ failed        it could not be read, or its import was given up: `code` says why
    receiving, waiting ──▶ cancelled      its sender, or an operator, wants no more of it; what was accepted stays

The import is leased: whoever holds the lease moves the cursor in the same commit as the records of a portion, so that
a killed import goes on where it was, and one whose lease was taken over writes nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, RowMapping, case, delete, func, select, update

from hocba_hub.model.ids import uuid7
from hocba_hub.store import jobs
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.bulk import insert_rows, upsert
from hocba_hub.store.jobs import RunState
from hocba_hub.store.tables import file_parts, files, records, submissions

IMPORT = "import"
"""Kind of the jobs that files are."""
MOST_FINDINGS = 200
"""Findings about a file itself that are kept."""

Shown = Mapping[str, Any]
"""A finding as the API shows it."""


class FileState(StrEnum):
    """Where a file stands."""

    RECEIVING = "receiving"
    """Bytes are still missing."""
    WAITING = "waiting"
    """It is whole, and waits for its import or is under it."""
    DONE = "done"
    """It was read to its end."""
    FAILED = "failed"
    """It could not be read; nothing more will come of it unless somebody lets it be tried again."""
    CANCELLED = "cancelled"
    """Somebody wanted no more of it."""


@dataclass(frozen=True, slots=True)
class File:
    """One file and how far it is."""

    id: str
    client_id: int
    upload_key: str | None
    name: str
    form: str
    profile: str
    state: str
    created_at: int
    changed_at: int
    bytes: int | None
    received: int
    sha256: str | None
    total: int | None
    position: int
    code: str | None
    trace_parent: str | None
    lease_id: str | None
    holder: str | None
    leased_until: int
    attempts: int
    """Of the import, since it last got further; the one that holds the lease among them."""
    reinstates: bool
    """Recalled cards in it are put into force again."""
    tells_unchecked: bool
    """What could not be checked is among the findings."""
    paused_at: int | None
    findings: Sequence[Shown]
    """About the file itself."""
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one record of a file."""

    position: int
    status: str
    part: str | None
    """Name of the zip's entry that it stood in."""
    school_year: str | None
    card_id: str | None
    version: int | None
    sha256: bytes
    findings: Sequence[Shown]


def create(
    connection: Connection,
    client_id: int,
    *,
    name: str,
    form: str,
    profile: str,
    now: int,
    upload_key: str | None = None,
    size: int | None = None,
    trace_parent: str | None = None,
    file_id: str | None = None,
    reinstates: bool = False,
    tells_unchecked: bool = False,
) -> str:
    """Enter a file of which nothing has come yet; its id, or that of the client's file with this key.

    `now` in milliseconds, `size` in bytes where it is known.
    """
    made = file_id or uuid7()
    connection.execute(
        upsert(connection, files)
        .values(
            id=made, client_id=client_id, upload_key=upload_key, name=name, form=form, profile=profile,
            state=FileState.RECEIVING, created_at=now, changed_at=now, bytes=size, received=0, position=0,
            trace_parent=trace_parent, leased_until=0, reinstates=reinstates,
            tells_unchecked=tells_unchecked,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    known = None if upload_key is None else find_by_key(connection, client_id, upload_key)
    return made if known is None else known.id


def find(connection: Connection, file_id: str, *, client_id: int | None = None) -> File | None:
    """A file; None if there is none of that client. Without `client_id` it may be anybody's."""
    return _one(connection, files.c.id == file_id, *([] if client_id is None else [files.c.client_id == client_id]))


def find_by_key(connection: Connection, client_id: int, upload_key: str) -> File | None:
    """The file that a client sends under this key."""
    return _one(connection, files.c.client_id == client_id, files.c.upload_key == upload_key)


def newest(
    connection: Connection,
    *,
    limit: int = 100,
    state: FileState | None = None,
    before: str | None = None,
    client_id: int | None = None,
) -> list[File]:
    """The newest files first, at most `limit`; of one state or client only, if it is given.

    `before` is the id of the last one seen.
    """
    query = _select().order_by(files.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(files.c.state == state)
    if before is not None:
        query = query.where(files.c.id < before)
    if client_id is not None:
        query = query.where(files.c.client_id == client_id)
    return [_file(row) for row in connection.execute(query).mappings()]


def note_received(connection: Connection, file_id: str, received: int, *, size: int | None, now: int) -> bool:
    """So many bytes are on the disk for certain; the whole has `size`, where it is known. False if nobody waits for it.

    A file may be cancelled by another process while it comes.
    """
    statement = update(files).where(files.c.id == file_id, files.c.state == FileState.RECEIVING)
    return bool(connection.execute(statement.values(received=received, bytes=size, changed_at=now)).rowcount)


def complete(connection: Connection, file_id: str, *, size: int, sha256: str, now: int) -> bool:
    """The file is whole, and waits for its import. False if it was not being received."""
    statement = update(files).where(files.c.id == file_id, files.c.state == FileState.RECEIVING)
    values = {"state": FileState.WAITING, "bytes": size, "received": size, "sha256": sha256, "changed_at": now}
    return bool(connection.execute(statement.values(values)).rowcount)


def due(connection: Connection, now: int, limit: int = 20) -> list[str]:
    """Files that wait for their import and that nobody holds; the oldest first."""
    query = select(files.c.id).where(*_is_free(now))
    return list(connection.execute(query.order_by(files.c.id).limit(limit)).scalars())


def oldest_free(connection: Connection, now: int) -> list[File]:
    """The file that has waited longest for its import and that nobody holds, if there is one."""
    return [file for file in (find(connection, file_id) for file_id in due(connection, now, 1)) if file is not None]


class Waiting(NamedTuple):
    """Files of one state that have not ended, and the records of them that are known to wait."""

    files: int
    records: int


def waiting(connection: Connection) -> dict[FileState, Waiting]:
    """What has not ended, by state."""
    f = files.c
    left = func.coalesce(func.sum(f.total - f.position), 0)
    query = select(f.state, func.count(), left).where(f.state.in_([FileState.RECEIVING, FileState.WAITING]))
    rows = connection.execute(query.group_by(f.state))
    found = {FileState(state): Waiting(number, int(records)) for state, number, records in rows}
    return {state: found.get(state, Waiting(0, 0)) for state in (FileState.RECEIVING, FileState.WAITING)}


def lease(connection: Connection, file_id: str, holder: str, *, now: int, until: int) -> File | None:
    """Take a file's import until a moment; None if it is not due."""
    f, lease_id = files.c, uuid7()
    taken = connection.execute(
        update(files)
        .where(f.id == file_id, *_is_free(now))
        .values(lease_id=lease_id, holder=holder, leased_until=until, attempts=f.attempts + 1)
    )
    return find(connection, file_id) if taken.rowcount else None


def renew(connection: Connection, lease_id: str, until: int) -> bool:
    """Put off the end of a lease; False if it was taken over."""
    return _held(connection, lease_id, {"leased_until": until})


def release(connection: Connection, lease_id: str, *, until: int = 0) -> None:
    """Give an unfinished import back: anybody may go on with it from a moment on; this attempt does not count."""
    f = files.c
    statement = update(files).where(f.lease_id == lease_id)
    connection.execute(
        statement.values(lease_id=None, leased_until=until, attempts=case((f.attempts > 0, f.attempts - 1), else_=0))
    )


def note_split(connection: Connection, lease_id: str, total: int, findings: Sequence[Shown], *, now: int) -> bool:
    """The file was split into so many records, and this was found of the file itself; False if the lease is lost."""
    about = pack(orjson.dumps(list(findings[:MOST_FINDINGS])))
    return _held(connection, lease_id, {"total": total, "findings": about, "changed_at": now, "attempts": 0})


def advance(connection: Connection, lease_id: str, position: int, parts: Mapping[int, str], *, now: int) -> bool:
    """Move the cursor, in the transaction that accepts the records before it; False if the lease is lost.

    `parts` are the zip's entries that begin in this portion, by the position of their first record.
    """
    held = connection.execute(
        update(files)
        .where(files.c.lease_id == lease_id)
        .values(position=position, changed_at=now, attempts=0)
        .returning(files.c.id)
    ).one_or_none()
    if held is None:
        return False
    rows = [{"file_id": held.id, "position": first, "name": name} for first, name in parts.items()]
    insert_rows(connection, file_parts, rows, unless_there=True)
    return True


def finish(connection: Connection, lease_id: str, *, code: str | None, now: int) -> bool:
    """End the import: done, or failed for the reason `code`; False if the lease is lost."""
    state = FileState.DONE if code is None else FileState.FAILED
    if not _held(connection, lease_id, {"state": state, "code": code, "lease_id": None, "changed_at": now}):
        return False
    jobs.count(connection, IMPORT, RunState(state))
    return True


def cancel(connection: Connection, file_id: str, *, now: int) -> bool:
    """Want no more of a file that is not ended; its import stops before the next portion. False if it is ended."""
    values = {"state": FileState.CANCELLED, "lease_id": None, "changed_at": now}
    for state in (FileState.WAITING, FileState.RECEIVING):
        if connection.execute(
            update(files).where(files.c.id == file_id, files.c.state == state).values(values)
        ).rowcount:
            if state is FileState.WAITING:
                jobs.count(connection, IMPORT, RunState.CANCELLED)
            return True
    return False


def try_again(connection: Connection, file_id: str, *, now: int) -> bool:
    """Let the import of a failed file be tried again, from where it was; False if it has not failed."""
    statement = update(files).where(files.c.id == file_id, files.c.state == FileState.FAILED)
    values = {"state": FileState.WAITING, "code": None, "attempts": 0, "leased_until": 0, "changed_at": now}
    return bool(connection.execute(statement.values(values)).rowcount)


def uploads(connection: Connection, client_id: int) -> int:
    """How many files of a client are not whole yet."""
    query = select(func.count()).where(files.c.client_id == client_id, files.c.state == FileState.RECEIVING)
    return int(connection.execute(query).scalar_one())


def results(
    connection: Connection, file_id: str, *, after: int = -1, limit: int = 500, only_found: bool = False
) -> list[FileResult]:
    """What became of the records behind a position; with `only_found`, of those that something was found about."""
    r, p = records.c, file_parts.c
    part = (
        select(p.name)
        .where(p.file_id == file_id, p.position <= r.position)
        .order_by(p.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(records, part.label("part")).where(r.submission_id == file_id, r.position > after)
    if only_found:
        query = query.where(r.findings.is_not(None))
    return [
        FileResult(
            row.position, row.status, row.part, row.school_year, row.card_id, row.version, row.sha256,
            orjson.loads(unpack(row.findings)) if row.findings is not None else (),
        )
        for row in connection.execute(query.order_by(r.position).limit(limit))
    ]  # fmt: skip


def forget(connection: Connection, file_id: str) -> None:
    """Let an upload be gone that was never completed."""
    connection.execute(delete(files).where(files.c.id == file_id, files.c.state == FileState.RECEIVING))


def pause(connection: Connection, file_id: str, *, now: int) -> bool:
    """Let an import rest: it stops before its next portion. False if the file does not wait for one."""
    statement = update(files).where(files.c.id == file_id, files.c.state == FileState.WAITING)
    return bool(connection.execute(statement.values(paused_at=now, lease_id=None, leased_until=0)).rowcount)


def resume(connection: Connection, file_id: str) -> bool:
    """Let a paused import go on; False if it is not paused."""
    statement = update(files).where(files.c.id == file_id, files.c.paused_at.is_not(None))
    return bool(connection.execute(statement.values(paused_at=None)).rowcount)


def _is_free(now: int) -> tuple[ColumnElement[bool], ...]:
    """A file waits for its import, and nobody holds it."""
    return files.c.state == FileState.WAITING, files.c.leased_until <= now, files.c.paused_at.is_(None)


def _held(connection: Connection, lease_id: str, values: Mapping[str, Any]) -> bool:
    return bool(connection.execute(update(files).where(files.c.lease_id == lease_id).values(values)).rowcount)


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's type of it has a line for every column
    s = submissions.c
    return select(files, s.accepted, s.rejected).join_from(files, submissions, s.id == files.c.id, isouter=True)


def _one(connection: Connection, *conditions: ColumnElement[bool]) -> File | None:
    row = connection.execute(_select().where(*conditions)).mappings().one_or_none()
    return None if row is None else _file(row)


def _file(row: RowMapping) -> File:
    found = {name: row[name] for name in File.__slots__ if name not in {"findings", "accepted", "rejected"}}
    return File(
        **found,
        findings=orjson.loads(unpack(row["findings"])) if row["findings"] is not None else (),
        accepted=row["accepted"] or 0,
        rejected=row["rejected"] or 0,
    )
