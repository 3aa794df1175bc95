"""Files that would exhaust whoever reads them: caps, attempts that are counted, cancellation, retention."""

from __future__ import annotations

import errno
import io
import random
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from hocba_hub.intake.files.importer import MOST_ATTEMPTS
from hocba_hub.settings import Settings
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import files, open_findings, records, report_cards
from tests.support.api_server import Api, running_api
from tests.support.imports import cards, importer, lines, spooled, workbook, zipped
from tests.support.jobs import forget_old
from tests.support.memory import forget_peak, memory_mb, needs_linux

NDJSON = {"Content-Type": "application/x-ndjson"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ZIP = {"Content-Type": "application/zip"}
DAY = 86_400_000


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "files", file_records=1_000, open_uploads=3) as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    return api.client_key()


def sent(api: Api, key: str, content: bytes, headers: dict[str, str], query: str = "") -> str:
    answer = api.post(f"/v1/files{query}", key, content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["file_id"])


def status(api: Api, key: str, file_id: str) -> dict:
    return api.get(f"/v1/files/{file_id}", key).json()


def changed(content: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in given.namelist():
            part = given.read(entry)
            written.writestr(entry, change(part.decode()) if entry == name else part)
    return out.getvalue()


FAR = '<row r="1048576"><c r="BZ1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
NEAR = '<row r="100"><c r="A100" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
MERGE = '<mergeCell ref="A100:BZ1048576"/></mergeCells>'


@needs_linux
@pytest.mark.parametrize(
    "changes",
    [{"</sheetData>": FAR}, {"</sheetData>": NEAR, "</mergeCells>": MERGE}],
    ids=["far cell", "merge"],
)
def test_a_small_workbook_with_a_far_corner_costs_little(api: Api, key: str, changes: dict[str, str]):
    """Before, marking its findings made an object of every cell up to that corner."""
    broken = workbook(3)
    sheet = next(name for name in zipfile.ZipFile(io.BytesIO(broken)).namelist() if name.endswith("sheet1.xml"))
    for old, new in changes.items():
        broken = changed(broken, sheet, lambda text, old=old, new=new: text.replace(old, new, 1))
    file_id = sent(api, key, broken, XLSX, "?profile=workbook-primary&name=a.xlsx")
    before = forget_peak()
    assert importer(api.hub).run(file_id)
    grown = memory_mb(peak=True) - before
    assert grown < 150, f"{grown:.0f} MB"
    assert status(api, key, file_id)["state"] in {"done", "failed"}
    answer = api.get(f"/v1/files/{file_id}/workbook", key)
    if answer.status_code == 200:
        assert len(answer.content) < 10 * len(broken)
        load_workbook(io.BytesIO(answer.content), read_only=True).close()


def test_a_zip_of_countless_records_is_read_as_far_as_one_file_may_go(api: Api, key: str):
    file_id = sent(api, key, zipped({"a.ndjson": b"{}\n" * 300_000}), ZIP)
    while not importer(api.hub).run(file_id, seconds=30):
        pass
    found = status(api, key, file_id)
    assert (found["state"], found["records"], found["rejected"]) == ("done", 1_000, 1_000)
    assert [one["code"] for one in found["findings"]] == ["file.full"]
    assert sum(path.stat().st_size for path in spooled(api.hub.spool._folder)) < 100_000


def overlapping(entries: int, size: int) -> bytes:
    """A zip whose entries all lie over each other's bytes: small, and large when it is read."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = random.Random(1).randbytes(size // 2).hex().encode()
    packed = packer.compress(raw) + packer.flush()
    check = zlib.crc32(raw)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, check, len(packed), len(raw), 8, 0) + b"a.ndjson"
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, check, len(packed), len(raw), 8, 0, 0, 0, 0, 0, 0)
        + b"a.ndjson"
        for _ in range(entries)
    )
    whole = local + packed
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, len(directory), len(whole), 0)
    return whole + directory + end


def test_what_a_zip_gives_is_counted_as_it_comes_not_as_its_directory_says(api: Api, key: str):
    content = overlapping(4_000, 200_000)
    assert len(content) < 500_000, "800 MB come of it"
    file_id = sent(api, key, content, ZIP)
    assert importer(api.hub).run(file_id)
    found = status(api, key, file_id)
    assert (found["state"], found["records"]) == ("failed", 0)
    assert [one["code"] for one in found["findings"]] == ["file.archive-damaged"]


def test_an_import_that_takes_its_process_along_is_given_up_after_three_times(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(3)), NDJSON)
    code = (
        "import os, sys\nfrom hocba_hub.store import files\nfrom hocba_hub.store.engine import Store\n"
        "store = Store(sys.argv[1])\nwith store.write() as connection:\n"
        "    assert files.lease(connection, sys.argv[2], 'killed', now=int(sys.argv[3]), until=int(sys.argv[3]) + 1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    url = api.store.url.render_as_string(hide_password=False)
    for _ in range(MOST_ATTEMPTS):
        api.now += 1_000
        died = subprocess.run([sys.executable, "-c", code, url, file_id, str(api.now)], check=False, timeout=60)
        assert died.returncode == -9
    api.now += 1_000
    assert importer(api.hub).run(file_id)
    found = status(api, key, file_id)
    assert (found["state"], found["problem"]["code"]) == ("failed", "file.given-up")
    assert found["problem"]["title_vi"]


def test_an_import_that_gets_on_is_never_given_up(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(8)), NDJSON)
    for _ in range(8):
        one = importer(api.hub, portion_records=1)
        assert not one.run(file_id, seconds=0) or status(api, key, file_id)["state"] == "done"
    assert status(api, key, file_id)["accepted"] == 8


def test_a_full_disk_while_a_file_is_cut_is_a_pause(api: Api, key: str, monkeypatch: pytest.MonkeyPatch):
    file_id = sent(api, key, b"\n".join(cards(3)), NDJSON)
    full = importer(api.hub)
    monkeypatch.setattr(full.reader, "split", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    for _ in range(MOST_ATTEMPTS + 2):
        assert full.run(file_id)
        api.now += 60_000
    assert status(api, key, file_id)["state"] in {"waiting", "importing"}
    assert importer(api.hub).run(file_id)
    assert status(api, key, file_id)["accepted"] == 3


def test_a_file_can_be_cancelled_before_while_and_never_after_its_import(api: Api, key: str):
    opened = api.post("/v1/files", key, content=b"", headers=NDJSON | {"Content-Range": "bytes */1000"}).json()
    assert api.call("DELETE", f"/v1/files/{opened['file_id']}", key).json()["state"] == "cancelled"
    assert spooled(api.hub.spool._folder) == []

    file_id = sent(api, key, b"\n".join(cards(30)), NDJSON)
    slow = importer(api.hub, portion_records=1, ring=lambda _: None)
    begun, go_on = threading.Event(), threading.Event()
    records_of = slow.reader.records

    def held(*given):
        for number, one in enumerate(records_of(*given)):
            if number == 3:
                begun.set()
                go_on.wait(20)
            yield one

    slow.reader.records = held
    running = threading.Thread(target=slow.run, args=(file_id,))
    running.start()
    assert begun.wait(20)
    stranger = api.client_key(name="stranger")
    assert api.call("DELETE", f"/v1/files/{file_id}", stranger).status_code == 404
    cancelled = api.call("DELETE", f"/v1/files/{file_id}", key)
    go_on.set()
    running.join(20)
    assert cancelled.json()["state"] == "cancelled"
    with api.store.read() as connection:
        kept = connection.execute(select(func.count()).select_from(report_cards)).scalar_one()
    assert kept == 3, "what was accepted stays, and nothing comes after it"
    again = api.call("DELETE", f"/v1/files/{file_id}", key)
    assert (again.status_code, again.json()["code"]) == (409, "file.ended")


def test_a_file_that_is_cancelled_while_it_comes_is_ended_not_a_fault(api: Api, key: str):
    opened = api.post("/v1/files", key, content=b"", headers=NDJSON | {"Content-Range": "bytes */4000000"}).json()
    where = f"/v1/files/{opened['file_id']}"

    def coming() -> Iterator[bytes]:
        for n in range(40):
            if n == 20:
                assert api.call("DELETE", where, key).status_code == 200
            yield b" " * 100_000

    with httpx.Client(base_url=api.url, timeout=30) as sender:
        headers = {"Authorization": f"Bearer {key}", "Content-Range": "bytes 0-3999999/4000000"}
        answer = sender.put(where, content=coming(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "file.ended")
    later = api.call("PUT", where, key, content=b" ", headers={"Content-Range": "bytes 0-0/4000000"})
    assert (later.status_code, later.json()["code"]) == (409, "file.ended"), "it is not whole, and never will be"


@pytest.mark.parametrize("meanwhile", ["cancelled", "sent whole"])
def test_a_file_that_is_settled_between_the_look_and_the_lock_is_left_alone(
    api: Api, key: str, monkeypatch: pytest.MonkeyPatch, meanwhile: str
):
    whole = b" " * 999 + b"\n"
    opened = api.post("/v1/files", key, content=b"", headers=NDJSON | {"Content-Range": "bytes */1000"}).json()
    where, upload = f"/v1/files/{opened['file_id']}", api.hub.spool.upload
    ranged = {"Content-Range": "bytes 0-999/1000"}

    def late(file_id: str, offset: int):
        monkeypatch.setattr(api.hub.spool, "upload", upload)
        if meanwhile == "cancelled":
            assert api.call("DELETE", where, key).status_code == 200
        else:
            assert api.call("PUT", where, key, content=whole, headers=ranged).status_code == 202
        return upload(file_id, offset)

    monkeypatch.setattr(api.hub.spool, "upload", late)
    with httpx.Client(base_url=api.url, timeout=30, headers={"Authorization": f"Bearer {key}"}) as sender:
        answer = sender.put(where, content=b"x" * 1000, headers=ranged)
    expected = "file.ended" if meanwhile == "cancelled" else "file.complete"
    assert (answer.status_code, answer.json()["code"]) == (409, expected)
    left = [path for path in spooled(api.hub.spool._folder) if path.name == "original"]
    assert [path.read_bytes() for path in left] == ([] if meanwhile == "cancelled" else [whole])


def test_a_client_may_have_so_many_files_that_are_not_whole(api: Api, key: str):
    opening = NDJSON | {"Content-Range": "bytes */1000"}
    ids = [api.post("/v1/files", key, content=b"", headers=opening).json()["file_id"] for _ in range(3)]
    refused = api.post("/v1/files", key, content=b"", headers=opening)
    assert (refused.status_code, refused.json()["code"]) == (429, "file.too-many-uploads")
    assert refused.headers["retry-after"]
    api.call("DELETE", f"/v1/files/{ids[0]}", key)
    assert api.post("/v1/files", key, content=b"", headers=opening).status_code == 201


def test_rejected_records_and_findings_are_forgotten_in_time_and_accepted_cards_never(
    api: Api, key: str, tmp_path: Path
):
    api.now = time.time_ns() // 1_000_000
    good = cards(2)
    bad = good[1].replace(b'"card_id"', b'"card_1d"')
    api.post("/v1/report-cards", key, content=b"\n".join([good[0], bad, b"{}"]), headers=NDJSON)
    file_id = sent(api, key, zipped({"a.ndjson": good[0], "b.exe": b"x", "c.ndjson": b"{}"}), ZIP)
    assert importer(api.hub).run(file_id)
    settings = Settings(files_dir=tmp_path / "files", findings_days=30)

    def counts() -> list[int]:
        with api.store.read() as connection:
            return [
                connection.execute(query).scalar_one()
                for query in (
                    select(func.count()).select_from(records).where(records.c.status == "rejected"),
                    select(func.count()).select_from(records).where(records.c.status != "rejected"),
                    select(func.count()).select_from(open_findings),
                    select(func.count()).select_from(files).where(files.c.findings.is_not(None)),
                    select(func.count()).select_from(report_cards),
                )
            ]

    before = counts()
    assert before[0] == 3
    now = api.now
    for later, expected in ((0, before), (40 * DAY, [0, before[1], 0, 0, 1])):
        assert forget_old(api.store, settings, now + later).state == "done"
        assert counts() == expected
    assert lines(api.get(f"/v1/files/{file_id}/result", key).content)[0]["state"] == "done"
