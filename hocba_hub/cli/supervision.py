"""Keeping child processes alive: started together, started again when they die, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import click

from hocba_hub.cli.texts import text

_AGAIN_SECONDS = (0.1, 0.5, 2.0, 5.0)
"""Waits before a child that keeps dying is started again."""
_CALM_SECONDS = 10.0
"""A child that lived this long starts its waits anew."""
_STOP_SECONDS = 30.0
_WAITING_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stops_last: bool = False
    """The others need it until they have ended."""
    is_quiet: bool = False
    """What it writes to standard output is thrown away."""
    waits: bool = False
    """It is first started when the others are ready."""
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0

    def start(self) -> None:
        """Start it; it gets SIGTERM should this process die."""
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            list(self.command),
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL if self.is_quiet else None,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it only asks the kernel
        )
        self.started_at = time.monotonic()


def hub_command(*arguments: str) -> list[str]:
    """The command line that runs a `hocba-hub` command in a process of its own."""
    return [sys.executable, "-m", "hocba_hub", *arguments]


class Supervisor:
    """Runs children until this process is told to stop."""

    def __init__(self, children: Sequence[Child], *, is_ready: Callable[[], bool] = lambda: True) -> None:
        """Children are started in this order; those that wait when `is_ready` says so, or after twenty seconds."""
        self.children = list(children)
        self._is_ready, self._waiting_ends = is_ready, 0.0
        self._stop = False

    def start(self) -> None:
        """Start every child that does not wait; `watch` starts the others."""
        self._waiting_ends = time.monotonic() + _WAITING_SECONDS
        self.watch()

    def watch(self) -> None:
        """One look at the children: who died is started again, after a growing wait."""
        now = time.monotonic()
        if now < self._waiting_ends and self._is_ready():
            self._waiting_ends = now
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                ended = child.process.returncode
                calm = now - child.started_at > _CALM_SECONDS
                child.deaths = 0 if calm else child.deaths + 1
                child.start_again_at = now + _AGAIN_SECONDS[min(child.deaths, len(_AGAIN_SECONDS) - 1)]
                child.process = None
                click.echo(text("child.ended", name=child.name, how=_how(ended)), err=True)
            begins = max(child.start_again_at, self._waiting_ends if child.waits else 0.0)
            if child.process is None and now >= begins:
                child.start()

    def run(self, *, each_round: Callable[[], None] | None = None) -> None:
        """Watch the children until SIGTERM or SIGINT, then stop them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            self.start()
            while not self._stop:
                self.watch()
                if each_round is not None:
                    each_round()
                time.sleep(0.1)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask the children to end, and end those that do not in time."""
        for last in (False, True):
            running = [c.process for c in self.children if c.stops_last is last and c.process is not None]
            for process in running:
                process.terminate()
            end = time.monotonic() + _STOP_SECONDS
            for process in running:
                try:
                    process.wait(max(0.0, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of handlers
        self._stop = True


def _how(code: int) -> str:
    """How a process ended: its exit code, or the signal that ended it."""
    return signal.Signals(-code).name if code < 0 else str(code)


def _die_with_parent() -> None:
    """Ask Linux to send this process SIGTERM when its parent dies, however it dies."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
