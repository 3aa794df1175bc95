"""`hocba-hub trace`: one card's whole story, found by whatever somebody has of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import (
    actor,
    now,
    opened_store,
    print_table,
    reason_of,
    report_errors,
    settings_in_force,
    shown,
    state_shown,
)
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.model.keys import CardKey
    from hocba_hub.store.story import Story, StoryEvent

_TOLD = ("submission", "attempt", "replay", "edit", "run", "call", "meaning", "http_status", "mapping", "outcome")
"""Facts that the table has; `--json` has all."""


@click.command(help=text("trace"))
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help=text("option.trace.json"))
@click.option("--attempt", metavar="ATTEMPT", type=click.IntRange(1, 2**63 - 1), help=text("option.trace.attempt"))
@click.option("--reveal", is_flag=True, help=text("option.trace.reveal"))
@click.option("--reason", help=text("option.reason"))
@report_errors
def trace(key: str, attempt: int | None, reason: str | None, *, as_json: bool, reveal: bool) -> None:
    """Show everything that happened to a card, or what was sent and came back in one call."""
    import orjson

    from hocba_hub.store import story as stored

    with opened_store() as store, store.read() as connection:
        found = stored.find(connection, key)
        story = stored.story(connection, found[0]) if len(found) == 1 else None
    if not found:
        raise click.ClickException(text("trace.none"))
    if story is None:
        click.echo(text("trace.several", count=len(found)))
        for one in found:
            click.echo(one.record_id())
    elif as_json:
        click.echo(orjson.dumps(asdict(story), default=str, option=orjson.OPT_INDENT_2).decode())
    elif attempt is not None:
        _print_bodies(story.key, attempt, reason_of(reason) if reveal else None)
    else:
        _print(story)


def _print_bodies(key: CardKey, attempt: int, reveal_for: str | None) -> None:
    from hocba_hub.api.call_bodies import look_at_bodies
    from hocba_hub.bootstrap import destinations

    with opened_store() as store, store.write() as connection:
        known = destinations(settings_in_force())
        found = look_at_bodies(connection, known, key, attempt, actor=actor(), now=now(), reveal_for=reveal_for)
    if found is None:
        raise click.ClickException(text("trace.no-bodies"))
    for title, body in (("trace.request", found.request), ("trace.response", found.response)):
        click.echo(text(title))
        click.echo(body if body is not None else text("trace.not-shown"))


def _print(story: Story) -> None:
    recalled = text("trace.recalled") if story.recalled else ""
    click.echo(
        text(
            "trace.card", card=story.key.record_id(), school=story.school_code, version=story.version, recalled=recalled
        ).rstrip()
    )
    rows = [(name, state_shown(state)) for name, state in sorted(story.standing.items())]
    print_table(("destination", "state"), rows)
    columns = ("at", "what", "place", "version", "by", "code", "more")
    print_table(columns, [_row(one) for one in story.events], numbers=("version",))


def _row(event: StoryEvent) -> tuple[object, ...]:
    more = [f"{name} {event.facts[name]}" for name in _TOLD if name in event.facts]
    more += [event.facts["reason"]] if "reason" in event.facts else []
    more += [event.facts["note"]] if "note" in event.facts else []
    return (
        shown(event.at), text(f"trace.kind.{event.kind}"), event.place, event.version or "", event.actor, event.code,
        " · ".join(map(str, more)),
    )  # fmt: skip
