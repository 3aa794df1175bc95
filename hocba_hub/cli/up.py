"""`hocba-hub up`: everything on this machine."""

from __future__ import annotations

import fcntl
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.cli.texts import text
from hocba_hub.settings import Settings

_ANSWER_SECONDS = 0.2


@click.command(help=text("up"))
@click.option("--port", type=int, default=None, help=text("option.port"))
@report_errors
def up(port: int | None) -> None:
    """Run the API, the workers, the importer, the jobs and the scheduler, and what they need that no setting names."""
    from hocba_hub.bootstrap import destinations, intake_windows, planned_jobs, rules

    settings = settings_in_force(port=port)
    for read in (
        destinations,
        rules,
        planned_jobs,
        intake_windows,
    ):  # what every process would stumble over is told once
        read(settings)
    private_home(settings.home)
    with _only_one(settings.home):
        _check_address(settings)
        supervisor = Supervisor(children(settings), is_ready=partial(api_answers, settings))
        click.echo(f"hocba-hub · http://{settings.host}:{settings.port} · {settings.home.absolute()}", err=True)
        click.echo(text("ends"), err=True)
        supervisor.run()


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Nobody else runs `up` on this home while the block runs: two would share Redis, spool and store unawares.

    Raises:
        click.ClickException: somebody does.
    """
    with (home / "up.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise click.ClickException(text("up.running", home=home.absolute())) from error
        yield


def _check_address(settings: Settings) -> None:
    """See to it that nobody listens where the API will.

    Raises:
        click.ClickException: somebody does, or this machine has no such address.
    """
    try:
        with listening(settings.host, settings.port, shared=False):
            pass
    except OSError as error:
        raise address_error(settings.host, settings.port, error) from error


def listening(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket bound to an address; if `shared`, others of ours may be bound to it as well.

    Raises:
        OSError: it cannot be had.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def address_error(host: str, port: int, error: OSError) -> click.ClickException:
    """What to tell of an address that cannot be had."""
    return click.ClickException(text("up.address", host=host, port=port, reason=error.strerror))


def private_home(home: Path) -> None:
    """Make the home folder, or close it to others: names and marks lie there in plain text."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)


def children(settings: Settings) -> list[Child]:
    """The processes of a whole hub on one machine; makes the home folder and upgrades the store."""
    from hocba_hub.store.engine import Store
    from hocba_hub.store.schema import upgrade

    private_home(settings.home)
    store = Store(settings.store_url)
    upgrade(store)
    store.close()
    found = []
    environment = {"HOCBA_HOME": str(settings.home.absolute()), "HOCBA_DATABASE_URL": settings.store_url}
    if settings.redis_url is None:
        from hocba_hub.queue.embedded import redis_command, redis_socket

        socket = redis_socket(settings.home)
        environment["HOCBA_REDIS_URL"] = f"unix://{socket}"
        found.append(Child("redis", redis_command(socket), stops_last=True, is_quiet=True))
    address = ("--host", settings.host, "--port", str(settings.port))
    found += [Child(f"api-{n}", hub_command("api", *address), environment) for n in range(settings.api_processes)]
    found.append(Child("scheduler", hub_command("scheduler"), environment, waits=True))
    found += [
        Child(f"worker-{n}", hub_command("worker", "--processes", "1"), environment, waits=True)
        for n in range(settings.worker_processes)
    ]
    found.append(Child("importer", hub_command("importer"), environment, waits=True))
    found.append(Child("jobs", hub_command("worker", "--jobs"), environment, waits=True))
    return found


def api_answers(settings: Settings) -> bool:
    """Whether the API is up. The others wait for it: whoever pushes comes first, and loading a program takes a core."""
    asking = http.client.HTTPConnection(settings.host, settings.port, timeout=_ANSWER_SECONDS)
    try:
        asking.request("GET", "/livez")
        return asking.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
