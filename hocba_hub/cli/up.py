"""`hocba-hub up`: everything on this machine."""

from __future__ import annotations

import http.client
from functools import partial
from http import HTTPStatus
from pathlib import Path

import click

from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.cli.texts import text
from hocba_hub.settings import Settings

_ANSWER_SECONDS = 0.2


@click.command(help=text("up"))
@click.option("--port", type=int, default=None, help=text("option.port"))
def up(port: int | None) -> None:
    """Run the API, the workers, the importer and the scheduler, and what they need that no setting names."""
    from rich.console import Console

    settings = Settings() if port is None else Settings(port=port)
    supervisor = Supervisor(children(settings), is_ready=partial(api_answers, settings))
    console = Console(stderr=True)
    console.print(f"hocba-hub · http://{settings.host}:{settings.port} · {settings.home.absolute()}")
    console.print(text("ends"))
    supervisor.run()


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
