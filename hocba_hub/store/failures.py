"""Failure groups: failures of one cause, counted in the transaction that records them.

`failure_counts` holds how often each group happened in which hour, at which school and client; a group's row has the
sum. What stands in a group now is told by the deliveries themselves and by the schools' open lists, which carry the
group's id: they leave it when they are accepted, refused for another cause, superseded or corrected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import Insert

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.errors import HubError
from hocba_hub.model.failures import Cause, GroupState
from hocba_hub.model.keys import CardKey
from hocba_hub.store import audit
from hocba_hub.store.bulk import upsert
from hocba_hub.store.engine import in_states, one_of, one_of_cards
from hocba_hub.store.tables import deliveries, failure_counts, failure_groups, open_findings, report_cards

HOUR_MS = 3_600_000
_S = DeliveryState
STANDING = (_S.QUEUED, _S.LEASED, _S.IN_DOUBT, _S.HELD, _S.PARKED, _S.REFUSED)
"""The states in which a delivery stands in the group of its last failure."""
_COUNT_KEY = ("group_id", "hour_at", "school_code", "client_id")
_g, _n, _d, _f = failure_groups.c, failure_counts.c, deliveries.c, open_findings.c


class GroupChangedError(HubError):
    """Somebody else changed the group meanwhile; `code` is a problem's: `failure-group.changed`."""

    def __init__(self) -> None:
        super().__init__("The failure group was changed meanwhile.")
        self.code = "failure-group.changed"


class Failed(NamedTuple):
    """One failure: of a delivery, or of a record."""

    cause: Cause
    school: str
    """Empty where it could not be read."""
    client_id: int
    at: int
    """Milliseconds: the hour of it is that in which it is counted."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one cause; times in milliseconds."""

    id: int
    root_id: int | None
    """The group whose cause is behind this one; its figures hold this one's."""
    destination: str
    stage: str
    error_class: str
    code: str
    detail: str
    mapping: str
    times: int
    """How often it happened."""
    first_at: int
    last_at: int
    state: GroupState
    muted_until: int | None
    reopened_at: int | None
    owner: str | None
    note: str | None
    revision: int
    standing: int
    """Deliveries, or cards on schools' open lists, that stand in it now."""
    schools: int
    """That were ever affected."""
    clients: int


class Source(NamedTuple):
    """Where a group's failures came from."""

    school_code: str
    client_id: int
    times: int
    last_at: int
    """Start of the hour of the newest."""


class OfClient(NamedTuple):
    """What failed of one client for one cause."""

    id: int
    destination: str
    error_class: str
    code: str
    detail: str
    times: int
    last_at: int
    """Start of the hour of the newest."""


class Member(NamedTuple):
    """What stands in a group: a delivery, or a card on its school's open list."""

    delivery_id: int | None
    destination: str
    school_code: str
    school_year: str
    card_id: str
    version: int | None
    state: str
    """Of the delivery; `rejected` of a card on the open list."""


def hour_of(moment: int) -> int:
    """The start of the hour that a moment is in."""
    return moment // HOUR_MS * HOUR_MS


def record(connection: Connection, failures: Iterable[Failed], now: int) -> dict[Cause, int]:
    """Count failures in the running transaction; the group's id of each cause. The caller has locked what failed.

    A cause that is but one face of another is counted in its own group, and in the other's row, which it folds under.
    A group that was resolved, or whose mute is over, is open again.
    """
    counted = Counter((one.cause, hour_of(one.at), one.school, one.client_id) for one in failures)
    times: Counter[Cause] = Counter()
    for (cause, *_), number in counted.items():
        times[cause] += number
        if cause.root is not None:
            times[cause.root] += number
    ids: dict[Cause, int] = {}
    for cause in in_order(times):  # taken in one order by all
        root_id = None if cause.root is None else ids[cause.root]
        ids[cause] = _count(connection, cause, root_id, times[cause], now)
    if counted:
        add(connection, {(ids[cause], *place): number for (cause, *place), number in counted.items()})
    return ids


def in_order(causes: Iterable[Cause]) -> list[Cause]:
    """Causes in the order in which their groups' rows are taken, those behind others first."""
    return sorted(causes, key=lambda one: (one.root is not None, one.fingerprint))


def new_group(connection: Connection, cause: Cause, root_id: int | None, times: int, at: int) -> Insert:
    """The statement that adds a group; what is done where there is one of this cause is said by who calls."""
    return upsert(connection, failure_groups).values(
        fingerprint=cause.fingerprint, essence=cause.essence, root_id=root_id, **cause._asdict(), times=times,
        first_at=at, last_at=at, state=GroupState.OPEN, revision=1,
    )  # fmt: skip


def _count(connection: Connection, cause: Cause, root_id: int | None, times: int, now: int) -> int:
    statement = new_group(connection, cause, root_id, times, now)
    comes_back = or_(
        _g.state == GroupState.RESOLVED, and_(_g.state == GroupState.MUTED, _g.muted_until <= literal(now))
    )
    changed = {
        "times": _g.times + times,
        "last_at": case((_g.last_at > now, _g.last_at), else_=now),
        "state": case((comes_back, GroupState.OPEN), else_=_g.state),
        "reopened_at": case((comes_back, now), else_=_g.reopened_at),
        "muted_until": case((comes_back, None), else_=_g.muted_until),
        "revision": case((comes_back, _g.revision + 1), else_=_g.revision),
    }
    counted = statement.on_conflict_do_update(index_elements=["fingerprint"], set_=changed).returning(_g.id)
    return int(connection.execute(counted).scalar_one())


def add(connection: Connection, times: Mapping[tuple[Any, ...], int]) -> None:
    """Add to the counts, by group, hour, school and client."""
    rows = [dict(zip(_COUNT_KEY, key, strict=True), times=number) for key, number in sorted(times.items())]
    statement = upsert(connection, failure_counts)
    added = {"times": _n.times + statement.excluded.times}
    connection.execute(statement.on_conflict_do_update(index_elements=_COUNT_KEY, set_=added), rows)


def whose(connection: Connection, cards: Iterable[CardKey]) -> dict[CardKey, tuple[str, int]]:
    """School and client of cards."""
    keys = sorted(set(cards))
    if not keys:
        return {}
    r = report_cards.c
    these = one_of_cards(connection, r.school_year, r.card_id, keys)
    query = select(r.school_year, r.card_id, r.school_code, r.client_id).where(these)
    return {CardKey(year, card): (school, client) for year, card, school, client in connection.execute(query)}


def listed(
    connection: Connection,
    now: int,
    *,
    destination: str | None = None,
    states: Sequence[GroupState] = (),
    root_id: int | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[FailureGroup]:
    """Groups that are under no other, or those under `root_id`; the newest failure first.

    `states` are as they stand at `now`: a mute that is over is open. `after` is `last_at` and id of the last one seen.
    """
    query = select(failure_groups).order_by(_g.last_at.desc(), _g.id.desc()).limit(limit)
    query = query.where(_g.root_id.is_(None) if root_id is None else _g.root_id == root_id)
    if destination is not None:
        query = query.where(_g.destination == destination)
    if states:
        query = query.where(_state_at(now).in_(list(map(str, states))))
    if after is not None:
        query = query.where(tuple_(_g.last_at, _g.id) < tuple_(*map(literal, after)))
    return _with_figures(connection, connection.execute(query).all(), now)


def find(connection: Connection, group_id: int, now: int) -> FailureGroup | None:
    """A group; None if there is none of this id."""
    found = connection.execute(select(failure_groups).where(_g.id == group_id)).all()
    return next(iter(_with_figures(connection, found, now)), None)


def trend(connection: Connection, group_id: int, *, since: int) -> list[tuple[int, int]]:
    """How often it happened, hour by hour since a moment; hours without are left out."""
    query = select(_n.hour_at, func.sum(_n.times)).where(_in_group(connection, group_id), _n.hour_at >= hour_of(since))
    return [(hour, int(times)) for hour, times in connection.execute(query.group_by(_n.hour_at).order_by(_n.hour_at))]


def sources(connection: Connection, group_id: int, *, limit: int = 100) -> list[Source]:
    """The schools and clients affected, those with most failures first."""
    times = func.sum(_n.times).label("times")
    query = select(_n.school_code, _n.client_id, times, func.max(_n.hour_at)).where(_in_group(connection, group_id))
    query = query.group_by(_n.school_code, _n.client_id).order_by(times.desc(), _n.school_code, _n.client_id)
    return [Source(school, client, int(n), at) for school, client, n, at in connection.execute(query.limit(limit))]


def of_client(connection: Connection, client_id: int, *, since: int, limit: int = 100) -> list[OfClient]:
    """What failed of one client since a moment, cause by cause, the most frequent first."""
    times = func.sum(_n.times).label("times")
    query = select(_n.group_id, times, func.max(_n.hour_at)).where(
        _n.client_id == client_id, _n.hour_at >= hour_of(since)
    )
    counted = connection.execute(query.group_by(_n.group_id).order_by(times.desc(), _n.group_id).limit(limit)).all()
    groups = {
        row.id: (row.destination, row.error_class, row.code, row.detail)
        for row in connection.execute(
            select(failure_groups).where(one_of(connection, _g.id, [row.group_id for row in counted]))
        )
    }
    return [OfClient(group, *groups[group], int(number), last) for group, number, last in counted]


def members(connection: Connection, group_id: int, *, after: int = 0, limit: int = 100) -> list[Member]:
    """Some of what stands in a group now: deliveries by id from `after` on, then cards on open lists."""
    family = _family(connection, group_id)
    r = report_cards.c
    query = (
        select(_d.id, _d.destination, r.school_code, _d.school_year, _d.card_id, _d.version, _d.state)
        .join_from(deliveries, report_cards, and_(r.school_year == _d.school_year, r.card_id == _d.card_id))
        .where(one_of(connection, _d.failure_group_id, family), in_states(_d.state, *STANDING), _d.id > after)
        .order_by(_d.id)
        .limit(limit)
    )
    found = [Member(*row) for row in connection.execute(query)]
    if after == 0 and len(found) < limit:
        columns = (_f.school_code, _f.school_year, _f.card_id)
        cards = select(*columns).where(one_of(connection, _f.failure_group_id, family)).order_by(*columns)
        rows = connection.execute(cards.limit(limit - len(found)))
        found += [Member(None, "", school, year, card, None, "rejected") for school, year, card in rows]
    return found


def change(
    connection: Connection,
    group_id: int,
    *,
    state: GroupState | None = None,
    muted_until: int | None = None,
    owner: str | None = None,
    note: str | None = None,
    revision: int | None = None,
    actor: str,
    reason: str,
    now: int,
) -> FailureGroup | None:
    """Change how a group stands, with the audit trail; None if there is none. An empty `owner` or `note` clears it.

    Raises:
        GroupChangedError: `revision` is given, and is not the group's any more.
    """
    before = find(connection, group_id, now)
    if before is None:
        return None
    values: dict[str, Any] = {"revision": _g.revision + 1}
    if state is not None:
        values |= {"state": state, "muted_until": muted_until if state is GroupState.MUTED else None}
    values |= {name: given or None for name, given in (("owner", owner), ("note", note)) if given is not None}
    expected = before.revision if revision is None else revision
    changed = update(failure_groups).where(_g.id == group_id, _g.revision == expected).values(values)
    if not connection.execute(changed).rowcount:
        raise GroupChangedError
    after = find(connection, group_id, now)
    assert after is not None  # noqa: S101 - it was changed a moment ago
    named = ("state", "muted_until", "owner", "note")
    detail = {
        "group": group_id,
        "changed": {
            name: [getattr(before, name), getattr(after, name)]
            for name in named
            if getattr(before, name) != getattr(after, name)
        },
    }
    audit.write(connection, at=now, actor=actor, action="change-failure-group", reason=reason, detail=detail)
    return after


def resolve_empty(connection: Connection, group_ids: Iterable[int], now: int) -> list[int]:
    """Resolve those groups in which nothing stands any more, and that nobody has muted; which they were."""
    found = [find(connection, one, now) for one in sorted(set(group_ids))]
    empty = [one.id for one in found if one is not None and not one.standing and one.state is not GroupState.MUTED]
    if empty:
        resolved = {"state": GroupState.RESOLVED, "revision": _g.revision + 1}
        connection.execute(update(failure_groups).where(one_of(connection, _g.id, empty)).values(resolved))
    return empty


def open_groups(connection: Connection, now: int) -> dict[GroupState, int]:
    """How many groups that are under no other stand in which state."""
    state = _state_at(now)
    query = select(state, func.count()).where(_g.root_id.is_(None)).group_by(state)
    return {GroupState(one): groups for one, groups in connection.execute(query)}


def _state_at(now: int) -> ColumnElement[str]:
    """A mute that is over is no mute."""
    is_over = and_(_g.state == GroupState.MUTED, _g.muted_until <= literal(now))
    return case((is_over, str(GroupState.OPEN)), else_=_g.state)


def _family(connection: Connection, group_id: int) -> list[int]:
    """A group with those that fold under it."""
    return [group_id, *connection.execute(select(_g.id).where(_g.root_id == group_id)).scalars()]


def _in_group(connection: Connection, group_id: int) -> ColumnElement[bool]:
    return one_of(connection, _n.group_id, _family(connection, group_id))


def _with_figures(connection: Connection, rows: Sequence[Row[Any]], now: int) -> list[FailureGroup]:
    """Groups with what is counted of them and of all that folds under them."""
    ids = [row.id for row in rows]
    under = connection.execute(select(_g.id, _g.root_id).where(one_of(connection, _g.root_id, ids)))
    top_of: dict[int, int] = {row.id: row.root_id for row in under} | {one: one for one in ids}
    every = sorted(top_of)

    def summed(query: Any) -> Counter[int]:  # noqa: ANN401 - a query of id and count
        found: Counter[int] = Counter()
        for one, number in connection.execute(query):
            found[top_of[one]] += number
        return found

    standing = summed(
        select(_d.failure_group_id, func.count())
        .where(one_of(connection, _d.failure_group_id, every), in_states(_d.state, *STANDING))
        .group_by(_d.failure_group_id)
    )
    standing += summed(
        select(_f.failure_group_id, func.count())
        .where(one_of(connection, _f.failure_group_id, every))
        .group_by(_f.failure_group_id)
    )
    top = case((one_of(connection, _n.group_id, ids), _n.group_id), else_=_g.root_id)
    affected = (
        select(top, func.count(_n.school_code.distinct()), func.count(_n.client_id.distinct()))
        .join_from(failure_counts, failure_groups, _g.id == _n.group_id)
        .where(one_of(connection, _n.group_id, every))
        .group_by(top)
    )
    places = {one: (schools, clients) for one, schools, clients in connection.execute(affected)}
    plain = [name for name in FailureGroup.__slots__ if name not in {"standing", "schools", "clients"}]
    found = []
    for row in rows:
        values = {name: getattr(row, name) for name in plain}
        is_over = row.state == GroupState.MUTED and (row.muted_until or 0) <= now
        values["state"] = GroupState.OPEN if is_over else GroupState(row.state)
        schools, clients = places.get(row.id, (0, 0))
        found.append(FailureGroup(**values, standing=standing[row.id], schools=schools, clients=clients))
    return found
