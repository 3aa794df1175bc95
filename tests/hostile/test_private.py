"""What lies on the disk, in process lists, logs and lists is for nobody's eyes who need not see it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from hocba_hub.adapters.destination import load_destination
from hocba_hub.cli import main
from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.model.masking import shown_value
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.settings import Settings
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.api_server import running_api
from tests.support.imports import cards, workbook
from tests.support.servers import free_port

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder that others may enter, under a mask that lets others read."""
    (tmp_path / "home").mkdir(mode=0o755)
    before = os.umask(0o022)
    yield tmp_path / "home"
    os.umask(before)


def test_others_can_read_nothing_that_a_hub_keeps(home: Path):
    port = free_port()
    settings = Settings(home=home, database_url=None)
    up = Child("up", hub_command("up", "--port", str(port)), {
        "HOCBA_HOME": str(home), "HOCBA_FREE_DISK_BYTES": "0", "HOCBA_LOG_LEVEL": "ERROR",
        "HOCBA_PROVINCE_URL": "http://127.0.0.1:9", "HOCBA_MINISTRY_URL": "http://127.0.0.1:9",
    })  # fmt: skip
    supervisor = Supervisor([up])
    supervisor.start()
    try:
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

        def is_up() -> bool:
            try:
                return http.get("/readyz").is_success
            except httpx.TransportError:
                return False

        assert wait_until(is_up, 60)
        store = Store(settings.store_url)
        with store.write() as connection:
            key = add_client(connection, "vendor", ["*"], now=1).key
        store.close()
        http.headers["Authorization"] = f"Bearer {key}"
        assert http.post("/v1/report-cards", content=cards(1)[0]).status_code == 202
        sent = http.post(
            "/v1/files?profile=workbook-primary&name=a.xlsx", content=workbook(3), headers={"Content-Type": XLSX}
        ).json()

        def is_done() -> bool:
            return http.get(f"/v1/files/{sent['file_id']}").json()["state"] in {"done", "failed"}

        assert wait_until(is_done, 60)
        open_ones = [
            str(path.relative_to(home))
            for path in home.rglob("*")
            if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
        ]
        made = [path.name for path in home.rglob("*")]
        assert {"hub.db", "hub.db-wal", "original", "socket"} <= set(made)
        # A folder that only this user may enter closes whatever lies in it; but files are closed by themselves, too.
        assert open_ones == []
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        supervisor.stop()


def test_settings_show_no_secret():
    secret = "s3cret-of-the-store"
    settings = Settings(
        database_url=f"postgresql://hub:{secret}@localhost/hub", redis_url=f"redis://:{secret}@localhost:6379/0",
        soap_digest_secret=secret * 3,
    )  # fmt: skip
    assert secret not in repr(settings) + str(settings)


def test_no_command_takes_a_secret_where_a_process_list_shows_it():
    def secret_options(command, path=()):
        for name, child in getattr(command, "commands", {}).items():
            yield from secret_options(child, (*path, name))
        if hasattr(command, "list_commands") and not getattr(command, "commands", None):
            for name in command.list_commands(None):
                yield from secret_options(command.get_command(None, name), (*path, name))
        for option in getattr(command, "params", ()):
            if getattr(option, "is_flag", False):
                continue  # `operators add --password` asks for one, and takes none
            for spelling in option.opts:
                if any(word in spelling for word in ("secret", "password", "token-value", "key-value")):
                    yield " ".join((*path, spelling))

    assert list(secret_options(main)) == []


def test_a_process_list_shows_no_secret_of_the_sandbox(tmp_path: Path):
    ports = free_port(), free_port()
    process = subprocess.Popen(
        hub_command("sandbox", "--port-province", str(ports[0]), "--port-ministry", str(ports[1])),
        env=os.environ | {"HOCBA_PROVINCE_CLIENT_SECRET": "hidden-one", "HOCBA_MINISTRY_PASSWORD": "hidden-two"},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert b"hidden" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    "value", ["01", "Kinh", "Ba Na", "Xơ Đăng", "Tiếng Anh", "GDKT&PL", "Giáo dục công dân", "KHTN", "26", "Cơ Ho", "T"]
)
def test_what_looks_like_a_code_is_shown(value: str):
    assert shown_value(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "Nguyễn Văn An", "NGUYỄN VĂN AN", "Lê An", "033205001234", "033 205 001 234", "0912345678", "a@b.vn",
        "Trần Thị Bích Ngọc 2015", "x" * 41, "Học sinh nghỉ nhiều vì ốm dài ngày trong năm học", "<b>", "Tô Mai Hoa",
    ],
)  # fmt: skip
def test_what_may_be_a_person_is_masked(value: str):
    assert shown_value(value) == f"••• ({len(value)})"


def test_a_destination_by_plain_http_is_warned_of_unless_it_is_this_machine(tmp_path: Path):
    text = Path(Settings().destinations_folder / "province.yaml").read_text()
    for address, is_warned in (("http://tinh.example.vn/api", True), ("https://tinh.example.vn", False),
                               ("http://127.0.0.1:8091", False), ("http://[::1]:8091", False)):  # fmt: skip
        file = tmp_path / "d.yaml"
        import re

        file.write_text(re.sub(r"(?m)^address: .*$", f"address: {address}", text))
        found = load_destination(file.read_text(), origin="d.yaml")
        assert bool(found.plain_http_host) == is_warned
        told = CliRunner().invoke(main, ["destinations", "check", str(file)])
        assert ("http" in told.stderr) == is_warned, told.output


def test_the_wsdl_says_what_the_settings_say_whatever_the_caller_says(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    upgrade(store)
    lies = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    with running_api(store, public_url="https://hub.example.vn/") as api:
        wsdl = api.get("/soap/v1?wsdl", headers=lies).text
    assert "evil" not in wsdl
    assert "https://hub.example.vn/soap/v1" in wsdl
