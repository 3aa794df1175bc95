"""The only place that wires the rooms together: from settings to the parts that a process works with."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import yaml

from hocba_hub.adapters.authentication import missing_secrets
from hocba_hub.adapters.destination import Destination, DestinationError, load_destinations
from hocba_hub.adapters.misfit import Misfit
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.adapters.registry import adapter_for, misfits
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.intake.backpressure import Backpressure
from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.deliverability import Deliverability
from hocba_hub.intake.files.file_reader import FileReader
from hocba_hub.intake.files.importer import Importer
from hocba_hub.intake.files.spool import Spool
from hocba_hub.intake.group_commit import GroupCommit
from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.recheck import Recheck
from hocba_hub.intake.submission import Submissions
from hocba_hub.intake.trial import Trial
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.library.mapping_set import MappingSet, mappings_beside
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.model.clock import Clock, system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import IntakeWindows, read_windows
from hocba_hub.monitoring.exporter import Exposition
from hocba_hub.monitoring.presence import Presence
from hocba_hub.monitoring.readings import AUDIT_JOB, Observed
from hocba_hub.monitoring.reports.making import gather_report
from hocba_hub.queue.delivering import Delivering
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.drain import Engine
from hocba_hub.queue.importing import Importing
from hocba_hub.queue.jobs.acknowledgements import Acknowledgements
from hocba_hub.queue.jobs.audit_anchors import AuditAnchors
from hocba_hub.queue.jobs.audit_verify import AuditVerify
from hocba_hub.queue.jobs.certificates import Certificates
from hocba_hub.queue.jobs.code_lists import CodeLists
from hocba_hub.queue.jobs.deadlines import Deadlines
from hocba_hub.queue.jobs.failure_groups import FailureGroups
from hocba_hub.queue.jobs.identity import Identity
from hocba_hub.queue.jobs.recheck import Rechecking
from hocba_hub.queue.jobs.reconcile import Reconcile
from hocba_hub.queue.jobs.replay import Replaying
from hocba_hub.queue.jobs.reports import Reporting
from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.queue.jobs.runner import JobWorker
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.queue.traces import DeliveryTraces
from hocba_hub.queue.usage import Usage
from hocba_hub.rules.comparing import ALWAYS
from hocba_hub.rules.configuration import DEFAULT, Configuration, configured
from hocba_hub.settings import Settings
from hocba_hub.store.credentials import DigestSecret
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Planned
from hocba_hub.store.reports import ReportKind
from hocba_hub.store.schema import check_revision

if TYPE_CHECKING:
    from fastapi import FastAPI

    from hocba_hub.api.context import Hub


log = logging.getLogger(__name__)

_WRITING_THREADS = 8
"""Of the API, in which calls write."""


def open_store(settings: Settings, *, busy_seconds: float = 20) -> Store:
    """The store that the settings name, its schema checked; for `busy_seconds` see `Store`.

    Raises:
        StoreError: the schema is not the one this version needs.
    """
    store = Store(settings.store_url, pool_size=settings.database_pool, busy_seconds=busy_seconds)
    check_revision(store)
    return store


def destinations(settings: Settings) -> dict[DestinationName, Destination]:
    """The destinations in force, by name."""
    found = load_destinations(settings.destinations_folder)
    return {DestinationName(name): destination for name, destination in found.items()}


def rules(settings: Settings) -> Configuration:
    """How the rules are applied.

    Raises:
        RuleConfigurationError: the settings' file of rules is not understood.
    """
    if settings.rules_file is None:
        return DEFAULT
    return configured(yaml.safe_load(settings.rules_file.read_bytes()))


def intake_windows(settings: Settings) -> IntakeWindows:
    """When schools may send cards in.

    Raises:
        WindowsError: the settings' file of windows is not understood.
    """
    if settings.windows_file is None:
        return ALWAYS
    return read_windows(yaml.safe_load(settings.windows_file.read_bytes()))


def active_mappings(settings: Settings, store: Store) -> ActiveMappings:
    """The mappings and code tables in force in this process, for checking, translating, delivering and previewing.

    Raises:
        MappingFileError: one that lies beside the destination files cannot be read.
    """
    return ActiveMappings(store, mappings_beside(settings.destinations_folder))


def intake(settings: Settings, store: Store, known: Mapping[DestinationName, Destination] | None = None) -> IntakeParts:
    """What every entrance of this process shares; `known` are the destinations, by default those of the settings."""
    known = destinations(settings) if known is None else known
    checker = RecordChecker(Deliverability(known.values()), rules(settings), intake_windows(settings))
    return IntakeParts(store, sorted(known), active_mappings(settings, store), checker, settings.record_bytes)


def trial(settings: Settings, document: Document, tables: Mapping[str, Table]) -> Trial:
    """Tries a mapping as if it were in force here, without a store; `tables` are the code tables.

    Raises:
        MappingFileError: a mapping that lies beside the destination files cannot be read.
    """
    known = mappings_beside(settings.destinations_folder)
    mappings = MappingSet(known.shipped, tables, known.schemas).with_draft(document)
    checker = RecordChecker(Deliverability(destinations(settings).values()), rules(settings))
    return Trial(mappings.filled(document), mappings, checker, settings.record_bytes)


def adapters(
    known: Mapping[DestinationName, Destination], current: Callable[[], MappingSet]
) -> Callable[[DestinationName], Outbound]:
    """Gives a destination's adapter, made now and kept with its connections; one that does not fit is logged."""
    made: dict[DestinationName, Outbound] = {}
    for name, destination in known.items():
        try:
            made[name] = adapter_for(destination, os.environ, current)
        except DestinationError as error:
            _log_misfit(name, str(error))
            made[name] = Misfit(str(error))
    return made.__getitem__


def engine(settings: Settings, store: Store) -> Engine:
    """The delivery engine of this process."""
    known = destinations(settings)
    for name, destination in known.items():
        if destination.plain_http_host:
            log.warning("%s is reached by plain http: pupils' data and secrets can be read on the way", name)
        for variable in missing_secrets(destination, os.environ):
            log.error("%s lacks a secret, and its deliveries are held: %s is not set", name, variable)
    return Engine(
        store=store,
        destinations=known,
        adapter_of=adapters(known, active_mappings(settings, store).current),
        clock=system_clock,
        holder=_holder(),
        lease_seconds=settings.lease_seconds,
        keeps_bodies=settings.bodies_days > 0,
        traces=delivery_traces(settings, store, system_clock),
    )


def delivery_traces(settings: Settings, store: Store, clock: Clock) -> DeliveryTraces | None:
    """What makes the spans of deliveries; None where no traces are kept."""
    return None if settings.traces_url is None else DeliveryTraces(store, clock)


def delivering(settings: Settings) -> Delivering:
    """What the jobs of a delivery worker work with."""
    return Delivering(
        engine=engine(settings, open_store(settings)),
        doorbell=Doorbell(settings.redis_url),
        drain_seconds=settings.drain_seconds,
        stop=threading.Event(),
    )


def importer(settings: Settings, store: Store, doorbell: Doorbell) -> Importer:
    """What imports files; the doorbell is rung for every destination that something was accepted for."""
    parts = intake(settings, store)
    reader = FileReader(parts, Spool(settings.files_folder), settings.file_records)
    usage = Usage.of(settings, store, system_clock)
    return Importer(
        store=store,
        reader=reader,
        destinations=parts.destinations,
        comparison=parts.checker.comparison,
        ring=partial(doorbell.ring, "drain"),
        clock=system_clock,
        holder=_holder(),
        lease_seconds=settings.lease_seconds,
        backpressure=Backpressure.of(settings, store),
        used=lambda client_id, records: usage.note(client_id, records=records),
    )


def importing(settings: Settings, store: Store | None = None) -> Importing:
    """What the jobs of an import worker work with."""
    store, doorbell = store or open_store(settings), Doorbell(settings.redis_url)
    return Importing(
        store=store,
        doorbell=doorbell,
        clock=system_clock,
        make=lambda: importer(settings, store, doorbell),
        slice_seconds=settings.drain_seconds,
        stop=threading.Event(),
    )


def digest_secrets(settings: Settings) -> list[DigestSecret]:
    """The secrets of digests, the newest first; none if digests are switched off."""
    newest, before, until = (
        settings.soap_digest_secret, settings.soap_digest_previous_secret, settings.soap_digest_previous_until,
    )  # fmt: skip
    found = [DigestSecret(newest.get_secret_value())] if newest is not None else []
    if found and before is not None and until is not None:
        found.append(DigestSecret(before.get_secret_value(), round(until.timestamp() * 1000)))
    return found


def hub(
    settings: Settings,
    store: Store,
    *,
    ring: Callable[[DestinationName], None],
    ring_file: Callable[[str], object] = lambda _: None,
    redis_answers: Callable[[], bool] | None = None,
    known: Mapping[DestinationName, Destination] | None = None,
    clock: Clock = system_clock,
) -> Hub:
    """What the HTTP API of this process works with; `known` are the destinations, by default those of the settings."""
    from hocba_hub.api.context import Hub  # noqa: PLC0415 - workers start without the web framework
    from hocba_hub.api.http.identity_provider import IdentityProvider  # noqa: PLC0415
    from hocba_hub.api.http.key_cache import KeyCache  # noqa: PLC0415
    from hocba_hub.api.http.writing_threads import WritingThreads  # noqa: PLC0415

    known = destinations(settings) if known is None else known
    parts = intake(settings, store, known)
    usage = Usage.of(settings, store, clock)
    group = GroupCommit(
        parts,
        clock,
        ring,
        lambda client_id, records, size: usage.note(client_id, records=records, size=size),
    )
    secrets_of_digests = digest_secrets(settings)
    provider = None
    if settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret:
        secret = settings.oidc_client_secret.get_secret_value()
        provider = IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, secret)
    return Hub(
        settings=settings,
        store=store,
        destinations=known,
        clock=clock,
        ring=ring,
        ring_file=ring_file,
        rules=rules(settings),
        windows=intake_windows(settings),
        intake=parts,
        group=group,
        submissions=Submissions(parts, group, clock),
        recheck=Recheck(parts),
        spool=Spool(settings.files_folder),
        backpressure=Backpressure.of(settings, store),
        usage=usage,
        keys=KeyCache(store, clock),
        digest_secrets=secrets_of_digests,
        misfits=_logged_misfits(known, parts.mappings.current),
        writing=WritingThreads(_WRITING_THREADS, settings.busy_seconds),
        traces=delivery_traces(settings, store, clock),
        identity_provider=provider,
        metrics=Exposition(Observed(store, known, settings, clock, redis_answers, secrets_of_digests)),
    )


def _logged_misfits(
    known: Mapping[DestinationName, Destination], current: Callable[[], MappingSet]
) -> Mapping[str, str]:
    found = misfits(known.values(), os.environ, current)
    for name, reason in found.items():
        _log_misfit(name, reason)
    return found


def _log_misfit(name: str, reason: str) -> None:
    log.error("the destination %s does not fit, and nothing is sent there: %s", name, reason)


def application(settings: Settings) -> FastAPI:
    """The HTTP API of this process."""
    from hocba_hub.api.app import create_app  # noqa: PLC0415 - workers start without the web framework

    doorbell = Doorbell(settings.redis_url)
    made = hub(
        settings,
        open_store(settings, busy_seconds=settings.busy_seconds),
        ring=partial(doorbell.ring, "drain"),
        ring_file=partial(doorbell.ring, "import"),
        redis_answers=doorbell.answers if settings.redis_url else None,
    )
    made.presence = presence(made.store, "api")
    return create_app(made)


def presence(store: Store, kind: str) -> Presence:
    """Tells the store from now on that this process runs.

    Raises:
        StoreError: the store is away.
    """
    return Presence(store, _holder(), kind, system_clock)


def planned_jobs(settings: Settings) -> dict[str, Planned]:
    """The jobs of this hub and when they run, by key.

    Raises:
        ScheduleError: the settings' file of schedules is not understood.
    """
    document = None if settings.jobs_file is None else yaml.safe_load(settings.jobs_file.read_bytes())
    return planned(document, destinations(settings))


def job_worker(settings: Settings, store: Store | None = None) -> JobWorker:
    """What runs jobs in this process; the jobs are written down.

    Raises:
        ScheduleError: the settings' file of schedules is not understood.
        StoreError: the store is away.
    """
    store = store or open_store(settings)
    known, active = destinations(settings), active_mappings(settings, store)
    adapter_of = _lazily(partial(adapters, known, active.current))
    doorbell = Doorbell(settings.redis_url)
    made = JobWorker(
        store=store,
        doorbell=doorbell,
        clock=system_clock,
        planned=planned_jobs(settings),
        works={
            "retention": Retention(settings),
            "recheck": Rechecking(lambda: Recheck(intake(settings, store))),
            "acknowledgements": Acknowledgements(known),
            "code-lists": CodeLists(known, adapter_of, active),
            "reconcile": Reconcile(known, adapter_of),
            "identity": Identity(known, adapter_of),
            "replay": Replaying(known, partial(doorbell.ring, "drain")),
            "audit-anchors": AuditAnchors(settings.anchors_path),
            AUDIT_JOB: AuditVerify(settings.anchors_path),
            "certificates": Certificates(known),
            "deadlines": Deadlines(known),
            "weekly-report": Reporting(partial(gather_report, store, known, ReportKind.WEEKLY)),
            "yearly-report": Reporting(partial(gather_report, store, known, ReportKind.YEARLY)),
            "failure-groups": FailureGroups(settings.findings_days),
        },
        holder=_holder(),
        lease_seconds=settings.lease_seconds,
        slice_seconds=settings.drain_seconds,
    )
    made.plan()
    return made


def _lazily(
    make: Callable[[], Callable[[DestinationName], Outbound]],
) -> Callable[[DestinationName], Outbound]:
    """The adapters, made when the first of them is needed: most processes never do."""
    made: list[Callable[[DestinationName], Outbound]] = []

    def adapter_of(name: DestinationName) -> Outbound:
        if not made:
            made.append(make())
        return made[0](name)

    return adapter_of


def _holder() -> str:
    """Names this process among all that lease."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
