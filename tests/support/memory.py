"""What memory a process takes, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

needs_linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")


def memory_mb(*, peak: bool = False, pid: int | str = "self") -> float:
    """What it holds now, or the most it has held since `forget_peak`."""
    name = "VmHWM" if peak else "VmRSS"
    return int(Path(f"/proc/{pid}/status").read_text().partition(f"{name}:")[2].split()[0]) / 1024


def forget_peak(pid: int | str = "self") -> float:
    """The peak begins anew; what the process holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return memory_mb(pid=pid)
