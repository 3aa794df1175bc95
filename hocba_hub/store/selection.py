"""A selection of deliveries, as a person names it: by id, destination, code, failure group, school, time and state.

What the failure list shows, a replay sends again and a cancellation ends is chosen by the same conditions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, union_all
from sqlalchemy.sql.selectable import FromClause

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.errors import HubError
from hocba_hub.store.engine import in_states, one_of
from hocba_hub.store.tables import deliveries, failure_groups, report_cards

_S = DeliveryState
_d = deliveries.c
_newer = deliveries.alias("newer").c
HAS_NEWER = exists().where(
    _newer.school_year == _d.school_year,
    _newer.card_id == _d.card_id,
    _newer.destination == _d.destination,
    _newer.version > _d.version,
)
"""That a newer version of a delivery's card is to go, or went, to the same destination."""

FAILED = (_S.REFUSED, _S.PARKED, _S.HELD)
"""The states that wait for a person, or may well need one."""
SHOWN = frozenset({*FAILED, _S.CANCELLED})
"""The states that a failure list may be narrowed to."""
PENDING = (_S.QUEUED, _S.IN_DOUBT, _S.AWAITING_ACK)
"""The states that lead on by themselves, in time."""


class SelectionError(HubError):
    """A selection that cannot be had; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is `selection.empty`, `selection.state` or `selection.refused`."""
        super().__init__(message)
        self.code = code


class _Family(NamedTuple):
    """States that one partial index holds."""

    states: frozenset[DeliveryState]
    condition: ColumnElement[bool]
    """That index's own condition, word by word: SQLite uses it only then."""
    moment: ColumnElement[int]
    """When a delivery came to its state, as near as the row tells."""


_FAMILIES = (
    _Family(SHOWN, in_states(_d.state, *FAILED, _S.CANCELLED), _d.settled_at),
    _Family(
        frozenset({_S.QUEUED}),
        and_(in_states(_d.state, _S.QUEUED, _S.HELD), _d.lease_id.is_(None)),
        func.coalesce(_d.settled_at, _d.accepted_at),
    ),
    _Family(
        frozenset({_S.AWAITING_ACK}), and_(in_states(_d.state, _S.AWAITING_ACK), _d.lease_id.is_(None)), _d.settled_at
    ),
    _Family(frozenset({_S.IN_DOUBT}), and_(in_states(_d.state, _S.IN_DOUBT), _d.lease_id.is_(None)), _d.settled_at),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries are meant; conditions that are not given choose everything."""

    deliveries: Collection[int] = ()
    destination: str | None = None
    code: str | None = None
    """Code of the last outcome."""
    school: str | None = None
    """School code of the card's newest version."""
    since: int | None = None
    """Milliseconds; the last outcome (of a delivery that had none: the acceptance) is not older."""
    until: int | None = None
    """Milliseconds; the last outcome is older than this."""
    states: frozenset[DeliveryState] = frozenset()
    """Empty: what the act takes by default."""
    group: int | None = None
    """Failure group of the last outcome, or one under it."""
    schools: frozenset[str] | None = None
    """Only cards of these schools, whatever else is given; None for all."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing but states is given."""
        given = (self.destination, self.code, self.school, self.since, self.until, self.group)
        return not self.deliveries and given == (None,) * 6

    def as_json(self) -> dict[str, Any]:
        """The selection as the audit trail keeps it."""
        given = {name: getattr(self, name) for name in ("destination", "code", "school", "since", "until", "group")}
        if self.deliveries:
            given["deliveries"] = sorted(self.deliveries)
        if self.states:
            given["states"] = sorted(self.states)
        if self.schools is not None:
            given["schools"] = sorted(self.schools)
        return {name: value for name, value in given.items() if value is not None}


def selected(
    connection: Connection, selection: Selection, states: Collection[DeliveryState], *columns: ColumnElement[Any]
) -> FromClause:
    """The columns of the selected deliveries that are in one of `states`, as something to select from.

    Leased, acknowledged and superseded deliveries are never selected; nor are those that are being asked about. At
    least one of `states` must be another.
    """
    branches = []
    for family in _FAMILIES:
        if wanted := sorted(family.states.intersection(states)):
            query = select(*columns).where(family.condition, in_states(_d.state, *wanted))
            branches.append(_narrowed(connection, selection, query, family.moment))
    return (union_all(*branches) if len(branches) > 1 else branches[0]).subquery("selected")


def _narrowed(
    connection: Connection, selection: Selection, query: Select[Any], moment: ColumnElement[int]
) -> Select[Any]:
    if selection.destination is not None:
        query = query.where(_d.destination == selection.destination)
    if selection.code is not None:
        query = query.where(_d.code == selection.code)
    if selection.since is not None:
        query = query.where(moment >= selection.since)
    if selection.until is not None:
        query = query.where(moment < selection.until)
    if selection.deliveries:
        query = query.where(one_of(connection, _d.id, sorted(selection.deliveries)))
    if selection.group is not None:
        family = select(failure_groups.c.id).where(failure_groups.c.root_id == selection.group)
        query = query.where(or_(_d.failure_group_id == selection.group, _d.failure_group_id.in_(family)))
    if selection.school is not None or selection.schools is not None:
        r = report_cards.c
        query = query.join_from(
            deliveries, report_cards, and_(r.school_year == _d.school_year, r.card_id == _d.card_id)
        )
        if selection.school is not None:
            query = query.where(r.school_code == selection.school)
        if selection.schools is not None:
            query = query.where(one_of(connection, r.school_code, sorted(selection.schools)))
    return query
