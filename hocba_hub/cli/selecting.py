"""The options that choose deliveries: the same for what is listed and for what is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

import click

from hocba_hub.cli.session import Moment
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

FAILED = ("held", "parked", "refused", "cancelled")
"""States that a person looks at, or ends."""
PENDING = ("queued", "in_doubt", "awaiting_ack")
"""States that lead on by themselves."""


def selecting(*states: str) -> Callable[[F], F]:
    """Give a command the options, to choose among these states; it takes them as `Options`."""

    def decorate(command: F) -> F:
        for option in _options(states):
            command = option(command)
        return command

    return decorate


def _options(states: Sequence[str]) -> Iterable[Callable[[F], F]]:
    return (
        click.option("--state", "states", multiple=True, type=click.Choice(states), help=text("option.state")),
        click.option("--until", type=Moment(), help=text("option.until")),
        click.option("--since", type=Moment(), help=text("option.since")),
        click.option("--school", metavar="CODE", help=text("option.school")),
        click.option("--code", metavar="CODE", help=text("option.code")),
        click.option("--destination", metavar="NAME", help=text("option.destination")),
    )


_LIST = click.option("--list", "listed", is_flag=True, help=text("option.list"))
_LIMIT = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help=text("option.limit")
)


def listing(command: F) -> F:
    """Give a command the options that list deliveries one by one."""
    return _LIST(_LIMIT(command))


class Options(TypedDict):
    """The options as a command gets them."""

    deliveries: NotRequired[tuple[int, ...]]
    group: NotRequired[int | None]
    destination: str | None
    code: str | None
    school: str | None
    since: int | None
    until: int | None
    states: tuple[str, ...]


def selection_of(options: Options) -> Selection:
    """The selection that the options mean."""
    from hocba_hub.model.delivery import DeliveryState
    from hocba_hub.store.selection import Selection

    return Selection(
        deliveries=options.get("deliveries", ()),
        destination=options["destination"],
        code=options["code"],
        school=options["school"],
        since=options["since"],
        until=options["until"],
        states=frozenset(DeliveryState(state) for state in options["states"]),
        group=options.get("group"),
    )
