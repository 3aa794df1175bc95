"""Packages of npm that tests need, pinned by `tests/foreign/package-lock.json`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_LISTED = Path(__file__).parents[1] / "foreign"
_PACKAGES = Path(sys.prefix) / "npm"


def npm_packages() -> Path:
    """Where the packages are, installed when they are first used; the test is skipped where they cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no Node here: what needs its packages is not tried")
    _PACKAGES.mkdir(parents=True, exist_ok=True)
    with (_PACKAGES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        locked = (_LISTED / "package-lock.json").read_bytes()
        done = _PACKAGES / "done"
        if not done.exists() or done.read_bytes() != locked:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_LISTED / name, _PACKAGES)
            made = subprocess.run(
                [npm, "ci", "--no-audit", "--no-fund"], cwd=_PACKAGES, capture_output=True, timeout=300, check=False
            )
            if made.returncode:
                pytest.skip("npm cannot install the packages: what needs its packages is not tried")
            done.write_bytes(locked)
    return _PACKAGES
