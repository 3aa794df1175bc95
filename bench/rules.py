"""Rules: how many cards a second one core checks, from the validated card to its findings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, rate
from hocba_hub.model.card import AnyCard, SecondaryCard
from hocba_hub.model.reading import read_card
from hocba_hub.rules.checking import rules_for
from hocba_hub.sandbox.synthetic import generate

_LEAST = 8_000
"""Cards a second at the design's pace."""
_CARDS = 2_000
_ROUNDS = 5


def measure(_: Path) -> list[Figure]:
    """Cards a second on one core."""
    cards = [card for raw in generate(12_000, 17) if (card := read_card(raw).card) is not None]
    secondary = [_with_14_subjects(card) for card in cards if isinstance(card, SecondaryCard)]
    with_marks = [card for card in secondary if _shows_marks(card)]
    without = [card for card in secondary if not _shows_marks(card)]
    primary = [card for card in cards if card.kind == "primary"]
    mixed = [*with_marks[: _CARDS // 3], *without[: _CARDS - _CARDS // 3]]
    return [
        _figure("secondary cards judged, 14 subjects, a third with raw marks", mixed),
        _figure("secondary cards judged, 14 subjects, raw marks", with_marks[:_CARDS]),
        _figure("secondary cards judged, 14 subjects, averages only", without[:_CARDS]),
        _figure("primary cards judged", primary[:_CARDS]),
    ]


def _with_14_subjects(card: SecondaryCard) -> SecondaryCard:
    """The card with as many freely chosen subjects more as 14 need, with the results of its first."""
    subjects = list(card.year.subjects)
    for code in ("NN2", "DTT")[: 14 - len(subjects)]:
        if code not in {subject.code for subject in subjects}:
            subjects.append(subjects[0].model_copy(update={"code": code, "name": code}))
    return card.model_copy(update={"year": card.year.model_copy(update={"subjects": tuple(subjects)})})


def _shows_marks(card: SecondaryCard) -> bool:
    return any(subject.term1_marks is not None for subject in card.year.subjects)


def _figure(what: str, cards: Sequence[AnyCard]) -> Figure:
    best = min(_seconds(cards) for _ in range(_ROUNDS)) / len(cards)
    return rate(what, 1 / best, _LEAST, more=f"{best * 1e6:.0f} µs a card")


def _seconds(cards: Sequence[AnyCard]) -> float:
    start = time.perf_counter()
    for card in cards:
        rules_for(card).check(card)
    return time.perf_counter() - start
