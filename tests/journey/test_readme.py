"""The README's first five minutes, typed as they stand there: both languages give the same commands, and they work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]


def first_minutes(page: str) -> str:
    """The block of commands that starts the hub."""
    blocks = re.findall(r"```\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "hocba-hub up" in block)


def commands(block: str) -> list[str]:
    return [line.partition("  #")[0].rstrip() for line in block.splitlines()]


def test_both_languages_give_the_same_commands():
    assert commands(first_minutes("README.md")) == commands(first_minutes("README.vi.md"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's reader has curl; this machine has not")
@pytest.mark.timeout(120)
def test_the_first_five_minutes(tmp_path: Path):
    ports = {"8080": free_port(), "8091": free_port(), "8092": free_port()}
    script = first_minutes("README.md").replace(
        "hocba-hub sandbox", f"hocba-hub sandbox --port-province {ports['8091']} --port-ministry {ports['8092']}"
    )
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{ports['8080']}")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOCBA_")} | {
        "HOCBA_PORT": str(ports["8080"]),
        "HOCBA_PROVINCE_URL": f"http://127.0.0.1:{ports['8091']}",
        "HOCBA_MINISTRY_URL": f"http://127.0.0.1:{ports['8092']}/soap",
        "HOCBA_FREE_DISK_BYTES": "0",
    }
    shell = subprocess.Popen(
        ["bash", "-e", "-c", f"{script}\nwait_for=$(jobs -p); kill $wait_for; wait"], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = shell.communicate(timeout=100)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGTERM)
    assert '"submission_id":' in out, err
    answer = (tmp_path / "answer.json").read_text(encoding="utf-8")
    assert '"code": "schema.' in answer  # the planted defects are named
    assert "học" in answer
    assert "hocba_deliveries" in out
