"""Measures the hub on this machine: `python -m bench [NAME …]`; without names, all but the long ones. See README.md.

Exit code 1 if a figure misses its target or a bench fails.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import (
    accept,
    audit,
    console,
    deadlines,
    delivery,
    files,
    formats,
    mapping,
    reconcile,
    replay,
    resilience,
    rules,
    scale,
    side_by_side,
    story,
    yardstick,
)
from bench.figures import Figure, judge, told

Measurement = Callable[[Path], Iterable[Figure]]
MEASUREMENTS: dict[str, Measurement] = {
    "yardstick": yardstick.figures,
    "accept": accept.measure,
    "accept-slow-disk": accept.measure_slow_disk,
    "formats": formats.measure,
    "files": files.measure,
    "end-to-end": delivery.measure,
    "recovery": resilience.measure,
    "cold-start": resilience.measure_cold_start,
    "audit": audit.measure,
    "metrics": scale.measure_metrics,
    "mapping": mapping.measure,
    "rules": rules.measure,
}
LONG: dict[str, Measurement] = {
    "flat": scale.measure_flat,
    "memory": scale.measure_memory,
    "reconcile": reconcile.measure,
    "replay": replay.measure,
    "console": console.measure,
    "deadlines": deadlines.measure_deadlines,
    "story": story.measure,
    "side-by-side": side_by_side.measure,
}
"""They take ten minutes each, or need more than `make bench` installs."""


def run(name: str, measure: Measurement) -> bool:
    """Measure between two looks at the yardstick and print the table; whether every target was kept."""
    print(f"\n## {name}\n\n| what | figure | at the design's pace | target |\n|---|---|---|---|", flush=True)
    start, before = time.monotonic(), yardstick.measure()
    with tempfile.TemporaryDirectory(prefix="hocba-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        figures: list[Figure] = []
        failed = ""
        try:
            figures.extend(measure(Path(folder)))
        except AssertionError as error:
            failed = str(error)
    if not failed and name != "yardstick" and not any(figure.target for figure in figures):
        failed = "no figure has a target, so that this could not fail"
    between = yardstick.mean(before, yardstick.measure())
    judged = [judge(figure, between.pace) for figure in figures]
    for one in judged:
        print(told(one))
    print(f"\nYardstick: {between} ({time.monotonic() - start:.0f} s)", flush=True)
    if failed:
        print(f"FAILED: {failed}")
    return not failed and all(one.kept for one in judged)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, *LONG, []], help="what to measure")
    names = parser.parse_args().names or list(MEASUREMENTS)
    print(f"{platform.platform()}, Python {platform.python_version()}")
    kept = [run(name, (MEASUREMENTS | LONG)[name]) for name in names]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
