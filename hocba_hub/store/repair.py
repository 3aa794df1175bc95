"""Repairing what a reconciliation found: sent again, or put on the school's open list; planned first, then done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, exists, func, select, update

from hocba_hub.model.delivery import DeliveryState, sent_again
from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import CardKey
from hocba_hub.model.reconciliation import RAISED, REPAIRED_BY_SENDING, Difference
from hocba_hub.store import audit
from hocba_hub.store.counters import Counters
from hocba_hub.store.decide import cards_of
from hocba_hub.store.delivery_acts import sent_anew
from hocba_hub.store.engine import Store, one_of
from hocba_hub.store.open_findings import DESTINATION, raise_items
from hocba_hub.store.reconciliation import StoredDifference, note_repaired, stored_difference
from hocba_hub.store.selection import HAS_NEWER
from hocba_hub.store.tables import deliveries, reconcile_differences

REPAIRABLE = REPAIRED_BY_SENDING | RAISED
"""What there is a repair for; of a card that is unknown to us, a person has to find out."""
_BATCH = 500
_d, _x = deliveries.c, reconcile_differences.c


@dataclass(slots=True)
class RepairResult:
    """What a repair did, or would do, by kind of difference; the sum is what was selected."""

    sent: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    """Left alone: the card has moved on since the run."""
    repaired_before: int = 0
    """Left alone: somebody has done it."""
    audit_id: int | None = None

    @property
    def cards(self) -> int:
        """All that was selected."""
        return self.sent.total() + self.raised.total() + self.changed + self.repaired_before

    def as_json(self) -> dict[str, object]:
        """As the audit trail keeps it."""
        return {
            "sent": dict(self.sent), "raised": dict(self.raised), "changed": self.changed,
            "repaired_before": self.repaired_before,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which differences of a run are meant."""

    run_id: int
    kinds: Collection[Difference]
    school: str | None = None


def plan(connection: Connection, chosen: Chosen) -> RepairResult:
    """What a repair would do now, in exact counts; nothing is changed."""
    result = RepairResult()
    standing = exists().where(_d.id == _x.delivery_id, *_still_stands())
    each = select(_x.kind, _x.repaired_at.is_not(None).label("done"), standing.label("stands")).where(*_these(chosen))
    e = each.subquery().c
    query = select(e.kind, e.done, e.stands, func.count()).group_by(e.kind, e.done, e.stands)
    for kind, done, stands, cards in connection.execute(query):
        if done:
            result.repaired_before += cards
        elif Difference(kind) in RAISED:
            result.raised[kind] += cards
        elif stands:
            result.sent[kind] += cards
        else:
            result.changed += cards
    return result


def repair(
    store: Store,
    chosen: Chosen,
    finding_of: Mapping[Difference, Finding],
    *,
    actor: str,
    reason: str,
    now: int,
) -> RepairResult:
    """Repair batch by batch, each with the audit trail in its transaction; the caller rings for the destination.

    `finding_of` says what the school is told of each kind that is raised.
    """
    result, after = RepairResult(), 0
    while True:
        with store.write() as connection:
            rows = connection.execute(
                select(reconcile_differences).where(*_these(chosen), _x.id > after).order_by(_x.id).limit(_BATCH)
            ).all()
            found = [stored_difference(row) for row in rows]
            repaired = _repair(connection, found, result, finding_of, actor=actor, now=now)
            detail = {"run": chosen.run_id, "kinds": sorted(chosen.kinds), "school": chosen.school, **result.as_json()}
            result.audit_id = audit.write(
                connection, at=now, actor=actor, action="repair", reason=reason, detail=detail, cards=repaired
            )
        if len(rows) < _BATCH:
            return result
        after = rows[-1].id


def _these(chosen: Chosen) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_x.run_id == chosen.run_id, _x.kind.in_(sorted(set(chosen.kinds) & REPAIRABLE))]
    if chosen.school is not None:
        found.append(_x.school_code == chosen.school)
    return found


def _repair(
    connection: Connection,
    found: Sequence[StoredDifference],
    result: RepairResult,
    finding_of: Mapping[Difference, Finding],
    *,
    actor: str,
    now: int,
) -> list[CardKey]:
    open_ = [one for one in found if one.repaired_at is None]
    result.repaired_before += len(found) - len(open_)
    keys = sorted({one.key for one in open_})
    cards = cards_of(connection, keys, lock=True)  # no newer version comes between the look and the change
    raised = [one for one in open_ if one.kind in RAISED]
    raise_items(connection, DESTINATION, [(one.key, [finding_of[one.kind]]) for one in raised], cards, now)
    result.raised.update(str(one.kind) for one in raised)
    to_send = [one for one in open_ if one.kind in REPAIRED_BY_SENDING and one.delivery_id is not None]
    sent = _send(connection, to_send, now)
    result.sent.update(str(one.kind) for one in sent)
    result.changed += len(open_) - len(raised) - len(sent)
    note_repaired(connection, [one.id for one in (*raised, *sent)], actor=actor, now=now)
    return [one.key for one in (*raised, *sent)]


def _send(connection: Connection, found: Sequence[StoredDifference], now: int) -> list[StoredDifference]:
    """Queue our newest versions again, those that are still acknowledged and still the newest."""
    if not found:
        return []
    mine = one_of(connection, _d.id, [one.delivery_id for one in found])
    query = select(_d.id, _d.destination).where(mine, *_still_stands())
    rows = {row.id: row for row in connection.execute(query.with_for_update(of=deliveries))}
    if not rows:
        return []
    after = sent_again(DeliveryState.ACKNOWLEDGED)
    again = update(deliveries).where(one_of(connection, _d.id, sorted(rows)))
    connection.execute(again.values(**sent_anew(now), state=after, code="reconciled", settled_at=now, taken=None))
    counters = Counters()
    for row in rows.values():
        counters.move(row.destination, DeliveryState.ACKNOWLEDGED, after)
        counters.add("replayed", row.destination)
    counters.write(connection)
    return [one for one in found if one.delivery_id in rows]


def _still_stands() -> tuple[ColumnElement[bool], ...]:
    """That a delivery is acknowledged, and of the newest version that goes there."""
    return _d.state == DeliveryState.ACKNOWLEDGED, ~HAS_NEWER
