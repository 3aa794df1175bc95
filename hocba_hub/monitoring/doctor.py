"""`hocba-hub doctor`: all that must be right for the hub to work, looked at once, with what to do where it is not.

What is said stands in `doctor.yaml`. Destinations are only asked: a look-up of a record that there is not.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import redis
import yaml
from sqlalchemy import make_url, text

from hocba_hub import __version__
from hocba_hub.adapters.authentication import missing_secrets
from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.protocol import ABSENT, Outbound, OutboundRecord, Stage
from hocba_hub.adapters.reaching import certificate_ends, clock
from hocba_hub.intake.backpressure import existing
from hocba_hub.model.certificates import CertificateError, read_certificate
from hocba_hub.model.clock import DAY_MS, vietnam_time
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import CardId, CardKey, DestinationName, Event, SchoolCode, SchoolYear, Version
from hocba_hub.queue.code_meanings import meaning_of
from hocba_hub.queue.doorbell import connect
from hocba_hub.queue.embedded import running_socket
from hocba_hub.settings import Settings
from hocba_hub.store.destination_health import destinations_health
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.job_acts import health
from hocba_hub.store.jobs import RunState, listed
from hocba_hub.store.lease import Kind
from hocba_hub.store.processes import KINDS, alive
from hocba_hub.store.schema import newest_revision, revision

_SLOW_MS, _CLOCK_SECONDS, _ENDING_DAYS, _LOW_PERCENT, _LATE_SECONDS = 500, 60, 14, 10, 900
_OLDEST_REDIS = (6, 2)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", None})
_GB = 1e9


class State(StrEnum):
    """How something was found."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not go on so."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one thing."""

    code: str
    """As `redis.away`: what was looked at, and how it is."""
    state: State
    facts: Mapping[str, Any] = field(default_factory=dict)

    def says(self, language: Literal["vi", "en"]) -> str:
        """In plain words."""
        return str(_texts()[self.code][language]).format_map(self.facts)

    def do(self, language: Literal["vi", "en"]) -> str | None:
        """What is to be done; None where nothing is."""
        steps = _texts()[self.code].get("do")
        return None if steps is None else str(steps[language]).format_map(self.facts)


@cache
def _texts() -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load(files(__package__).joinpath("doctor.yaml").read_bytes())
    return read


@dataclass(frozen=True)
class Patient:
    """What is looked at."""

    settings: Settings
    destinations: Mapping[DestinationName, Destination]
    adapter_of: Callable[[DestinationName], Outbound]
    """Makes the adapter of a destination; raises DestinationError if it cannot be called as it is described."""
    files: Callable[[], object]
    """Reads every file that the settings name; raises HubError for one that is not understood."""
    environment: Mapping[str, str]


def examine(patient: Patient, now: int) -> Iterator[Found]:
    """Look at everything, one after the other; whatever is away takes a few seconds to be found so."""
    yield Found("versions.ok", State.OK, {"hub": __version__, "python": platform.python_version()})
    yield from _settings(patient)
    yield from _disks(patient.settings)
    yield from _permissions(patient.settings)
    yield from _encryption(patient)
    yield from _redis(patient.settings)
    store = Store(patient.settings.store_url, busy_seconds=3)
    try:
        yield from _store(store)
        yield from _schedule(store, now)
        paused = _paused(store)
    except StoreError:
        yield Found("store.away", State.ERROR)
        paused = {}
    finally:
        store.close()
    for name in sorted(patient.destinations):
        if name in paused:
            yield Found("destination.paused", State.WARNING, {"name": name, "at": vietnam_time(paused[name])})
        yield from _destination(patient, name, now)


def _settings(patient: Patient) -> Iterator[Found]:
    try:
        patient.files()
    except (HubError, OSError, ValueError, yaml.YAMLError) as error:
        yield Found("settings.wrong", State.ERROR, {"what": _short(error)})
    else:
        yield Found("settings.ok", State.OK)


def _disks(settings: Settings) -> Iterator[Found]:
    folders = [settings.files_folder, *settings.watched_folders]
    if settings.database_url is None:
        folders.append(settings.home)
    for folder in dict.fromkeys(existing(one) for one in folders):
        disk = shutil.disk_usage(folder)
        percent = 100 * disk.free // disk.total
        facts = {"path": str(folder), "free": f"{disk.free / _GB:.1f}", "percent": percent}
        is_low = percent < _LOW_PERCENT or disk.free < settings.free_disk_bytes
        state = State.ERROR if disk.free < settings.free_disk_bytes else State.WARNING if is_low else State.OK
        yield Found("disk.low" if is_low else "disk.ok", state, facts)


def _permissions(settings: Settings) -> Iterator[Found]:
    folders = [settings.files_folder, settings.anchors_path.parent]
    if settings.database_url is None:
        folders.append(settings.home)
    for folder in dict.fromkeys(existing(one) for one in folders):
        facts = {"path": str(folder)}
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Found("permissions.closed", State.ERROR, facts)
        elif folder.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH) and folder in {settings.home, settings.files_folder}:
            yield Found("permissions.open", State.WARNING, facts)
        else:
            yield Found("permissions.ok", State.OK, facts)


def _encryption(patient: Patient) -> Iterator[Found]:
    plain = [str(name) for name, one in sorted(patient.destinations.items()) if one.plain_http_host]
    settings = patient.settings
    if settings.redis_url and urlsplit(settings.redis_url).scheme == "redis":
        plain += ["Redis"] if urlsplit(settings.redis_url).hostname not in _LOOPBACK else []
    if settings.database_url is not None:
        url = make_url(settings.database_url)
        is_safe = url.query.get("sslmode") in {"require", "verify-ca", "verify-full"}
        plain += ["PostgreSQL"] if url.host not in _LOOPBACK and not is_safe else []
    address = urlsplit(settings.public_address)
    plain += ["API"] if address.scheme == "http" and address.hostname not in _LOOPBACK | {"0.0.0.0"} else []  # noqa: S104
    for what in plain:
        yield Found("encryption.plain", State.WARNING, {"what": what})
    if not plain:
        yield Found("encryption.ok", State.OK)


def _redis(settings: Settings) -> Iterator[Found]:
    embedded = running_socket(settings.home)  # of `hocba-hub up`
    url = settings.redis_url or (f"unix://{embedded}" if embedded is not None else None)
    if url is None:
        yield Found("redis.none", State.OK)
        return
    try:
        asked: Any = connect(url).info("server")
    except redis.RedisError:
        yield Found("redis.away", State.WARNING)
        return
    version = str(asked["redis_version"])
    is_old = tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS
    yield Found("redis.old" if is_old else "redis.ok", State.ERROR if is_old else State.OK, {"version": version})


def _store(store: Store) -> Iterator[Found]:
    with store.read() as connection:
        found = revision(connection)
        version = connection.execute(text("SELECT sqlite_version()" if store.is_sqlite else "SHOW server_version"))
        facts: dict[str, Any] = {"version": str(version.scalar_one()).split(" ", maxsplit=1)[0]}
    needed = newest_revision()
    if found != needed:
        yield Found("schema.old", State.ERROR, {"revision": needed, "found": found or "-"})
        return
    yield Found("schema.ok", State.OK, {"revision": needed})
    began = time.perf_counter()
    with store.write() as connection:
        # A write that changes nothing: whether this user may, and whether somebody holds the store.
        connection.execute(text("DELETE FROM processes WHERE holder = ''"))
    facts["ms"] = round(1000 * (time.perf_counter() - began))
    facts["engine"] = "SQLite" if store.is_sqlite else "PostgreSQL"
    is_slow = facts["ms"] > _SLOW_MS
    yield Found("store.slow" if is_slow else "store.ok", State.WARNING if is_slow else State.OK, facts)


def _schedule(store: Store, now: int) -> Iterator[Found]:
    with store.read() as connection:
        if revision(connection) != newest_revision():
            return
        running = alive(connection, now)
        late = [one.kind for one in health(connection, now) if one.late_seconds > _LATE_SECONDS]
        failed = [job.key for job in listed(connection) if job.run is not None and job.run.state == RunState.FAILED]
    stopped = [kind for kind in KINDS if not running[kind]]
    if stopped:
        yield Found("schedule.stopped", State.ERROR, {"what": ", ".join(stopped)})
    else:
        numbers = ", ".join(f"{kind} {number}" for kind, number in running.items())
        yield Found("schedule.ok", State.OK, {"what": numbers})
    if late or failed:
        yield Found("schedule.late", State.WARNING, {"what": ", ".join(sorted({*late, *failed}))})


def _paused(store: Store) -> dict[str, int]:
    with store.read() as connection:
        if revision(connection) != newest_revision():
            return {}
        known = destinations_health(connection)
    return {name: row.paused_at for name, row in known.items() if row.paused_at is not None}


def _destination(patient: Patient, name: DestinationName, now: int) -> Iterator[Found]:
    destination = patient.destinations[name]
    tried = list(try_destination(destination, partial(patient.adapter_of, name), patient.environment))
    yield from tried
    if any(one.code == "destination.misfit" for one in tried):
        return
    said = clock(destination.address)
    if said is not None:
        seconds = round((said - time.time_ns() // 1_000_000) / 1000)
        is_off = abs(seconds) > _CLOCK_SECONDS
        state = State.WARNING if is_off else State.OK
        yield Found("clock.off" if is_off else "clock.ok", state, {"name": name, "seconds": seconds})
    yield from _certificates(destination, name, now)


def try_destination(
    destination: Destination, make_adapter: Callable[[], Outbound], environment: Mapping[str, str]
) -> Iterator[Found]:
    """Whether a destination can be called, answers, and knows us: it is asked for a card that there is not."""
    missing = missing_secrets(destination, environment)
    for variable in missing:
        yield Found("destination.secret", State.ERROR, {"name": destination.name, "what": variable})
    try:
        adapter = make_adapter()
    except DestinationError as error:
        yield Found("destination.misfit", State.ERROR, {"name": destination.name, "what": _short(error)})
        return
    try:
        if not missing:
            yield _tried(adapter, destination)
    finally:
        adapter.close()


def _tried(adapter: Outbound, destination: Destination) -> Found:
    """What came of looking up a record that there is not."""
    sample = files(__package__).joinpath("sample_card.json").read_bytes()  # made up, with an id that no card has
    card = orjson.loads(sample)
    key = CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"]))
    school, at = SchoolCode(card["school"]["code"]), datetime.now(UTC)
    record = OutboundRecord(0, key, Version(1), Event.NEW, school, at, sample, sample, "application/json")
    [outcome] = adapter.lookup(record).outcomes
    facts = {"name": destination.name, "what": outcome.code}
    if outcome.stage is Stage.NOT_SENT and outcome.detail == "no look-up":
        return Found("destination.untried", State.OK, facts)
    if outcome.code == ABSENT:
        return Found("destination.ok", State.OK, facts)
    if meaning_of(outcome, Kind.LOOKUP, destination.codes) is Meaning.PRECONDITION:
        return Found("destination.refused", State.ERROR, facts)
    if outcome.stage is Stage.ANSWERED and not outcome.code.startswith("http-5"):
        return Found("destination.odd", State.WARNING, facts)
    return Found("destination.away", State.ERROR, facts)


def _certificates(destination: Destination, name: str, now: int) -> Iterator[Found]:
    ends: list[int | None] = [certificate_ends(destination.address)]
    if destination.certificate_file is not None:
        try:
            ends.append(read_certificate(destination.certificate_file.read_bytes()).ends_at)
        except (OSError, CertificateError):
            ends.append(None)  # the destination does not fit: that was told
    for at in ends:
        if at is not None:
            days = (at - now) // DAY_MS
            is_ending = days < _ENDING_DAYS
            state = State.ERROR if days < 0 else State.WARNING if is_ending else State.OK
            yield Found("certificate.ending" if is_ending else "certificate.ok", state, {"name": name, "days": days})


def gravest(found: Iterable[Found]) -> State:
    """The worst of what was found."""
    order = list(State)
    return max((one.state for one in found), key=order.index, default=State.OK)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
