"""A bench fails where a figure misses its target, and where something did not work; targets go by the same run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.figures import Figure, Target, at_least, at_most, duration, judge, rate, told
from bench.yardstick import Yardstick

HALF = Yardstick(213, 35_500)
"""Half as quick as the design's machine."""


@pytest.mark.parametrize(
    ("figure", "measure", "kept"),
    [
        (rate("x", 600, 1_200), 1_200, True),
        (rate("x", 599, 1_200), 1_198, False),
        (duration("x", 6, 3), 3, True),
        (duration("x", 7, 3), 3.5, False),
        (Figure("x", 59, "/s", at_least(0.6, Figure("y", 100, "/s"))), 0.59, False),
        (Figure("x", 300, "MB", Target(300, at_most=True)), 300, True),  # memory is the same at any pace
        (Figure("x", 301, "MB", Target(300, at_most=True)), 301, False),
        (Figure("x", 120, "MB", at_most(1.2, Figure("y", 100, "MB"))), 1.2, True),
        (Figure("x", 121, "MB", at_most(1.2, Figure("y", 100, "MB"))), 1.21, False),
        (Figure("x", 1, "KB"), None, True),
    ],
)
def test_a_figure_is_held_against_what_was_measured_in_the_same_run(figure, measure, kept):
    judged = judge(figure, HALF.pace)
    assert (judged.measure, judged.kept) == (pytest.approx(measure) if measure else None, kept)
    assert ("MISSED" in told(judged)) is not kept


@pytest.mark.parametrize(
    ("share", "figure", "code"),
    [(1, 600.0, 0), (1, 500.0, 1), (0.5, 500.0, 0)],
    ids=["kept", "missed", "slow machine"],
)
def test_the_exit_code_says_whether_all_targets_were_kept(monkeypatch: pytest.MonkeyPatch, capsys, share, figure, code):
    monkeypatch.setattr("bench.yardstick.measure", lambda: Yardstick(426 * share, 71_000 * share))
    monkeypatch.setitem(bench.MEASUREMENTS, "accept", lambda _: [rate("cards", figure, 600)])
    monkeypatch.setattr(sys, "argv", ["bench", "accept"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == code
    assert f"| cards | {figure:.0f}/s |" in capsys.readouterr().out


def test_what_did_not_work_fails_the_bench_and_what_was_measured_before_is_told(monkeypatch, capsys):
    def measure(_: Path) -> Iterator[Figure]:
        yield Figure("first", 5, "/s")
        raise AssertionError("not everything was delivered")

    monkeypatch.setattr("bench.yardstick.measure", lambda: HALF)
    assert not bench.run("end-to-end", measure)
    out = capsys.readouterr().out
    assert "| first |" in out
    assert "FAILED: not everything was delivered" in out


def test_a_bench_without_a_target_fails(monkeypatch):
    monkeypatch.setattr("bench.yardstick.measure", lambda: HALF)
    assert not bench.run("accept", lambda _: [Figure("x", 1, "/s")])
    assert bench.run("yardstick", lambda _: [Figure("x", 1, "/s")])
