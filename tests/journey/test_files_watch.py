"""A drop folder from end to end, and the operators' commands about files, at the command line."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from sqlalchemy import func, select

from hocba_hub.cli import main
from hocba_hub.cli.supervision import hub_command
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import records, versions
from tests.support.imports import cards, lines, workbook

Run = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("HOCBA_DATABASE_URL", "HOCBA_REDIS_URL", "HOCBA_SETTINGS_FILE", "HOCBA_DESTINATIONS_DIR", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("HOME", str(tmp_path / "home")), ("LANG", "en"), ("LEASE_SECONDS", "2")):
        monkeypatch.setenv(f"HOCBA_{name}", value)
    (tmp_path / "home").mkdir()
    opened = Store(f"sqlite:///{tmp_path / 'home' / 'hub.db'}")
    upgrade(opened)
    with opened.write() as connection:
        add_client(connection, "vendor", ["*"], now=1)
    yield opened
    opened.close()


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, (result.output, result.exception)
    return result


def watched(drop: Path, *more: str) -> Result:
    return run("watch", drop, "--client", "vendor", "--settle", "0", "--once", *more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_dropped_workbook_comes_back_marked_beside_its_results(store: Store, drop: Path):
    book = load_workbook(io.BytesIO(workbook(3)))
    sheet = book["Kết quả học tập"]
    [column] = {cell.column for row in sheet.iter_rows(1, 4) for cell in row if cell.value == "Ngày sinh"}
    sheet.cell(5, column).value = "?"
    book.save(drop / "Lớp 3A.xlsx")
    out = watched(drop, "--profile", "workbook-primary").output
    assert out == "Lớp 3A.xlsx: done, 2 accepted, 1 rejected\n"
    assert names(drop / "done") == ["Lớp 3A.findings.xlsx", "Lớp 3A.xlsx", "Lớp 3A.xlsx.result.ndjson"]
    assert names(drop) == ["done", "failed", "working"]
    assert names(drop / "working") == []
    first, *rest = lines((drop / "done" / "Lớp 3A.xlsx.result.ndjson").read_bytes())
    assert (first["state"], sorted(one["status"] for one in rest)) == ("done", ["accepted", "accepted", "rejected"])
    marked = load_workbook(drop / "done" / "Lớp 3A.findings.xlsx")[sheet.title].cell(5, column)
    assert "không đọc được" in marked.comment.text


def test_what_cannot_be_read_goes_to_failed_with_its_reason(store: Store, drop: Path):
    (drop / "a.zip").write_bytes(b"PK?")
    (drop / "b.doc").write_bytes(b"?")
    (drop / "c.ndjson").write_bytes(b"{}\n")
    watched(drop)
    assert names(drop / "failed") == ["a.zip", "a.zip.result.ndjson", "b.doc", "c.ndjson", "c.ndjson.result.ndjson"]
    [told] = lines((drop / "failed" / "a.zip.result.ndjson").read_bytes())
    assert (told["problem"]["code"], told["findings"][0]["code"]) == ("file.no-records", "file.archive-damaged")


def test_unfinished_hidden_and_linked_files_are_left_alone(store: Store, drop: Path, tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"secret")
    (drop / "link.ndjson").symlink_to(tmp_path / "secret")
    for name in (".a.ndjson", "a.ndjson.filepart", "b.ndjson.part"):
        (drop / name).write_bytes(cards(1)[0])
    watched(drop)
    assert names(drop) == [
        ".a.ndjson",
        "a.ndjson.filepart",
        "b.ndjson.part",
        "done",
        "failed",
        "link.ndjson",
        "working",
    ]
    assert names(drop / "done") == names(drop / "failed") == []


def test_a_file_that_still_grows_is_left_until_it_does_not(store: Store, drop: Path):
    watcher = started(drop, "--settle", "0.6")
    try:
        with (drop / "a.ndjson").open("wb", buffering=0) as file:
            for raw in cards(6):
                file.write(raw + b"\n")
                time.sleep(0.25)
        until(lambda: "a.ndjson.result.ndjson" in names(drop / "done"))
    finally:
        watcher.terminate()
        assert watcher.wait(20) == 0
    assert lines((drop / "done" / "a.ndjson.result.ndjson").read_bytes())[0]["accepted"] == 6


def test_two_files_of_one_name_are_both_kept(store: Store, drop: Path):
    first, second = cards(2)
    for raw in (first, second):
        (drop / "a.ndjson").write_bytes(raw)
        watched(drop)
    assert len(names(drop / "done")) == 4
    assert {path.read_bytes() for path in (drop / "done").glob("*a.ndjson")} == {first, second}


def test_several_watchers_that_are_killed_import_everything_once(store: Store, drop: Path):
    raws = cards(240)
    for number in range(12):
        (drop / f"{number:02d}.ndjson").write_bytes(b"\n".join(raws[number * 20 : number * 20 + 20]))
    for _ in range(3):
        watchers = [started(drop) for _ in range(2)]
        until(lambda: any((drop / "working").glob("*")) or not any(drop.glob("*.ndjson")))
        for watcher in watchers:
            watcher.send_signal(signal.SIGKILL)
            watcher.wait()
    watcher = started(drop)
    until(lambda: len(list((drop / "done").glob("*.result.ndjson"))) == 12 and not any((drop / "working").iterdir()))
    watcher.terminate()
    assert watcher.wait(20) == 0
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(versions)).scalar_one() == 240
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 240
    assert len(names(drop / "done")) == 24


def started(drop: Path, *more: str) -> subprocess.Popen[bytes]:
    options = {"--settle": "0", "--every": "0.1"} | dict(zip(more[::2], more[1::2], strict=True))
    command = hub_command(
        "watch", str(drop), "--client", "vendor", *(part for pair in options.items() for part in pair)
    )
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ})


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds_now(holds):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def holds_now(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except FileNotFoundError:  # the folders are not there yet
        return False


def test_a_file_is_imported_listed_and_shown(store: Store, tmp_path: Path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\n".join([*cards(2), b"{}"]))
    result = run("files", "import", path, "--client", "vendor", "--result", tmp_path / "r.ndjson", code=1)
    assert "a.ndjson: done, 2 accepted, 1 rejected" in result.output
    assert len(lines((tmp_path / "r.ndjson").read_bytes())) == 4
    [file_id] = re.findall(r"[0-9a-f-]{36}", result.output)
    assert re.search(rf"{file_id}.*a\.ndjson.*done.*3", run("files", "list").output)
    broken = tmp_path / "b.zip"
    broken.write_bytes(b"?")
    failed = run("files", "import", broken, "--client", "vendor", code=2)
    [file_id] = re.findall(r"[0-9a-f-]{36}", failed.output)
    shown = run("files", "show", file_id).output
    assert "file.no-records" in shown
    assert "file.archive-damaged" in shown


@pytest.mark.parametrize(
    "arguments", [("show", "nobody"), ("import", __file__, "--client", "vendor"), ("import", __file__, "--client", "?")]
)
def test_what_is_wrong_is_said_without_a_trace(store: Store, arguments: tuple[str, ...]):
    result = run("files", *arguments, code=1)
    assert result.output.startswith("Error: ")
