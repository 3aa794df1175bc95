"""`hocba-hub replay`: failed deliveries sent again, chosen once, tried on paper, a few at first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import click

from hocba_hub.cli.reconcile import newest_run
from hocba_hub.cli.selecting import FAILED, Options, selecting, selection_of
from hocba_hub.cli.session import (
    actor,
    is_asked,
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
from hocba_hub.model.reconciliation import REPAIRED_BY_SENDING, REPORTED, Difference
from hocba_hub.model.replays import ItemOutcome, ReplayMeaning, ReplayState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from hocba_hub.queue.dry_run import Foreseen
    from hocba_hub.store.engine import Store
    from hocba_hub.store.replays import Frozen, Replay

_ID = click.argument("replay_id", metavar="REPLAY", type=click.IntRange(1, 2**63 - 1))
_REASON = click.option("--reason", help=text("option.reason"))
_PAGE = 500
_LOOK_SECONDS = 0.5
_MOST_STEPS, _MOST_OF_A_STEP = 10, 10_000


class _Canary(click.ParamType[tuple[int, ...]]):
    """Numbers with commas between; `none` for no canary."""

    name = "N,N,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:  # noqa: ANN401
        """The numbers."""
        if isinstance(value, tuple):
            return value
        if value == "none":
            return ()
        parts = str(value).split(",")
        if len(parts) > _MOST_STEPS or not all(part.isdecimal() and 0 < int(part) <= _MOST_OF_A_STEP for part in parts):
            self.fail(text("replay.canary.wrong"), param, ctx)
        return tuple(map(int, parts))


@click.group(help=text("replay"))
def replay() -> None:
    """Failed deliveries sent again."""


@replay.command(help=text("replay.freeze"))
@click.option(
    "--delivery", "deliveries", multiple=True, type=click.IntRange(1, 2**63 - 1), help=text("option.delivery")
)
@click.option("--group", metavar="GROUP", type=click.IntRange(1, 2**63 - 1), help=text("option.replay.group"))
@selecting(*FAILED)
@click.option("--reconciliation", metavar="NAME", help=text("option.replay.reconciliation"))
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([str(one) for one in REPORTED if one in REPAIRED_BY_SENDING]),
    help=text("option.replay.kind"),
)  # fmt: skip
@click.option(
    "--meaning", type=click.Choice(list(map(str, ReplayMeaning))), default="mapping-in-force", show_default=True,
    help=text("option.replay.meaning"),
)  # fmt: skip
@click.option(
    "--canary", type=_Canary(), default=(1, 10, 100), show_default="1,10,100", help=text("option.replay.canary")
)
@click.option("--rate", type=click.FloatRange(0, 10_000, min_open=True), help=text("option.replay.rate"))
@click.option(
    "--most-failed", type=click.FloatRange(0, 1), default=0.1, show_default=True, help=text("option.replay.most-failed")
)
@click.option("--start", "starts", is_flag=True, help=text("option.replay.start"))
@click.option("--watch", "watches", is_flag=True, help=text("option.replay.watch"))
@_REASON
@report_errors
def freeze(  # noqa: PLR0917 - what is chosen, and how it goes
    reconciliation: str | None,
    kinds: tuple[str, ...],
    meaning: str,
    canary: tuple[int, ...],
    rate: float | None,
    most_failed: float,
    reason: str | None,
    *,
    starts: bool,
    watches: bool,
    **options: Unpack[Options],
) -> None:
    """Choose the records, claim them and show how many they are; with --start send them."""
    from hocba_hub.model.replays import ReplayPlan
    from hocba_hub.store import replays

    why = reason_of(reason)
    plan = ReplayPlan(ReplayMeaning(meaning), canary, rate, most_failed)
    with opened_store() as store:
        with store.write() as connection:
            chosen: Any = selection_of(options)
            if reconciliation is not None:
                if not chosen.is_empty or chosen.states:
                    raise click.UsageError(text("replay.either"))
                chosen = _differences(connection, reconciliation, kinds)
            frozen = replays.freeze(connection, chosen, plan, actor=actor(), reason=why, now=now())
            counts = replays.selected_counts(connection, frozen.replay.id)
        click.echo(text("replay.frozen", id=frozen.replay.id))
        rows: list[tuple[object, ...]] = [(one.destination, state_shown(one.state), *one[2:]) for one in counts]
        rows.append((text("total"), "", "", frozen.replay.records))
        print_table(("destination", "state", "code", "deliveries"), rows, numbers=("deliveries",))
        _tell_left_out(frozen)
        if starts and is_asked():
            click.confirm(text("replay.confirm"), abort=True)
        if starts:
            with store.write() as connection:
                replays.start(connection, frozen.replay.id, actor=actor(), reason=why, now=now())
            click.echo(text("replay.started", id=frozen.replay.id))
        if starts and watches:
            _watch(store, frozen.replay.id)


def _differences(connection: Connection, destination: str, kinds: tuple[str, ...]) -> Any:  # noqa: ANN401 - Differences
    from hocba_hub.store.replays import Differences

    meant = frozenset(map(Difference, kinds)) or REPAIRED_BY_SENDING
    return Differences(newest_run(connection, destination), frozenset(meant))


def _tell_left_out(frozen: Frozen) -> None:
    for holder in frozen.held:
        click.echo(text("replay.held", count=holder.deliveries, id=holder.replay_id, by=holder.created_by))
    if frozen.unmatched:
        click.echo(text("replay.unmatched", count=frozen.unmatched))


@replay.command("list", help=text("replay.list"))
@click.option("--open", "open_only", is_flag=True, help=text("option.replay.open"))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help=text("option.replay.limit"))
@report_errors
def list_(limit: int, *, open_only: bool) -> None:
    """Show the replays, the newest first."""
    from hocba_hub.store import replays

    with opened_store() as store, store.read() as connection:
        found = replays.listed(connection, open_only=open_only, limit=limit)
        rows = [_row(connection, one) for one in found]
    _print(rows)


@replay.command(help=text("replay.show"))
@_ID
@click.option("--list", "listed", is_flag=True, help=text("option.replay.list"))
@click.option("--outcome", type=click.Choice(list(map(str, ItemOutcome))), help=text("option.replay.outcome"))
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help=text("option.limit"))
@report_errors
def show(replay_id: int, outcome: str | None, limit: int, *, listed: bool) -> None:
    """Show one replay with its counts, or its records."""
    from hocba_hub.store import replays

    with opened_store() as store, store.read() as connection:
        found = _found(connection, replay_id)
        if listed or outcome is not None:
            wanted = ItemOutcome(outcome) if outcome else None
            items = replays.items(connection, replay_id, outcome=wanted, limit=limit)
            print_table(
                ("id", "destination", "school", "card", "version", "outcome", "code", "sent-again"),
                [
                    (
                        str(one.delivery_id), one.destination, one.school_code, f"{one.school_year}/{one.card_id}",
                        one.version, _outcome(one.outcome), one.code, shown(one.released_at),
                    )
                    for one in items
                ],
                numbers=("version",),
            )  # fmt: skip
            return
        row = _row(connection, found)
    _print([row])
    _print_counts(store, replay_id)


@replay.command("dry-run", help=text("replay.dry-run"))
@_ID
@click.option("--ndjson", is_flag=True, help=text("option.replay.ndjson"))
@click.option("--limit", type=click.IntRange(1, 200_000), default=100, show_default=True, help=text("option.limit"))
@report_errors
def dry_run(replay_id: int, limit: int, *, ndjson: bool) -> None:
    """Show what would become of each record, and what would differ in it; nothing is sent."""
    import orjson

    with opened_store() as store:
        if ndjson:
            for one in _foreseen(store, replay_id, None):
                click.echo(orjson.dumps(one._asdict()).decode())
            return
        found = list(_foreseen(store, replay_id, limit))
    rows = [
        (
            str(one.delivery_id), one.destination, one.school_code, f"{one.school_year}/{one.card_id}", one.version,
            text(f"replay.becomes.{one.becomes}"), one.code, one.mapping_before, one.mapping,
            text("replay.unknown-difference") if one.changed is None else ", ".join(one.changed),
        )
        for one in found
    ]  # fmt: skip
    columns = ("id", "destination", "school", "card", "version", "becomes", "code", "made-by", "would-by", "differs")
    print_table(columns, rows, numbers=("version",))


def _foreseen(store: Store, replay_id: int, limit: int | None) -> Iterator[Foreseen]:
    from hocba_hub.bootstrap import active_mappings, destinations
    from hocba_hub.queue.dry_run import DryRun

    settings = settings_in_force()
    runs = DryRun(destinations(settings), active_mappings(settings, store).current)
    with store.read() as connection:
        found = _found(connection, replay_id)
    after, left = 0, limit
    while left is None or left > 0:
        most = _PAGE if left is None else min(_PAGE, left)
        with store.read() as connection:
            page = runs.foresee(connection, found, after=after, limit=most)
        yield from page
        if len(page) < most:
            return
        after, left = page[-1].delivery_id, None if left is None else left - len(page)


@replay.command(help=text("replay.start"))
@_ID
@click.option("--watch", "watches", is_flag=True, help=text("option.replay.watch"))
@_REASON
@report_errors
def start(replay_id: int, reason: str | None, *, watches: bool) -> None:
    """Begin to send."""
    from hocba_hub.store import replays

    _do(replays.start, replay_id, reason, watches=watches)


@replay.command(help=text("replay.pause"))
@_ID
@_REASON
@report_errors
def pause(replay_id: int, reason: str | None) -> None:
    """Send no more for now."""
    from hocba_hub.store import replays

    _do(replays.pause, replay_id, reason)


@replay.command(help=text("replay.resume"))
@_ID
@click.option("--watch", "watches", is_flag=True, help=text("option.replay.watch"))
@_REASON
@report_errors
def resume(replay_id: int, reason: str | None, *, watches: bool) -> None:
    """Go on, also after it stopped by itself."""
    from hocba_hub.store import replays

    _do(replays.resume, replay_id, reason, watches=watches)


@replay.command(help=text("replay.cancel"))
@_ID
@_REASON
@report_errors
def cancel(replay_id: int, reason: str | None) -> None:
    """End it; what was not sent stays as it was."""
    from hocba_hub.store import replays

    _do(replays.cancel, replay_id, reason)


@replay.command(help=text("replay.watch"))
@_ID
@report_errors
def watch(replay_id: int) -> None:
    """Show how it goes until it ends or stands still."""
    with opened_store() as store:
        with store.read() as connection:
            _found(connection, replay_id)
        _watch(store, replay_id)


def _do(what: Callable[..., Replay | None], replay_id: int, reason: str | None, *, watches: bool = False) -> None:
    why = reason_of(reason)
    with opened_store() as store:
        with store.write() as connection:
            found = what(connection, replay_id, actor=actor(), reason=why, now=now())
        if found is None:
            raise click.ClickException(text("replay.unknown"))
        with store.read() as connection:
            row = _row(connection, found)
        _print([row])
        if watches:
            _watch(store, replay_id)


def _watch(store: Store, replay_id: int) -> None:
    """Print a line whenever the counts have changed; then the whole."""
    told = ""
    while True:
        with store.read() as connection:
            found = _found(connection, replay_id)
            line = _progress(connection, found)
        if line != told:
            click.echo(line)
            told = line
        if found.state is not ReplayState.RUNNING:
            break
        time.sleep(_LOOK_SECONDS)
    _print_counts(store, replay_id)


def _progress(connection: Connection, found: Replay) -> str:
    from hocba_hub.store import replays

    parts = [
        f"{_outcome(one.outcome)} {one.code} {one.records:,}".replace("  ", " ")
        for one in replays.counts(connection, found.id)
    ]
    return f"{_state(found)}: {' · '.join(parts)}"


def _print_counts(store: Store, replay_id: int) -> None:
    from hocba_hub.store import replays

    with store.read() as connection:
        counts = replays.counts(connection, replay_id)
    rows: list[tuple[object, ...]] = [(_outcome(one.outcome), one.code, one.records) for one in counts]
    rows.append((text("total"), "", sum(one.records for one in counts)))
    print_table(("outcome", "code", "records"), rows, numbers=("records",))


def _found(connection: Connection, replay_id: int) -> Replay:
    from hocba_hub.store import replays

    found = replays.find(connection, replay_id)
    if found is None:
        raise click.ClickException(text("replay.unknown"))
    return found


def _row(connection: Connection, one: Replay) -> tuple[object, ...]:
    from hocba_hub.store import replays

    counts = replays.counts(connection, one.id)
    done = sum(each.records for each in counts if each.outcome is not None)
    return (
        str(one.id), _state(one), one.records, done, text(f"replay.meaning.{one.plan.meaning}"), one.created_by,
        shown(one.created_at), shown(one.ended_at), one.reason,
    )  # fmt: skip


def _print(rows: list[tuple[object, ...]]) -> None:
    columns = ("replay", "state", "records", "ended", "meant", "asked-by", "created", "ends", "why")
    print_table(columns, rows, numbers=("records", "ended"))


def _state(found: Replay) -> str:
    said = text(f"replay.state.{found.state}")
    if found.stop_code is None:
        return said
    group = "" if found.stop_group_id is None else f", {text('column.group')} {found.stop_group_id}"
    return f"{said} ({found.stop_code}{group})"


def _outcome(outcome: ItemOutcome | None) -> str:
    return text(f"replay.outcome.{outcome or 'open'}")
