"""A whole hub of real processes over loopback, a sandbox beside it, and the means to hurt both."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import httpx
import psutil
import yaml
from sqlalchemy import select

from hocba_hub.cli.killing import kill_while_delivering
from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.cli.up import children
from hocba_hub.sandbox.oracle import Verdict, examine, ledger_rows
from hocba_hub.sandbox.vendor import Vendor, wait_until
from hocba_hub.settings import Settings
from hocba_hub.store.access import add_client
from hocba_hub.store.counters import backlog
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import attempts, deliveries, delivery_attempts
from tests.support.servers import RedisServer, free_port

PACKAGED = Path(__file__).parents[2] / "hocba_hub" / "adapters" / "destinations"
QUICK = {
    "retry": {"schedule_seconds": [0.3, 0.6, 1, 2], "then_every_seconds": 3, "lookup_seconds": [0.5, 1, 2]},
    "breaker": {"failures": 8, "open_seconds": 1},
    "acknowledgement": {"poll_seconds": [0.3, 0.5, 1]},
}
"""Waits short enough for a test; everything else is as shipped."""


class Rig:
    """One hub and one sandbox; with `importers` it imports files, too, with `jobs` it runs jobs.

    Start with `with`; everything it started has ended afterwards.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str | None = None,
        *,
        faults: str = "none",
        seed: int = 7,
        workers: int = 2,
        apis: int = 1,
        importers: int = 0,
        jobs: int = 0,
        environment: Mapping[str, str] | None = None,
        destination: Mapping[str, object] | None = None,
    ) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("api", "province", "ministry")}
        self.redis = RedisServer()
        destinations = folder / "destinations"
        destinations.mkdir(parents=True)
        for path in PACKAGED.glob("*.yaml"):
            changed = yaml.safe_load(path.read_text(encoding="utf-8")) | QUICK | dict(destination or {})
            (destinations / path.name).write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
        self.environment = {
            "HOCBA_HOME": str(folder),
            "HOCBA_REDIS_URL": self.redis.url,
            "HOCBA_DATABASE_URL": database_url or f"sqlite:///{folder / 'hub.db'}",
            "HOCBA_DESTINATIONS_DIR": str(destinations),
            "HOCBA_PORT": str(self.ports["api"]),
            "HOCBA_WORKER_PROCESSES": str(workers),
            "HOCBA_API_PROCESSES": str(apis),
            "HOCBA_LEASE_SECONDS": "3",
            "HOCBA_FREE_DISK_BYTES": "0",
            "HOCBA_LOG_LEVEL": "WARNING",
            "HOCBA_PROVINCE_URL": f"http://127.0.0.1:{self.ports['province']}",
            "HOCBA_PROVINCE_CLIENT_ID": "hub",
            "HOCBA_PROVINCE_CLIENT_SECRET": "sandbox-secret",
            "HOCBA_PROVINCE_ANSWER_SECONDS": "2",
            "HOCBA_MINISTRY_URL": f"http://127.0.0.1:{self.ports['ministry']}/soap",
            "HOCBA_MINISTRY_USERNAME": "hub",
            "HOCBA_MINISTRY_PASSWORD": "sandbox-password",
            "HOCBA_MINISTRY_ANSWER_SECONDS": "2",
            **(environment or {}),
        }
        self.sandbox = Child(
            "sandbox",
            hub_command(
                "sandbox", "--port-province", str(self.ports["province"]), "--port-ministry",
                str(self.ports["ministry"]), "--seed", str(seed), "--faults", faults,
            ),
            self.environment,
            is_quiet=True,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{self.ports['api']}"
        self.ledgers = {name: f"http://127.0.0.1:{self.ports[name]}" for name in ("province", "ministry")}
        self.importers, self.jobs = importers, jobs
        self.kills = 0
        """Of processes that were at work."""
        self._supervisor: Supervisor | None = None
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.redis.start()
        settings = self._settings()
        hub = [child for child in children(settings) if child.name not in {"importer", "jobs"}]
        importers = [Child(f"importer-{n}", hub_command("importer")) for n in range(self.importers)]
        jobs = [Child(f"jobs-{n}", hub_command("worker", "--jobs")) for n in range(self.jobs)]
        self._supervisor = Supervisor([self.sandbox, *hub, *importers, *jobs])
        for child in self._supervisor.children:
            child.environment = self.environment
        self._supervisor.start()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        if not wait_until(self.is_ready, 60):
            self.__exit__()
            raise AssertionError("the hub did not become ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._watcher is not None
        assert self._supervisor is not None
        self._watcher.join()
        self._supervisor.stop()
        self.redis.kill()

    def _settings(self) -> Settings:
        given = {name: value for name, value in self.environment.items() if not value.startswith("[")}  # no JSON here
        names = {name.removeprefix("HOCBA_").lower(): value for name, value in given.items()}
        return Settings(**{name: value for name, value in names.items() if name in Settings.model_fields})

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._supervisor.watch()

    def is_ready(self) -> bool:
        try:
            httpx.get(f"{self.ledgers['province']}/ledger")
            httpx.get(f"{self.ledgers['ministry']}/ledger")
            if any(child.process is None for child in self.children):
                return False
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @contextmanager
    def store(self) -> Iterator[Store]:
        opened = Store(self.environment["HOCBA_DATABASE_URL"])
        try:
            yield opened
        finally:
            opened.close()

    def client_key(self, name: str = "vendor") -> str:
        """Add a client that may speak for every school; its key."""
        with self.store() as store, store.write() as connection:
            return add_client(connection, name, ["*"], now=time.time_ns() // 1_000_000).key

    def vendor(self, name: str = "vendor", **options: object) -> Vendor:
        return Vendor(self.url, self.client_key(name), **options)  # type: ignore[arg-type]

    def set_faults(self, script: Mapping[str, object]) -> None:
        for url in self.ledgers.values():
            httpx.post(f"{url}/faults", json=script).raise_for_status()

    @property
    def children(self) -> list[Child]:
        return self._supervisor.children

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End one process of this rig at once, whatever it does."""
        process = self.child(name).process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, how)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A process of this rig stands still while the block runs, as in a machine that is suspended."""
        process = self.child(name).process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def kill_at_work(self, chance: random.Random, vendors: Sequence[Vendor]) -> bool:
        """SIGKILL an API or a worker; whether it was at work: had a request of these vendors, or held a lease.

        Only such a kill is counted: one that strikes a process which is still starting shows nothing.
        """
        child = chance.choice([child for child in self.children if child.name.startswith(("api", "worker"))])
        if child.name.startswith("worker"):
            with self.store() as store:
                was_at_work = kill_while_delivering(child, store)
        else:
            was_at_work = self._kill_api(child, vendors)
        self.kills += was_at_work
        return was_at_work

    def _kill_api(self, child: Child, vendors: Sequence[Vendor]) -> bool:
        process = child.process
        if process is None or process.poll() is not None:
            return False
        try:
            if not any(one.status == psutil.CONN_ESTABLISHED for one in psutil.Process(process.pid).net_connections()):
                return False  # nobody calls it
        except psutil.NoSuchProcess:
            return False
        before = sum(vendor.answers.broken for vendor in vendors)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        return wait_until(lambda: sum(vendor.answers.broken for vendor in vendors) > before, 0.5, every=0.01)

    def calls_under_way(self, pid: int | None = None) -> list[int]:
        """The attempts, of one process or of all, whose records may be on their way to a destination now."""
        a = attempts.c
        query = select(a.id).where(a.kind == "send", a.ended_at.is_(None), a.sent_at.is_not(None))
        if pid is not None:
            query = query.where(a.holder.contains(f":{pid}:"))
        with self.store() as store, store.read() as connection:
            return list(connection.execute(query).scalars())

    def is_settled(self) -> bool:
        """Every delivery is in a final state."""
        with self.store() as store, store.read() as connection:
            return backlog(connection) == 0

    def examine(self, accepted: Mapping[str, int]) -> dict[str, Verdict]:
        return {name: examine(url, accepted) for name, url in self.ledgers.items()}

    def check(self, accepted: Mapping[str, int], *, seconds: float = 90) -> dict[str, Verdict]:
        """Wait until everything is settled, then hold the ledgers against the answers."""
        assert accepted, "nothing was accepted, so nothing is shown"
        assert wait_until(self.is_settled, seconds), "deliveries are left over"
        verdicts = self.examine(accepted)
        for name, verdict in verdicts.items():
            assert not verdict.lost, f"{name} lost {len(verdict.lost)}: {verdict.lost[:3]}"
            assert not verdict.doubled, f"{name} got {verdict.doubled} versions twice:\n{self._doubled(name)}"
            assert not verdict.altered, f"{name} got {verdict.altered} versions altered"
        return verdicts

    def _doubled(self, name: str) -> str:
        """The attempts made for the versions that a destination got twice: where to look for the cause."""
        lines = []
        for row in ledger_rows(self.ledgers[name]):
            if row["doubled"] or row["committed"] > 1:
                lines.append(f"{row['record_id']} version {row['version']}, received {row['received']}")
                year, _, card_id = row["record_id"].partition("/")
                with self.store() as store, store.read() as connection:
                    query = (
                        select(attempts, delivery_attempts.c.meaning, delivery_attempts.c.code)
                        .join_from(deliveries, delivery_attempts, delivery_attempts.c.delivery_id == deliveries.c.id)
                        .join(attempts, attempts.c.id == delivery_attempts.c.attempt_id)
                        .where(
                            deliveries.c.school_year == year,
                            deliveries.c.card_id == card_id,
                            deliveries.c.version == row["version"],
                            deliveries.c.destination == name,
                        )
                        .order_by(attempts.c.id)
                    )
                    lines += [f"  {dict(attempt._mapping)}" for attempt in connection.execute(query)]
        return "\n".join(lines)
