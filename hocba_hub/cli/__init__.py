"""The command line `hocba-hub`: one file per noun, each loaded only when it is called, so that starting is quick.

May use every room; nothing imports it. A command's file holds a click command (or group) of the file's name.
"""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {
    "up": "Everything on this machine: API, workers, scheduler, embedded store and Redis",
    "demo": "The main job, end to end, on a synthetic province with faults",
    "api": "Only the HTTP API",
    "worker": "Only the delivery workers",
    "scheduler": "Only the scheduler",
    "sandbox": "Simulators of the province's platform and the Ministry's database",
    "generate": "Synthetic report cards",
    "clients": "Vendor systems and their keys",
    "operators": "People in the education department and their keys",
    "failures": "Deliveries that failed, by destination and code",
    "replay": "Send failed deliveries again",
    "destinations": "Destinations: show, check, pause, resume",
    "mappings": "Mappings: list, show, check, test, run, diff, export, import",
    "database": "Create or upgrade the store's schema",
}
"""Command name (also the module's name) → one line for the help page."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - our own modules
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hocba-hub")
def main() -> None:
    """hocba-hub: report cards from the schools' systems to the province and the Ministry, with proof."""
