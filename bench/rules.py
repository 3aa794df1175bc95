"""Rules: how many cards a second one core checks, from the validated card to its findings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from hocba_hub.model.card import AnyCard
from hocba_hub.model.reading import read_card
from hocba_hub.rules.checking import rules_for
from hocba_hub.sandbox.synthetic import generate

TARGET = 8_000
"""Cards a second and core, all rules, a secondary card of 14 subjects."""
_CARDS = 2_000
_ROUNDS = 5


def measure(folder: Path) -> list[tuple[str, str]]:
    del folder
    cards = [card for raw in generate(12_000, 17) if (card := read_card(raw).card) is not None]
    secondary = [_with_14_subjects(card) for card in cards if card.kind == "secondary"]
    with_marks = [card for card in secondary if _shows_marks(card)]
    without = [card for card in secondary if not _shows_marks(card)]
    primary = [card for card in cards if card.kind == "primary"]
    mixed = [*with_marks[: _CARDS // 3], *without[: _CARDS - _CARDS // 3]]
    return [
        (f"secondary, 14 subjects, a third with raw marks (target {TARGET:,}/s)", _figure(mixed)),
        ("secondary, 14 subjects, raw marks", _figure(with_marks[:_CARDS])),
        ("secondary, 14 subjects, averages only", _figure(without[:_CARDS])),
        ("primary", _figure(primary[:_CARDS])),
    ]


def _with_14_subjects(card: AnyCard) -> AnyCard:
    """The card with as many freely chosen subjects more as 14 need, with the results of its first."""
    subjects = list(card.year.subjects)
    for code in ("NN2", "DTT")[: 14 - len(subjects)]:
        if code not in {subject.code for subject in subjects}:
            subjects.append(subjects[0].model_copy(update={"code": code, "name": code}))
    return card.model_copy(update={"year": card.year.model_copy(update={"subjects": tuple(subjects)})})


def _shows_marks(card: AnyCard) -> bool:
    return card.kind != "primary" and any(subject.term1_marks is not None for subject in card.year.subjects)


def _figure(cards: Sequence[AnyCard]) -> str:
    best = min(_seconds(cards) for _ in range(_ROUNDS)) / len(cards)
    return f"{1 / best:,.0f}/s ({best * 1e6:.0f} µs a card)"


def _seconds(cards: Sequence[AnyCard]) -> float:
    start = time.perf_counter()
    for card in cards:
        rules_for(card).check(card)
    return time.perf_counter() - start
