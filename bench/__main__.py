"""Measures the hub on this machine: `python -m bench [NAME ...]`; without names, everything. See README.md."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import accept, delivery, mapping, resilience, rules, scale, yardstick

MEASUREMENTS: dict[str, Callable[[Path], list[tuple[str, str]]]] = {
    "yardstick": yardstick.measure,
    "accept": accept.measure,
    "accept-slow-disk": accept.measure_slow_disk,
    "end-to-end": delivery.measure,
    "plain": delivery.measure_plain,
    "recovery": resilience.measure,
    "cold-start": resilience.measure_cold_start,
    "metrics": scale.measure_metrics,
    "flat": scale.measure_flat,
    "mapping": mapping.measure,
    "rules": rules.measure,
    "memory": scale.measure_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], help="what to measure")
    names = parser.parse_args().names or list(MEASUREMENTS)
    print(f"{platform.platform()}, Python {platform.python_version()}")
    failed = False
    for name in names:
        print(f"\n## {name}")
        with tempfile.TemporaryDirectory(prefix="hocba-bench-", dir="/tmp") as folder:
            Path(folder).chmod(0o755)
            start = time.monotonic()
            try:
                for what, figure in MEASUREMENTS[name](Path(folder)):
                    print(f"| {what} | {figure} |", flush=True)
            except AssertionError as error:
                failed = True
                print(f"FAILED: {error}")
            print(f"({time.monotonic() - start:.0f} s)")
    sys.exit(failed)


if __name__ == "__main__":
    main()
