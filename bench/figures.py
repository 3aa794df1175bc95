"""A figure, and the target that it must keep to: a multiple of something measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Yard = Literal["jobs", "loads"]
"""Parts of the yardstick: empty RQ jobs a second, and `orjson.loads` of cards a second. Neither is ours."""


@dataclass(frozen=True, slots=True)
class Target:
    """At least, or at most, so many times a base."""

    multiple: float
    of: Yard | float
    """A part of the yardstick, or another figure of the same bench in the same unit."""
    name: str = ""
    """What the other figure is; empty for the yardstick."""
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured; without a target it is told for understanding."""

    what: str
    value: float
    unit: str
    """`/s` for rates; `s` and `ms` for times; `MB`; `×`."""
    target: Target | None = None
    more: str = ""


def rate(what: str, per_second: float, jobs: float | None = None, *, more: str = "") -> Figure:
    """A rate, with the least number of empty RQ jobs' worth that it must reach."""
    return Figure(what, per_second, "/s", None if jobs is None else Target(jobs, "jobs"), more)


def duration(what: str, seconds: float, jobs: float, *, more: str = "") -> Figure:
    """A time, with the number of empty RQ jobs in whose time it must be over."""
    return Figure(what, seconds, "s", Target(jobs, "jobs", at_most=True), more)


def at_least(multiple: float, other: Figure) -> Target:
    """So many times another figure of this run, or more."""
    return Target(multiple, other.value, other.what)


def at_most(multiple: float, other: Figure) -> Target:
    """So many times another figure of this run, or less."""
    return Target(multiple, other.value, other.what, at_most=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure against its target."""

    figure: Figure
    share: float | None
    """How many times its base the figure is."""
    kept: bool


def judge(figure: Figure, yardstick: dict[Yard, float]) -> Judged:
    """Whether the figure keeps to its target; `yardstick` in rates a second."""
    target = figure.target
    if target is None:
        return Judged(figure, None, kept=True)
    base = target.of
    if isinstance(base, str):
        # A time is measured in the time that one job, or one reading, takes.
        base = 1 / yardstick[base] if figure.unit == "s" else yardstick[base]
    share = figure.value / base
    return Judged(figure, share, kept=share <= target.multiple if target.at_most else share >= target.multiple)


def told(judged: Judged) -> str:
    """A row of the table: what, figure, multiple and target, whether it is kept."""
    figure, target = judged.figure, judged.figure.target
    value = _number(figure.value) + (f" {figure.unit}" if figure.unit not in {"/s", "×"} else figure.unit)
    cells = [figure.what, f"{value}{'; ' + figure.more if figure.more else ''}", "", ""]
    if target is not None and judged.share is not None:
        base = target.name or {"jobs": "empty jobs", "loads": "readings"}[str(target.of)]
        sign = "≤" if target.at_most else "≥"
        cells[2:] = [f"{judged.share:.2f}", f"{sign} {target.multiple:g} × {base}{'' if judged.kept else ' MISSED'}"]
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
