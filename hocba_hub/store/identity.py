"""Results of the check of pupils' personal numbers: kept with the card, and on the open list of its school."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select, tuple_

from hocba_hub.model.findings import Finding
from hocba_hub.model.identity import TO_MEND, IdentityEntry, IdentityResult
from hocba_hub.model.keys import CardId, CardKey, SchoolYear, Version
from hocba_hub.store.bodies import unpack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.decide import cards_of
from hocba_hub.store.engine import one_of_cards
from hocba_hub.store.open_findings import IDENTITY, raise_items, settle_items
from hocba_hub.store.tables import identity_results, versions

_i, _v = identity_results.c, versions.c
_KEY = ("school_year", "card_id", "destination")
PLACES = {"all": (), "commune": (_i.commune_code,), "school": (_i.commune_code, _i.school_code)}
"""By what results are counted, and the columns for it."""


class Checked(NamedTuple):
    """The result of one card, as it is kept."""

    school_year: str
    card_id: str
    destination: str
    version: int
    """That was checked."""
    result: str
    told_at: int
    school_code: str
    commune_code: str
    """Of the school, as the card says; empty where it does not."""


class Place(NamedTuple):
    """Where results are counted; empty for all."""

    commune_code: str
    school_code: str


def keep(
    connection: Connection,
    destination: str,
    told: Iterable[IdentityEntry],
    finding_of: Mapping[IdentityResult, Finding],
    now: int,
) -> Counter[str]:
    """Keep what a destination tells; how many were `new`, `known`, or of cards `unknown` to us.

    A result of a lower version than the one kept is `known`. What the school has to mend goes on its open list, if
    it is about the card's newest version, and leaves it with a result that is right.
    """
    newest: dict[CardKey, IdentityEntry] = {}
    for one in told:
        if one.key not in newest or newest[one.key].version <= one.version:
            newest[one.key] = one
    if not newest:
        return Counter()
    cards = cards_of(connection, sorted(newest), lock=True)
    kept = {CardKey(row.school_year, row.card_id): row for row in _of_cards(connection, newest, destination)}
    new = [
        one
        for one in newest.values()
        if (card := cards.get(one.key)) is not None
        and one.version <= card.version
        and _is_newer(one, kept.get(one.key))
    ]
    found = Counter(unknown=sum(key not in cards for key in newest), new=len(new))
    found["known"] = len(newest) - found["unknown"] - found["new"]
    if not new:
        return found
    communes = _communes(connection, {one.key: cards[one.key].version for one in new})
    rows = [
        {
            "school_year": one.key.school_year, "card_id": one.key.card_id, "destination": destination,
            "version": one.version, "result": one.result, "told_at": now, "school_code": cards[one.key].manager,
            "commune_code": communes.get(one.key, ""),
        }
        for one in sorted(new)
    ]  # fmt: skip
    statement = upsert(connection, identity_results)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
    connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed), rows)
    of_newest = [one for one in new if cards[one.key].version == one.version and not cards[one.key].recalled]
    settle_items(connection, IDENTITY, [one.key for one in of_newest if one.result not in TO_MEND])
    items = [(one.key, [finding_of[one.result]]) for one in of_newest if one.result in TO_MEND]
    raise_items(connection, IDENTITY, items, cards, now)
    return found


def of_card(connection: Connection, key: CardKey) -> list[Checked]:
    """What each destination told of a card."""
    query = select(identity_results).where(_i.school_year == key.school_year, _i.card_id == key.card_id)
    return [_checked(row) for row in connection.execute(query.order_by(_i.destination))]


def counts(
    connection: Connection,
    destination: str,
    *,
    by: str = "all",
    school_year: str | None = None,
    commune: str | None = None,
    school: str | None = None,
) -> dict[Place, dict[str, int]]:
    """How many cards have which result, by place (`PLACES`), the places in order."""
    columns = PLACES[by]
    query = select(_i.result, func.count().label("cards"), *columns).where(_i.destination == destination)
    for column, value in ((_i.school_year, school_year), (_i.commune_code, commune), (_i.school_code, school)):
        if value is not None:
            query = query.where(column == value)
    found: dict[Place, dict[str, int]] = {}
    for row in connection.execute(query.group_by(_i.result, *columns).order_by(*columns, _i.result)):
        place = Place(getattr(row, "commune_code", ""), getattr(row, "school_code", ""))
        found.setdefault(place, {})[row.result] = row.cards
    return found


def cards_with(
    connection: Connection,
    destination: str,
    result: IdentityResult,
    *,
    commune: str | None = None,
    school: str | None = None,
    after: tuple[str, str, str] | None = None,
    limit: int = 100,
) -> list[Checked]:
    """The cards with one result, by school; `after` is school, year and card id of the last one seen."""
    order = (_i.school_code, _i.school_year, _i.card_id)
    query = select(identity_results).where(_i.destination == destination, _i.result == result)
    for column, value in ((_i.commune_code, commune), (_i.school_code, school)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [_checked(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _is_newer(one: IdentityEntry, kept: Any) -> bool:  # noqa: ANN401 - a row of several columns, or None
    if kept is None or one.version > kept.version:
        return True
    return bool(one.version == kept.version and one.result != kept.result)


def _of_cards(connection: Connection, keys: Iterable[CardKey], destination: str) -> Sequence[Any]:
    these = one_of_cards(connection, _i.school_year, _i.card_id, sorted(keys))
    return connection.execute(select(identity_results).where(these, _i.destination == destination)).all()


def _communes(connection: Connection, newest: Mapping[CardKey, Version | int]) -> dict[CardKey, str]:
    """The commune of each card's school, as its newest version says."""
    these = one_of_cards(connection, _v.school_year, _v.card_id, sorted(newest))
    found = {}
    for year, card_id, version, canonical in connection.execute(
        select(_v.school_year, _v.card_id, _v.version, _v.canonical).where(these)
    ):
        key = CardKey(SchoolYear(year), CardId(card_id))
        if newest[key] == version:
            document = orjson.loads(unpack(canonical))
            found[key] = str(document["school"].get("commune_code") or "")
    return found


def _checked(row: Any) -> Checked:  # noqa: ANN401 - a row of several columns
    return Checked(**{name: getattr(row, name) for name in Checked._fields})
