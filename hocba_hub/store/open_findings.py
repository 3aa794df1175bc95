"""A school's open list: what it has to mend.

A rejected card stands there until it is accepted. An accepted card stands there while it does not fit the pupil's
other cards, or its class has too many: it leaves when it is sent again, or when the other card is mended, whichever
school does so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, delete, select

from hocba_hub.model.findings import Finding
from hocba_hub.model.keys import CardKey
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store.bodies import pack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.decide import Card, Cards, ClassKey, Portion, ReceivedRecord, RecordResult, class_of_card
from hocba_hub.store.engine import listed, one_of_cards
from hocba_hub.store.tables import open_findings, report_cards, versions

RECORD, PUPIL, CLASS, DESTINATION, IDENTITY = "record", "pupil", "class", "destination", "identity"
RETURNED = "returned"
"""Matters: a record that was rejected; an accepted card beside the pupil's others, or in its class; what a destination
holds of it otherwise than we do; its pupil's personal number, which was checked and does not fit; a card that a person
has returned to the school, since a destination does not take it."""
_KEY = ("school_code", "school_year", "card_id", "client_id", "matter")
_NEWER = ("last_at", "submission_id", "position", "findings", "failure_group_id")
_f = open_findings.c
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Decided:
    """One record and what became of it."""

    portion: Portion
    record: ReceivedRecord
    result: RecordResult

    @property
    def place(self) -> tuple[str, int]:
        """Submission and position."""
        return self.portion.submission.id, self.result.position


def pack_findings(findings: Sequence[Finding]) -> bytes:
    """Findings as they are stored."""
    return pack(orjson.dumps([finding.as_json() for finding in findings]))


def write_open_findings(  # noqa: PLR0917 - all that was decided
    connection: Connection,
    portions: Sequence[Portion],
    results: Sequence[Sequence[RecordResult]],
    before: Cards,
    after: Cards,
    comparison: CardComparison,
    failed: Mapping[tuple[str, int], int],
    now: int,
) -> None:
    """Bring the lists up to date with what was decided; `before` and `after` are the cards as they stood and stand.

    `failed` are the failure groups of rejected records, by submission and position.
    """
    decided = [
        _Decided(portion, record, result)
        for portion, each in zip(portions, results, strict=True)
        for record, result in zip(portion.records, each, strict=True)
        if result.key is not None
    ]
    standing = {one.result.key: one for one in decided if one.result.key and one.result.status != "rejected"}
    if standing:
        connection.execute(delete(open_findings).where(_these(connection, standing)))
    changed = [card for key in standing if (card := after.get(key)) is not None and card is not before.get(key)]
    _forget_classes(connection, changed, before, after, comparison)
    rows = [
        *_rejected(decided, failed),
        *_of_classes(standing, after, comparison),
        *_of_pupils(connection, standing, _pupils(connection, standing, changed, before, after), after, comparison),
    ]
    if rows:
        statement = upsert(connection, open_findings)
        newer = {name: statement.excluded[name] for name in _NEWER}
        connection.execute(
            statement.on_conflict_do_update(index_elements=_KEY, set_={**newer, "times": _f.times + 1}),
            sorted(({**row, "since": now, "last_at": now, "times": 1} for row in rows), key=_place),  # type: ignore[arg-type]
        )


def raise_items(
    connection: Connection,
    matter: str,
    found: Sequence[tuple[CardKey, Sequence[Finding]]],
    cards: Mapping[CardKey, Card],
    now: int,
) -> int:
    """Put what was found elsewhere of cards that we hold on the lists of the schools that may correct them; how many.

    Such an item leaves when its card is accepted again.
    """
    rows: list[_Row] = [
        {
            **_row(matter, card.manager, key, card.client_id, ("", 0), findings),
            "since": now, "last_at": now, "times": 1,
        }
        for key, findings in found
        if (card := cards.get(key)) is not None
    ]  # fmt: skip
    if rows:
        statement = upsert(connection, open_findings)
        newer = {name: statement.excluded[name] for name in ("last_at", "findings")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=_KEY, set_={**newer, "times": _f.times + 1}),
            sorted(rows, key=_place),  # type: ignore[arg-type]
        )
    return len(rows)


def settle_items(connection: Connection, matter: str, keys: Sequence[CardKey]) -> None:
    """Nothing of a matter is open about these cards any more."""
    if keys:
        connection.execute(delete(open_findings).where(_these(connection, keys), _f.matter == matter))


def _rejected(decided: Iterable[_Decided], failed: Mapping[tuple[str, int], int]) -> Iterable[_Row]:
    """What is rejected, if nothing behind it in the same transaction was accepted; the last one counts."""
    rows: dict[CardKey, dict[tuple[str, int], _Row]] = {}
    for one in decided:
        key, school, client = one.result.key, one.result.school, one.portion.submission.client
        if key is None:
            continue
        if one.result.status != "rejected":
            rows.pop(key, None)
        elif school and client.may_speak_for(school):
            row = _row(RECORD, school, key, client.id, one.place, one.result.findings)
            row["failure_group_id"] = failed.get(one.place)
            rows.setdefault(key, {})[school, client.id] = row
    return [row for each in rows.values() for row in each.values()]


def _of_classes(standing: dict[CardKey, _Decided], after: Cards, comparison: CardComparison) -> Iterable[_Row]:
    """What was found of a class when a card of it came, as far as it still holds when all have come."""
    for key, one in standing.items():
        card = after.get(key)
        found = [finding for finding in one.result.findings if finding.kind.family == CLASS]
        if found and card is not None:
            holds = {still.kind.code for still in _of_class(card, after, comparison)}
            found = [finding for finding in found if finding.kind.code in holds]
        if found and card is not None:
            yield _row(CLASS, card.school, key, card.client_id, one.place, found)


def _forget_classes(
    connection: Connection, changed: Iterable[Card], before: Cards, after: Cards, comparison: CardComparison
) -> None:
    """Nothing is open about a class any more of which something was found before, and nothing is now."""
    touched: dict[ClassKey, Card] = {}
    for card in changed:
        for one in (before.get(card.key), card):
            if one is not None:
                touched.setdefault(class_of_card(one.compared), one)
    left = {
        class_
        for class_, card in touched.items()
        if _of_class(card, before, comparison) and not _of_class(card, after, comparison)
    }
    if left:
        c = report_cards.c
        whole = zip((c.school_code, c.school_year, c.class_code), listed(connection, sorted(left)), strict=True)
        keys = [CardKey(*row) for row in connection.execute(select(c.school_year, c.card_id).where(
            and_(*(column == one for column, one in whole))
        ))]  # fmt: skip
        if keys:
            connection.execute(delete(open_findings).where(_these(connection, keys), _f.matter == CLASS))


def _of_class(card: Card, cards: Cards, comparison: CardComparison) -> list[Finding]:
    """What is found of the class that a card is of, as these cards stand."""
    return comparison.of_class(card.compared.circular, cards.counted(class_of_card(card.compared)))


def _pupils(
    connection: Connection, standing: dict[CardKey, _Decided], changed: Iterable[Card], before: Cards, after: Cards
) -> set[int]:
    """Pupils about whose cards there is something to say, or no more what was said of cards that nobody sent now."""
    pupils = {
        card.compared.pupil
        for key, one in standing.items()
        if any(finding.kind.family == "between" for finding in one.result.findings)
        and (card := after.get(key)) is not None
    }
    touched = {card.compared.pupil for card in changed}
    touched |= {was.compared.pupil for card in changed if (was := before.get(card.key)) is not None}
    others = {card.key: card.compared.pupil for pupil in touched for card in after.of_pupil(pupil)}
    others = {key: pupil for key, pupil in others.items() if key not in standing}
    if others:
        gone = delete(open_findings).where(_these(connection, others), _f.matter == PUPIL)
        for key in connection.execute(gone.returning(_f.school_year, _f.card_id)):
            pupils.add(others[CardKey(*key)])
    return pupils


def _of_pupils(
    connection: Connection,
    standing: dict[CardKey, _Decided],
    pupils: Iterable[int],
    after: Cards,
    comparison: CardComparison,
) -> Iterable[_Row]:
    """What is found of each card of these pupils beside the others, as they stand now."""
    found = [
        (card, findings)
        for pupil in pupils
        for card in after.of_pupil(pupil)
        if (findings := comparison.between(card.compared, after.beside(card.compared)))
    ]
    elsewhere = _places(connection, [card for card, _ in found if card.key not in standing])
    for card, findings in found:
        one = standing.get(card.key)
        said = findings if one is None else one.record.at_source(findings)
        place = elsewhere[card.key] if one is None else one.place
        yield _row(PUPIL, card.school, card.key, card.client_id, place, said)


def _places(connection: Connection, cards: Sequence[Card]) -> dict[CardKey, tuple[str, int]]:
    """Submission and position of each card's newest version."""
    if not cards:
        return {}
    v, newest = versions.c, {card.key: card.version for card in cards}
    query = select(v.school_year, v.card_id, v.version, v.submission_id, v.position).where(
        one_of_cards(connection, v.school_year, v.card_id, list(newest))
    )
    return {
        key: (submission_id, position)
        for year, card_id, version, submission_id, position in connection.execute(query)
        if newest[key := CardKey(year, card_id)] == version
    }


def _row(  # noqa: PLR0917 - its parts
    matter: str, school: str, key: CardKey, client_id: int, place: tuple[str, int], findings: Sequence[Finding]
) -> _Row:
    return {
        **dict(zip(_KEY, (school, *key, client_id, matter), strict=True)),
        "submission_id": place[0],
        "position": place[1],
        "findings": pack_findings(findings),
        "failure_group_id": None,
    }


def _place(row: _Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _these(connection: Connection, keys: Iterable[CardKey]) -> Any:  # noqa: ANN401 - a condition
    return one_of_cards(connection, _f.school_year, _f.card_id, sorted(keys))
