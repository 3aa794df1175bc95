"""What an installation may say about rules: switch one off, change its severity, set a circular's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from hocba_hub.model.findings import Severity
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.rules.circulars import THRESHOLDS, Thresholds

_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING}
_FIGURES = {figure.name for figure in fields(Thresholds)}


class RuleConfigurationError(ValueError):
    """The configuration of rules is not understood."""

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where}: expected {expected}")
        self.where = where
        """The entry, as a path of keys."""
        self.expected = expected


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """How rules are applied; two are the same only if they are one, so that rule sets can be kept by it."""

    switched_off: frozenset[str] = frozenset()
    """Codes of rules that are not applied."""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    """Code → severity in place of the rule's own."""
    thresholds: Mapping[str, Thresholds] = field(default_factory=lambda: THRESHOLDS)
    """Circular → its figures."""


DEFAULT = Configuration()
"""Every rule, as it is declared."""


def configured(document: object) -> Configuration:
    """The configuration that a document such as this says, which may be read from YAML or JSON.

    `rules: {secondary.retest: off, secondary.promoted: {severity: warning}}` and
    `thresholds: {TT43/2021: {enough: 5}}`; severities are error and warning.

    Raises RuleConfigurationError for anything else.
    """
    parts = _mapping(document if document is not None else {}, "", "rules, thresholds")
    if unknown := parts.keys() - {"rules", "thresholds"}:
        raise RuleConfigurationError(str(min(unknown, key=str)), "rules, thresholds")
    switched_off: set[str] = set()
    severities: dict[str, Severity] = {}
    for code, wanted in _mapping(parts.get("rules", {}), "rules", "{ }").items():
        if code not in CATALOGUE:
            raise RuleConfigurationError(f"rules/{code}", "hocba-hub rules list")
        if wanted is False or wanted == "off":
            switched_off.add(code)
        elif isinstance(wanted, Mapping) and wanted.keys() == {"severity"} and str(wanted["severity"]) in _SEVERITIES:
            severities[code] = _SEVERITIES[str(wanted["severity"])]
        else:
            raise RuleConfigurationError(f"rules/{code}", "off, {severity: error}, {severity: warning}")
    thresholds = dict(THRESHOLDS)
    for circular, figures in _mapping(parts.get("thresholds", {}), "thresholds", "{ }").items():
        if circular not in THRESHOLDS:
            raise RuleConfigurationError(f"thresholds/{circular}", ", ".join(THRESHOLDS))
        thresholds[circular] = replace(THRESHOLDS[circular], **_figures(figures, f"thresholds/{circular}"))
    return Configuration(frozenset(switched_off), severities, thresholds)


def _mapping(value: object, where: str, expected: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise RuleConfigurationError(where or "/", expected)
    return value


def _figures(value: object, where: str) -> dict[str, int]:
    figures = _mapping(value, where, ", ".join(sorted(_FIGURES)))
    for name, figure in figures.items():
        if name not in _FIGURES:
            raise RuleConfigurationError(f"{where}/{name}", ", ".join(sorted(_FIGURES)))
        if type(figure) is not int or figure < 1:
            raise RuleConfigurationError(f"{where}/{name}", "1, 2, 3, …")
    return dict(figures)
