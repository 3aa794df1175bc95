"""What one simulator received and holds: the oracle, independent of everything the hub says of itself.

SQLite without any durability, so that memory stays flat however much arrives. No personal data: ids, versions,
digests and counts.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    event TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    committed INTEGER NOT NULL DEFAULT 0,
    doubled INTEGER NOT NULL DEFAULT 0,
    ignored INTEGER NOT NULL DEFAULT 0,
    altered INTEGER NOT NULL DEFAULT 0,
    verdict TEXT,
    reference TEXT,
    UNIQUE (record_id, version)
);
CREATE TABLE IF NOT EXISTS identity (
    seq INTEGER PRIMARY KEY,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_reference ON versions (reference) WHERE reference IS NOT NULL;
"""
_COLUMNS = (
    "seq", "record_id", "version", "event", "sha256", "received", "committed", "doubled", "ignored", "altered",
    "verdict", "reference",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM versions"  # noqa: S608 - our own names

_HELD = (
    f"SELECT {', '.join(name if name != 'version' else 'max(version) AS version' for name in _COLUMNS)} FROM versions"  # noqa: S608 - our own names
    " WHERE committed > 0"
)
"""SQLite takes the other columns of the row that has the highest version."""

OK = "OK"
ALREADY_HELD = "ALREADY_HELD"
OLDER_VERSION = "OLDER_VERSION"


class Arrival(NamedTuple):
    """One record of a call: its key, version, event, and the digest of what came."""

    record_id: str
    version: int
    event: str
    sha256: str


Row = dict[str, Any]
"""One version as the ledger answers it: the columns of the table by name."""


class Ledger:
    """Which versions came how often, and what became of them. Safe to use from several threads.

    `received` counts arrivals, also those of calls that failed before the commit; `committed` is 1 once the version
    is held; `doubled` counts its arrivals after that; `ignored` arrivals below the highest held version; `altered`
    arrivals with other bytes than the first. `verdict` is the first one that kept the version, else the last.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        # An empty name is a database in a temporary file that SQLite deletes by itself.
        self._store = sqlite3.connect(str(path or ""), check_same_thread=False, isolation_level=None)
        self._store.executescript(f"PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; {_SCHEMA}")

    def receive(self, arrivals: Sequence[Arrival]) -> None:
        """Note arrivals of which nothing is kept."""
        with self._lock, self._transaction() as store:
            store.executemany(_NOTE, [(*arrival, 0, 0, 0, None, None) for arrival in arrivals])

    def commit(
        self, arrivals: Sequence[Arrival], refusal: Callable[[Arrival], str | None], reference: str | None = None
    ) -> list[str]:
        """Note arrivals and keep what can be kept; the verdict on each, in order.

        `refusal` gives the code with which a record is refused, or None. The verdict is that code, `ALREADY_HELD`,
        `OLDER_VERSION`, or `OK`.
        """
        with self._lock, self._transaction() as store:
            kept = self._kept(store, arrivals)
            verdicts: list[str] = []
            notes: list[tuple[object, ...]] = []
            for arrival in arrivals:
                versions = kept.setdefault(arrival.record_id, set())
                held, version = max(versions, default=0), arrival.version
                doubled, ignored = version in versions, version < held
                verdict = refusal(arrival) or (
                    OK if version > held else ALREADY_HELD if version == held else OLDER_VERSION
                )
                if verdict == OK:
                    versions.add(version)
                verdicts.append(verdict)
                notes.append((*arrival, verdict == OK, doubled, ignored, verdict, reference))
            store.executemany(_NOTE, notes)
            return verdicts

    @staticmethod
    def _kept(store: sqlite3.Connection, arrivals: Sequence[Arrival]) -> dict[str, set[int]]:
        """The held versions of these arrivals' records."""
        kept: dict[str, set[int]] = {}
        ids = orjson.dumps([arrival.record_id for arrival in arrivals]).decode()
        for record_id, version in store.execute(_KEPT, (ids,)):
            kept.setdefault(record_id, set()).add(version)
        return kept

    def record(self, record_id: str) -> list[Row]:
        """Every version of a record that arrived, lowest first."""
        return self._rows(f"{_SELECT} WHERE record_id = ? ORDER BY version", record_id)

    def held(self, record_id: str) -> Row | None:
        """The highest held version of a record."""
        rows = self._rows(f"{_SELECT} WHERE record_id = ? AND committed > 0 ORDER BY version DESC LIMIT 1", record_id)
        return rows[0] if rows else None

    def taken(self, record_id: str) -> Row | None:
        """The highest version of a record on which there is a verdict, held or refused."""
        rows = self._rows(
            f"{_SELECT} WHERE record_id = ? AND verdict IS NOT NULL ORDER BY version DESC LIMIT 1", record_id
        )
        return rows[0] if rows else None

    def submission(self, reference: str) -> list[Row]:
        """The versions that came under a reference."""
        return self._rows(f"{_SELECT} WHERE reference = ? ORDER BY seq", reference)

    def inventory(self, after: str, limit: int) -> list[Row]:
        """What is held, the highest version of each record, in the order of the record ids behind one."""
        return self._rows(f"{_HELD} AND record_id > ? GROUP BY record_id ORDER BY record_id LIMIT ?", after, limit)

    def inventory_of(self, record_ids: Sequence[str]) -> list[Row]:
        """What is held of some records."""
        ids = orjson.dumps(list(record_ids)).decode()
        of_these = "AND record_id IN (SELECT value FROM json_each(?)) GROUP BY record_id ORDER BY record_id"
        return self._rows(f"{_HELD} {of_these}", ids)

    def check_identity(self, record_id: str, result: str) -> bool:
        """Note the result of a check of a record's newest version; False if nothing is held of it.

        The result is `verified`, `mismatch` or `not-found`.
        """
        held = self.held(record_id)
        if held is None:
            return False
        with self._lock:
            self._store.execute(
                "INSERT INTO identity (record_id, version, result) VALUES (?, ?, ?)",
                (record_id, held["version"], result),
            )
        return True

    def identities(self, after: int, limit: int) -> list[tuple[int, str, int, str]]:
        """The results behind one, oldest first: number, record id, version, result."""
        query = "SELECT seq, record_id, version, result FROM identity WHERE seq > ? ORDER BY seq LIMIT ?"
        with self._lock:
            return self._store.execute(query, (after, limit)).fetchall()

    def lose(self, record_id: str) -> None:
        """Hold nothing of a record any more, without a word."""
        with self._lock:
            self._store.execute("UPDATE versions SET committed = 0 WHERE record_id = ?", (record_id,))

    def page(self, after: int, limit: int) -> list[Row]:
        """The next versions in order of first arrival; `seq` of the last one leads to the next page."""
        return self._rows(f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)

    def rows(self) -> Iterator[Row]:
        """Every version, page by page."""
        after = 0
        while page := self.page(after, 1000):
            yield from page
            after = page[-1]["seq"]

    def summary(self) -> dict[str, Any]:
        """Counts over everything."""
        with self._lock:
            counts = self._store.execute(
                "SELECT count(DISTINCT record_id), count(DISTINCT CASE WHEN committed THEN record_id END), count(*), "
                "coalesce(sum(received), 0), coalesce(sum(committed), 0), coalesce(sum(doubled), 0), "
                "coalesce(sum(ignored), 0), coalesce(sum(altered), 0) FROM versions"
            ).fetchone()
            verdicts = self._store.execute(
                "SELECT verdict, count(*) FROM versions WHERE verdict IS NOT NULL GROUP BY verdict ORDER BY verdict"
            ).fetchall()
        names = ("records", "records_held", "versions", "received", "committed", "doubled", "ignored", "altered")
        return {**dict(zip(names, counts, strict=True)), "verdicts": dict(verdicts)}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._store.execute("DELETE FROM versions")
            self._store.execute("DELETE FROM identity")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._store.close()

    def _rows(self, query: str, *values: object) -> list[Row]:
        with self._lock:
            found = self._store.execute(query, values).fetchall()
        return [dict(zip(_COLUMNS, row, strict=True)) for row in found]

    def _transaction(self) -> sqlite3.Connection:
        self._store.execute("BEGIN")
        return self._store


_KEPT = """
SELECT record_id, version FROM versions WHERE record_id IN (SELECT value FROM json_each(?)) AND committed > 0
"""
_NOTE = """
INSERT INTO versions (record_id, version, event, sha256, received, committed, doubled, ignored, verdict, reference)
VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
ON CONFLICT (record_id, version) DO UPDATE SET
    received = received + 1, altered = altered + (sha256 <> excluded.sha256),
    verdict = CASE WHEN committed > 0 THEN verdict ELSE coalesce(excluded.verdict, verdict) END,
    committed = committed + excluded.committed, doubled = doubled + excluded.doubled,
    ignored = ignored + excluded.ignored, reference = coalesce(excluded.reference, reference)
"""
