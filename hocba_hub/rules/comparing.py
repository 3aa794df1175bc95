"""What needs more than the card: the pupil's other cards, its class, and the day on which it comes."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.model.compared_card import ComparedCard
from hocba_hub.model.finding_kinds import LATE, WINDOW_CLOSED
from hocba_hub.model.findings import Finding
from hocba_hub.model.windows import IntakeWindows, level_of
from hocba_hub.rules.between import ClassFigures
from hocba_hub.rules.catalogue import BETWEEN, KINDS, OF_CLASS
from hocba_hub.rules.configuration import DEFAULT, Configuration
from hocba_hub.rules.rule import Objection, Rule

_OTHER_CARD = KINDS["between.other-card"]
FAMILIES = frozenset({"between", "class"})
"""Families of the findings that are made here by rules."""
ALWAYS = IntakeWindows()
"""Cards may come at any time."""


class CardComparison:
    """The rules between cards and of classes, under one configuration, and when cards are due."""

    def __init__(self, configuration: Configuration = DEFAULT, windows: IntakeWindows = ALWAYS) -> None:
        self._windows = windows
        self._between, self._of_class = (
            tuple(
                (rule, rule.kind(severity=configuration.severities.get(rule.code)))
                for rule in rules
                if rule.code not in configuration.switched_off
            )
            for rules in (BETWEEN, OF_CLASS)
        )
        self._thresholds = configuration.thresholds

    def between(
        self, card: ComparedCard, others: Sequence[ComparedCard], previous: ComparedCard | None = None
    ) -> list[Finding]:
        """What is found of a card beside the pupil's `others`, and beside its own `previous` version.

        Where only the other card is found wrong, as when the card of an earlier year comes later, this one is told
        so too: the fault may lie in either. About a recall nothing is found.
        """
        if card.recalled or not (others or previous):
            return []
        beside = others if previous is None else [*others, previous]
        found = [
            Finding(kind, objection.pointer, objection.expected)
            for rule, kind in self._between
            for objection in rule.check(card, beside)
            if isinstance(objection, Objection)
        ]
        told = {finding.kind.code for finding in found}
        for other in others:
            if codes := self._against(other, card, others) - told:
                facts: dict[str, str | int] = {
                    "rules": ", ".join(sorted(codes)), "school": other.school, "school_year": other.key.school_year,
                }  # fmt: skip
                found.append(Finding(_OTHER_CARD, "", facts=facts))
        return found

    def of_day(self, card: ComparedCard, received_at: int) -> list[Finding]:
        """What is found of a new card that comes at a moment (milliseconds)."""
        if not self._windows.windows or card.recalled:
            return []
        closed = self._windows.closed_on(level_of(card.circular, card.grade), card.key.school_year, received_at)
        if closed is None:
            return []
        kind = LATE if self._windows.late == "accept" else WINDOW_CLOSED
        return [Finding(kind, "", facts={"closed": f"{closed:%d/%m/%Y}"})]

    def of_class(self, circular: str, figures: ClassFigures) -> list[Finding]:
        """What is found of a card's class."""
        limits = self._thresholds[circular]
        return [
            Finding(kind, objection.pointer, objection.expected)
            for rule, kind in self._of_class
            for objection in rule.check(limits, figures)
            if isinstance(objection, Objection)
        ]

    def _against(self, card: ComparedCard, cause: ComparedCard, all_but_cause: Sequence[ComparedCard]) -> set[str]:
        """Codes of what is found of `card` that `cause` alone would give, too."""
        if card.recalled:
            return set()
        alone = self._codes(card, [cause])
        if alone and len(all_but_cause) > 1:
            alone &= self._codes(card, [cause, *(other for other in all_but_cause if other is not card)])
        return alone

    def _codes(self, card: ComparedCard, others: Sequence[ComparedCard]) -> set[str]:
        return {rule.code for rule, _ in self._between if _fails(rule, card, others)}


def _fails(rule: Rule, card: ComparedCard, others: Sequence[ComparedCard]) -> bool:
    return any(isinstance(outcome, Objection) for outcome in rule.check(card, others))
