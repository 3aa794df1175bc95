"""The alerts as data (`alerts.yaml`), and what is made of them: Prometheus's rules, and a runbook for each.

Both languages stand in every rule: `summary` and `runbook_url` are Vietnamese, those with `_en` behind them English. A
link begins with Prometheus's external label `hub`, the address of the hub, whose API serves the runbooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Language = Literal["vi", "en"]
Texts = Mapping[Language, str]
_METRIC = re.compile(r"\bhocba_[a-z_]+")
_SUFFIX = re.compile(r"_(total|bucket|sum|count)$")
_HEADINGS: Mapping[str, Mapping[Language, str]] = {
    "means": {"vi": "Ý nghĩa", "en": "What it means"},
    "look": {"vi": "Xem ở đâu", "en": "Look here"},
    "do": {"vi": "Làm gì", "en": "Do this"},
    "call": {"vi": "Khi nào gọi ai", "en": "When to call whom"},
    "alerts": {"vi": "Cảnh báo", "en": "Alerts"},
}
_TITLE: Texts = {"vi": "Sổ tay xử lý cảnh báo", "en": "Runbooks of the alerts"}


class Alert(BaseModel):
    """One alert; those of one `page` have one runbook, which the first of them tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^Hocba[A-Za-z]+$")
    page: str = ""
    severity: Literal["critical", "warning", "info"]
    expr: str
    wait: str = Field(alias="for")
    """How long the condition must hold."""
    keep: str | None = None
    """How long it counts as going on after it was last seen: so that one that comes and goes is one alert."""
    summary: Texts
    means: Texts | None = None
    look: Mapping[Language, Sequence[str]] | None = None
    do: Mapping[Language, Sequence[str]] | None = None
    call: Texts | None = None

    @property
    def runbook(self) -> str:
        """Name of its page: `HocbaRedisAway` → `redis-away`."""
        return self.page or re.sub(r"(?<!^)(?=[A-Z])", "-", self.name.removeprefix("Hocba")).lower()


class Alerts(BaseModel):
    """All of them, and the expressions that several use."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recordings: Mapping[str, str]
    alerts: Sequence[Alert]

    def metrics(self, expression: str) -> frozenset[str]:
        """The families of /metrics that an expression reads, also by way of a recording."""
        for name in sorted(self.recordings, key=len, reverse=True):
            if name in expression:
                expression = expression.replace(name, f"({self.recordings[name]})")
        return self.metrics(expression) if "hocba:" in expression else _families(expression)

    def pages(self) -> Mapping[str, Sequence[Alert]]:
        """The alerts of each runbook."""
        found: dict[str, list[Alert]] = {}
        for alert in self.alerts:
            found.setdefault(alert.runbook, []).append(alert)
        return found


def _families(expression: str) -> frozenset[str]:
    return frozenset(_SUFFIX.sub("", name) for name in _METRIC.findall(expression))


@cache
def alerts() -> Alerts:
    """The alerts of this version."""
    return Alerts.model_validate(yaml.safe_load(files(__package__).joinpath("alerts.yaml").read_bytes()))


def rules() -> str:
    """Prometheus's file of rules (2.42 or newer), YAML."""
    known = alerts()
    recordings = [{"record": name, "expr": expression} for name, expression in known.recordings.items()]
    groups = [
        {"name": "hocba-hub-recordings", "rules": recordings},
        {"name": "hocba-hub", "rules": [_rule(alert) for alert in known.alerts]},
    ]
    header = (
        "# Written by `make docs` from hocba_hub/monitoring/alerts.yaml; `hocba-hub alerts rules` prints it, too.\n"
    )
    return header + yaml.safe_dump({"groups": groups}, allow_unicode=True, sort_keys=False, width=10_000)


def _rule(alert: Alert) -> dict[str, Any]:
    where = "{{ $externalLabels.hub }}/runbooks/" + alert.runbook
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.wait,
        **({"keep_firing_for": alert.keep} if alert.keep else {}),
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary["vi"],
            "summary_en": alert.summary["en"],
            "runbook_url": where,
            "runbook_url_en": f"{where}?lang=en",
        },
    }


def runbook(page: str, language: Language) -> str | None:
    """A runbook as Markdown; None if there is none of this name."""
    of_page = alerts().pages().get(page)
    return None if of_page is None else "\n".join(_runbook_lines(of_page, language)) + "\n"


def runbooks_index(language: Language) -> str:
    """The list of all runbooks, with links to their files beside it."""
    suffix = ".vi.md" if language == "vi" else ".md"
    lines = [f"# {_TITLE[language]}", "", "| | | |", "|---|---|---|"]
    lines += [
        f"| [{alert.name}]({alert.runbook}{suffix}) | {alert.severity} | {plain(alert.summary[language])} |"
        for alert in alerts().alerts
    ]
    return "\n".join(lines) + "\n"


def _runbook_lines(of_page: Sequence[Alert], language: Language) -> Iterator[str]:
    told = of_page[0]
    assert told.means and told.look and told.do and told.call  # noqa: S101, PT018 - a test holds the file to it
    yield f"# {' · '.join(alert.name for alert in of_page)}"
    yield f"\n## {_HEADINGS['means'][language]}\n"
    yield told.means[language]
    for heading, steps in (("look", told.look), ("do", told.do)):
        yield f"\n## {_HEADINGS[heading][language]}\n"
        yield from (f"- {step}" for step in steps[language])
    yield f"\n## {_HEADINGS['call'][language]}\n"
    yield told.call[language]
    yield f"\n## {_HEADINGS['alerts'][language]}\n"
    for alert in of_page:
        yield f"- **{alert.name}** ({alert.severity}, {alert.wait}): {plain(alert.summary[language])}"
        yield f"\n      {alert.expr}\n"


def plain(summary: str) -> str:
    """A summary as people read it beside no alert: `{{ $labels.kind }}` → `…`."""
    return re.sub(r"\{\{[^}]*\}\}", "…", summary)
