"""What schools are called, learnt from their cards: people think in names, and search for them without accents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, and_, func, select

from hocba_hub.mappings.values.value import without_accents
from hocba_hub.model.clock import DAY_MS
from hocba_hub.model.keys import CardKey
from hocba_hub.store.bodies import unpack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.engine import few_values, one_of, one_of_cards
from hocba_hub.store.tables import open_findings, report_cards, schools, versions

_LEARN_AGAIN_MS = 30 * DAY_MS
_MOST_AT_ONCE = 1_000
_s, _c, _v, _f = schools.c, report_cards.c, versions.c, open_findings.c


class SchoolName(NamedTuple):
    """A school and what it is called; empty where none of its cards was accepted yet."""

    school_code: str
    name: str
    commune_code: str
    commune_name: str


class OpenCount(NamedTuple):
    """How many cards a school still has to mend."""

    school: SchoolName
    cards: int


def learn_schools(connection: Connection, now: int) -> int:
    """Read the names of schools that are not known, or were learnt long ago, from a card of each; how many."""
    fresh = select(_s.school_code).where(_s.learnt_at > now - _LEARN_AGAIN_MS)
    known = set(connection.execute(fresh).scalars())
    wanted = [code for code in few_values(connection, _c.school_code) if code not in known][:_MOST_AT_ONCE]
    learnt = 0
    for code in wanted:
        query = (
            select(_v.canonical)
            .join_from(report_cards, versions, and_(
                _v.school_year == _c.school_year, _v.card_id == _c.card_id, _v.version == _c.version
            ))
            .where(_c.school_code == code)
            .limit(1)
        )  # fmt: skip
        stored = connection.execute(query).scalar()
        if stored is None:
            continue
        school = orjson.loads(unpack(stored))["school"]
        row = {
            "name": school["name"], "commune_code": school.get("commune_code") or "",
            "commune_name": school["commune_name"], "learnt_at": now,
            "plain": without_accents(f"{code} {school['name']} {school['commune_name']}"),
        }  # fmt: skip
        made = upsert(connection, schools).values(school_code=code, **row)
        connection.execute(made.on_conflict_do_update(index_elements=[_s.school_code], set_=row))
        learnt += 1
    return learnt


def found_schools(
    connection: Connection,
    search: str = "",
    *,
    commune: str | None = None,
    schools_seen: Collection[str] | None = None,
    after: str = "",
    limit: int = 100,
) -> list[SchoolName]:
    """Schools by code behind `after`: those of which code, name or commune hold every word, accents aside.

    `schools_seen` are those that may be seen; None for all.
    """
    query = select(_s.school_code, _s.name, _s.commune_code, _s.commune_name).where(_s.school_code > after)
    for word in without_accents(search).split():
        query = query.where(_s.plain.contains(word, autoescape=True))
    if commune is not None:
        query = query.where(_s.commune_code == commune)
    if schools_seen is not None:
        query = query.where(one_of(connection, _s.school_code, sorted(schools_seen)))
    return [SchoolName(*row) for row in connection.execute(query.order_by(_s.school_code).limit(limit))]


def school_names(connection: Connection, codes: Collection[str]) -> dict[str, SchoolName]:
    """What some schools are called, as far as it is known."""
    if not codes:
        return {}
    query = select(_s.school_code, _s.name, _s.commune_code, _s.commune_name)
    these = one_of(connection, _s.school_code, sorted(codes))
    return {row[0]: SchoolName(*row) for row in connection.execute(query.where(these))}


def school_names_by_code(connection: Connection) -> dict[str, str]:
    """What every school is called whose name is known."""
    return {row[0]: row[1] for row in connection.execute(select(_s.school_code, _s.name))}


def open_counts(connection: Connection, schools_seen: Collection[str] | None = None) -> list[OpenCount]:
    """How many cards each school has still to mend, the most first; a card with several matters counts once each."""
    query = select(_f.school_code, func.count().label("cards")).group_by(_f.school_code)
    if schools_seen is not None:
        query = query.where(one_of(connection, _f.school_code, sorted(schools_seen)))
    counted = connection.execute(query.order_by(func.count().desc(), _f.school_code)).all()
    names = school_names(connection, [code for code, _ in counted])
    return [OpenCount(names.get(code, SchoolName(code, "", "", "")), int(cards)) for code, cards in counted]


def classes_of(connection: Connection, cards: Sequence[CardKey]) -> dict[CardKey, str]:
    """The class of cards, of which a version was accepted before."""
    if not cards:
        return {}
    these = one_of_cards(connection, _c.school_year, _c.card_id, cards)
    query = select(_c.school_year, _c.card_id, _c.class_code).where(these)
    return {CardKey(row.school_year, row.card_id): row.class_code for row in connection.execute(query)}


def commune_names(connection: Connection) -> dict[str, str]:
    """What the communes are called in which schools are, by code."""
    query = select(_s.commune_code, func.max(_s.commune_name)).where(_s.commune_code != "").group_by(_s.commune_code)
    return {row[0]: row[1] for row in connection.execute(query)}
