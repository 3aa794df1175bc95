"""One step of a replay: what has its outcome is counted, whether it must stop is seen, and the next records go out.

Everything of a step is one transaction with the cursor of its job, so that a killed replay goes on where
it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, select, update

from hocba_hub.model.delivery import DeliveryState, sent_again
from hocba_hub.model.making import Pin
from hocba_hub.model.replays import SAME_CAUSE, TOO_MANY_FAILED, ItemOutcome, ReplayMeaning, ReplayState
from hocba_hub.store import audit, failures
from hocba_hub.store.counters import Counters
from hocba_hub.store.decide import lock_cards_of
from hocba_hub.store.delivery_acts import sent_anew
from hocba_hub.store.engine import few_values, in_states, one_of
from hocba_hub.store.lease import Kind
from hocba_hub.store.reconciliation import note_repaired
from hocba_hub.store.replays import Replay, counts_as_json, find
from hocba_hub.store.selection import HAS_NEWER
from hocba_hub.store.tables import (
    deliveries,
    delivery_attempts,
    destinations,
    failure_groups,
    replay_items,
    replays,
    tallies,
)

HUB = "hub"
"""Actor of what a replay does by itself."""
CHANGED = "changed"
"""Why a record was skipped: its delivery had left the state that it was selected in."""
NEVER_MADE = "never-made"
"""Why a record was skipped: it is to be made as before, and never was."""
WAITS_FOR_WINDOW = "window-closed"
"""Why a record counts as skipped: it is queued again, and goes when its destination's window opens."""
_AT_ONCE = 500
"""Records that one step sends again at a destination at most: nobody waits long for the rows that it locks."""
_MOST_OPEN = 5_000
"""Records at one destination that were sent again and have no outcome yet: a step looks at all of them."""
_SHARE = 0.1
"""Of what a destination settles, for a replay while cards come in."""
_LEAST_SHARE = 0.5
"""Records a step, so that a replay ends also where little is settled."""
_COMES_IN_MS = 3_000
"""So long after a card was accepted others are expected."""
_S = DeliveryState
_p, _i, _d, _t = replays.c, replay_items.c, deliveries.c, delivery_attempts.c
_WAITING = (_i.outcome.is_(None), _i.released_at.is_(None))
_SENT = (_i.outcome.is_(None), _i.released_at.is_not(None))


@dataclass(slots=True)
class Position:
    """How far a replay is, beside its items: the cursor of its job."""

    canary_step: int = 0
    allowance: float = 0.0
    """Records that its rate lets go out now."""
    at: int | None = None
    """When the allowance was last filled, milliseconds."""
    shares: dict[str, float] = field(default_factory=dict)
    """Records that may go to each destination now beside the cards that come in."""
    settled: dict[str, float] = field(default_factory=dict)
    """How many outcomes of sent records each destination had at the last step."""

    def share(self, outcomes: Mapping[str, float], windows: Mapping[str, int]) -> dict[str, int]:
        """How many records may go to each destination beside the cards that come in.

        A tenth of what it has settled since the last step, so that those who send notice little; one batch at most
        is saved up.
        """
        for name, window in windows.items():
            since = outcomes.get(name, 0) - self.settled.get(name, outcomes.get(name, 0))
            least = _LEAST_SHARE if name in self.shares else 1.0
            self.shares[name] = min(float(window), self.shares.get(name, 0.0) + max(_SHARE * since, least))
        self.settled = {name: outcomes.get(name, 0) for name in windows}
        return {name: int(share) for name, share in self.shares.items()}

    def fill(self, rate: float | None, now: int) -> int | None:
        """How many records may go out now: a bucket that holds one second's worth, or one record; None for any."""
        if rate is None:
            return None
        passed = 0.0 if self.at is None else max(0, now - self.at) / 1000
        self.allowance = min(max(rate, 1.0), self.allowance + passed * rate)
        self.at = now
        return int(self.allowance)


@dataclass(slots=True)
class Progress:
    """What a step has done."""

    state: ReplayState
    stop_code: str | None = None
    ended: int = 0
    """Records that got their outcome."""
    sent: int = 0
    """Records that went out."""
    is_beside: bool = False
    """Cards are coming in meanwhile."""
    sent_to: set[str] = field(default_factory=set)
    """The destinations at which something is due now."""

    @property
    def has_moved(self) -> bool:
        """Whether something got its outcome, or went out."""
        return bool(self.ended or self.sent)


class _Open(NamedTuple):
    """A record that was sent again and had no outcome at the last look."""

    delivery_id: int
    destination: str
    before: int | None
    """Failure group when it was selected."""
    state: DeliveryState
    code: str
    group: int | None
    """Failure group now: what it has failed for since."""
    failed_at: int


def advance(
    connection: Connection, replay_id: int, position: Position, windows: Mapping[str, int], now: int
) -> Progress:
    """One step of a replay that is running, in the running transaction; nothing is done of one that is not.

    `windows` says of each destination how many records of it may wait there unsent, so that what comes in meanwhile
    has at most so many before it; of a destination that is not named none goes out.
    """
    connection.execute(select(_p.id).where(_p.id == replay_id).with_for_update())
    replay = find(connection, replay_id)
    if replay is None or replay.state is not ReplayState.RUNNING:
        return Progress(ReplayState.CANCELLED) if replay is None else Progress(replay.state, replay.stop_code)
    progress = Progress(ReplayState.RUNNING)
    sent = _sent(connection, replay_id)
    left = _collect(connection, replay, sent, now, progress)
    failed = [one for one in sent if one.group is not None and one.failed_at >= (replay.armed_at or 0)]
    if failed and (stop := _must_stop(connection, replay, failed, left)) is not None:
        return _stop(connection, replay, stop, now)
    _release(connection, replay, position, windows, left, now, progress)
    if not _is_left(connection, replay_id):
        _finish(connection, replay, now)
        progress.state = ReplayState.DONE
    return progress


def _sent(connection: Connection, replay_id: int) -> list[_Open]:
    query = (
        select(
            _i.delivery_id, _i.destination, _i.failure_group_id, _d.state, func.coalesce(_d.code, ""),
            _d.failure_group_id, func.coalesce(_d.settled_at, 0),
        )
        .join_from(replay_items, deliveries, _d.id == _i.delivery_id)
        .where(_i.replay_id == replay_id, *_SENT)
        .order_by(_i.delivery_id)
    )  # fmt: skip
    return [_Open(*row)._replace(state=DeliveryState(row[3])) for row in connection.execute(query)]


def _outcome(one: _Open) -> tuple[ItemOutcome, str] | None:
    """What became of a record; None while it is on its way."""
    match one.state:
        case DeliveryState.ACKNOWLEDGED:
            return ItemOutcome.ACKNOWLEDGED, ""
        case DeliveryState.SUPERSEDED:
            return ItemOutcome.SUPERSEDED, ""
        case DeliveryState.CANCELLED:
            return ItemOutcome.SKIPPED, "cancelled"
        case DeliveryState.HELD if one.code == WAITS_FOR_WINDOW:
            return ItemOutcome.SKIPPED, WAITS_FOR_WINDOW
        case DeliveryState.REFUSED | DeliveryState.PARKED | DeliveryState.HELD:
            return ItemOutcome.FAILED, one.code
        case _:
            return None


def _collect(
    connection: Connection, replay: Replay, sent: Sequence[_Open], now: int, progress: Progress
) -> list[_Open]:
    """Note what has its outcome; what has none yet."""
    ended: dict[tuple[ItemOutcome, str], list[_Open]] = {}
    left: list[_Open] = []
    for one in sent:
        outcome = _outcome(one)
        if outcome is None:
            left.append(one)
        else:
            ended.setdefault(outcome, []).append(one)
    counters = Counters()
    for (became, code), these in ended.items():
        _end(connection, replay.id, [one.delivery_id for one in these], became, code, now)
        for destination, number in Counter(one.destination for one in these).items():
            counters.add("replay_records", destination, became, amount=number)
    counters.write(connection)
    progress.ended += sum(map(len, ended.values()))
    return left


def _end(  # noqa: PLR0917 - which items, and what of them
    connection: Connection, replay_id: int, ids: Sequence[int], outcome: ItemOutcome, code: str, now: int
) -> None:
    mine = update(replay_items).where(_i.replay_id == replay_id, one_of(connection, _i.delivery_id, ids))
    connection.execute(mine.values(outcome=outcome, code=code or None, ended_at=now))


def _must_stop(
    connection: Connection, replay: Replay, failed: Sequence[_Open], left: Sequence[_Open]
) -> tuple[str, int | None] | None:
    """Why it must stop, and for which failure group; None if it may go on.

    The cause that a record failed for before has come back, whichever version of the mapping meets it; or too many
    of those that have an outcome, or tried in vain at least once, have failed.
    """
    groups = sorted({group for one in failed for group in (one.before, one.group) if group is not None})
    f = failure_groups.c
    rows = connection.execute(select(f.id, f.essence).where(one_of(connection, f.id, groups)))
    essence = {row.id: row.essence for row in rows}
    for one in failed:
        if one.before is not None and essence.get(one.before) == essence.get(one.group or 0):
            return SAME_CAUSE, one.group
    armed = replay.armed_at or 0
    query = select(func.count()).select_from(replay_items)
    since = (_i.replay_id == replay.id, _i.ended_at >= armed)
    good = (ItemOutcome.ACKNOWLEDGED, ItemOutcome.FAILED)
    ended = connection.execute(query.where(*since, in_states(_i.outcome, *good))).scalar_one()
    bad = connection.execute(query.where(*since, in_states(_i.outcome, ItemOutcome.FAILED))).scalar_one()
    trying = {one.delivery_id for one in failed} & {one.delivery_id for one in left}
    if bad + len(trying) > replay.plan.most_failed * (ended + len(trying)):
        [(group, _)] = Counter(one.group for one in failed).most_common(1)
        return TOO_MANY_FAILED, group
    return None


def _stop(connection: Connection, replay: Replay, why: tuple[str, int | None], now: int) -> Progress:
    code, group = why
    values = {"state": ReplayState.STOPPED, "stop_code": code, "stop_group_id": group}
    connection.execute(update(replays).where(_p.id == replay.id).values(values))
    detail = {"replay": replay.id, "failure_group": group, "counts": counts_as_json(connection, replay.id)}
    audit.write(connection, at=now, actor=HUB, action="stop-replay", reason=code, detail=detail)
    counters = Counters()
    counters.add("replay_stops", code)
    counters.write(connection)
    return Progress(ReplayState.STOPPED, code)


def _release(  # noqa: PLR0917 - a replay and where it stands
    connection: Connection,
    replay: Replay,
    position: Position,
    windows: Mapping[str, int],
    left: Sequence[_Open],
    now: int,
    progress: Progress,
) -> None:
    """Send the next records, as many as canary, rate and destinations let."""
    turns = replay.plan.turns(position.canary_step)
    while turns is not None and not left and not _waits(connection, replay.id, turns):
        position.canary_step += 1
        turns = replay.plan.turns(position.canary_step)
    allowed = position.fill(replay.plan.records_per_second, now)
    shares = None
    progress.is_beside = _comes_in(connection, now)
    if progress.is_beside:
        shares = position.share(_settled(connection), windows)
    else:
        position.shares, position.settled = {}, {}
    open_at = Counter(one.destination for one in left)
    unsent_at = Counter(one.destination for one in left if one.state in {_S.QUEUED, _S.LEASED})
    for destination in _waiting_at(connection, replay.id):
        room = min(windows.get(destination, 0) - unsent_at[destination], _MOST_OPEN - open_at[destination], _AT_ONCE)
        room = room if allowed is None else min(room, allowed)
        room = room if shares is None else min(room, shares.get(destination, 0))
        if room <= 0 or _is_closed(connection, destination, now):
            continue
        ids = _next(connection, replay.id, destination, turns, room)
        if not ids:
            continue
        sent = _send(connection, replay, destination, ids, now)
        progress.sent += sent
        progress.ended += len(ids) - sent
        if sent:
            progress.sent_to.add(destination)
        if allowed is not None:
            position.allowance -= sent
            allowed -= sent
        if shares is not None:
            position.shares[destination] -= sent


def _comes_in(connection: Connection, now: int) -> bool:
    """Whether cards are coming in: the newest delivery was accepted a moment ago."""
    last = select(func.max(_d.id)).scalar_subquery()
    newest = connection.execute(select(_d.accepted_at).where(_d.id == last)).scalar()
    return newest is not None and newest > now - _COMES_IN_MS


def _settled(connection: Connection) -> dict[str, float]:
    """How many outcomes of sent records each destination has had."""
    t = tallies.c
    query = select(t.labels, func.sum(t.value)).where(t.name == "outcomes").group_by(t.labels)
    found: Counter[str] = Counter()
    for labels, value in connection.execute(query):
        destination, kind, _ = labels.split(" ")
        if kind == Kind.SEND:
            found[destination] += round(value)
    return dict(found)


def _waits(connection: Connection, replay_id: int, turns: int) -> bool:
    """Whether something of these turns was not sent yet."""
    found = exists().where(_i.replay_id == replay_id, *_WAITING, _i.turn <= turns)
    return bool(connection.execute(select(found)).scalar())


def _waiting_at(connection: Connection, replay_id: int) -> list[str]:
    """The destinations at which something was not sent yet."""
    return few_values(connection, _i.destination, _i.replay_id == replay_id, *_WAITING)


def _is_closed(connection: Connection, destination: str, now: int) -> bool:
    """Whether nothing may go there now: what was sent again would only wait among what comes in."""
    t = destinations.c
    row = connection.execute(select(t.paused_at, t.open_until).where(t.name == destination)).one_or_none()
    return row is not None and (row.paused_at is not None or (row.open_until or 0) > now)


def _next(connection: Connection, replay_id: int, destination: str, turns: int | None, room: int) -> list[int]:
    query = select(_i.delivery_id).where(_i.replay_id == replay_id, *_WAITING, _i.destination == destination)
    if turns is not None:
        query = query.where(_i.turn <= turns)
    return list(connection.execute(query.order_by(_i.turn, _i.delivery_id).limit(room)).scalars())


def _send(connection: Connection, replay: Replay, destination: str, ids: Sequence[int], now: int) -> int:
    """Queue these records again, those that stand as they were selected and are the newest of their card; how many."""
    rows = {row.id: row for row in _locked(connection, replay.id, ids)}
    pins = _pins(connection, replay.plan.meaning, sorted(rows))
    left: dict[tuple[ItemOutcome, str], list[int]] = {}
    sent: list[Row[Any]] = []
    for one in ids:
        row = rows.get(one)
        if row is None:
            left.setdefault((ItemOutcome.SKIPPED, CHANGED), []).append(one)
        elif row.has_newer:
            left.setdefault((ItemOutcome.SUPERSEDED, ""), []).append(one)
        elif one not in pins:
            left.setdefault((ItemOutcome.SKIPPED, NEVER_MADE), []).append(one)
        else:
            sent.append(row)
    counters = Counters()
    for (outcome, code), these in left.items():
        _end(connection, replay.id, these, outcome, code, now)
        counters.add("replay_records", destination, outcome, amount=len(these))
    _queue(connection, sent, pins, counters, now)
    counters.write(connection)
    gone = [row.id for row in sent]
    released = update(replay_items).where(_i.replay_id == replay.id, one_of(connection, _i.delivery_id, gone))
    connection.execute(released.values(released_at=now))
    repaired = [row.difference_id for row in sent if row.difference_id is not None]
    if repaired:
        note_repaired(connection, repaired, actor=replay.created_by, now=now)
    return len(sent)


def _locked(connection: Connection, replay_id: int, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The deliveries that stand as they were selected, locked.

    The cards are locked first: else a version could be accepted unseen between the look and the change, and the older
    one would be sent after it.
    """
    mine = one_of(connection, _d.id, ids)
    lock_cards_of(connection, ids)
    query = (
        select(_d.id, _d.destination, _d.state, _i.difference_id, HAS_NEWER.label("has_newer"))
        .join_from(deliveries, replay_items, and_(_i.replay_id == replay_id, _i.delivery_id == _d.id))
        .where(mine, _d.state == _i.state, _d.lease_id.is_(None))
        .order_by(_d.id)
        .with_for_update(of=deliveries)
    )
    return connection.execute(query).all()


def _pins(connection: Connection, meaning: ReplayMeaning, ids: Sequence[int]) -> dict[int, Pin | None]:
    """How each of these must be made; one that is to be made as before and never was is left out."""
    if meaning is ReplayMeaning.MAPPING_IN_FORCE or not ids:
        return dict.fromkeys(ids)
    pins: dict[int, Pin | None] = {}
    for row in connection.execute(
        select(_t.delivery_id, _t.mapping, _t.made_sha256)
        .where(one_of(connection, _t.delivery_id, ids), _t.mapping.is_not(None))
        .order_by(_t.delivery_id, _t.attempt_id)
    ):
        if meaning is ReplayMeaning.SAME_MAPPING:
            pins[row.delivery_id] = Pin(row.mapping)
        elif row.made_sha256 is not None:
            pins[row.delivery_id] = Pin(row.mapping, row.made_sha256)
    return pins


def last_made(connection: Connection, ids: Sequence[int]) -> dict[int, Pin]:
    """By what deliveries were made last, and what came of it, as far as they ever were."""
    found = _pins(connection, ReplayMeaning.SAME_BYTES, ids)
    return {one: pin for one, pin in found.items() if pin is not None}


def _queue(
    connection: Connection, rows: Sequence[Row[Any]], pins: Mapping[int, Pin | None], counters: Counters, now: int
) -> None:
    """Queue deliveries anew: with a new retry window, and made as their pins say."""
    if not rows:
        return
    for row in rows:
        before = DeliveryState(row.state)
        after = sent_again(before)
        counters.move(row.destination, before, after)
        counters.add("replayed", row.destination)
    fresh = {**sent_anew(now), "state": after}
    plain = [row.id for row in rows if pins[row.id] is None]
    if plain:
        connection.execute(update(deliveries).where(one_of(connection, _d.id, plain)).values(fresh))
    pinned = [{"one": row.id, "how": str(pin)} for row in rows if (pin := pins[row.id]) is not None]
    if pinned:
        each = update(deliveries).where(_d.id == bindparam("one")).values({**fresh, "pin": bindparam("how")})
        connection.execute(each, pinned)


def _is_left(connection: Connection, replay_id: int) -> bool:
    """Whether something has no outcome yet."""
    open_ = (exists().where(_i.replay_id == replay_id, *some) for some in (_WAITING, _SENT))
    return any(connection.execute(select(one)).scalar() for one in open_)


def _finish(connection: Connection, replay: Replay, now: int) -> None:
    """All has its outcome: the groups in which nothing stands any more are resolved, and the counts are kept."""
    values = {"state": ReplayState.DONE, "ended_at": now}
    connection.execute(update(replays).where(_p.id == replay.id).values(values))
    query = select(_i.failure_group_id).where(_i.replay_id == replay.id, _i.failure_group_id.is_not(None)).distinct()
    groups = set(connection.execute(query).scalars())
    f = failure_groups.c
    roots = connection.execute(
        select(f.root_id).where(one_of(connection, f.id, sorted(groups)), f.root_id.is_not(None))
    )
    resolved = failures.resolve_empty(connection, groups | set(roots.scalars()), now)
    detail = {
        "replay": replay.id, "counts": counts_as_json(connection, replay.id), "failure_groups_resolved": resolved,
    }  # fmt: skip
    audit.write(
        connection, at=now, actor=HUB, action="end-replay", reason="every record has its outcome", detail=detail
    )
