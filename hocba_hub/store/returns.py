"""Back to the school: cards that a destination does not take, and that only their schools can mend.

A returned card stands on its school's open list until a corrected version is accepted, and in what its vendor sees of
the card. The delivery stays as it was: nothing is sent before the school has sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.finding_kinds import RETURNED as RETURNED_KIND
from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import audit
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.decide import lock_cards_of
from hocba_hub.store.engine import Store, one_of, one_of_cards
from hocba_hub.store.open_findings import RETURNED, raise_items
from hocba_hub.store.selection import FAILED, HAS_NEWER, Selection, SelectionError, selected
from hocba_hub.store.tables import deliveries, report_cards, returned_cards

MOST_NOTE = 500
"""Characters of a note."""
_BATCH = 500
_S = DeliveryState
_d, _b, _r = deliveries.c, returned_cards.c, report_cards.c
_BEFORE = exists().where(_b.delivery_id == _d.id)


@dataclass(slots=True)
class ReturnResult:
    """What a return did, or would do, in exact counts; their sum is what was selected."""

    schools: Counter[str] = field(default_factory=Counter)
    """Cards returned, by the school that may correct them."""
    before: int = 0
    """Left alone: returned before."""
    superseded: int = 0
    """Left alone: a newer version of the card exists, or the card has moved on."""

    @property
    def cards(self) -> int:
        """How many were returned."""
        return self.schools.total()


class Returned(NamedTuple):
    """A card that was returned."""

    id: int
    delivery_id: int
    destination: str
    school_year: str
    card_id: str
    version: int
    school_code: str
    code: str
    note: str
    returned_at: int
    returned_by: str
    is_open: bool
    """No corrected version was accepted yet, and the card was not recalled."""


def states_taken(selection: Selection) -> frozenset[DeliveryState]:
    """The states out of which cards are returned: what is refused, parked or held.

    Raises:
        SelectionError: nothing is selected, or another state is meant.
    """
    if selection.is_empty:
        raise SelectionError("selection.empty", "Name deliveries, a group, a destination, a code, a school or a time.")
    if not selection.states <= frozenset(FAILED):
        raise SelectionError("selection.state", f"Cards are returned that are: {', '.join(sorted(FAILED))}.")
    return selection.states or frozenset(FAILED)


def preview(connection: Connection, selection: Selection) -> ReturnResult:
    """What a return would do now; nothing is changed.

    Raises:
        SelectionError: as `states_taken`.
    """
    result = ReturnResult()
    columns = (_d.school_year, _d.card_id, _BEFORE.label("before"), HAS_NEWER.label("has_newer"))
    rows = selected(connection, selection, states_taken(selection), *columns).c
    school = func.coalesce(_r.managed_by, _r.school_code)
    query = (
        select(school, rows.before, rows.has_newer, func.count())
        .join_from(rows.card_id.table, report_cards, _same_card(rows))
        .group_by(school, rows.before, rows.has_newer)
    )
    for of, before, has_newer, number in connection.execute(query):
        if has_newer:
            result.superseded += number
        elif before:
            result.before += number
        else:
            result.schools[of] += number
    return result


def _same_card(rows: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of a subquery
    return and_(_r.school_year == rows.school_year, _r.card_id == rows.card_id)


def give_back(store: Store, selection: Selection, note: str, *, actor: str, reason: str, now: int) -> ReturnResult:
    """Return the selected cards to their schools, batch by batch, each with the audit trail in its transaction.

    Raises:
        SelectionError: as `states_taken`; nothing is done.
    """
    states = states_taken(selection)
    with store.read() as connection:
        rows = selected(connection, selection, states, _d.id)
        ids = list(connection.execute(select(rows.c.id).order_by(rows.c.id)).scalars())
    result = ReturnResult()
    for start in range(0, len(ids), _BATCH):
        with store.write() as connection:
            done = _return(connection, ids[start : start + _BATCH], note, actor, now)
            detail = {
                "selection": selection.as_json(), "note": note, "cards": done.cards, "schools": dict(done.schools),
                "before": done.before, "superseded": done.superseded,
            }  # fmt: skip
            audit.write(connection, at=now, actor=actor, action="return-cards", reason=reason, detail=detail)
        result.schools.update(done.schools)
        result.before += done.before
        result.superseded += done.superseded
    return result


def _return(connection: Connection, ids: Sequence[int], note: str, actor: str, now: int) -> ReturnResult:
    mine = one_of(connection, _d.id, ids)
    cards = lock_cards_of(connection, ids)
    columns = (_d.id, _d.destination, _d.school_year, _d.card_id, _d.version, _d.code, _BEFORE.label("before"))
    standing = select(*columns).where(mine, _d.state.in_(sorted(FAILED)), ~HAS_NEWER).order_by(_d.id)
    rows = connection.execute(standing).all()
    new = [row for row in rows if not row.before]
    result = ReturnResult(before=len(rows) - len(new), superseded=len(ids) - len(rows))
    made = []
    for row in new:
        school = cards[_key(row)].manager
        result.schools[school] += 1
        made.append({
            "delivery_id": row.id, "destination": row.destination, "school_year": row.school_year,
            "card_id": row.card_id, "version": row.version, "school_code": school, "code": row.code or "",
            "note": note, "returned_at": now, "returned_by": actor,
        })  # fmt: skip
    insert_rows(connection, returned_cards, made, unless_there=True)
    raise_items(connection, RETURNED, _told(connection, sorted({_key(row) for row in new})), cards, now)
    return result


def _key(row: Any) -> CardKey:  # noqa: ANN401 - a row with year and card id
    return CardKey(SchoolYear(row.school_year), CardId(row.card_id))


def _told(connection: Connection, keys: Sequence[CardKey]) -> list[tuple[CardKey, list[Finding]]]:
    """What the school is told of each card: everything that its newest version was returned for."""
    if not keys:
        return []
    found: dict[CardKey, list[Finding]] = {}
    these = one_of_cards(connection, _b.school_year, _b.card_id, keys)
    for row in connection.execute(_select().where(these, _IS_OPEN).order_by(_b.id)):
        facts: dict[str, str | int] = {"destination": row.destination, "code": row.code, "note": row.note}
        found.setdefault(_key(row), []).append(Finding(RETURNED_KIND, "", facts=facts))
    return sorted(found.items())


def listed(
    connection: Connection,
    *,
    school: str | None = None,
    schools: frozenset[str] | None = None,
    open_only: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[Returned]:
    """Cards that were returned, the newest first; `before` is the id of the last one seen."""
    query = _select().order_by(_b.id.desc()).limit(limit)
    if school is not None:
        query = query.where(_b.school_code == school)
    if schools is not None:
        query = query.where(one_of(connection, _b.school_code, sorted(schools)))
    if open_only:
        query = query.where(_IS_OPEN)
    if before is not None:
        query = query.where(_b.id < before)
    return [Returned(*row) for row in connection.execute(query)]


def of_card(connection: Connection, key: CardKey) -> list[Returned]:
    """When and why a card was returned, the newest first."""
    query = _select().where(_b.school_year == key.school_year, _b.card_id == key.card_id)
    return [Returned(*row) for row in connection.execute(query.order_by(_b.id.desc()))]


_IS_OPEN = and_(_r.version == _b.version, _r.recalled.is_(False))


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's type of it has a line for every column
    columns = (
        _b.id, _b.delivery_id, _b.destination, _b.school_year, _b.card_id, _b.version, _b.school_code, _b.code, _b.note,
        _b.returned_at, _b.returned_by, _IS_OPEN.label("is_open"),
    )  # fmt: skip
    return select(*columns).join_from(
        returned_cards, report_cards, and_(_r.school_year == _b.school_year, _r.card_id == _b.card_id)
    )
