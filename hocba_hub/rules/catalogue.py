"""The catalogue of rules: each found by its code, and those that a card is checked by chosen by what it is.

One file per matter declares them; `docs/rules.md` is made from here. The way of one card is in `checking.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.model.findings import FindingKind, finding_kinds
from hocba_hub.rules import between, cross, identity, learning, outcome, primary, secondary
from hocba_hub.rules import superseded_circulars as earlier
from hocba_hub.rules.circulars import EARLIER, SINCE, first_year
from hocba_hub.rules.rule import Rule
from hocba_hub.rules.view import Scope

RULES: tuple[Rule, ...] = (
    *primary.RULES, *secondary.RULES, *learning.RULES, *outcome.RULES, *earlier.RULES, *identity.RULES, *cross.RULES,
)  # fmt: skip
"""Rules of one card, each after those that its findings may follow from."""
BETWEEN: tuple[Rule, ...] = between.RULES
"""Rules of a card and the pupil's other cards."""
OF_CLASS: tuple[Rule, ...] = between.CLASS_RULES
"""Rules of a class."""

CATALOGUE: Mapping[str, Rule] = {rule.code: rule for rule in (*RULES, *BETWEEN, *OF_CLASS)}
"""Code → rule: every rule there is."""

KINDS: Mapping[str, FindingKind] = finding_kinds("hocba_hub.rules")
"""Code → kind: every kind of finding that rules can make."""

ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "S2": (
        "Mô hình học bạ chỉ nhận điểm từ 0 đến 10, số nguyên hoặc một chữ số thập phân: `schema.pattern`.",
        "The model of a card takes only marks from 0 to 10, whole or with one decimal: `schema.pattern`.",
    ),
    "S16": (
        "Học sinh khuyết tật không đánh giá: các quy tắc cần đánh giá trả lời `unchecked.not-assessed`.",
        "A disabled pupil who is not assessed: rules that need an assessment answer `unchecked.not-assessed`.",
    ),
}
"""Rows of the circulars' rules that need no rule of their own → where they are kept, Vietnamese and English."""


def is_applied(rule: Rule, scope: Scope) -> bool:
    """Whether a rule is one for cards of this kind, level, circular, grade and school year."""
    year = first_year(scope.school_year)
    return (
        scope.kind in rule.kinds
        and (not rule.levels or scope.level in rule.levels)
        and (not rule.circulars or scope.circular in rule.circulars)
        and scope.grade in rule.grades
        and rule.since <= year
        and (rule.until is None or year <= rule.until)
        and (not rule.circulars or _is_in_force(scope, year))
    )


def _is_in_force(scope: Scope, year: int) -> bool:
    """Whether the card's circular was the grade's in that school year; `cross.circular-year` says so where not."""
    return (year < SINCE[scope.grade]) == (scope.circular in EARLIER)
