"""A first draft of a mapping: rules that were guessed from a sample, and how sure each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hocba_hub.mappings.start.sample import SampleField

Rule = dict[str, Any]
"""A rule of a mapping, as it is written."""


class Sureness(StrEnum):
    """How sure a guess is."""

    SURE = "sure"
    """Name and values fit."""
    LIKELY = "likely"
    """The name fits well, or not all values do."""
    GUESS = "guess"
    """Something about it fits."""


@dataclass(slots=True)
class Guess:
    """A rule for a target field."""

    target: str
    rule: Rule
    sureness: Sureness
    below: list[Guess] = field(default_factory=list)
    """Of a list of items, the rules of each."""
    items: list[list[Guess]] = field(default_factory=list)
    """Of a list with fixed entries, the rules of each entry."""
    follows: bool = False
    """Whether it is no guess of its own, but follows from another."""


@dataclass(slots=True)
class Draft:
    """Everything that was guessed."""

    kind: str
    """Of the cards; empty if the sample does not tell."""
    guesses: list[Guess]
    tables: dict[str, dict[str, str | None]]
    """Own tables by name: value of the sample → what it may mean; None where a person has to say."""
    unread: list[SampleField]
