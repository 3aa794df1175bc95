"""The work list of unmapped codes: values that no code table knows, and the records that wait for their meaning.

`note` is called in the transaction that accepts or rejects the records. Only records that nothing else stands against
wait: their bytes are kept, so that they can be read again once the codes are filled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, exists, func, not_, or_, select

from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.bodies import unpack
from hocba_hub.store.bulk import insert_rows, upsert
from hocba_hub.store.engine import one_of, one_of_cards
from hocba_hub.store.revision import revision
from hocba_hub.store.tables import (
    clients,
    code_fills,
    open_findings,
    unmapped_code_sources,
    unmapped_codes,
    waiting_codes,
    waiting_records,
)

_c, _s, _w, _l = unmapped_codes.c, unmapped_code_sources.c, waiting_records.c, waiting_codes.c


@dataclass(frozen=True, slots=True)
class VendorRecord:
    """A vendor's record as it was sent, to be read again should it be rejected."""

    mapping: str
    """Name of the mapping that reads it."""
    original: bytes
    """Its bytes, packed."""
    revision: int
    """Of the configuration that it was read with."""
    waits: bool
    """Nothing but unmapped codes stands against it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record brought that no table knows."""

    codes: Sequence[UnmappedCode]
    client_id: int
    school: str | None
    submission_id: str
    position: int
    key: CardKey | None = None
    kept: VendorRecord | None = None
    """None where something else stands against the record too, or where it was accepted with a warning."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who sent a value."""

    client: str
    school: str
    times: int
    last_at: int


@dataclass(frozen=True, slots=True)
class ListedCode:
    """One row of the work list."""

    id: int
    table: str
    system: str
    value: str
    result_system: str
    where: Mapping[str, str]
    times: int
    first_at: int
    last_at: int
    fill_id: int | None
    waiting: int
    """Records that wait for it."""
    clients: int
    schools: int
    sources: Sequence[Source] = field(default=())
    """The most frequent first; only where one code was asked for."""

    @property
    def place(self) -> tuple[int, int]:
        """Where a listing goes on after this one."""
        return self.times, self.id


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that is to be read again."""

    key: CardKey
    client_id: int
    submission_id: str
    position: int
    mapping: str
    original: bytes

    @property
    def place(self) -> tuple[str, str, int, str, int]:
        """The card and client, and where in what submission the record was."""
        return *self.key, self.client_id, self.submission_id, self.position


def is_solved() -> ColumnElement[bool]:
    """That a code has a meaning by now: a person said it, or a destination's list has it."""
    return or_(_c.fill_id.is_not(None), _c.list_id.is_not(None))


def note(connection: Connection, entries: Iterable[Entry], now: int) -> None:
    """Count what the tables did not know, and keep the records that wait; `now` in milliseconds."""
    entries = [entry for entry in entries if entry.codes]
    if not entries:
        return
    ids = _count(connection, entries, now)
    _count_sources(connection, entries, ids, now)
    waiting: dict[tuple[CardKey, int], Entry] = {}
    for entry in entries:
        if entry.kept is not None and entry.key is not None and entry.school is not None:
            waiting[entry.key, entry.client_id] = entry
    if not waiting:
        return
    forget(connection, waiting)
    rows, links = [], []
    for (key, client_id), entry in sorted(waiting.items(), key=lambda item: item[0]):
        assert entry.kept is not None  # noqa: S101 - as chosen above
        card = {"school_year": key.school_year, "card_id": key.card_id, "client_id": client_id}
        kept = {"mapping": entry.kept.mapping, "original": entry.kept.original, "revision": entry.kept.revision}
        rows.append({**card, "submission_id": entry.submission_id, "position": entry.position, **kept})
        links += [
            {"code_id": ids[code.table, code.system, code.conditions, code.value], **card} for code in entry.codes
        ]
    insert_rows(connection, waiting_records, rows, unless_there=True)
    insert_rows(connection, waiting_codes, links, unless_there=True)


def forget(connection: Connection, cards: Iterable[tuple[CardKey, int]]) -> None:
    """Let the records of these cards and clients wait no longer."""
    by_client: dict[int, list[CardKey]] = {}
    for key, client_id in cards:
        by_client.setdefault(client_id, []).append(key)
    for client_id, keys in sorted(by_client.items()):
        for table in (waiting_codes, waiting_records):
            t = table.c
            these = one_of_cards(connection, t.school_year, t.card_id, keys)
            connection.execute(delete(table).where(these, t.client_id == client_id))


def listed(
    connection: Connection, *, after: tuple[int, int] | None = None, limit: int = 100, filled: bool = False
) -> list[ListedCode]:
    """What nobody has said the meaning of, the most frequent first; with `filled`, what was said, instead."""
    query = _listing().where(is_solved() if filled else not_(is_solved()))
    if after is not None:
        query = query.where(or_(_c.times < after[0], and_(_c.times == after[0], _c.id > after[1])))
    rows = connection.execute(query.order_by(_c.times.desc(), _c.id).limit(limit))
    return [_listed(row) for row in rows]


def one(connection: Connection, code_id: int, *, most_sources: int = 100) -> ListedCode | None:
    """One code with who sent it; None if there is none."""
    row = connection.execute(_listing().where(_c.id == code_id)).one_or_none()
    if row is None:
        return None
    sources = connection.execute(
        select(func.coalesce(clients.c.name, ""), _s.school_code, _s.times, _s.last_at)
        .join_from(unmapped_code_sources, clients, clients.c.id == _s.client_id, isouter=True)
        .where(_s.code_id == code_id)
        .order_by(_s.times.desc(), _s.client_id, _s.school_code)
        .limit(most_sources)
    )
    return _listed(row, [Source(*source) for source in sources])


def waiting_for(connection: Connection, code_id: int, limit: int) -> list[CardKey]:
    """Cards of which a record waits for the meaning of this code, at most `limit`."""
    query = select(_l.school_year, _l.card_id).where(_l.code_id == code_id).distinct()
    rows = connection.execute(query.order_by(_l.school_year, _l.card_id).limit(limit))
    return [CardKey(SchoolYear(year), CardId(card)) for year, card in rows]


def unsolved(connection: Connection) -> int:
    """How many codes nobody has said the meaning of."""
    return int(connection.execute(select(func.count()).where(not_(is_solved()))).scalar_one())


def waiting_records_number(connection: Connection, most: int) -> int:
    """How many records wait, counted up to `most`."""
    some = select(_w.card_id).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def ready(connection: Connection, limit: int) -> list[Waiting]:
    """Records of which a code was filled since they were last read, at most `limit`."""
    has_filled_code = exists().where(
        _l.school_year == _w.school_year,
        _l.card_id == _w.card_id,
        _l.client_id == _w.client_id,
        _c.id == _l.code_id,
        is_solved(),
    )
    query = select(waiting_records).where(_w.revision < revision(connection), has_filled_code)
    return [
        Waiting(
            CardKey(SchoolYear(row.school_year), CardId(row.card_id)),
            row.client_id,
            row.submission_id,
            row.position,
            row.mapping,
            unpack(row.original),
        )
        for row in connection.execute(query.order_by(_w.client_id, _w.submission_id, _w.position).limit(limit))
    ]


def take(connection: Connection, records: Sequence[Waiting]) -> list[Waiting]:
    """Those of the records that still wait, and are still the last that came of their cards; none of them waits on.

    The caller accepts or rejects them in the same transaction.
    """
    f, cards = open_findings.c, sorted({record.key.card_id for record in records})
    last = select(f.school_year, f.card_id, f.client_id, f.submission_id, f.position)
    wait = select(_w.school_year, _w.card_id, _w.client_id, _w.submission_id, _w.position).with_for_update()
    waiting = {tuple(row) for row in connection.execute(wait.where(one_of(connection, _w.card_id, cards)))}
    newest = {tuple(row) for row in connection.execute(last.where(one_of(connection, f.card_id, cards)))}
    mine = [record for record in records if record.place in waiting]
    forget(connection, [(record.key, record.client_id) for record in mine])
    return [record for record in mine if record.place in newest]


def _count(connection: Connection, entries: Sequence[Entry], now: int) -> dict[tuple[str, str, str, str], int]:
    """Count the values; the row of each, by table, system, conditions and value."""
    times: dict[tuple[str, str, str, str], int] = {}
    results: dict[tuple[str, str, str, str], str] = {}
    for code in (code for entry in entries for code in set(entry.codes)):
        place = (code.table, code.system, code.conditions, code.value)
        times[place] = times.get(place, 0) + 1
        results[place] = code.result_system
    statement = upsert(connection, unmapped_codes)
    statement = statement.on_conflict_do_update(
        index_elements=["code_table", "system", "conditions", "value"],
        set_={"times": _c.times + statement.excluded.times, "last_at": statement.excluded.last_at},
    )
    names, ids = ("code_table", "system", "conditions", "value"), {}
    for place in sorted(times):  # in one order everywhere, so that transactions cannot lock each other out
        row = dict(zip(names, place, strict=True)) | {"result_system": results[place], "times": times[place]}
        row |= {"first_at": now, "last_at": now, "fill_id": _fill_of(connection, place)}
        ids[place] = connection.execute(statement.values(row).returning(_c.id)).scalar_one()
    return ids


def _fill_of(connection: Connection, place: tuple[str, str, str, str]) -> int | None:
    """The fill of a value that came before the value did, or before this process knew of it."""
    f = code_fills.c
    query = select(func.max(f.id)).where(f.code_table == place[0], f.system == place[1], f.conditions == place[2])
    found: int | None = connection.execute(query.where(f.value == place[3], f.ended_at.is_(None))).scalar_one()
    return found


def _count_sources(
    connection: Connection, entries: Sequence[Entry], ids: Mapping[tuple[str, str, str, str], int], now: int
) -> None:
    times: dict[tuple[int, int, str], int] = {}
    for entry in entries:
        for code in {(code.table, code.system, code.conditions, code.value) for code in entry.codes}:
            source = (ids[code], entry.client_id, entry.school or "")
            times[source] = times.get(source, 0) + 1
    statement = upsert(connection, unmapped_code_sources)
    names = ("code_id", "client_id", "school_code")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(names),
            set_={"times": _s.times + statement.excluded.times, "last_at": statement.excluded.last_at},
        ),
        [
            dict(zip(names, source, strict=True)) | {"times": count, "last_at": now}
            for source, count in sorted(times.items())
        ],
    )


def _listing() -> Select[*tuple[Any, ...]]:
    waiting = select(func.count()).where(_l.code_id == _c.id).scalar_subquery()
    of_it = _s.code_id == _c.id
    by_clients = select(func.count(_s.client_id.distinct())).where(of_it).scalar_subquery()
    by_schools = select(func.count(_s.school_code.distinct())).where(of_it, _s.school_code != "").scalar_subquery()
    place = (_c.id, _c.code_table, _c.system, _c.value, _c.result_system, _c.conditions)
    return select(*place, _c.times, _c.first_at, _c.last_at, _c.fill_id, waiting, by_clients, by_schools)


def _listed(row: Row[*tuple[Any, ...]], sources: Sequence[Source] = ()) -> ListedCode:
    facts: list[Any] = list(row)
    facts[5] = json.loads(facts[5])
    return replace(ListedCode(*facts), sources=sources)
