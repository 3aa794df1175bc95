"""Whether the oldest pip that we support takes the lock files, and takes nothing that is not in them.

`python -m scripts.check_lock` makes a throw-away environment with that pip, lets it resolve `requirements/dev.lock` by
the very command that installs it (`scripts/install_lock.sh`), without installing, and holds what it chose against the
file. The newest pip needs no check of its own: whoever installs with it has made one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

OLDEST_PIP = "23.0.1"
"""That of Debian 12."""
_ROOT = Path(__file__).parent.parent
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def locked(lock: Path) -> set[tuple[str, str]]:
    """Normalised name (PEP 503) and version of everything that a lock file lists, whatever platform it is for."""
    return {(_normalised(name), version) for name, version in _LOCKED.findall(lock.read_text())}


def chosen(lock: Path, pip_version: str) -> dict[str, str]:
    """Version by normalised name of what this pip would install from a lock file on this machine.

    Raises:
        subprocess.CalledProcessError: pip refuses the lock file; what it says went to standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder) / "venv", with_pip=True)
        python, report = Path(folder) / "venv/bin/python", Path(folder) / "report.json"
        subprocess.run([python, "-m", "pip", "install", "-q", f"pip=={pip_version}"], check=True)  # noqa: S603
        command = ["bash", "scripts/install_lock.sh", python, lock, "--dry-run", "--ignore-installed", "--quiet"]
        subprocess.run([*command, "--report", report], check=True, cwd=_ROOT)  # noqa: S603
        found = json.loads(report.read_text())["install"]
    return {_normalised(each["metadata"]["name"]): each["metadata"]["version"] for each in found}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Exit code 0 if all is well; else the names are told."""
    lock = _ROOT / "requirements/dev.lock"
    expected, found = locked(lock), chosen(lock, OLDEST_PIP)
    outside = sorted(f"{name}=={version}" for name, version in found.items() if (name, version) not in expected)
    for each in outside:
        sys.stderr.write(f"pip {OLDEST_PIP} would install {each}, which is not in {lock.name}\n")
    return 1 if outside or not found else 0


if __name__ == "__main__":
    sys.exit(main())
