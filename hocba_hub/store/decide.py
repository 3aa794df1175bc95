"""What becomes of each record of a submission, given the cards as they stand: read and decided, nothing written.

The natural key (school year, card id) is unique for ever: the same content again is the same version, changed content
is the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, func, select

from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.compared_card import ComparedCard
from hocba_hub.model.finding_kinds import (
    CARD_OF_ANOTHER_SCHOOL,
    CARD_TRANSFERRED,
    LOCKED,
    NOT_ALONE,
    RECALLED,
    SCHOOL_NOT_PERMITTED,
)
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolCode, SchoolYear
from hocba_hub.rules.between import ClassFigures
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store.access import Client
from hocba_hub.store.engine import listed, one_of, one_of_cards
from hocba_hub.store.idempotency import Claim
from hocba_hub.store.locks import NOTHING_LOCKED, Locked, locked
from hocba_hub.store.tables import deliveries, report_cards
from hocba_hub.store.unmapped_codes import VendorRecord


@dataclass(frozen=True, slots=True)
class Content:
    """A right record's content, ready to be stored."""

    content_sha256: bytes
    """Of the canonical JSON."""
    canonical: bytes
    """Canonical JSON, packed."""
    original: bytes | None
    """The record's bytes as sent, packed; None where they equal the canonical JSON."""
    original_type: str
    original_bytes: int
    compared: ComparedCard
    """What other cards are held against."""


def _as_they_are(findings: Sequence[Finding]) -> Sequence[Finding]:
    return findings


@dataclass(slots=True)
class ReceivedRecord:
    """One record of a submission after the checks."""

    position: int
    sha256: bytes
    """Of the record's bytes as sent."""
    key: CardKey | None
    """The natural key, where it could be read."""
    school: str | None
    """The school code, where it could be read."""
    content: Content | None
    """None where a finding stands against accepting it."""
    findings: list[Finding] = field(default_factory=list)
    unmapped: Sequence[UnmappedCode] = ()
    """What no code table knew."""
    sent: VendorRecord | None = None
    """What is kept of a vendor's record if it is rejected."""
    recalls: bool = False
    """It recalls the card of this key: its content is that of the newest version, taken when the card is locked."""
    mapping: str = ""
    """That read it, as `name 1.2.3`; empty of a canonical card."""
    at_source: Callable[[Sequence[Finding]], Sequence[Finding]] = _as_they_are
    """Findings about the card, with their places in the record as it was sent."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a client sends in one call or file, as far as all its records have it in common."""

    id: str
    client: Client
    received_at: int
    """Milliseconds."""
    media_type: str
    atomic: bool = False
    """All records are accepted, or none."""
    reinstates: bool = False
    """Cards that were recalled are put into force again; otherwise they are refused."""
    trace_parent: str | None = None
    tells_unchecked: bool = False
    """What could not be checked is among the findings."""
    claim: Claim | None = None
    """The idempotency key that the call holds; once another call has it, nothing is accepted of this one."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive records of one submission that are accepted together; by itself the whole submission."""

    submission: Submission
    records: Sequence[ReceivedRecord]
    first: bool = True
    """The submission is not in the store yet."""
    last: bool = True
    """Nothing follows; `size` and `sha256` are those of the whole body."""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record."""

    position: int
    status: str
    """`accepted` (a new version), `unchanged` (the newest version has this content) or `rejected`."""
    key: CardKey | None
    school: str | None
    version: int | None
    event: Event | None
    """What the new version is; None where there is none."""
    sha256: bytes
    findings: Sequence[Finding]
    size: int = 0
    """Bytes of the record, of one that was accepted."""


@dataclass(frozen=True, slots=True)
class Card:
    """The newest state of a report card, as far as accepting needs it."""

    version: int
    content_sha256: bytes
    client_id: int
    compared: ComparedCard
    managed_by: str | None = None
    """The school that may correct it, where a person decided that it is not the one that issued it."""

    @property
    def key(self) -> CardKey:
        """Its natural key."""
        return self.compared.key

    @property
    def school(self) -> SchoolCode:
        """The school that it is of."""
        return self.compared.school

    @property
    def manager(self) -> str:
        """The school that may correct it."""
        return self.managed_by or self.school

    @property
    def recalled(self) -> bool:
        """Whether it is in force no more."""
        return self.compared.recalled


class ClassKey(NamedTuple):
    """A class of a school in one school year."""

    school: str
    school_year: str
    class_: str


Trait: TypeAlias = tuple[str, int]
"""What cards of a class may have in common, by name and digest; `PUPIL` that they are of the class."""
PUPIL: Trait = ("", 0)


class Cards:
    """The cards that a portion's records are of, with all others of the same pupils, and the sizes of their classes.

    Read once for all records; what is decided of one record counts for the next.
    """

    def __init__(
        self,
        found: Iterable[Card] = (),
        classes: Mapping[ClassKey, dict[Trait, int]] = MappingProxyType({}),
        locked: Locked = NOTHING_LOCKED,
    ) -> None:
        self._locked = locked
        self._by_key: dict[CardKey, Card] = {}
        self._of_pupil: dict[int, dict[CardKey, Card]] = {}
        self._classes = {class_: traits.copy() for class_, traits in classes.items()}
        """Of each class its cards in force, by what they have in common."""
        for card in found:
            self._put(card)

    def get(self, key: CardKey | None) -> Card | None:
        """The newest state of a card."""
        return None if key is None else self._by_key.get(key)

    def of_pupil(self, pupil: int) -> Iterable[Card]:
        """All cards of a pupil."""
        return self._of_pupil.get(pupil, {}).values()

    def beside(self, card: ComparedCard) -> list[ComparedCard]:
        """The other cards of the pupil."""
        found = self._of_pupil.get(card.pupil)
        return [other.compared for key, other in found.items() if key != card.key] if found else []

    def change(self, card: Card) -> None:
        """Give a card a new state."""
        before = self._by_key.get(card.key)
        if before is not None:
            del self._of_pupil[before.compared.pupil][before.key]
            _count(self._class(before.compared), before.compared, -1)
        _count(self._class(card.compared), card.compared, 1)
        self._put(card)

    def copy(self) -> Cards:
        """The same, to be changed by itself."""
        return Cards(self._by_key.values(), self._classes, self._locked)

    def locked_since(self, card: ComparedCard) -> int | None:
        """When the data that a card is of, or was of, were locked (milliseconds); None if it may be changed."""
        before = self._by_key.get(card.key)
        states = [card] if before is None else [card, before.compared]
        since = (self._locked.since(one.school, one.key.school_year, one.grade) for one in states)
        return next((moment for moment in since if moment is not None), None)

    def figures(self, card: ComparedCard) -> ClassFigures:
        """What would be counted of its class with this card in it, instead of its newest state."""
        traits, before = self._class(card), self._by_key.get(card.key)
        own: list[Trait] = []
        if before is not None and class_of_card(before.compared) == class_of_card(card):
            own = _traits(before.compared)
        pupils, results, teacher = (
            traits.get(trait, 0) + (trait not in own) if trait == PUPIL or trait[1] else 0
            for trait in (PUPIL, ("results", card.results), ("teacher", card.teacher))
        )
        return ClassFigures(pupils, results, teacher)

    def counted(self, class_: ClassKey) -> ClassFigures:
        """What is counted of a class as it stands; of traits the one that most have in common."""
        traits = self._classes.get(class_, {})
        most = {"": 0, "results": 0, "teacher": 0}
        for (name, _), count in traits.items():
            most[name] = max(most[name], count)
        return ClassFigures(most[""], most["results"], most["teacher"])

    def _class(self, card: ComparedCard) -> dict[Trait, int]:
        return self._classes.setdefault(class_of_card(card), {})

    def _put(self, card: Card) -> None:
        self._by_key[card.key] = card
        self._of_pupil.setdefault(card.compared.pupil, {})[card.key] = card


def _traits(card: ComparedCard) -> list[Trait]:
    """What a card counts for in its class; one that is recalled for nothing."""
    if card.recalled:
        return []
    found = [PUPIL]
    if card.results:
        found.append(("results", card.results))
    if card.teacher:
        found.append(("teacher", card.teacher))
    return found


def _count(traits: dict[Trait, int], card: ComparedCard, times: int) -> None:
    for trait in _traits(card):
        traits[trait] = traits.get(trait, 0) + times


def class_of_card(card: ComparedCard) -> ClassKey:
    """The class that a card is of."""
    return ClassKey(card.school, card.key.school_year, card.class_)


_r = report_cards.c


def find_cards(connection: Connection, portions: Sequence[Portion], *, lock: bool = False) -> Cards:
    """What accepting these portions needs; with `lock` nobody else changes the records' cards until the end."""
    records = list(chain.from_iterable(portion.records for portion in portions))
    found = cards_of(connection, sorted({one.key for one in records if one.key is not None}), lock=lock)
    compared = [card.compared for card in found.values()]
    compared += (one.content.compared for one in records if one.content is not None)
    if not compared:
        return Cards()
    pupils = sorted({one.pupil for one in compared})
    others = [card for card in _select(connection, one_of(connection, _r.pupil, pupils)) if card.key not in found]
    classes = _class_traits(connection, sorted(set(map(class_of_card, compared))))
    schools = {one.school for one in compared}
    return Cards([*found.values(), *others], classes, locked(connection, schools))


def lock_cards_of(connection: Connection, ids: Sequence[int]) -> dict[CardKey, Card]:
    """The cards of deliveries, locked as accepting does, so that no newer version comes between a look and a change."""
    d = deliveries.c
    keys = connection.execute(select(d.school_year, d.card_id).where(one_of(connection, d.id, ids)))
    return cards_of(connection, sorted({CardKey(SchoolYear(year), CardId(card)) for year, card in keys}), lock=True)


def cards_of(connection: Connection, keys: Sequence[CardKey], *, lock: bool = False) -> dict[CardKey, Card]:
    """The stored cards among `keys`; with `lock` nobody else changes them until the transaction ends."""
    if not keys:
        return {}
    these = one_of_cards(connection, _r.school_year, _r.card_id, keys)
    return {card.key: card for card in _select(connection, these, lock=lock)}


def _select(connection: Connection, these: ColumnElement[bool], *, lock: bool = False) -> list[Card]:
    query = (
        select(
            _r.version, _r.content_sha256, _r.client_id, _r.school_year, _r.card_id, _r.school_code, _r.recalled,
            _r.pupil, _r.circular, _r.grade, _r.class_code, _r.promoted, _r.birth, _r.gender, _r.results, _r.teacher,
            _r.pupil_code, _r.commune_code, _r.managed_by,
        )
        .where(these)
        .order_by(_r.school_year, _r.card_id)  # locks are taken in one order everywhere
    )  # fmt: skip
    if lock:
        query = query.with_for_update()
    return [
        Card(version, digest, client_id, ComparedCard(CardKey(year, card), *rest), managed_by)
        for version, digest, client_id, year, card, *rest, managed_by in connection.execute(query)
    ]


def _class_traits(connection: Connection, classes: Sequence[ClassKey]) -> dict[ClassKey, dict[Trait, int]]:
    """Cards in force of these classes, and how many of them have what in common."""
    wanted = listed(connection, classes)
    whole = (_r.school_code, _r.school_year, _r.class_code)
    here = and_(*(column == one for column, one in zip(whole, wanted, strict=True)), _r.recalled.is_(False))
    query = select(*whole, _r.results, _r.teacher, func.count()).where(here).group_by(*whole, _r.results, _r.teacher)
    found: dict[ClassKey, dict[Trait, int]] = {}
    for school, year, class_, results, teacher, pupils in connection.execute(query):
        traits = found.setdefault(ClassKey(school, year, class_), {})
        for trait in (PUPIL, ("results", results), ("teacher", teacher)):
            if trait == PUPIL or trait[1]:
                traits[trait] = traits.get(trait, 0) + pupils
    return found


def decide(cards: Cards, portion: Portion, comparison: CardComparison) -> list[RecordResult]:
    """What becomes of each record of the portion, given the cards as they stand; moves `cards` on."""
    if portion.submission.atomic:
        moved = cards.copy()
        tried = [_decide(moved, portion, record, comparison) for record in portion.records]
        if any(result.status == "rejected" for result in tried):
            return [result if result.status == "rejected" else _not_alone(result) for result in tried]
    return [_decide(cards, portion, record, comparison) for record in portion.records]


def _decide(cards: Cards, portion: Portion, record: ReceivedRecord, comparison: CardComparison) -> RecordResult:
    content, card = record.content, cards.get(record.key)
    findings = [*record.findings, *_objections(card, portion, record)]
    if content is None or record.key is None or any(map(_is_error, findings)):
        return _result(record, "rejected", None, None, findings)
    is_unchanged = card is not None and card.content_sha256 == content.content_sha256
    now = content.compared
    version = 1 if card is None else card.version if is_unchanged else card.version + 1
    managed_by = None if card is None else card.managed_by
    changed = Card(version, content.content_sha256, portion.submission.client.id, now, managed_by)
    if not is_unchanged and (since := cards.locked_since(now)) is not None:
        findings = [*findings, Finding(LOCKED, "", facts={"since": f"{vietnam_day(since):%d/%m/%Y}"})]
        return _result(record, "rejected", None, None, findings)
    if card is None and (found := comparison.of_day(now, portion.submission.received_at)):
        findings = [*findings, *found]
        if any(map(_is_error, found)):
            return _result(record, "rejected", None, None, findings)
    previous = None if card is None or is_unchanged else card.compared
    found = comparison.between(now, cards.beside(now), previous)
    if not now.recalled:
        found += comparison.of_class(now.circular, cards.figures(now))
    if found:
        findings = [*findings, *record.at_source(found)]
        if any(map(_is_error, found)):
            return _result(record, "rejected", None, None, findings)
    if is_unchanged:
        return _result(record, "unchanged", version, None, findings)
    event = Event.CANCEL if now.recalled else Event.NEW if card is None else Event.UPDATE
    cards.change(changed)
    return _result(record, "accepted", version, event, findings)


def _not_alone(result: RecordResult) -> RecordResult:
    """What would be accepted, were it not for others of an atomic submission."""
    return replace(
        result, status="rejected", version=None, event=None, findings=[*result.findings, Finding(NOT_ALONE, "")]
    )


def _objections(card: Card | None, portion: Portion, record: ReceivedRecord) -> list[Finding]:
    """What stands against a record beside its own findings."""
    against = []
    client = portion.submission.client
    if card is not None and card.managed_by is not None and client.may_speak_for(card.managed_by):
        mine = {card.school, card.managed_by}  # it goes on to name the school that issued it
    else:
        mine = set()
    if record.school is not None and record.school not in mine and not client.may_speak_for(record.school):
        against.append(Finding(SCHOOL_NOT_PERMITTED, "/school/code", facts={"school": record.school}))
    elif card is not None and not client.may_speak_for(card.manager):
        if card.managed_by is None:
            against.append(Finding(CARD_OF_ANOTHER_SCHOOL, "/card_id"))
        else:
            against.append(Finding(CARD_TRANSFERRED, "/card_id", facts={"school": card.managed_by}))
    is_back = card is not None and card.recalled and record.content is not None and not record.content.compared.recalled
    if is_back and not portion.submission.reinstates:
        against.append(Finding(RECALLED, "/card_id"))
    return against


def _is_error(finding: Finding) -> bool:
    return finding.kind.severity is Severity.ERROR


def _result(
    record: ReceivedRecord, status: str, version: int | None, event: Event | None, findings: Sequence[Finding]
) -> RecordResult:
    size = record.content.original_bytes if record.content is not None else 0
    return RecordResult(
        record.position, status, record.key, record.school, version, event, record.sha256, findings, size
    )


def recall_of(key: CardKey) -> ReceivedRecord:
    """A record that recalls a card, for a portion of its own."""
    return ReceivedRecord(0, b"", key, None, None, recalls=True)


def submission_state(accepted: int, rejected: int) -> str:
    """`accepted`, `partial` or `rejected`: the state of a submission whose records are all decided."""
    return "accepted" if not rejected else "partial" if accepted else "rejected"
