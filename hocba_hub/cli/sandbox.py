"""`hocba-hub sandbox`: simulators of the province's platform and the Ministry's database, in one process."""

from __future__ import annotations

import secrets
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.sandbox.faults import FaultScript


@click.command(help=text("sandbox"))
@click.option("--host", default="127.0.0.1", show_default=True, help=text("option.sandbox.host"))
@click.option("--port-province", type=int, default=8091, show_default=True, help=text("option.sandbox.province"))
@click.option("--port-ministry", type=int, default=8092, show_default=True, help=text("option.sandbox.ministry"))
@click.option("--seed", type=int, default=None, help=text("option.sandbox.seed"))
@click.option("--faults", default="none", show_default=True, help=text("option.sandbox.faults"))
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help=text("option.sandbox.ledger"))
@click.option("--token-seconds", type=float, default=3600, show_default=True, help=text("option.sandbox.token"))
def sandbox(
    *,
    host: str,
    port_province: int,
    port_ministry: int,
    seed: int | None,
    faults: str,
    ledger: Path | None,
    token_seconds: float,
) -> None:
    """Run the simulators of both destinations until SIGTERM, with ledgers and scripted faults.

    GET /ledger on either port says what arrived and what is held; POST /faults changes the script. The credentials
    come from the same environment variables that the hub's destination files name: a process list would show options.
    """
    import os

    from hocba_hub.sandbox.ministry import UsernamePassword
    from hocba_hub.sandbox.province import ClientSecret
    from hocba_hub.sandbox.server import running_sandbox

    script = _script(faults, seed)
    made_up = {}
    client_id = os.environ.get("HOCBA_PROVINCE_CLIENT_ID", "hub")
    client_secret = os.environ.get("HOCBA_PROVINCE_CLIENT_SECRET")
    username = os.environ.get("HOCBA_MINISTRY_USERNAME", "hub")
    password = os.environ.get("HOCBA_MINISTRY_PASSWORD")
    if not client_secret:
        client_secret = made_up["HOCBA_PROVINCE_CLIENT_SECRET"] = secrets.token_urlsafe(24)
        made_up["HOCBA_PROVINCE_CLIENT_ID"] = client_id
    if not password:
        password = made_up["HOCBA_MINISTRY_PASSWORD"] = secrets.token_urlsafe(24)
        made_up["HOCBA_MINISTRY_USERNAME"] = username
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with running_sandbox(
            ClientSecret(client_id, client_secret),
            UsernamePassword(username, password),
            script=script,
            ledger=ledger,
            host=host,
            ports=(port_province, port_ministry),
            token_seconds=token_seconds,
        ) as running:
            click.echo(f"export HOCBA_PROVINCE_URL={running.province_url}")
            click.echo(f"export HOCBA_MINISTRY_URL={running.ministry_url}")
            for name, value in sorted(made_up.items()):
                click.echo(f"export {name}={value}")
            stop.wait()
    except OSError as error:
        raise click.ClickException(f"The simulators cannot listen on {host}: {error.strerror}.") from error


def _script(faults: str, seed: int | None) -> FaultScript:
    from hocba_hub.sandbox.faults import PRESETS, FaultScriptError, read_script

    script = PRESETS.get(faults)
    if script is None:
        try:
            script = read_script(Path(faults).read_bytes())
        except OSError as error:
            names = ", ".join(PRESETS)
            raise click.ClickException(f"--faults is one of {names}, or a readable file ({error.strerror}).") from error
        except FaultScriptError as error:
            raise click.ClickException(f"{faults}: {error}") from error
    return script if seed is None else script.model_copy(update={"seed": seed})
