"""What the operators' commands share: the store, who acts, times, tables, and errors as people read them."""

from __future__ import annotations

import os
import pwd
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import click

from hocba_hub.cli.texts import language, text
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import is_school_year

if TYPE_CHECKING:
    from hocba_hub.model.findings import FindingKind
    from hocba_hub.settings import Settings
    from hocba_hub.store.engine import Store

P = ParamSpec("P")
R = TypeVar("R")

_AGO = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WIDEST = 1000
_REASON = re.compile(r"[^\x00-\x1f]{3,500}")


def now() -> int:
    """Milliseconds since 1970-01-01T00:00Z."""
    return time.time_ns() // 1_000_000


def actor() -> str:
    """Who acts, for the audit trail: the user of this machine."""
    uid = os.getuid()
    try:
        return f"os:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"os:{uid}"


def report_errors(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose foreseen errors are told in the terminal's language, and end it with exit code 1."""

    @wraps(command)
    def told(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except HubError as error:
            raise click.ClickException(_message(error)) from error

    return told


def _message(error: HubError) -> str:
    from hocba_hub.adapters.destination import DestinationError
    from hocba_hub.api.problems.problem_kinds import KINDS
    from hocba_hub.intake.errors import SubmissionError
    from hocba_hub.mappings.library.mapping_set import MappingFileError
    from hocba_hub.model.editing import EditError
    from hocba_hub.model.replays import ReplayError
    from hocba_hub.store.access import AccessError
    from hocba_hub.store.acknowledgements import DecisionError
    from hocba_hub.store.code_lists import CodeListError
    from hocba_hub.store.engine import StoreAwayError, StoreError, StoreFullError
    from hocba_hub.store.failures import GroupChangedError
    from hocba_hub.store.job_acts import ActNotPossibleError
    from hocba_hub.store.locks import LockError
    from hocba_hub.store.mappings import ConfigurationError
    from hocba_hub.store.selection import SelectionError

    match error:
        case AccessError():
            message = text(f"error.{error.code}")
        case ReplayError() | EditError():
            kind = KINDS[error.code]
            told = kind.detail_vi if language() == "vi" else kind.detail_en
            facts = ", ".join(f"{name}: {fact}" for name, fact in error.facts.items())
            message = f"{told} ({facts})" if facts else told
        case (
            SelectionError()
            | ConfigurationError()
            | SubmissionError()
            | ActNotPossibleError()
            | DecisionError()
            | LockError()
            | GroupChangedError()
            | CodeListError()
        ):
            kind = KINDS[error.code]
            message = kind.detail_vi if language() == "vi" else kind.detail_en
        case DestinationError() | MappingFileError():
            message = text("error.destination", message=error)
        case StoreFullError():
            message = text("error.store-full")
        case StoreAwayError():
            message = text("error.store-away", place=_store_place())
        case StoreError():
            message = text("error.store", message=error)
        case _:
            message = str(error)
    return message


def _store_place() -> str:
    """Where the store was looked for, without a password."""
    from sqlalchemy import make_url

    return make_url(settings_in_force().store_url).render_as_string(hide_password=True)


def settings_in_force(**given: object) -> Settings:
    """The settings, or an error that names those that are not right; `given` wins over the environment."""
    from pydantic import ValidationError

    from hocba_hub.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(f"HOCBA_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        raise click.ClickException(text("error.settings", message=wrong)) from error


@contextmanager
def opened_store() -> Iterator[Store]:
    """The store that the settings name, its schema checked.

    Raises:
        StoreError: it does not answer, or its schema is not the one this version needs.
    """
    from hocba_hub.store.engine import Store
    from hocba_hub.store.schema import check_revision

    store = Store(settings_in_force().store_url)
    try:
        check_revision(store)
        yield store
    finally:
        store.close()


class SchoolYear(click.ParamType[str]):
    """A school year, such as 2025-2026."""

    name = "YYYY-YYYY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """The year as it was typed."""
        if not is_school_year(value):
            self.fail(text("year.wrong"), param, ctx)
        return str(value)


class Moment(click.ParamType[int]):
    """A time: an ISO date or date and time (local if it names no zone), or how long ago; milliseconds inside."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Milliseconds since 1970-01-01T00:00Z."""
        if isinstance(value, int):
            return value
        if match := _AGO.fullmatch(value):
            return now() - round(timedelta(**{_UNITS[match[2]]: int(match[1])}).total_seconds() * 1000)
        try:
            return round(datetime.fromisoformat(value).astimezone().timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(text("moment.wrong"), param, ctx)


def is_asked() -> bool:
    """Whether there is somebody at a terminal who can answer."""
    return sys.stdin.isatty()


def go_ahead(
    name: str, planned: R, show: Callable[[R], None], reason: str | None, *, dry_run: bool, yes: bool
) -> str | None:
    """Show what is planned, on a terminal ask; the reason for which it is done, None if it only was to be shown.

    `name` begins the texts `….planned` and `….confirm`.
    """
    asks = not dry_run and not yes and is_asked()
    if dry_run or asks:
        click.echo(text(f"{name}.planned"))
        show(planned)
    if dry_run:
        return None
    why = reason_of(reason)
    if asks:
        click.confirm(text(f"{name}.confirm"), abort=True)
    return why


def reason_of(given: str | None) -> str:
    """The reason of an act, asked for if it was not given."""
    reason = (given if given is not None else click.prompt(text("reason.prompt"))).strip()
    if not _REASON.fullmatch(reason):
        raise click.UsageError(text("reason.short"))
    return reason


def shown(milliseconds: int | None) -> str:
    """A time as a table shows it: local, to the second."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().isoformat(sep=" ", timespec="seconds")


def severity_shown(kind: FindingKind) -> str:
    """How much a finding weighs, in the terminal's language."""
    return text(f"severity.{kind.severity}")


def state_shown(state: str) -> str:
    """A delivery's state, as options name it and with what it means."""
    said = text(f"state.{state}")
    return state if said == state else f"{state} ({said})"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """A table on standard output; columns are text names, `numbers` those that stand to the right."""
    print_rows([text(f"column.{name}") for name in columns], rows, numbers=[name in numbers for name in columns])


def print_rows(titles: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[bool] = ()) -> None:
    """A table under titles that are no texts of ours; `numbers` says of each column whether it stands to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo(text("none"))
        return
    table = Table(box=box.SIMPLE_HEAD)
    for number, title in enumerate(titles):
        justify: Literal["left", "right"] = "right" if number < len(numbers) and numbers[number] else "left"
        table.add_column(title, justify=justify, overflow="fold", no_wrap=False)
    for row in rows:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    # Into a pipe or a file a line is as long as it needs: a table that was folded for a screen is hard to cut.
    Console(width=None if sys.stdout.isatty() else _WIDEST).print(table)
