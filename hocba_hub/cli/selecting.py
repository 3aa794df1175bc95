"""The options that choose deliveries: the same for the failure list and for a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

import click

from hocba_hub.cli.session import Moment
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

_STATES = ["held", "parked", "refused", "cancelled"]


def selecting(command: F) -> F:
    """Give a command the options; it takes them as `Options`."""
    for option in (
        click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help=text("option.state")),
        click.option("--until", type=Moment(), help=text("option.until")),
        click.option("--since", type=Moment(), help=text("option.since")),
        click.option("--school", metavar="CODE", help=text("option.school")),
        click.option("--code", metavar="CODE", help=text("option.code")),
        click.option("--destination", metavar="NAME", help=text("option.destination")),
    ):
        command = option(command)
    return command


class Options(TypedDict):
    """The options as a command gets them."""

    deliveries: NotRequired[tuple[int, ...]]
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
    )
