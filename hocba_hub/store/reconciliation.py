"""Reconciliation: a destination's inventory beside ours, card by card, in the order and with the memory of the store.

A run stages the inventory page by page, walks both in the order of the card's key, writes down what differs, looks a
second time at that, and ends with counts by school, grade and class. Every step says how far it is, so a killed run
goes on where it was (`queue/jobs/reconcile.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, select, tuple_, update

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear, Version
from hocba_hub.model.reconciliation import (
    ALL,
    ENDED_UNSENT,
    Difference,
    InventoryEntry,
    Ours,
    Theirs,
    TheirState,
    compare,
    equal_cards,
)
from hocba_hub.store.bulk import insert_rows, upsert
from hocba_hub.store.engine import one_of, one_of_cards
from hocba_hub.store.jobs import RunState
from hocba_hub.store.tables import (
    deliveries,
    delivery_attempts,
    job_runs,
    reconcile_counts,
    reconcile_differences,
    reconcile_entries,
    report_cards,
)

_TEMPORARY = (Difference.WAITING, Difference.UNSENT)
"""Counted, and not kept card by card."""
_RUNS_KEPT = 14
_BY = ("school_code", "school_year", "grade", "class_code")
"""Where cards are counted, from the largest to the smallest."""
_d, _r, _e = deliveries.c, report_cards.c, reconcile_entries.c
_x, _n, _t = reconcile_differences.c, reconcile_counts.c, delivery_attempts.c


@dataclass(frozen=True, slots=True)
class StoredDifference:
    """What differs of one card, as a run found it."""

    id: int
    run_id: int
    destination: str
    kind: Difference
    school_year: str
    card_id: str
    school_code: str
    """Empty of a card that is unknown to us."""
    grade: int
    class_code: str
    our_version: int | None
    our_state: str | None
    delivery_id: int | None
    their_version: int | None
    their_state: str | None
    repaired_at: int | None
    repaired_by: str | None

    @property
    def key(self) -> CardKey:
        """Of the card."""
        return CardKey(SchoolYear(self.school_year), CardId(self.card_id))


class Counted(NamedTuple):
    """How many cards of a class, or of more, are of a kind."""

    school_code: str
    school_year: str
    grade: int
    class_code: str
    kind: str
    cards: int


def stage(connection: Connection, run_id: int, entries: Iterable[InventoryEntry]) -> None:
    """Keep a page of the inventory; a card that comes twice counts as it came last."""
    rows = [
        {
            "run_id": run_id, "school_year": key.school_year, "card_id": key.card_id, "version": theirs.version,
            "state": theirs.state, "sha256": theirs.sha256,
        }
        for key, theirs in {entry.key: entry.theirs for entry in entries}.items()
    ]  # fmt: skip
    if insert_rows(connection, reconcile_entries, rows, unless_there=True) == len(rows):
        return
    statement = upsert(connection, reconcile_entries)
    newer = {name: statement.excluded[name] for name in ("version", "state", "sha256")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "school_year", "card_id"], set_=newer), rows
    )


def compare_page(
    connection: Connection, run_id: int, destination: str, after: CardKey | None, limit: int
) -> CardKey | None:
    """Compare the next cards, and write down what differs; the last of them, None if there are no more.

    The last page also finds what is staged behind all our cards.
    """
    beyond = () if after is None else (tuple_(_r.school_year, _r.card_id) > tuple_(*map(literal, after)),)
    cards = connection.execute(
        select(_r.school_year, _r.card_id, _r.school_code, _r.grade, _r.class_code)
        .where(*beyond)
        .order_by(_r.school_year, _r.card_id)
        .limit(limit)
    ).all()
    last = CardKey(SchoolYear(cards[-1].school_year), CardId(cards[-1].card_id)) if len(cards) == limit else None
    staged: dict[_Place, Theirs] = {
        (row.school_year, row.card_id): Theirs(row.version, TheirState(row.state), row.sha256)
        for row in connection.execute(
            select(reconcile_entries).where(_e.run_id == run_id, *_span(_e.school_year, _e.card_id, after, last))
        )
    }
    ours = _ours(connection, destination, _span(_d.school_year, _d.card_id, after, last), staged)
    rows = []
    for card in cards:
        place = (card.school_year, card.card_id)
        mine, theirs = ours.get(place), staged.pop(place, None)
        kind = compare(mine.ours if mine else None, theirs)
        if kind is not None:
            of_card = {"school_code": card.school_code, "grade": card.grade, "class_code": card.class_code}
            rows.append(_row(run_id, destination, kind, place, of_card, mine, theirs))
    unknown = {"school_code": "", "grade": 0, "class_code": ""}
    rows += [
        _row(run_id, destination, Difference.UNKNOWN, place, unknown, None, theirs) for place, theirs in staged.items()
    ]
    insert_rows(connection, reconcile_differences, rows)
    return last


def suspects(connection: Connection, run_id: int, after: int, limit: int) -> list[StoredDifference]:
    """What is to be looked at a second time, in the order of their ids."""
    kinds = sorted(set(Difference) - set(_TEMPORARY))
    query = select(reconcile_differences).where(_x.run_id == run_id, _x.id > after, _x.kind.in_(kinds))
    return [stored_difference(row) for row in connection.execute(query.order_by(_x.id).limit(limit))]


def look_again(
    connection: Connection,
    suspected: Sequence[StoredDifference],
    theirs: Mapping[CardKey, Theirs] | None,
    *,
    since: int,
) -> int:
    """Compare once more, with what the destination holds by now; how many of them had only been moving.

    Where the destination was not asked again (None), what changed here since the run began counts as moving.
    """
    keys = [one.key for one in suspected]
    [destination] = {one.destination for one in suspected}
    these = (one_of_cards(connection, _d.school_year, _d.card_id, keys),)
    staged: dict[_Place, Theirs] = {(key.school_year, key.card_id): one for key, one in (theirs or {}).items()}
    ours = _ours(connection, destination, these, staged)
    moved = 0
    for one in suspected:
        mine = ours.get((one.school_year, one.card_id))
        if theirs is None:
            now_there = _as_staged(one)
            kind = None if mine is not None and mine.changed_at >= since else one.kind
        else:
            now_there = theirs.get(one.key)
            kind = compare(mine.ours if mine else None, now_there)
        if kind is None:
            connection.execute(delete(reconcile_differences).where(_x.id == one.id))
        elif kind is not one.kind or now_there != _as_staged(one) or _changed(one, mine):
            of_card = {"school_code": one.school_code, "grade": one.grade, "class_code": one.class_code}
            place = (one.school_year, one.card_id)
            changed = _row(one.run_id, destination, kind, place, of_card, mine, now_there)
            connection.execute(update(reconcile_differences).where(_x.id == one.id).values(changed))
        moved += kind is None or kind in _TEMPORARY
    return moved


def count(connection: Connection, run_id: int) -> dict[str, int]:
    """Count by school, grade and class, and let go what is only needed for that; kind -> cards, over all."""
    names = ["run_id", *_BY, "kind", "cards"]
    total = select(literal(run_id), *(_r[name] for name in _BY), literal(ALL), func.count()).group_by(
        *(_r[name] for name in _BY)
    )
    connection.execute(delete(reconcile_counts).where(_n.run_id == run_id))
    connection.execute(insert(reconcile_counts).from_select(names, total))
    kinds = (
        select(literal(run_id), *(_x[name] for name in _BY), _x.kind, func.count())
        .where(_x.run_id == run_id)
        .group_by(*(_x[name] for name in _BY), _x.kind)
    )
    connection.execute(insert(reconcile_counts).from_select(names, kinds))
    connection.execute(delete(reconcile_differences).where(_x.run_id == run_id, _x.kind.in_(_TEMPORARY)))
    query = select(_n.kind, func.sum(_n.cards)).where(_n.run_id == run_id).group_by(_n.kind)
    found = {kind: int(cards) for kind, cards in connection.execute(query)}
    return found | {"equal": equal_cards(found)}


def forget_entries(connection: Connection, run_id: int, limit: int) -> int:
    """Forget some of a run's staged inventory; how many lines."""
    some = select(_e.school_year, _e.card_id).where(_e.run_id == run_id).limit(limit)
    mine = tuple_(_e.school_year, _e.card_id).in_(some)
    return connection.execute(delete(reconcile_entries).where(_e.run_id == run_id, mine)).rowcount


def forget_runs(connection: Connection, key: str) -> None:
    """Forget what all but the newest runs of a job found."""
    runs = job_runs.c
    mine = select(runs.id).where(runs.key == key)
    newest = mine.order_by(runs.id.desc()).limit(_RUNS_KEPT)
    oldest = connection.execute(select(func.min(newest.subquery().c.id))).scalar()
    if oldest is not None:
        for column, table in ((_x.run_id, reconcile_differences), (_n.run_id, reconcile_counts)):
            connection.execute(delete(table).where(column < oldest, column.in_(mine)))


def newest_run(connection: Connection, destination: str) -> int | None:
    """The newest run whose counts are there."""
    runs = job_runs.c
    done = select(runs.id).where(runs.key == f"reconcile:{destination}", runs.state == RunState.DONE)
    return connection.execute(done.order_by(runs.id.desc()).limit(1)).scalar()


def counts(connection: Connection, run_id: int, *, by: Sequence[str], school: str | None = None) -> list[Counted]:
    """How many cards are of which kind, by `school_code`, `school_year`, `grade`, `class_code`, or some of these."""
    columns = [_n[name] if name in by else literal(0 if name == "grade" else "").label(name) for name in _BY]
    query = select(*columns, _n.kind, func.sum(_n.cards)).where(_n.run_id == run_id)
    if school is not None:
        query = query.where(_n.school_code == school)
    grouped = [_n[name] for name in by]
    rows = connection.execute(query.group_by(*grouped, _n.kind).order_by(*grouped, _n.kind))
    return [Counted(*row[:5], int(row[5])) for row in rows]


def differences(
    connection: Connection,
    run_id: int,
    *,
    kind: Difference | None = None,
    school: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[StoredDifference]:
    """What differs, card by card, in the order in which it was found."""
    query = select(reconcile_differences).where(_x.run_id == run_id, _x.id > after).order_by(_x.id).limit(limit)
    if kind is not None:
        query = query.where(_x.kind == kind)
    if school is not None:
        query = query.where(_x.school_code == school)
    return [stored_difference(row) for row in connection.execute(query)]


def note_repaired(connection: Connection, ids: Sequence[int], *, actor: str, now: int) -> None:
    """Note that differences were repaired, or raised."""
    mine = one_of(connection, _x.id, list(ids))
    connection.execute(update(reconcile_differences).where(mine).values(repaired_at=now, repaired_by=actor))


_Place = tuple[str, str]
"""School year and card id."""


def open_differences(connection: Connection, destination: str, most: int) -> dict[Difference, int] | None:
    """What the last run that was done found and nobody has repaired since, counted up to `most`.

    None if none was ever done.
    """
    j = job_runs.c
    last = select(j.id).where(j.key == f"reconcile:{destination}", j.state == RunState.DONE)
    run_id = connection.execute(last.order_by(j.id.desc()).limit(1)).scalar()
    if run_id is None:
        return None
    some = select(_x.kind).where(_x.run_id == run_id, _x.repaired_at.is_(None)).limit(most).subquery()
    counted = connection.execute(select(some.c.kind, func.count()).group_by(some.c.kind))
    return {Difference(kind): cards for kind, cards in counted}


class _Mine(NamedTuple):
    delivery_id: int
    ours: Ours
    changed_at: int


def _span(year: Any, card: Any, after: CardKey | None, last: CardKey | None) -> list[Any]:  # noqa: ANN401 - columns
    place = tuple_(year, card)
    found = []
    if after is not None:
        found.append(place > tuple_(*map(literal, after)))
    if last is not None:
        found.append(place <= tuple_(*map(literal, last)))
    return found


def _ours(
    connection: Connection, destination: str, these: Sequence[Any], staged: Mapping[_Place, Theirs]
) -> dict[_Place, _Mine]:
    """The newest version of each card that was to go there, or if none was, the newest that was not."""
    newest: dict[_Place, Any] = {}
    query = select(
        _d.id, _d.school_year, _d.card_id, _d.version, _d.event, _d.state, _d.accepted_at, _d.settled_at
    ).where(_d.destination == destination, *these)
    for row in connection.execute(query):
        place = (row.school_year, row.card_id)
        known = newest.get(place)
        if known is None or _rank(row) > _rank(known):
            newest[place] = row
    asked = [row.id for place, row in newest.items() if (one := staged.get(place)) is not None and one.sha256]
    sent: dict[int, bytes] = {}
    if asked:
        tried = select(_t.delivery_id, _t.sent_sha256).where(
            and_(one_of(connection, _t.delivery_id, asked), _t.sent_sha256.is_not(None))
        )
        sent = {row[0]: row[1] for row in connection.execute(tried.order_by(_t.delivery_id, _t.attempt_id))}
    return {
        place: _Mine(
            row.id,
            Ours(Version(row.version), Event(row.event), DeliveryState(row.state), sent.get(row.id)),
            row.settled_at or row.accepted_at,
        )
        for place, row in newest.items()
    }


def _rank(row: Any) -> tuple[bool, int]:  # noqa: ANN401 - a row of several columns
    """A version that was to be sent counts before one that ended unsent."""
    return row.state not in ENDED_UNSENT, row.version


def _row(  # noqa: PLR0917 - its parts
    run_id: int,
    destination: str,
    kind: Difference,
    place: _Place,
    of_card: Mapping[str, Any],
    mine: _Mine | None,
    theirs: Theirs | None,
) -> dict[str, Any]:
    return {
        "run_id": run_id, "destination": destination, "kind": kind, "school_year": place[0], "card_id": place[1],
        **of_card,
        "our_version": mine.ours.version if mine else None,
        "our_state": mine.ours.state if mine else None,
        "delivery_id": mine.delivery_id if mine else None,
        "their_version": theirs.version if theirs else None,
        "their_state": theirs.state if theirs else None,
    }  # fmt: skip


def _as_staged(one: StoredDifference) -> Theirs | None:
    if one.their_version is None or one.their_state is None:
        return None
    return Theirs(one.their_version, TheirState(one.their_state), None)


def _changed(one: StoredDifference, mine: _Mine | None) -> bool:
    ours = None if mine is None else (mine.ours.version, mine.ours.state)
    return ours != (None if one.our_version is None else (one.our_version, one.our_state))


def stored_difference(row: Row[Any]) -> StoredDifference:
    """What a row says."""
    found = {name: getattr(row, name) for name in StoredDifference.__slots__}
    return StoredDifference(**found | {"kind": Difference(row.kind)})
