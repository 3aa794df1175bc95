"""Checking a card: the rules of its scope, chosen once, then every finding at once, dependent ones folded.

`rules_for(card).check(card)` is all that a caller needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from hocba_hub.model.card import AnyCard
from hocba_hub.model.findings import Finding, FindingKind, Severity
from hocba_hub.rules.catalogue import RULES, is_applied
from hocba_hub.rules.configuration import DEFAULT, Configuration
from hocba_hub.rules.rule import Check, Objection, Outcome, Reason, Rule, Unchecked
from hocba_hub.rules.view import Scope, basis, scope_of, view_of

_WEIGHTS = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.NOT_CHECKABLE: 0}
_TELLABLE = re.compile(
    r"/circular|/year/(?:learning|training)/[a-z0-9]+|/year/(?:result|title|promoted|completed_grade|completed_primary)"
    r"|/year/subjects/[0-9]+/(?:term1|term2|year|retest|level|test)"
)
"""Places of which a finding tells what the card says there: it is told to nobody but those who may see the card."""
_ROW = re.compile(r"/year/subjects/[0-9]+(?=/|$)")


class _Plan(NamedTuple):
    """What is applied to cards of one standing, and what is known beforehand not to be."""

    applied: tuple[tuple[Rule, Check], ...]
    unchecked: tuple[Finding, ...]


class RuleSet:
    """The rules of one scope under one configuration."""

    def __init__(self, scope: Scope, configuration: Configuration) -> None:
        self.scope = scope
        self.basis = basis(scope, configuration.thresholds[scope.circular])
        self.rules = tuple(
            rule for rule in RULES if is_applied(rule, scope) and rule.code not in configuration.switched_off
        )
        self._kinds: dict[str, FindingKind] = {
            rule.code: rule.kind(scope.circular, configuration.severities.get(rule.code)) for rule in self.rules
        }
        self._plans = {
            (paper, plan): self._plan(paper=paper, plan=plan) for paper in (False, True) for plan in (False, True)
        }

    def _plan(self, *, paper: bool, plan: bool) -> _Plan:
        """What is applied to a card transcribed from paper or not, of a pupil with a plan of his or her own or not."""
        applied, unchecked = [], []
        for rule in self.rules:
            if paper and not rule.checks_paper:
                unchecked.append((rule, Unchecked(Reason.TRANSCRIBED)))
            elif plan and rule.needs_assessment:
                unchecked.append((rule, Unchecked(Reason.NOT_ASSESSED, "/pupil/not_assessed")))
            else:
                applied.append((rule, rule.check))
        return _Plan(tuple(applied), tuple(_grouped(unchecked)))

    def check(self, card: AnyCard) -> list[Finding]:
        """Every finding about a card of this scope: errors and warnings first, then what could not be checked.

        Nothing is changed. About a recall nothing is found: whatever a card says, it may be taken back. What the
        pupil's other cards say against it is found by `comparing.py`.
        """
        if card.is_recalled:
            return []
        plan = self._plans[card.transcribed, card.pupil.not_assessed]
        view = view_of(card, self.basis)
        found: list[tuple[Rule, Outcome]] = []
        for rule, check in plan.applied:
            for outcome in check(view):
                found.append((rule, outcome))  # noqa: PERF401 - mostly nothing is found
        return [*self._findings(found, card), *plan.unchecked] if found else list(plan.unchecked)

    def _findings(self, found: Iterable[tuple[Rule, Outcome]], card: AnyCard) -> list[Finding]:
        objections: list[tuple[Rule, Finding]] = []
        unchecked: list[tuple[Rule, Unchecked]] = []
        for rule, outcome in found:
            if isinstance(outcome, Objection):
                facts: dict[str, str | int] = {"sent": sent} if (sent := _sent(card, outcome.pointer)) else {}
                finding = Finding(self._kinds[rule.code], outcome.pointer, outcome.expected, facts=facts)
                objections.append((rule, finding))
            else:
                unchecked.append((rule, outcome))
        return [*_folded(objections), *_grouped(unchecked)]


def _sent(card: AnyCard, pointer: str) -> str:
    """What the card says at a place, where that is a level, a mark or a code; of anything else, nothing."""
    if not _TELLABLE.fullmatch(pointer):
        return ""
    value: Any = card
    for step in pointer.strip("/").split("/"):
        value = value[int(step)] if step.isdigit() else getattr(value, step)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=1024)
def _rule_set(scope: Scope, configuration: Configuration) -> RuleSet:
    return RuleSet(scope, configuration)


def rules_for(card: AnyCard, configuration: Configuration = DEFAULT) -> RuleSet:
    """The rules that a card is checked by; made once for all cards of its level, circular, grade and school year."""
    return _rule_set(scope_of(card), configuration)


def _folded(objections: Sequence[tuple[Rule, Finding]]) -> Iterable[Finding]:
    """The findings with dependent ones under their roots: the first finding that they follow from and not outweigh.

    Findings of two different subjects never follow from each other.
    """
    if len(objections) <= 1:
        return [finding for _, finding in objections]
    roots: list[tuple[Rule, Finding, list[Finding]]] = []
    holders: list[tuple[Rule, Finding, list[Finding]]] = []
    for rule, finding in objections:
        holder = next(
            ((root, first, under) for root, first, under in holders if _may_cause(root, first, rule, finding)), None
        )
        if holder is None:
            under: list[Finding] = []
            roots.append((rule, finding, under))
        else:
            under = holder[2]
            under.append(finding)
        holders.append((rule, finding, under))
    return [replace(finding, folded=tuple(under)) if under else finding for _, finding, under in roots]


def _may_cause(root: Rule, first: Finding, rule: Rule, finding: Finding) -> bool:
    if root.code not in rule.follows or _WEIGHTS[first.kind.severity] < _WEIGHTS[finding.kind.severity]:
        return False
    places = _ROW.match(first.pointer), _ROW.match(finding.pointer)
    return places[0] is None or places[1] is None or places[0][0] == places[1][0]


def _grouped(unchecked: Sequence[tuple[Rule, Unchecked]]) -> list[Finding]:
    """One finding a reason: what could not be checked, at the place that all have in common."""
    codes: dict[Reason, dict[str, None]] = {}
    pointers: dict[Reason, set[str]] = {}
    for rule, (reason, pointer) in unchecked:
        codes.setdefault(reason, {})[rule.code] = None
        pointers.setdefault(reason, set()).add(pointer)
    return [
        _unchecked(reason, next(iter(places)) if len(places) == 1 else "/year", tuple(codes[reason]))
        for reason, places in pointers.items()
    ]


@lru_cache(maxsize=4096)
def _unchecked(reason: Reason, pointer: str, codes: tuple[str, ...]) -> Finding:
    return Finding(reason.value, pointer, facts={"rules": ", ".join(codes)})
