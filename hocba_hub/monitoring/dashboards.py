"""The dashboards as data (`dashboards.yaml`), and the files that Grafana reads (10 or newer)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_WIDTH, _STAT, _SERIES = 24, (6, 4), (12, 8)
"""Columns of a dashboard; columns and rows of a panel."""
_SOURCE = {"type": "prometheus", "uid": "${source}"}


class Panel(BaseModel):
    """One picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    shape: Literal["stat", "series"] = Field(alias="as")
    unit: str
    """As Grafana calls it."""
    vi: str
    en: str
    queries: Mapping[str, str]
    """What each series is called (`{{label}}` stands for a label's value) -> PromQL."""


class Dashboard(BaseModel):
    """One page of pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: Mapping[Literal["vi", "en"], str]
    variable: str | None = None
    """A label whose value is chosen in the dashboard."""
    panels: Sequence[Panel]


@cache
def dashboards() -> Mapping[str, Dashboard]:
    """The dashboards of this version, by name."""
    read = yaml.safe_load(files(__package__).joinpath("dashboards.yaml").read_bytes())
    return TypeAdapter(dict[str, Dashboard]).validate_python(read)


def grafana(name: str) -> bytes:
    """The file of one dashboard, JSON."""
    dashboard = dashboards()[name]
    document = {
        "uid": f"hocba-{name}",
        "title": f"Học bạ số · {dashboard.title['vi']} · {dashboard.title['en']}",
        "tags": ["hocba-hub"],
        "schemaVersion": 39,
        "timezone": "Asia/Ho_Chi_Minh",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["hocba-hub"], "title": "Học bạ số", "asDropdown": True}],
        "templating": {"list": list(_variables(dashboard))},
        "panels": list(_panels(dashboard)),
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _variables(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    yield {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    if dashboard.variable is not None:
        values = f"label_values(hocba_breaker_open, {dashboard.variable})"
        yield {
            "name": dashboard.variable, "label": dashboard.variable, "type": "query", "datasource": _SOURCE,
            "definition": values, "query": {"query": values, "refId": "values"}, "refresh": 2, "sort": 1,
        }  # fmt: skip


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """The panels from left to right, in rows of the height of their highest."""
    x = y = height = 0
    for number, panel in enumerate(dashboard.panels, start=1):
        width, rows = _STAT if panel.shape == "stat" else _SERIES
        if x + width > _WIDTH:
            x, y, height = 0, y + height, 0
        yield {
            "id": number,
            "type": "stat" if panel.shape == "stat" else "timeseries",
            "title": f"{panel.vi} · {panel.en}",
            "datasource": _SOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": rows},
            "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
                for place, (legend, query) in enumerate(panel.queries.items())
            ],
        }
        x, height = x + width, max(height, rows)
