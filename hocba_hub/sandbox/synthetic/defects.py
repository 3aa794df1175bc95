"""Named defects planted in right cards, each with the code of the finding that must be found."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.sandbox.synthetic.cards import generate

Card = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Planted:
    """One defect that was planted in one card."""

    name: str
    code: str
    """The finding that must be found."""
    record_id: str | None
    """The card's natural key as a record id; None where the defect makes it unreadable."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake, and how it is planted in a card."""

    name: str
    code: str
    """The finding that must be found; where it ends in a point, what follows depends on the card."""
    plant: Callable[[Card], bytes]
    only: str = ""
    """The one kind of card that can have it; empty: any kind."""
    unreadable: bool = False
    """Whether the card's natural key cannot be read any more."""
    assessed: bool = False
    """Whether only the card of a pupil who is assessed can have it."""

    def fits(self, card: Card) -> bool:
        """Whether this card can have it."""
        return self.only in {"", card["kind"]} and not (self.assessed and card["pupil"]["not_assessed"])


def generate_with_defects(
    cards: int,
    seed: int,
    rate: float,
    *,
    schools: int | None = None,
    school_year: str = "2025-2026",
    defects: Sequence[Defect] | None = None,
) -> Iterator[tuple[bytes, Planted | None]]:
    """Cards as `generate` makes them, of which a share of `rate` (0 to 1) has one defect each, with the truth.

    The `defects` take turns; without them, those that make a card unreadable.
    """
    defects = defects or DEFECTS
    rng = Random(seed + 1)  # noqa: S311 - made-up mistakes
    turn = 0
    for raw in generate(cards, seed, schools=schools, school_year=school_year):
        if rng.random() >= rate:
            yield raw, None
            continue
        card = orjson.loads(raw)
        while not defects[turn % len(defects)].fits(card):
            turn += 1
        defect = defects[turn % len(defects)]
        turn += 1
        key = CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"]))
        yield defect.plant(card), Planted(defect.name, defect.code, None if defect.unreadable else key.record_id())


def placed(path: str, value: Any) -> Callable[[Card], bytes]:  # noqa: ANN401 - any wrong value
    """A mistake that puts a value at a path of the card."""
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))

    def plant(card: Card) -> bytes:
        part: Any = card
        for step in steps:
            part = part[step]
        part[last] = value
        return orjson.dumps(card)

    return plant


def _without(path: str, *more: str) -> Callable[[Card], bytes]:
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))

    def plant(card: Card) -> bytes:
        part: Any = card
        for step in steps:
            part = part[step]
        for name in (last, *more):
            part.pop(name, None)
        return orjson.dumps(card)

    return plant


def _short_number(card: Card) -> bytes:
    card["pupil"]["personal_number"] = "03321500012"
    return orjson.dumps(card)


def _no_number(card: Card) -> bytes:
    card["pupil"] = {**card["pupil"], "nationality": "VN"}
    for name in ("personal_number", "passport_number"):
        card["pupil"].pop(name, None)
    return orjson.dumps(card)


def _no_year_result(card: Card) -> bytes:
    card["pupil"]["not_assessed"] = False
    card["year"]["learning"] = {"term1": "K", "term2": "K"}
    return orjson.dumps(card)


def _wrong_grade(card: Card) -> bytes:
    card["class"]["grade"] = 6 if card["kind"] == "primary" else 5
    return orjson.dumps(card)


def _subject_twice(card: Card) -> bytes:
    subjects = card["year"]["subjects"]
    subjects.append(subjects[0])
    return orjson.dumps(card)


def _decomposed(card: Card) -> bytes:
    card["pupil"]["full_name"] = unicodedata.normalize("NFD", f"{card['pupil']['full_name']} Đức")
    return orjson.dumps(card)


def _truncated(card: Card) -> bytes:
    raw = orjson.dumps(card)
    return raw[: len(raw) // 2]


def _key_twice(card: Card) -> bytes:
    return orjson.dumps(card).replace(b'{"card_id":', b'{"status":"in_force","card_id":', 1)


DEFECTS: tuple[Defect, ...] = (
    Defect("personal number of 11 digits", "schema.pattern", _short_number),
    Defect("unknown field", "schema.unknown-field", placed("pupil/nickname", "không rõ")),
    Defect("signer without name", "schema.missing", _without("signers/manager/full_name")),
    Defect("mark 11", "schema.pattern", placed("year/subjects/0/year", "11"), "secondary"),
    Defect("test mark 11", "schema.pattern", placed("year/subjects/0/test", "11"), "primary"),
    Defect("training letter out of set", "schema.choice", placed("year/training/year", "G"), "secondary"),
    Defect("quality letter out of set", "schema.choice", placed("year/qualities/honesty", "H"), "primary"),
    Defect("grade as text", "schema.type", placed("class/grade", "4")),
    Defect("class name too long", "schema.length.too-long", placed("class/name", "Lớp chất lượng cao")),
    Defect("impossible date", "card.date", placed("issue/issued_on", "2026-02-30")),
    Defect("grade of another level", "card.grade-level", _wrong_grade),
    Defect("subject twice", "card.subject-twice", _subject_twice),
    Defect("name in NFD", "text.not-nfc", _decomposed),
    Defect("letter eth", "text.eth", placed("signers/manager/full_name", "Ðỗ Văn Thành")),
    Defect("control character", "text.control-character", placed("year/homeroom_comment", "Chăm học\u000b, ngoan")),
    Defect("cut off in the middle", "json.malformed", _truncated, unreadable=True),
    Defect("key twice", "json.duplicate-key", _key_twice),
    Defect(
        "subject teacher without number", "schema.missing",
        _without("year/subjects/0/teacher/personal_number"), "secondary",
    ),
    Defect(
        "homeroom teacher without number", "card.homeroom-number",
        _without("signers/homeroom/personal_number"), "primary",
    ),
    Defect("school year of two years", "card.school-year", placed("school_year", "2025-2027"), unreadable=True),
    Defect("school year with a slash", "schema.pattern", placed("school_year", "2025/2026"), unreadable=True),
    Defect(
        "subject name too long", "schema.length.too-long",
        placed("year/subjects/0/name", "Giáo dục quốc phòng và an ninh"), "secondary",
    ),
    Defect("kind unknown", "schema.kind", placed("kind", "kindergarten")),
    Defect("empty homeroom comment", "schema.length.too-short", placed("year/homeroom_comment", "")),
    Defect("absences out of range", "schema.range", placed("year/absences", 999), "secondary"),
    Defect("pupil without any number", "card.personal-number", _no_number),
    Defect("commune code of four digits", "schema.pattern", placed("pupil/hometown/commune_code", "1239")),
    Defect("circular of before", "card.circular", placed("circular", "TT30/2014")),
    Defect("year without learning result", "card.learning-missing", _no_year_result, "secondary"),
    Defect("teacher as a list", "schema.type", placed("signers/homeroom", ["Phạm Thị Mẫu"])),
)  # fmt: skip
"""Every defect of form; those of judgement are in `misjudged.py`."""
