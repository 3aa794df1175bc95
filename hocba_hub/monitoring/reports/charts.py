"""The charts of a report, drawn by matplotlib without a screen."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matplotlib.figure import Figure

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.windows import Level
from hocba_hub.monitoring.reports.content import COLOURS, COUNTS, LEVELS, communes, in_order, weeks
from hocba_hub.store.reports import Report

_MOST_COMMUNES = 15


def by_level(facts: Mapping[str, Any], destination: str) -> bytes | None:
    """Bars of a destination: how the cards of each level stand. None if there are none."""
    levels = {level: counts for level, counts in in_order(facts["totals"][destination]) if any(counts.values())}
    if not levels:
        return None
    figure = Figure(figsize=(7, 0.8 + 0.55 * len(levels)), layout="constrained")
    axes = figure.add_subplot()
    names = [LEVELS[Level(level)] for level in levels]
    left = [0] * len(names)
    for count, colour in COLOURS.items():
        values = [counts[count] for counts in levels.values()]
        axes.barh(names, values, left=left, color=f"#{colour}", label=COUNTS[count])
        left = [before + value for before, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_title(facts["destinations"][destination], fontsize=10)
    _plain(axes)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return _png(figure)


def progress(report: Report) -> bytes | None:
    """Lines of what was acknowledged week by week; None before the second week."""
    told = weeks(report)
    if len(told) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.add_subplot()
    days = [datetime.fromtimestamp(until / 1000, VIETNAM).strftime("%d/%m") for until, _ in told]
    for name, of_it in report.facts["destinations"].items():
        axes.plot(days, [counts.get(name, 0) for _, counts in told], marker="o", markersize=3, label=of_it)
    axes.set_title("Học bạ đã xác nhận, theo tuần", fontsize=10)
    axes.set_ylim(bottom=0)
    _plain(axes)
    axes.legend(fontsize=8, frameon=False)
    return _png(figure)


def missing_by_commune(facts: Mapping[str, Any]) -> bytes | None:
    """Bars of the communes with most missing; None if nothing is missing."""
    rows = [(str(row[0]), int(row[6])) for row in communes(facts)[:_MOST_COMMUNES] if row[6]]
    if not rows:
        return None
    figure = Figure(figsize=(7, 0.8 + 0.28 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh([name for name, _ in rows], [cards for _, cards in rows], color=f"#{COLOURS['missing']}")
    axes.invert_yaxis()
    axes.set_title("Xã còn thiếu nhiều học bạ nhất", fontsize=10)
    _plain(axes)
    return _png(figure)


def _plain(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})
    return out.getvalue()
