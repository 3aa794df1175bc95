"""A bench fails where a figure misses its target, and where something did not work; targets go by the same run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.figures import Figure, Target, at_least, at_most, duration, judge, rate, told

YARDSTICK = {"jobs": 100.0, "loads": 20_000.0}


@pytest.mark.parametrize(
    ("figure", "share", "kept"),
    [
        (rate("x", 600, 6), 6.0, True),
        (rate("x", 599, 6), 5.99, False),
        (duration("x", 2.0, 200), 200.0, True),  # an empty job takes 10 ms
        (duration("x", 2.1, 200), 210.0, False),
        (Figure("x", 5_000, "/s", Target(0.25, "loads")), 0.25, True),
        (Figure("x", 59, "/s", at_least(0.6, Figure("y", 100, "/s"))), 0.59, False),
        (Figure("x", 120, "MB", at_most(1.2, Figure("y", 100, "MB"))), 1.2, True),
        (Figure("x", 121, "MB", at_most(1.2, Figure("y", 100, "MB"))), 1.21, False),
        (Figure("x", 1, "KB"), None, True),
    ],
)
def test_a_figure_is_held_against_what_was_measured_in_the_same_run(figure, share, kept):
    judged = judge(figure, YARDSTICK)
    assert (judged.share, judged.kept) == (pytest.approx(share) if share else None, kept)
    assert ("MISSED" in told(judged)) is not kept


@pytest.mark.parametrize(
    ("jobs", "figure", "code"),
    [(100, 600.0, 0), (100, 500.0, 1), (50, 500.0, 0)],
    ids=["kept", "missed", "slow machine"],
)
def test_the_exit_code_says_whether_all_targets_were_kept(monkeypatch: pytest.MonkeyPatch, capsys, jobs, figure, code):
    monkeypatch.setattr("bench.yardstick.measure", lambda: YARDSTICK | {"jobs": jobs})
    monkeypatch.setitem(bench.MEASUREMENTS, "accept", lambda _: [rate("cards", figure, 6)])
    monkeypatch.setattr(sys, "argv", ["bench", "accept"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == code
    assert f"| cards | {figure:.0f}/s |" in capsys.readouterr().out


def test_what_did_not_work_fails_the_bench_and_what_was_measured_before_is_told(monkeypatch, capsys):
    def measure(_: Path) -> Iterator[Figure]:
        yield Figure("first", 5, "/s")
        raise AssertionError("not everything was delivered")

    monkeypatch.setattr("bench.yardstick.measure", lambda: YARDSTICK)
    assert not bench.run("end-to-end", measure)
    out = capsys.readouterr().out
    assert "| first |" in out
    assert "FAILED: not everything was delivered" in out


def test_a_bench_without_a_target_fails(monkeypatch):
    monkeypatch.setattr("bench.yardstick.measure", lambda: YARDSTICK)
    assert not bench.run("accept", lambda _: [Figure("x", 1, "/s")])
    assert bench.run("yardstick", lambda _: [Figure("x", 1, "/s")])
