"""`hocba-hub demo`: the main job on a synthetic province, through faults and a killed worker; the ledgers judge it."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click
import httpx
import yaml
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hocba_hub.cli.killing import kill_while_delivering
from hocba_hub.cli.session import settings_in_force
from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.cli.texts import text
from hocba_hub.cli.up import api_answers, children
from hocba_hub.model.clock import system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.sign_in import hash_password
from hocba_hub.sandbox.oracle import Verdict, examine
from hocba_hub.sandbox.synthetic import generate_with_defects
from hocba_hub.sandbox.vendor import Vendor, wait_until
from hocba_hub.settings import Settings
from hocba_hub.store import jobs
from hocba_hub.store.access import Role, add_client, add_operator
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.counters import backlog
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.schools import learn_schools
from hocba_hub.store.sessions import set_password

_QUICK = {
    "retry": {"schedule_seconds": [0.5, 1, 2, 4], "then_every_seconds": 5, "lookup_seconds": [1, 1, 2, 4]},
    "breaker": {"failures": 5, "open_seconds": 1},
    "acknowledgement": {"poll_seconds": [0.5, 1, 2]},
}
"""The demo's waits: everything else of the shipped destinations stays as it is, and so does every step of the way."""

_ANSWER_SECONDS = "3"
_CLIENTS = 3
_YEAR = "2025-2026"
"""Of the synthetic cards."""
_SETTLED_SECONDS = 80
_RECONCILED_SECONDS = 60


@dataclass
class _Stage:
    """The running demo: its processes, its vendors, where to look."""

    settings: Settings
    supervisor: Supervisor
    vendors: list[Vendor]
    ledgers: Mapping[str, str]
    cards: Sequence[Sequence[bytes]]
    stop: threading.Event
    killed: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> dict[str, int]:
        return {key: version for vendor in self.vendors for key, version in vendor.answers.accepted.items()}


@click.command(help=text("demo"))
@click.option("--cards", default=3_000, show_default=True, type=click.IntRange(1), help=text("option.demo.cards"))
@click.option("--schools", default=12, show_default=True, type=click.IntRange(1), help=text("option.demo.schools"))
@click.option(
    "--defects", default=0.05, show_default=True, type=click.FloatRange(0, 1), help=text("option.demo.defects")
)
@click.option("--seed", default=2026, show_default=True, help=text("option.demo.seed"))
@click.option(
    "--home",
    default=Path("var/demo"),
    show_default=True,
    type=click.Path(path_type=Path),
    help=text("option.demo.home"),
)
def demo(cards: int, schools: int, defects: float, seed: int, home: Path) -> None:
    """Push synthetic cards by three vendors through faults, and show that nothing was lost or doubled.

    On a terminal it stays up until Ctrl-C; otherwise it ends, with exit code 0 only if nothing was lost or doubled.
    """
    console = Console()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    stage = _prepare(home.absolute(), cards, schools, defects, seed)
    try:
        stage.supervisor.start()
        if not wait_until(lambda: _is_up(stage), 30):
            raise click.ClickException("The hub did not start. / Hệ thống không khởi động được.")
        started = time.monotonic()
        _run(stage, console)
        clean = _summary(stage, console, time.monotonic() - started)
        if sys.stdout.isatty():
            _stay(stage, console)
    finally:
        stage.stop.set()
        stage.supervisor.stop()
    sys.exit(0 if clean else 1)


def _free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(home: Path, cards: int, schools: int, defects: float, seed: int) -> _Stage:
    ports = {name: _free_port() for name in ("api", "province", "ministry")}
    credentials = {
        "HOCBA_PROVINCE_CLIENT_ID": "hocba-hub",
        "HOCBA_PROVINCE_CLIENT_SECRET": secrets.token_urlsafe(),
        "HOCBA_MINISTRY_USERNAME": "hocba-hub",
        "HOCBA_MINISTRY_PASSWORD": secrets.token_urlsafe(),
    }
    environment = {
        "HOCBA_PROVINCE_URL": f"http://127.0.0.1:{ports['province']}",
        "HOCBA_MINISTRY_URL": f"http://127.0.0.1:{ports['ministry']}/soap",
        "HOCBA_PROVINCE_ANSWER_SECONDS": _ANSWER_SECONDS,
        "HOCBA_MINISTRY_ANSWER_SECONDS": _ANSWER_SECONDS,
        "HOCBA_DESTINATIONS_DIR": str(_destinations(home)),
        "HOCBA_JOBS_FILE": str(_jobs(home)),
        "HOCBA_LEASE_SECONDS": "4",
        "HOCBA_LOG_LEVEL": "ERROR",
        **credentials,
    }
    settings = Settings(home=home, port=ports["api"], redis_url=None, database_url=None)
    sandbox = hub_command(
        "sandbox", "--port-province", str(ports["province"]), "--port-ministry", str(ports["ministry"]), "--seed",
        str(seed), "--faults", "demo",
    )  # fmt: skip
    processes = [Child("sandbox", sandbox, stops_last=True, is_quiet=True), *children(settings)]
    for child in processes:
        child.environment = {**child.environment, **environment}
    parts = _by_client(cards, schools, defects, seed)
    stop = threading.Event()
    url = f"http://{settings.host}:{settings.port}"
    return _Stage(
        settings=settings,
        supervisor=Supervisor(processes, is_ready=partial(api_answers, settings)),
        vendors=[Vendor(url, key, batch=40, stop=stop) for key in _clients(settings, parts)],
        ledgers={name: f"http://127.0.0.1:{ports[name]}" for name in ("province", "ministry")},
        cards=[part.cards for part in parts],
        stop=stop,
    )


@dataclass
class _Part:
    """One client's schools and cards."""

    schools: set[str] = field(default_factory=set)
    cards: list[bytes] = field(default_factory=list)


def _by_client(cards: int, schools: int, defects: float, seed: int) -> list[_Part]:
    """The cards by client; each client speaks for a third of the schools."""
    parts = [_Part() for _ in range(_CLIENTS)]
    of_school: dict[str, _Part] = {}
    last = parts[0]
    for raw, _ in generate_with_defects(cards, seed, defects, schools=schools):
        try:
            code = json.loads(raw)["school"]["code"]
            last = of_school.setdefault(code, parts[len(of_school) % _CLIENTS])
            last.schools.add(code)
        except (ValueError, KeyError, TypeError):
            pass  # too broken to know its school: it goes with the card before it
        last.cards.append(raw)
    return parts


def _clients(settings: Settings, parts: Sequence[_Part]) -> list[str]:
    store = Store(settings.store_url)
    with store.write() as connection:
        keys = [
            add_client(connection, f"vendor-{number}", sorted(part.schools), now=system_clock()).key
            for number, part in enumerate(parts, 1)
        ]
    store.close()
    return keys


def _destinations(home: Path) -> Path:
    """The shipped destination files with waits that fit into a demo."""
    folder = home / "destinations"
    folder.mkdir()
    for path in settings_in_force().destinations_folder.glob("*.yaml"):
        changed = yaml.safe_load(path.read_text(encoding="utf-8")) | _QUICK
        (folder / path.name).write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    return folder


def _jobs(home: Path) -> Path:
    """The usual schedules, but that the board stays that of the demo's year, whatever year it is."""
    path = home / "jobs.yaml"
    path.write_text("deadlines: off\n", encoding="utf-8")
    return path


def _is_up(stage: _Stage) -> bool:
    stage.supervisor.watch()
    try:
        for url in stage.ledgers.values():
            httpx.get(f"{url}/ledger")
        return httpx.get(f"http://{stage.settings.host}:{stage.settings.port}/readyz").is_success
    except httpx.TransportError:
        return False


def _run(stage: _Stage, console: Console) -> None:
    """Push, kill a worker on the way, and watch until everything is settled."""
    total = sum(map(len, stage.cards))
    pushing = [
        threading.Thread(target=vendor.push, args=(part,), daemon=True)
        for vendor, part in zip(stage.vendors, stage.cards, strict=True)
    ]
    progress = Progress(
        TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    sent = progress.add_task("Sent by 3 vendors / Đã gửi", total=total)
    held = {name: progress.add_task(f"Held by {name} / Nơi nhận đã lưu", total=total) for name in sorted(stage.ledgers)}
    store = Store(stage.settings.store_url)
    for thread in pushing:
        thread.start()
    end: float | None = None
    with Live(Group(progress), console=console, refresh_per_second=5):
        while True:
            stage.supervisor.watch()
            progress.update(sent, completed=sum(vendor.answers.sent for vendor in stage.vendors))
            for name, task in held.items():
                cards = len(stage.accepted) or total
                progress.update(task, completed=_held(stage.ledgers[name], cards), total=cards)
            if not stage.killed and len(stage.accepted) > total * 0.4:
                _kill_worker(stage, store)
            if not any(thread.is_alive() for thread in pushing):
                end = end or time.monotonic() + _SETTLED_SECONDS
                if _is_settled(store) or time.monotonic() > end:
                    break
            time.sleep(0.2)
        for name, task in held.items():
            progress.update(task, completed=_held(stage.ledgers[name], len(stage.accepted)))
    store.close()


def _held(ledger: str, most: int) -> int:
    """How many cards a destination holds, as far as a count tells: some become several records there."""
    try:
        return min(most, int(httpx.get(f"{ledger}/ledger").json()["records_held"]))
    except (httpx.TransportError, KeyError, ValueError):
        return 0


def _is_settled(store: Store) -> bool:
    try:
        with store.read() as connection:
            return backlog(connection) == 0
    except StoreError:
        return False


def _kill_worker(stage: _Stage, store: Store) -> None:
    """Kill a worker that holds a lease; if none does at this moment, the next look may find one."""
    for child in stage.supervisor.children:
        if child.name.startswith("worker") and kill_while_delivering(child, store):
            stage.killed.append(child.name)
            return


def _summary(stage: _Stage, console: Console, seconds: float) -> bool:
    """Show what the ledgers say; whether nothing was lost or doubled."""
    accepted = stage.accepted
    reconciled = _reconciled(stage)
    verdicts = {name: examine(url, accepted) for name, url in stage.ledgers.items()}
    rejected: Counter[str] = sum((vendor.answers.rejected for vendor in stage.vendors), Counter())
    console.print()
    console.print(_vendors_table(stage, rejected))
    console.print(_destinations_table(verdicts))
    console.print(_reconciliation_table(reconciled))
    console.print(
        f"{len(accepted)} cards to {len(verdicts)} destinations in {seconds:.1f} s: "
        f"[bold]{len(accepted) / seconds:.0f} cards/s[/], through scripted faults; "
        f"killed on the way: {', '.join(stage.killed) or 'nobody'}."
    )
    if not stage.killed:
        console.print(
            "[red]Nobody was killed while it held a lease, so nothing is shown. / "
            "Chưa tiến trình nào bị dừng khi đang gửi, nên chưa chứng minh được gì.[/]"
        )
    equal = all(result is not None and not _differences(result) for result in reconciled.values())
    console.print(
        "[green]Card by card, both destinations hold what the hub says. / "
        "Từng học bạ, hai nơi nhận giữ đúng những gì trục nói.[/]"
        if equal
        else "[red]A destination holds something else than the hub says! / Nơi nhận giữ khác với trục![/]"
    )
    clean = bool(accepted) and all(verdict.is_clean for verdict in verdicts.values())
    console.print(
        "[green]Nothing lost, nothing doubled. / Không mất, không trùng.[/]"
        if clean
        else "[red]Something was lost or doubled! / Có bản ghi bị mất hoặc bị trùng![/]"
    )
    return clean and equal and bool(stage.killed)


def _reconciled(stage: _Stage) -> dict[str, Mapping[str, int] | None]:
    """The figures of a reconciliation with each destination, run by the job worker; None if it did not end well."""
    store = Store(stage.settings.store_url)
    asked: dict[str, int | None] = {}
    with store.write() as connection:
        for name in sorted(stage.ledgers):
            run = jobs.ask(connection, f"reconcile:{name}", "demo", system_clock())
            asked[name] = None if run is None else run.id

    def newest(name: str) -> jobs.Run | None:
        with store.read() as connection:
            found = jobs.history(connection, f"reconcile:{name}", limit=1)
        return found[0] if found and found[0].id == asked[name] else None

    def all_ended() -> bool:
        stage.supervisor.watch()
        return all((run := newest(name)) is None or run.ended_at is not None for name in asked)

    wait_until(all_ended, _RECONCILED_SECONDS)
    runs = {name: newest(name) for name in asked}
    store.close()
    return {name: run.result if run is not None and run.state == "done" else None for name, run in runs.items()}


def _differences(result: Mapping[str, int]) -> int:
    """How many cards differ; what a destination refused by its code is none."""
    return sum(result.get(kind, 0) for kind in Difference if kind is not Difference.REFUSED)


def _vendors_table(stage: _Stage, rejected: Counter[str]) -> Table:
    table = Table(title="What the vendors were answered / Trả lời cho phần mềm nhà trường")
    table.add_column("")
    table.add_column("cards", justify="right")
    table.add_row("sent / đã gửi", str(sum(vendor.answers.sent for vendor in stage.vendors)))
    table.add_row("accepted / được nhận", str(len(stage.accepted)))
    table.add_row("rejected / bị từ chối", str(rejected.total()))
    for code, count in rejected.most_common(6):
        table.add_row(f"  {code}", str(count))
    return table


def _destinations_table(verdicts: Mapping[str, Verdict]) -> Table:
    table = Table(title="What the destinations' own ledgers hold / Sổ của nơi nhận")
    table.add_column("")
    for name in sorted(verdicts):
        table.add_column(name, justify="right")
    ordered = [verdicts[name] for name in sorted(verdicts)]
    table.add_row("acknowledged / đã xác nhận", *(str(verdict.held) for verdict in ordered))
    table.add_row("refused by code / từ chối có mã", *(str(verdict.refused) for verdict in ordered))
    table.add_row("sent again / gửi lại", *(str(verdict.arrivals - verdict.ledger_versions) for verdict in ordered))
    table.add_row("[bold]lost / mất", *(str(len(verdict.lost)) for verdict in ordered))
    table.add_row("[bold]doubled / trùng", *(str(verdict.doubled) for verdict in ordered))
    return table


def _reconciliation_table(reconciled: Mapping[str, Mapping[str, int] | None]) -> Table:
    table = Table(title="The hub's own reconciliation / Đối soát của trục")
    table.add_column("")
    for name in reconciled:
        table.add_column(name, justify="right")
    found = [result or {} for result in reconciled.values()]
    table.add_row("cards compared / học bạ được so", *(str(result.get("all", "–")) for result in found))
    table.add_row("equal / khớp", *(str(result.get("equal", "–")) for result in found))
    table.add_row("refused there / nơi nhận từ chối", *(str(result.get("refused", 0)) for result in found))
    table.add_row("[bold]different / khác", *(str(_differences(result)) if result else "–" for result in found))
    return table


def _sign_in(stage: _Stage) -> tuple[str, str]:
    """An administrator made for this demo, and the password; the boards that the console shows are counted now."""
    name, password = "demo", secrets.token_urlsafe(9)
    kept = hash_password(password)
    store, now = Store(stage.settings.store_url), system_clock()
    with store.write() as connection:
        add_operator(connection, name, Role.ADMINISTRATOR, now=now, sees_bodies=True)
        set_password(connection, name, kept, must_change=False, now=now)
        jobs.ask(connection, "audit-verify", "demo", now)
        learn_schools(connection, now)
    take_snapshot(store, _YEAR, [DestinationName(name) for name in sorted(stage.ledgers)], now)
    store.close()
    return name, password


def _stay(stage: _Stage, console: Console) -> None:
    url = f"http://{stage.settings.host}:{stage.settings.port}"
    name, password = _sign_in(stage)
    console.print(f"[bold]Console / Trang quản trị    {url}/console[/]")
    console.print(f"  name / tên: [bold]{name}[/]   password / mật khẩu: [bold]{password}[/]", highlight=False)
    console.print(f"Vendor's page / Trang phần mềm    {url}/portal")
    console.print(f"  key / khóa: {stage.vendors[0].key}", highlight=False, soft_wrap=True)  # to be copied
    console.print(f"API        {url}/openapi.json\nMetrics    {url}/metrics")
    for name, ledger in stage.ledgers.items():
        console.print(f"{name:<10} {ledger}/ledger")
    console.print("Ctrl-C ends it. / Nhấn Ctrl-C để dừng.")
    try:
        while True:
            stage.supervisor.watch()
            time.sleep(0.2)
    except KeyboardInterrupt:
        console.print("Stopping … / Đang dừng …")
