"""The command line `hocba-hub`: one file per noun, each loaded only when it is called, so that starting is quick.

May use every room; nothing imports it. A command's file holds a click command (or group) of the file's name.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import IO

import click

from hocba_hub.cli.texts import text

_COMMANDS = (
    "up",
    "demo",
    "api",
    "worker",
    "importer",
    "scheduler",
    "sandbox",
    "generate",
    "clients",
    "operators",
    "failures",
    "failure-groups",
    "pending",
    "replay",
    "returns",
    "edits",
    "trace",
    "audit",
    "hurry",
    "destinations",
    "acknowledgements",
    "reconcile",
    "identity",
    "windows",
    "deadlines",
    "reports",
    "locks",
    "transfers",
    "jobs",
    "mappings",
    "card",
    "codes",
    "rules",
    "files",
    "watch",
    "doctor",
    "alerts",
    "dashboards",
    "database",
)
"""The commands in the order of the help page: each is the name of its module and of its text."""


class _ToldError(click.ClickException):
    def show(self, file: IO[str] | None = None) -> None:
        click.echo(text("error", message=self.format_message()), file=file, err=file is None)


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        command = getattr(import_module(f"{__name__}.{module}"), module)
        assert isinstance(command, click.Command)  # noqa: S101 - our own modules
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what it fails with is told in the terminal's language."""
        try:
            return super().invoke(ctx)
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise _ToldError(error.format_message()) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(text("commands")):
            formatter.write_dl([(name, text(name)) for name in _COMMANDS])


@click.command(cls=_LazyGroup, help=text("main"), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hocba-hub")
def main() -> None:
    """Run a command. What it makes, this user alone may read: it holds personal data."""
    os.umask(0o077)
