"""What the gauges of /metrics read: from the store, in one view of it, and from what lies around the process.

Each reading costs the same with a million cards as with none: partial indexes of what has not ended, rows by
destination, and counts that end at 10,000.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from hocba_hub import __version__
from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.adapters.protocol import WINDOW_CLOSED
from hocba_hub.intake.backpressure import existing
from hocba_hub.model.certificates import CertificateError, read_certificate
from hocba_hub.model.clock import Clock
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level, closes_at, opens_at, school_year_at
from hocba_hub.monitoring.deadlines import board
from hocba_hub.settings import Settings
from hocba_hub.store import audit, files, senders
from hocba_hub.store.acknowledgements import undecided
from hocba_hub.store.credentials import DigestSecret, soonest_ends
from hocba_hub.store.destination_health import acks_overdue, destinations_health, held_for, oldest_due, stuck
from hocba_hub.store.engine import Store
from hocba_hub.store.failures import open_groups
from hocba_hub.store.job_acts import health as job_health
from hocba_hub.store.jobs import last_result
from hocba_hub.store.processes import alive, last_round
from hocba_hub.store.reconciliation import open_differences
from hocba_hub.store.replays import open_states
from hocba_hub.store.unmapped_codes import unsolved, waiting_records_number

AUDIT_JOB = "audit-verify"
"""Key of the job that verifies the audit trail."""
_MOST_COUNTED = 10_000


class Sample(NamedTuple):
    """One value of one family."""

    family: str
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True)
class Observed:
    """What is read, by one process."""

    store: Store
    destinations: Mapping[DestinationName, Destination]
    """Only these are shown."""
    settings: Settings
    clock: Clock
    redis_answers: Callable[[], bool] | None = None
    """Asks Redis; None where none is set."""
    digest_secrets: Sequence[DigestSecret] = ()
    _certificates: dict[Path, tuple[float, int]] = field(default_factory=dict)
    """When a certificate's file was changed, and when it ends."""

    def samples(self, connection: Connection) -> Iterator[Sample]:
        """Every gauge that is no counter of the store's."""
        now = self.clock()
        yield Sample("hocba_build_info", (__version__, platform.python_version()), 1)
        yield from self._destinations(connection, now)
        yield from self._windows(now)
        yield from self._deadlines(connection, now)
        yield from _intake(connection, now)
        yield from _jobs(connection, now)
        yield from self._processes(connection, now)
        yield from self._room(connection)
        yield from self._credentials(connection, now)
        yield from _audit(connection)
        for group, number in open_groups(connection, now).items():
            yield Sample("hocba_failure_groups", (group,), number)
        for replay, number in open_states(connection).items():
            yield Sample("hocba_replays", (replay,), number)

    def _destinations(self, connection: Connection, now: int) -> Iterator[Sample]:
        known = destinations_health(connection)
        for name, destination in sorted(self.destinations.items()):
            since = oldest_due(connection, name, now)
            yield Sample("hocba_oldest_due_age_seconds", (name,), 0 if since is None else (now - since) / 1000)
            waits = stuck(connection, name, now)
            if destination.in_doubt is Doubt.HOLD:  # a person decides, and no timer
                waits.pop(DeliveryState.IN_DOUBT, None)
            for state in (DeliveryState.AWAITING_ACK, DeliveryState.IN_DOUBT, DeliveryState.LEASED):
                yield Sample("hocba_stuck_age_seconds", (name, state), (now - waits.get(state, now)) / 1000)
            ours = set(held_for(connection, name)) - {WINDOW_CLOSED}
            yield Sample("hocba_precondition_missing", (name,), bool(ours))
            limit = now - round(destination.acknowledgement.overdue_seconds * 1000)
            yield Sample("hocba_acknowledgements_overdue", (name,), acks_overdue(connection, name, limit))
            yield Sample("hocba_acknowledgements_undecided", (name,), undecided(connection, name))
            yield Sample("hocba_acknowledgement_objective_ratio", (name,), destination.acknowledgement.objective)
            health = known.get(name)
            yield Sample("hocba_breaker_open", (name,), health is not None and (health.open_until or 0) > now)
            yield Sample("hocba_destination_paused", (name,), health is not None and health.paused_at is not None)
            most = destination.limits.concurrency
            yield Sample("hocba_concurrency_cap", (name,), min(health.cap or most, most) if health else most)
            if health is not None and health.certificate_ends_at is not None:
                yield _ends("destination-certificate", health.certificate_ends_at, name)
            for kind, number in (open_differences(connection, name, _MOST_COUNTED) or {}).items():
                yield Sample("hocba_reconciliation_differences", (name, kind), number)

    def _windows(self, now: int) -> Iterator[Sample]:
        year = school_year_at(now)
        for name, destination in sorted(self.destinations.items()):
            for level in Level:
                waits = opens_at(destination.windows, level, year, now) is not None
                is_open = not waits or destination.outside_windows == "send"
                yield Sample("hocba_window_open", (name, level), is_open)
                closes = closes_at(destination.windows, level, year, now)
                if closes is not None:
                    yield Sample("hocba_window_closes_timestamp_seconds", (name, level), closes / 1000)

    def _deadlines(self, connection: Connection, now: int) -> Iterator[Sample]:
        found = board(connection, self.destinations, now)
        if found is None:
            return
        for name, levels in found.snapshot.totals.items():
            for level, counts in levels.items():
                for count, cards in counts.items():
                    yield Sample("hocba_cards", (name, level, count), cards)
        for name, one in found.forecasts.items():
            if one.clears_at is not None:
                yield Sample("hocba_backlog_clears_timestamp_seconds", (name,), one.clears_at / 1000)

    def _processes(self, connection: Connection, now: int) -> Iterator[Sample]:
        for kind, number in alive(connection, now).items():
            yield Sample("hocba_processes", (kind,), number)
        round_at = last_round(connection)
        if round_at is not None:
            yield Sample("hocba_scheduler_last_round_timestamp_seconds", (), round_at / 1000)
        if self.redis_answers is not None:
            yield Sample("hocba_redis_up", (), self.redis_answers())

    def _room(self, connection: Connection) -> Iterator[Sample]:
        yield Sample("hocba_store_size_bytes", (), self.store.size(connection))
        volumes = {"files": [self.settings.files_folder], "watched": [*self.settings.watched_folders]}
        if self.store.folder is not None:
            volumes["store"] = [self.store.folder]
        for volume, folders in sorted(volumes.items()):
            disks = [shutil.disk_usage(existing(folder)) for folder in folders]
            if disks:
                fullest = min(disks, key=lambda disk: disk.free)
                yield Sample("hocba_disk_free_bytes", (volume,), fullest.free)
                yield Sample("hocba_disk_size_bytes", (volume,), fullest.total)

    def _credentials(self, connection: Connection, now: int) -> Iterator[Sample]:
        for kind, ends_at in soonest_ends(connection, now).items():
            yield _ends(kind, ends_at)
        ending = [secret.until for secret in self.digest_secrets if secret.until is not None]
        if ending:
            yield _ends("digest-secret", min(ending))
        for name, destination in sorted(self.destinations.items()):
            file = destination.certificate_file
            of_ours = None if file is None else self._certificate_ends(file)
            if of_ours is not None:
                yield _ends("hub-certificate", of_ours, name)

    def _certificate_ends(self, file: Path) -> int | None:
        """When our own certificate ends; None if it cannot be read, and then the destination is a misfit."""
        try:
            changed = file.stat().st_mtime
            known = self._certificates.get(file)
            if known is None or known[0] != changed:
                known = self._certificates[file] = (changed, read_certificate(file.read_bytes()).ends_at)
        except (OSError, CertificateError):
            return None
        return known[1]


def _ends(kind: str, at: int, destination: str = "") -> Sample:
    return Sample("hocba_credential_end_timestamp_seconds", (kind, destination), at / 1000)


def _intake(connection: Connection, now: int) -> Iterator[Sample]:
    for state, held in files.waiting(connection).items():
        yield Sample("hocba_import_files", (state,), held.files)
        if state is files.FileState.WAITING:
            yield Sample("hocba_import_records_waiting", (), held.records)
    yield Sample("hocba_unmapped_codes", (), unsolved(connection))
    yield Sample("hocba_records_waiting_for_codes", (), waiting_records_number(connection, _MOST_COUNTED))
    silent = senders.silent(connection, now)
    yield Sample("hocba_schools_silent", (), silent.schools)
    yield Sample("hocba_clients_silent", (), silent.clients)


def _jobs(connection: Connection, now: int) -> Iterator[Sample]:
    for one in job_health(connection, now):
        if one.succeeded_at is not None:
            yield Sample("hocba_job_last_success_timestamp_seconds", (one.kind,), one.succeeded_at / 1000)
        yield Sample("hocba_job_last_duration_seconds", (one.kind,), one.seconds)
        yield Sample("hocba_job_late_seconds", (one.kind,), one.late_seconds)


def _audit(connection: Connection) -> Iterator[Sample]:
    end = audit.newest(connection)
    yield Sample("hocba_audit_entries", (), 0 if end is None else end.seq)
    verified = last_result(connection, AUDIT_JOB)
    if verified is not None:
        yield Sample("hocba_audit_chain_faults", (), verified.get("faults", 0))
