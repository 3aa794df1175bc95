"""The only place that wires the rooms together: from settings to the parts that a process works with."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import yaml

from hocba_hub.adapters.destination import Destination, load_destinations
from hocba_hub.adapters.files.spool import Spool
from hocba_hub.adapters.holdings import Holdings
from hocba_hub.adapters.outbound import Outbound
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.adapters.translation import Formats, formats_beside
from hocba_hub.model.clock import Clock, system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.backpressure import Backpressure
from hocba_hub.queue.delivering import Delivering
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.drain import Engine
from hocba_hub.queue.importing import Importing, clear
from hocba_hub.queue.imports import Importer
from hocba_hub.queue.usage import Usage
from hocba_hub.rules.configuration import DEFAULT, Configuration, configured
from hocba_hub.settings import Settings
from hocba_hub.store.engine import Store
from hocba_hub.store.idempotency import purge
from hocba_hub.store.retention import forget_file_findings, forget_open_findings, forget_rejected, forget_usage
from hocba_hub.store.schema import check_revision
from hocba_hub.store.worklist import ready

if TYPE_CHECKING:
    from fastapi import FastAPI

    from hocba_hub.api.recheck import Recheck


log = logging.getLogger(__name__)

_BATCHES = 20
_USAGE_MS = 3 * 86_400_000


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


def adapters(
    known: dict[DestinationName, Destination], formats: Formats | None = None
) -> Callable[[DestinationName], Outbound]:
    """Gives a destination's adapter: made when it is first asked for, then kept with its connections."""
    made: dict[DestinationName, Outbound] = {}
    lock = threading.Lock()

    def adapter_of(name: DestinationName) -> Outbound:
        with lock:
            if name not in made:
                made[name] = adapter_for(known[name], os.environ, formats)
            return made[name]

    return adapter_of


def engine(settings: Settings, store: Store, *, clock: Clock = system_clock) -> Engine:
    """The delivery engine of this process."""
    known = destinations(settings)
    for name, destination in known.items():
        if destination.plain_http_host:
            log.warning("%s is reached by plain http: pupils' data and secrets can be read on the way", name)
    return Engine(
        store=store,
        destinations=known,
        adapter_of=adapters(known, formats_beside(settings.destinations_folder)),
        clock=clock,
        holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        lease_seconds=settings.lease_seconds,
    )


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
    from hocba_hub.api.file_reading import FileReader  # noqa: PLC0415 - deliveries are made without these
    from hocba_hub.api.judge import Judge  # noqa: PLC0415
    from hocba_hub.api.shelf import LiveShelf  # noqa: PLC0415

    known, formats = destinations(settings), formats_beside(settings.destinations_folder)
    judge = Judge(Holdings(known.values(), formats), rules(settings))
    reader = FileReader(
        Spool(settings.files_folder), LiveShelf(store, formats), judge, settings.record_bytes, settings.file_records
    )
    usage = Usage.of(settings, store, system_clock)
    return Importer(
        store=store,
        reader=reader,
        destinations=sorted(known),
        ring=partial(doorbell.ring, "drain"),
        clock=system_clock,
        holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        lease_seconds=settings.lease_seconds,
        room=Backpressure.of(settings, store),
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


def application(settings: Settings) -> FastAPI:
    """The HTTP API of this process."""
    from hocba_hub.api.app import create_app  # noqa: PLC0415 - workers start without the web framework
    from hocba_hub.api.context import Hub  # noqa: PLC0415

    doorbell = Doorbell(settings.redis_url)
    hub = Hub(
        settings=settings,
        store=open_store(settings, busy_seconds=settings.busy_seconds),
        destinations=destinations(settings),
        clock=system_clock,
        ring=partial(doorbell.ring, "drain"),
        formats=formats_beside(settings.destinations_folder),
        rules=rules(settings),
        ring_file=partial(doorbell.ring, "import"),
    )
    return create_app(hub)


def recheck(settings: Settings, store: Store) -> Recheck:
    """What reads records again that waited for the meaning of a code."""
    from hocba_hub.api.judge import Judge  # noqa: PLC0415 - most commands start without the web framework
    from hocba_hub.api.recheck import Recheck  # noqa: PLC0415
    from hocba_hub.api.shelf import LiveShelf  # noqa: PLC0415

    known, formats = destinations(settings), formats_beside(settings.destinations_folder)
    judge = Judge(Holdings(known.values(), formats), rules(settings))
    return Recheck(store, LiveShelf(store, formats), judge, sorted(known))


def housekeeping(settings: Settings, store: Store) -> list[Callable[[], None]]:
    """What the scheduler clears away, or does again, now and then."""

    def forget_old_answers() -> None:
        with store.write() as connection:
            purge(connection, before=system_clock() - settings.idempotency_days * 86_400_000)

    def read_waiting_again() -> None:
        """What a call that filled a code left, or a process that died."""
        with store.read() as connection:
            if not ready(connection, 1):
                return
        recheck(settings, store).run(now=system_clock())

    def forget_old_files() -> None:
        clear(Spool(settings.files_folder), store, before=system_clock() - settings.files_days * 86_400_000)

    def forget_findings() -> None:
        """Some batches each time: in the long run more is forgotten than comes."""
        before = system_clock() - settings.findings_days * 86_400_000
        for forget in (forget_rejected, forget_open_findings, forget_file_findings):
            for _ in range(_BATCHES):
                with store.write() as connection:
                    if not forget(connection, before=before):
                        break
        with store.write() as connection:
            forget_usage(connection, before=system_clock() - _USAGE_MS)

    return [forget_old_answers, read_waiting_again, forget_old_files, forget_findings]
