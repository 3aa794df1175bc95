"""`hocba-hub doctor`: whether everything is right, and what to do where it is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import orjson

from hocba_hub.cli.session import now, settings_in_force
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.monitoring.doctor import Found

_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


@click.command(help=text("doctor"))
@click.option("--json", "as_json", is_flag=True, help=text("option.doctor.json"))
def doctor(*, as_json: bool) -> None:
    """Look at everything; exit code 1 if something is wrong, 0 if all is right or only may go wrong."""
    from hocba_hub.adapters.destination import DestinationError
    from hocba_hub.adapters.registry import adapter_for
    from hocba_hub.bootstrap import destinations, intake_windows, planned_jobs, rules
    from hocba_hub.monitoring.doctor import Found as Finding
    from hocba_hub.monitoring.doctor import Patient, State, examine, gravest

    settings = settings_in_force()
    wrong: list[Found] = []
    try:
        known = destinations(settings)
    except DestinationError as error:
        known = {}
        wrong.append(Finding("settings.wrong", State.ERROR, {"what": " ".join(str(error).split())[:300]}))

    def read_files() -> None:
        rules(settings)
        intake_windows(settings)
        if not wrong:
            planned_jobs(settings)

    patient = Patient(settings, known, lambda name: adapter_for(known[name], os.environ), read_files, os.environ)
    found = list(wrong)
    for one in wrong:
        _say(one, as_json=as_json)
    for one in examine(patient, now()):
        found.append(one)
        _say(one, as_json=as_json)
    worst = gravest(found)
    if not as_json:
        errors = sum(one.state is State.ERROR for one in found)
        warnings = sum(one.state is State.WARNING for one in found)
        click.echo(text(f"doctor.{worst}", errors=errors, warnings=warnings))
    if worst is State.ERROR:
        raise click.exceptions.Exit(1)


def _say(one: Found, *, as_json: bool) -> None:
    if as_json:
        said = {
            "code": one.code, "state": one.state, "facts": dict(one.facts), "vi": one.says("vi"), "en": one.says("en"),
            "do_vi": one.do("vi"), "do_en": one.do("en"),
        }  # fmt: skip
        click.echo(orjson.dumps({name: value for name, value in said.items() if value is not None}).decode())
        return
    click.echo(f"{_MARKS[one.state]} {one.says(language())}")
    steps = one.do(language())
    if steps is not None and one.state != "ok":
        click.echo(f"    → {steps}")
