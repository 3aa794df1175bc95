"""What of a card is compared with the pupil's other cards, and counted of a class: kept beside each card."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from hocba_hub.model.card import AnyCard, PrimaryCard, card_key
from hocba_hub.model.keys import CardKey, SchoolCode

_SUBJECTS = 5
"""Fewer may well be taught by one person."""


class ComparedCard(NamedTuple):
    """The facts of one card that other cards are held against."""

    key: CardKey
    school: SchoolCode
    recalled: bool
    pupil: int
    """Whose card it is: see `pupil_digest`."""
    circular: str
    grade: int
    class_: str
    """Code of the class, or its name where it has none; one class within its school and school year."""
    promoted: bool
    birth: str
    gender: str
    results: int = 0
    """Digest of all levels and of the promotion; 0 where it is not known."""
    teacher: int = 0
    """Digest of the one person who teaches all subjects, and there are at least five; 0 if there are several."""
    pupil_code: int = 0
    """Digest of the pupil's code, by which people look for a card: see `pupil_code_digest`."""
    commune: str = ""
    """Code of the school's commune; empty if the card does not say it."""

    @property
    def first_year(self) -> int:
        """The year in which the card's school year begins."""
        return int(self.key.school_year[:4])


def compared_card(card: AnyCard) -> ComparedCard:
    """The facts of a card."""
    pupil, class_ = card.pupil, card.class_
    return ComparedCard(
        card_key(card), SchoolCode(card.school.code), card.is_recalled, pupil_digest(card), card.circular,
        class_.grade, class_.code or class_.name, card.year.promoted, pupil.birth, pupil.gender,
        _results_digest(card), _teacher_digest(card), pupil_code_digest(pupil.pupil_code or ""),
        card.school.commune_code or "",
    )  # fmt: skip


def _results_digest(card: AnyCard) -> int:
    if isinstance(card, PrimaryCard):
        levels = [f"{subject.code} {subject.level}" for subject in card.year.subjects]
        levels += [str(card.year.result), *map(str, vars(card.year.qualities).values())]
        levels += map(str, vars(card.year.capacities).values())
    else:
        levels = [*map(str, vars(card.year.learning).values()), *map(str, vars(card.year.training).values())]
    return _digest(f"{levels} {card.year.promoted}")


def _teacher_digest(card: AnyCard) -> int:
    if isinstance(card, PrimaryCard):
        return 0
    teachers = [subject.teacher.personal_number for subject in card.year.subjects]
    return _digest(teachers[0]) if len(teachers) >= _SUBJECTS and len(set(teachers)) == 1 else 0


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True) or 1


def pupil_digest(card: AnyCard) -> int:
    """A number of 64 bits that is the same for all cards of one pupil.

    By the personal number, which is for life (Luật Căn cước 26/2023 Art. 12); without one by the pupil's code, which
    is unique and stays through all levels (TT 42/2021). A digest, so that nobody reads a number in the index.
    """
    pupil = card.pupil
    if pupil.personal_number:
        return personal_number_digest(pupil.personal_number)
    return pupil_code_digest(pupil.pupil_code or "")


def personal_number_digest(number: str) -> int:
    """A number of 64 bits for a personal number."""
    return _digest(f"number {number}")


def pupil_code_digest(code: str) -> int:
    """A number of 64 bits for a pupil's code."""
    return _digest(f"code {code}")
