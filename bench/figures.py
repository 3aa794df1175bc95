"""A figure, and the target that it must keep to: a multiple of something measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """At least, or at most, so much, where the machine is as quick as the design's; or so many times another figure."""

    limit: float
    other: Figure | None = None
    """Of the same run and in the same unit; None for the yardstick."""
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured; without a target it is told for understanding."""

    what: str
    value: float
    unit: str
    """`/s` for rates; `s` and `ms` for times; `MB`, `KB`, `series`."""
    target: Target | None = None
    more: str = ""

    def at_pace(self, pace: float) -> float:
        """What it would be at the design's pace: `pace` is this machine's, 1 for one as quick as the design's.

        Memory and numbers are the same at any.
        """
        if self.unit in {"MB", "KB", "series"}:
            return self.value
        return self.value * pace if self.unit in {"s", "ms"} else self.value / pace


def rate(what: str, per_second: float, at_least: float, *, more: str = "") -> Figure:
    """A rate, and what it must reach at the design's pace."""
    return Figure(what, per_second, "/s", Target(at_least), more)


def duration(what: str, seconds: float, at_most: float, *, more: str = "") -> Figure:
    """A time, and in how many seconds it must be over at the design's pace."""
    return Figure(what, seconds, "s", Target(at_most, at_most=True), more)


def at_least(multiple: float, other: Figure) -> Target:
    """So many times another figure of this run, or more."""
    return Target(multiple, other)


def at_most(multiple: float, other: Figure) -> Target:
    """So many times another figure of this run, or less."""
    return Target(multiple, other, at_most=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure against its target."""

    figure: Figure
    measure: float | None
    """What is held against the target's limit."""
    kept: bool


def judge(figure: Figure, pace: float) -> Judged:
    """Whether the figure keeps to its target on a machine of this pace."""
    target = figure.target
    if target is None:
        return Judged(figure, None, kept=True)
    measure = figure.at_pace(pace) if target.other is None else figure.value / target.other.value
    return Judged(figure, measure, kept=measure <= target.limit if target.at_most else measure >= target.limit)


def told(judged: Judged) -> str:
    """A row of the table: what, figure, what is held against the target, the target."""
    figure, target, measure = judged.figure, judged.figure.target, judged.measure
    cells = [figure.what, f"{_shown(figure.value, figure.unit)}{'; ' + figure.more if figure.more else ''}", "", ""]
    if target is not None and measure is not None:
        unit = figure.unit if target.other is None else "×"
        of = f" {target.other.what}" if target.other is not None else ""
        sign = "≤" if target.at_most else "≥"
        cells[2:] = [
            _shown(measure, unit),
            f"{sign} {_shown(target.limit, unit)}{of}{'' if judged.kept else ' MISSED'}",
        ]
    return f"| {' | '.join(cells)} |"


def _shown(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number}{unit}" if unit == "/s" else f"{number} {unit}"
