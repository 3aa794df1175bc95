"""Replays: failed deliveries sent again, chosen once and kept, each claimed by one replay alone.

    frozen ─▶ running ◀─▶ paused, stopped ─▶ done
         └───────┴───────────┴─────────────▶ cancelled

What is chosen, claimed and counted here is sent by `store/replay_steps.py`, in steps of the job `replay:ID`. The rows
of `replay_items` are the truth: the sum of the outcomes is always the selection, whatever died in between. An open item
is the claim on its delivery (a unique index), so that two replays cannot send it twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Row,
    and_,
    cast,
    exists,
    func,
    insert,
    null,
    select,
    update,
)

from hocba_hub.model.delivery import TRANSITIONS, UNSETTLED, DeliveryState
from hocba_hub.model.reconciliation import REPAIRED_BY_SENDING, Difference
from hocba_hub.model.replays import MOST_RECORDS, OPEN, ItemOutcome, ReplayError, ReplayMeaning, ReplayPlan, ReplayState
from hocba_hub.store import audit, jobs
from hocba_hub.store.bulk import insert_rows, upsert
from hocba_hub.store.counters import Counters
from hocba_hub.store.engine import in_states
from hocba_hub.store.selection import HAS_NEWER, Selection, SelectionError, selected
from hocba_hub.store.tables import (
    deliveries,
    reconcile_differences,
    replay_items,
    replays,
    report_cards,
)
from hocba_hub.store.tables import jobs as jobs_table

REPLAY = "replay"
"""Kind of the jobs that send a replay's records: `replay:ID`."""
GIVEN_UP = "given-up"
"""Why a replay stands still whose job ended before it did."""
CANCELLED, UNDER_WAY = "cancelled", "under-way"
"""Why a record was skipped: the replay was cancelled before it was sent again, or while it was on its way."""
_S = DeliveryState
REPLAYABLE = frozenset(s for s in _S if _S.QUEUED in TRANSITIONS[s] and s not in UNSETTLED)
"""The states from which a delivery may be sent again."""
_BY_DEFAULT = frozenset({_S.PARKED, _S.HELD})
_p, _i, _d, _x = replays.c, replay_items.c, deliveries.c, reconcile_differences.c
_IS_OPEN = in_states(_p.state, *sorted(OPEN))


class Differences(NamedTuple):
    """What a reconciliation found that sending again repairs."""

    run_id: int
    kinds: frozenset[Difference]
    school: str | None = None


class Holder(NamedTuple):
    """Another replay that has claimed some of what was selected."""

    replay_id: int
    created_by: str
    deliveries: int


class ItemCount(NamedTuple):
    """Records of a replay with one outcome, None: still open, and one code."""

    outcome: ItemOutcome | None
    code: str
    """Of a failure, or why they were skipped; of open ones `waiting` or `sent`."""
    records: int


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay; times in milliseconds."""

    id: int
    created_at: int
    created_by: str
    reason: str
    selection: Mapping[str, Any]
    plan: ReplayPlan
    records: int
    """How many were selected, exactly."""
    state: ReplayState
    stop_code: str | None
    """Why it stopped by itself."""
    stop_group_id: int | None
    """The failure group that came back."""
    armed_at: int | None
    """Failures from then on may stop it."""
    started_at: int | None
    ended_at: int | None


class Frozen(NamedTuple):
    """A replay whose records have just been chosen."""

    replay: Replay
    held: Sequence[Holder]
    """Other replays that have claimed what else was selected."""
    unmatched: int
    """Ids of the selection that no delivery has, or one in a state that is not replayed."""


class Item(NamedTuple):
    """One record of a replay."""

    delivery_id: int
    destination: str
    school_year: str
    card_id: str
    version: int
    school_code: str
    state: str
    """Of its delivery when it was selected."""
    failure_group_id: int | None
    released_at: int | None
    outcome: ItemOutcome | None
    code: str
    """Of a failure, or why it was skipped."""
    ended_at: int | None


class Candidate(NamedTuple):
    """A record of a replay that was not sent again yet, with its delivery as it stands."""

    delivery_id: int
    destination: str
    school_year: str
    card_id: str
    version: int
    event: str
    accepted_at: int
    """Milliseconds."""
    stands: bool
    """Its delivery is as it was when it was selected."""
    has_newer: bool


def job_key(replay_id: int) -> str:
    """The key of the job that sends a replay's records."""
    return f"{REPLAY}:{replay_id}"


def states_taken(selection: Selection) -> frozenset[DeliveryState]:
    """The states that a replay takes out of this selection.

    By default what is parked or held. A refusal is the destination's verdict on those very bytes, so that sending them
    again is only sensible when its cause was cured: refused deliveries are taken only where the selection names the
    code, the failure group or the deliveries.

    Raises:
        SelectionError: nothing is selected, a state cannot be taken, or refusals are meant without their cause.
    """
    if selection.is_empty:
        raise SelectionError("selection.empty", "Name deliveries, a destination, a code, a school or a time.")
    names_cause = selection.code is not None or selection.group is not None
    if not selection.states:
        if selection.deliveries:
            return REPLAYABLE
        return _BY_DEFAULT | ({_S.REFUSED} if names_cause else set())
    if not selection.states <= REPLAYABLE:
        known = ", ".join(sorted(REPLAYABLE))
        raise SelectionError("selection.state", f"A replay takes deliveries that are: {known}.")
    if _S.REFUSED in selection.states and not (names_cause or selection.deliveries):
        raise SelectionError("selection.refused", "Refused deliveries are taken only by code, group or one by one.")
    return selection.states


def freeze(
    connection: Connection, chosen: Selection | Differences, plan: ReplayPlan, *, actor: str, reason: str, now: int
) -> Frozen:
    """Choose the records of a replay and claim them, once and for all, with the audit trail.

    Raises:
        SelectionError: as `states_taken`.
        ReplayError: `replay.empty`, nothing is selected; `replay.claimed`, others have claimed all of it;
            `replay.too-many`.
    """
    rows = _differences(chosen) if isinstance(chosen, Differences) else _selected(connection, chosen)
    r = rows.c
    held = _holders(connection, rows)
    told = _as_json(chosen)
    replay_id = connection.execute(
        insert(replays)
        .values(
            created_at=now, created_by=actor, reason=reason, selection=told, meaning=plan.meaning, records=0,
            canary=list(plan.canary), records_per_second=plan.records_per_second, most_failed=plan.most_failed,
            state=ReplayState.FROZEN,
        )
        .returning(_p.id)
    ).scalar_one()  # fmt: skip
    claimed = replay_items.alias("claimed").c
    free = select(rows).order_by(r.id).where(~exists().where(claimed.delivery_id == r.id, claimed.outcome.is_(None)))
    # Who claims some of them at this very moment has them: they are left out here.
    records = insert_rows(connection, replay_items, _items(replay_id, connection.execute(free)), unless_there=True)
    if not records:
        held = held or _holders(connection, rows)
        holder = held[0] if held else None
        if holder is not None:
            raise ReplayError("replay.claimed", replay=holder.replay_id, by=holder.created_by)
        raise ReplayError("replay.empty")
    connection.execute(update(replays).where(_p.id == replay_id).values(records=records))
    _count_selected(connection, replay_id)
    detail = {
        "replay": replay_id, "selection": told, "meaning": plan.meaning, "deliveries": records,
        "counts": [one._asdict() for one in selected_counts(connection, replay_id)],
    }  # fmt: skip
    audit.write(connection, at=now, actor=actor, action="freeze-replay", reason=reason, detail=detail)
    listed_ids = set(chosen.deliveries) if isinstance(chosen, Selection) else set()
    others = sum(one.deliveries for one in held)
    made = find(connection, replay_id)
    assert made is not None  # noqa: S101 - it was made a moment ago
    return Frozen(made, held, max(0, len(listed_ids) - records - others) if listed_ids else 0)


def _count_selected(connection: Connection, replay_id: int) -> None:
    counters = Counters()
    query = select(_i.destination, func.count()).where(_i.replay_id == replay_id).group_by(_i.destination)
    for destination, records in connection.execute(query):
        counters.add("replay_selected", destination, amount=records)
    counters.write(connection)


def _items(replay_id: int, chosen: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """The items of a replay, each with its turn among those of its destination and failure group."""
    turns: Counter[tuple[str, int | None]] = Counter()
    made = []
    for row in chosen:
        cause = (row.destination, row.failure_group_id)
        turns[cause] += 1
        made.append({
            "replay_id": replay_id, "delivery_id": row.id, "destination": row.destination, "turn": turns[cause],
            "state": row.state, "failure_group_id": row.failure_group_id, "difference_id": row.difference_id,
        })  # fmt: skip
        if len(made) > MOST_RECORDS:
            raise ReplayError("replay.too-many", most=MOST_RECORDS)
    return made


def _selected(connection: Connection, selection: Selection) -> FromClause:
    columns = (_d.id, _d.destination, _d.state, _d.failure_group_id, cast(null(), BigInteger).label("difference_id"))
    return selected(connection, selection, states_taken(selection), *columns)


def _differences(chosen: Differences) -> FromClause:
    """Deliveries that a destination has acknowledged and turned out not to hold, or not as we sent them."""
    query = (
        select(_d.id, _d.destination, _d.state, _d.failure_group_id, _x.id.label("difference_id"))
        .join_from(reconcile_differences, deliveries, _d.id == _x.delivery_id)
        .where(
            _x.run_id == chosen.run_id, _x.kind.in_(sorted(chosen.kinds & REPAIRED_BY_SENDING)),
            _x.repaired_at.is_(None), _d.state == _S.ACKNOWLEDGED,
        )
    )  # fmt: skip
    if chosen.school is not None:
        query = query.where(_x.school_code == chosen.school)
    return query.subquery("selected")


def _as_json(chosen: Selection | Differences) -> dict[str, Any]:
    if isinstance(chosen, Selection):
        return chosen.as_json()
    return {"reconciliation": chosen.run_id, "kinds": sorted(chosen.kinds)} | (
        {"school": chosen.school} if chosen.school is not None else {}
    )


def _holders(connection: Connection, rows: FromClause) -> list[Holder]:
    """The replays that have claimed some of these deliveries."""
    query = (
        select(_p.id, _p.created_by, func.count())
        .join_from(rows, replay_items, and_(_i.delivery_id == rows.c.id, _i.outcome.is_(None)))
        .join(replays, _p.id == _i.replay_id)
        .group_by(_p.id, _p.created_by)
        .order_by(func.count().desc(), _p.id)
    )
    return [Holder(*row) for row in connection.execute(query)]


class SelectedCount(NamedTuple):
    """What was selected, by destination, state and code."""

    destination: str
    state: str
    code: str
    deliveries: int


def selected_counts(connection: Connection, replay_id: int) -> list[SelectedCount]:
    """What was selected, by destination, the state then and the code now."""
    by = (_i.destination, _i.state, func.coalesce(_d.code, ""))
    query = (
        select(*by, func.count())
        .join_from(replay_items, deliveries, _d.id == _i.delivery_id)
        .where(_i.replay_id == replay_id)
        .group_by(*by)
        .order_by(*by)
    )
    return [SelectedCount(*row) for row in connection.execute(query)]


def start(connection: Connection, replay_id: int, *, actor: str, reason: str, now: int) -> Replay | None:
    """Begin to send; None if there is no such replay. The caller rings for the job.

    Raises:
        ReplayError: `replay.state`, it has begun before, or ended.
    """
    found = _expect(connection, replay_id, {ReplayState.FROZEN})
    if found is None:
        return None
    connection.execute(upsert(connection, jobs_table).values(key=job_key(replay_id), kind=REPLAY))
    return _run(connection, found, "start-replay", actor=actor, reason=reason, now=now)


def pause(connection: Connection, replay_id: int, *, actor: str, reason: str, now: int) -> Replay | None:
    """Send no more until it is resumed; what is on its way goes on. None if there is no such replay.

    Raises:
        ReplayError: `replay.state`, it is not running.
    """
    found = _expect(connection, replay_id, {ReplayState.RUNNING})
    if found is None:
        return None
    jobs.pause(connection, job_key(replay_id), reason, now)
    return _becomes(connection, found, "pause-replay", {"state": ReplayState.PAUSED}, actor, reason, now)


def resume(connection: Connection, replay_id: int, *, actor: str, reason: str, now: int) -> Replay | None:
    """Go on, also after it stopped by itself: what failed before does not stop it again. None if there is none.

    Raises:
        ReplayError: `replay.state`, it neither rests nor stands still.
    """
    found = _expect(connection, replay_id, {ReplayState.PAUSED, ReplayState.STOPPED})
    if found is None:
        return None
    jobs.resume(connection, job_key(replay_id))
    return _run(connection, found, "resume-replay", actor=actor, reason=reason, now=now)


def _run(connection: Connection, found: Replay, action: str, *, actor: str, reason: str, now: int) -> Replay:
    jobs.ask(connection, job_key(found.id), actor, now)
    values = {
        "state": ReplayState.RUNNING, "armed_at": now, "started_at": found.started_at or now, "stop_code": None,
        "stop_group_id": None,
    }  # fmt: skip
    return _becomes(connection, found, action, values, actor, reason, now)


def cancel(connection: Connection, replay_id: int, *, actor: str, reason: str, now: int) -> Replay | None:
    """End it: what was not sent again stays as it was, what is on its way goes on by itself. None if there is none.

    Raises:
        ReplayError: `replay.state`, it has ended.
    """
    found = _expect(connection, replay_id, OPEN)
    if found is None:
        return None
    jobs.cancel(connection, job_key(replay_id), now)
    jobs.resume(connection, job_key(replay_id))
    counters = Counters()
    for released, code in ((_i.released_at.is_(None), CANCELLED), (_i.released_at.is_not(None), UNDER_WAY)):
        left = (_i.replay_id == replay_id, _i.outcome.is_(None), released)
        at = select(_i.destination, func.count()).where(*left).group_by(_i.destination)
        for destination, records in connection.execute(at):
            counters.add("replay_records", destination, ItemOutcome.SKIPPED, amount=records)
        skipped = {"outcome": ItemOutcome.SKIPPED, "code": code, "ended_at": now}
        connection.execute(update(replay_items).where(*left).values(skipped))
    counters.write(connection)
    values = {"state": ReplayState.CANCELLED, "ended_at": now}
    return _becomes(connection, found, "cancel-replay", values, actor, reason, now)


def _expect(connection: Connection, replay_id: int, states: set[ReplayState] | frozenset[ReplayState]) -> Replay | None:
    """The replay, which nobody else changes meanwhile; None if there is none.

    Raises:
        ReplayError: `replay.state`, it is in none of these states.
    """
    connection.execute(select(_p.id).where(_p.id == replay_id).with_for_update())
    found = find(connection, replay_id)
    if found is not None and found.state not in states:
        raise ReplayError("replay.state", state=found.state)
    return found


def _becomes(  # noqa: PLR0917 - who did what, why, when
    connection: Connection, found: Replay, action: str, values: Mapping[str, Any], actor: str, reason: str, now: int
) -> Replay:
    connection.execute(update(replays).where(_p.id == found.id).values(values))
    detail = {"replay": found.id, "counts": counts_as_json(connection, found.id)}
    audit.write(connection, at=now, actor=actor, action=action, reason=reason, detail=detail)
    after = find(connection, found.id)
    assert after is not None  # noqa: S101 - it is locked
    return after


def find(connection: Connection, replay_id: int) -> Replay | None:
    """A replay; None if there is none of this id."""
    rows = _with_jobs(connection, connection.execute(select(replays).where(_p.id == replay_id)).all())
    return next(iter(rows), None)


def listed(
    connection: Connection,
    *,
    open_only: bool = False,
    created_by: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Replay]:
    """The newest first, of everybody or of one; `before` is the id of the last one seen."""
    query = select(replays).order_by(_p.id.desc()).limit(limit)
    if open_only:
        query = query.where(_IS_OPEN)
    if created_by is not None:
        query = query.where(_p.created_by == created_by)
    if before is not None:
        query = query.where(_p.id < before)
    return _with_jobs(connection, connection.execute(query).all())


def counts(connection: Connection, replay_id: int) -> list[ItemCount]:
    """How many records have which outcome; their sum is the selection."""
    is_sent = _i.released_at.is_not(None).label("is_sent")
    by = (_i.outcome, _i.code, is_sent)
    query = select(*by, func.count()).where(_i.replay_id == replay_id).group_by(*by)
    found: dict[tuple[ItemOutcome | None, str], int] = {}
    for outcome, code, was_sent, records in connection.execute(query):
        known = None if outcome is None else ItemOutcome(outcome)
        key = (known, code or "" if known is not None else "sent" if was_sent else "waiting")
        found[key] = found.get(key, 0) + records
    return [ItemCount(*key, records) for key, records in sorted(found.items(), key=lambda one: (str(one[0]), one[1]))]


def counts_as_json(connection: Connection, replay_id: int) -> list[dict[str, Any]]:
    """The counts as the audit trail keeps them."""
    return [one._asdict() for one in counts(connection, replay_id)]


def items(
    connection: Connection,
    replay_id: int,
    *,
    outcome: ItemOutcome | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Item]:
    """The records of a replay by delivery; `after` is the delivery of the last one seen."""
    r = report_cards.c
    query = (
        select(
            _i.delivery_id, _i.destination, _d.school_year, _d.card_id, _d.version, r.school_code, _i.state,
            _i.failure_group_id, _i.released_at, _i.outcome, func.coalesce(_i.code, ""), _i.ended_at,
        )
        .join_from(replay_items, deliveries, _d.id == _i.delivery_id)
        .join(report_cards, and_(r.school_year == _d.school_year, r.card_id == _d.card_id))
        .where(_i.replay_id == replay_id, _i.delivery_id > after)
        .order_by(_i.delivery_id)
        .limit(limit)
    )  # fmt: skip
    if outcome is not None:
        query = query.where(_i.outcome == outcome)
    found = [Item._make(row) for row in connection.execute(query)]
    return [one._replace(outcome=None if one.outcome is None else ItemOutcome(one.outcome)) for one in found]


def candidates(connection: Connection, replay_id: int, *, after: int = 0, limit: int = 100) -> list[Candidate]:
    """What a replay has still to send, by delivery; `after` is the delivery of the last one seen."""
    stands = and_(_d.state == _i.state, _d.lease_id.is_(None))
    query = (
        select(
            _i.delivery_id, _i.destination, _d.school_year, _d.card_id, _d.version, _d.event, _d.accepted_at,
            stands.label("stands"), HAS_NEWER.label("has_newer"),
        )
        .join_from(replay_items, deliveries, _d.id == _i.delivery_id)
        .where(
            _i.replay_id == replay_id, _i.outcome.is_(None), _i.released_at.is_(None), _i.delivery_id > after
        )
        .order_by(_i.delivery_id)
        .limit(limit)
    )  # fmt: skip
    return [Candidate(*row) for row in connection.execute(query)]


def open_states(connection: Connection) -> dict[ReplayState, int]:
    """How many replays that have not ended stand in which state."""
    query = select(_p.state, func.count()).where(_IS_OPEN).group_by(_p.state)
    return {ReplayState(state): number for state, number in connection.execute(query)}


def forget_frozen(connection: Connection, *, before: int) -> int:
    """Cancel some replays that were frozen before a moment and never begun, so that others may have the records."""
    old = select(_p.id).where(_IS_OPEN, _p.state == ReplayState.FROZEN, _p.created_at < before).limit(10)
    rows = connection.execute(old).all()
    for row in rows:
        cancel(connection, row.id, actor="hub", reason="frozen and never started", now=before)
    return len(rows)


def _with_jobs(connection: Connection, rows: Sequence[Row[Any]]) -> list[Replay]:
    """Replays; one whose job has ended before it did stands still."""
    found = []
    for row in rows:
        state, stop_code = ReplayState(row.state), row.stop_code
        if state is ReplayState.RUNNING:
            run = next(iter(jobs.history(connection, job_key(row.id), limit=1)), None)
            if run is None or run.ended_at is not None:
                state, stop_code = ReplayState.STOPPED, (run and run.error) or GIVEN_UP
        plan = ReplayPlan(ReplayMeaning(row.meaning), tuple(row.canary), row.records_per_second, row.most_failed)
        found.append(
            Replay(
                id=row.id, created_at=row.created_at, created_by=row.created_by, reason=row.reason,
                selection=row.selection, plan=plan, records=row.records, state=state, stop_code=stop_code,
                stop_group_id=row.stop_group_id, armed_at=row.armed_at, started_at=row.started_at,
                ended_at=row.ended_at,
            )
        )  # fmt: skip
    return found
