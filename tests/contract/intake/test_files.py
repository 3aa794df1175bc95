"""Files over real HTTP on both stores: sent whole and in pieces, imported, answered; and their hostile relatives."""

from __future__ import annotations

import hashlib
import io
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from openpyxl import load_workbook

from hocba_hub.intake.files import importer as imports
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import files, search
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import records, unmapped_codes, versions
from tests.support.api_server import Api, running_api
from tests.support.imports import cards, importer, lines, spooled, workbook, xml, xml_list, zipped
from tests.support.jobs import forget_old

URL = "/v1/files"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "spool") as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    return api.client_key()


def sent(api: Api, key: str, content: bytes, how: str = "", **headers: str):
    return api.post(URL + how, key, content=content, headers=headers or NDJSON)


def imported(api: Api, key: str, content: bytes, how: str = "", **headers: str) -> tuple[dict, list[dict]]:
    """Send and import a file; its status and its result lines."""
    answer = sent(api, key, content, how, **headers)
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]
    assert importer(api.hub).run(where.rpartition("/")[2])
    result = api.get(f"{where}/result", key)
    assert result.headers["content-type"] == "application/x-ndjson"
    first, *rest = lines(result.content)
    assert first == api.get(where, key).json()
    return first, rest


def stored(api: Api, raw: bytes) -> search.CardView | None:
    card = orjson.loads(raw)
    with api.store.read() as connection:
        return search.card(connection, CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"])))


def test_lines_become_cards_and_each_has_its_result(api: Api, key: str):
    good = cards(3)
    body = b"\n".join([good[0], b'{"kind": "primary"}', b"not json", good[1], good[2], good[2]])
    status, results = imported(api, key, body)
    assert (status["state"], status["records"], status["imported"]) == ("done", 6, 6)
    assert (status["accepted"], status["rejected"]) == (4, 2)
    assert status["sha256"] == hashlib.sha256(body).hexdigest()
    assert [one["status"] for one in results] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
        "accepted",
        "unchanged",
    ]
    assert results[2]["findings"][0]["code"] == "json.malformed"
    assert all(stored(api, raw) is not None for raw in good)
    submission = api.get(f"/v1/submissions/{status['file_id']}", key).json()
    assert (submission["state"], submission["sha256"]) == ("partial", status["sha256"])
    assert sorted(set(api.rung)) == ["ministry", "province"]


def test_a_zip_of_xml_and_lines_names_the_entry_of_each_record(api: Api, key: str):
    good = cards(6)
    body = zipped(
        {
            "../../etc/passwd.xml": xml(good[0]),
            "lớp 1/": b"",
            "lớp 1/hai.XML": xml_list(good[1:3]),
            "c.ndjson": good[3] + b"\n" + good[4],
            ".DS_Store": b"\0",
            "__MACOSX/c.ndjson": b"{}",
            "readme.pdf": b"%PDF",
            "inner.zip": zipped({"d.ndjson": good[5]}),
        }
    )
    status, results = imported(api, key, body, "?name=a.zip", **{"Content-Type": "application/octet-stream"})
    assert status["accepted"] == 5
    assert [one["part"] for one in results] == ["../../etc/passwd.xml", *["lớp 1/hai.XML"] * 2, *["c.ndjson"] * 2]
    assert [(one["code"], one["severity"], one["part"]) for one in status["findings"]] == [
        ("file.entry-unknown", "warning", "readme.pdf"), ("file.entry-nested", "error", "inner.zip"),
    ]  # fmt: skip
    assert stored(api, good[5]) is None
    assert {path.parent.name for path in spooled(api.hub.settings.files_folder)} == {status["file_id"]}


def test_xml_keeps_its_bytes_and_is_judged_as_by_soap(api: Api, key: str):
    good = cards(1)
    wrong = xml(good[0]).replace(b"</full_name>", b"</full_name><full_name/>", 1)
    body = zipped({"1.xml": xml(good[0]), "2.xml": wrong, "3.xml": b"<!DOCTYPE x><x/>", "4.xml": b"<a><b>"})
    status, results = imported(api, key, body, **{"Content-Type": "application/zip"})
    assert [(one["part"], one["status"]) for one in results] == [("1.xml", "accepted"), ("2.xml", "rejected")]
    assert [(one["code"], one["part"]) for one in status["findings"]] == [
        ("body.not-xml", "3.xml"), ("body.not-xml", "4.xml"),
    ]  # fmt: skip
    card = orjson.loads(good[0])
    with api.store.read() as connection:
        kept = search.document(connection, CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"])), 1)
    assert (kept.body, kept.media_type) == (xml(good[0]), "application/xml")


def test_a_workbook_comes_back_with_its_faulty_cells_marked(api: Api, key: str):
    book = load_workbook(io.BytesIO(workbook(4)))
    sheet = book["Kết quả học tập"]
    names = {cell.value: cell.column for row in sheet.iter_rows(1, 4) for cell in row if cell.value}
    born = sheet.cell(6, names["Ngày sinh"])
    right, born.value = born.value, "32/13/2015"
    content = io.BytesIO()
    book.save(content)
    status, results = imported(
        api, key, content.getvalue(), "?profile=workbook-primary&name=Lop 3A.xlsx", **{"Content-Type": XLSX}
    )
    assert (status["accepted"], status["rejected"], status["workbook"]) == (3, 1, True)
    [wrong] = [one for one in results if one["status"] == "rejected"]
    assert wrong["findings"][0]["pointer"] == f"'Kết quả học tập'!{born.coordinate}"
    answer = api.get(f"{URL}/{status['file_id']}/workbook", key)
    assert answer.headers["content-type"] == XLSX
    assert "findings.xlsx" in answer.headers["content-disposition"]
    back = load_workbook(io.BytesIO(answer.content))
    assert back.sheetnames == book.sheetnames
    marked = {cell.coordinate: cell for row in back[sheet.title].iter_rows() for cell in row if cell.comment}
    assert list(marked) == [born.coordinate]
    [cell] = marked.values()
    assert cell.comment.text == wrong["findings"][0]["message_vi"]
    assert cell.fill.start_color.rgb == "FFFFC7CE"

    # The clerk mends it there and sends it again: the marks are gone, and so is the finding.
    cell.value = right
    mended = io.BytesIO()
    back.save(mended)
    status, _ = imported(api, key, mended.getvalue(), "?profile=workbook-primary", **{"Content-Type": XLSX})
    assert (status["accepted"], status["rejected"], status["workbook"]) == (4, 0, False)
    answer = api.get(f"{URL}/{status['file_id']}/workbook", key)
    assert (answer.status_code, answer.json()["code"]) == (404, "file.no-workbook")


def test_an_upload_goes_on_where_it_broke(api: Api, key: str):
    body = b"\n".join(cards(4))
    answer = api.post(URL, key, headers=NDJSON | {"Content-Range": f"bytes */{len(body)}"})
    where = answer.headers["location"]
    assert (answer.status_code, answer.json()["state"]) == (201, "receiving")
    for start in range(0, len(body), 5000):
        part = body[start : start + 5000]
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(body)}"}
        answer = api.call("PUT", where, key, content=part, headers=headers)
        offset = api.call("HEAD", where, key).headers
        assert (offset["upload-offset"], offset["upload-length"]) == (str(start + len(part)), str(len(body)))
        assert offset["upload-complete"] == ("?1" if answer.status_code == 202 else "?0")
    assert (answer.status_code, answer.json()["sha256"]) == (202, hashlib.sha256(body).hexdigest())
    late = api.call("PUT", where, key, content=body)
    assert (late.status_code, late.json()["code"]) == (409, "file.complete")


def test_a_gap_a_wrong_length_and_a_wrong_size_are_refused_and_said(api: Api, key: str):
    answer = api.post(URL, key, content=b"x" * 10, headers=NDJSON | {"Content-Range": "bytes 0-9/100"})
    where = answer.headers["location"]
    for content, byte_range in ((b"x" * 10, "bytes 20-29/100"), (b"x" * 9, "bytes 10-19/100"), (b"x", "bytes 10-10/99"),
                             (b"x", "bytes 9-8/100"), (b"x", "bytes 10-100/100"), (b"x", "lines 1-2/3")):  # fmt: skip
        answer = api.call("PUT", where, key, content=content, headers={"Content-Range": byte_range})
        assert (answer.status_code, answer.json()["code"]) == (409, "file.range"), byte_range
    assert api.call("HEAD", where, key).headers["upload-offset"] == "10"


def test_a_line_that_breaks_leaves_what_came(api: Api, key: str):
    answer = api.post(URL, key, headers=NDJSON | {"Content-Range": "bytes */3000000"})
    where = answer.headers["location"]
    with socket.create_connection(api.socket.getsockname()) as line:
        head = f"PUT {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 3000000\r\n"
        line.sendall(f"{head}Content-Range: bytes 0-2999999/3000000\r\n\r\n".encode() + b"x" * 1_500_000)
    for _ in range(200):
        offset = int(api.call("HEAD", where, key).headers["upload-offset"])
        if offset:
            break
    assert 1_000_000 <= offset <= 1_500_000
    answer = api.call(
        "PUT", where, key, content=b"x" * (3_000_000 - offset),
        headers={"Content-Range": f"bytes {offset}-2999999/3000000"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["sha256"]) == (202, hashlib.sha256(b"x" * 3_000_000).hexdigest())


def test_sending_again_with_the_same_key_is_one_file(api: Api, key: str):
    body = b"\n".join(cards(2))
    keyed = NDJSON | {"Idempotency-Key": "abc"}
    begun = api.post(URL, key, content=body[:100], headers=keyed | {"Content-Range": f"bytes 0-99/{len(body)}"})
    assert begun.status_code == 201
    first, again = (api.post(URL, key, content=body, headers=keyed) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert begun.headers["location"] == first.headers["location"] == again.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    other = api.post(URL, key, content=body[1:], headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.other-payload")
    assert (
        api.post(URL, api.client_key(name="b"), content=body, headers=keyed).headers["location"]
        != first.headers["location"]
    )


def test_a_file_is_its_senders_alone(api: Api, key: str):
    where = sent(api, key, cards(1)[0]).headers["location"]
    stranger = api.client_key(name="stranger")
    for method, path in (
        ("GET", where),
        ("HEAD", where),
        ("PUT", where),
        ("GET", f"{where}/result"),
        ("GET", f"{where}/workbook"),
    ):
        assert api.call(method, path, stranger).status_code == 404
    assert api.get(where).status_code == 401


def test_a_school_that_is_not_the_clients_is_rejected_as_by_rest(api: Api):
    raw = cards(1)[0]
    narrow = api.client_key("33-nobody", name="narrow")
    status, [record] = imported(api, narrow, raw)
    assert status["rejected"] == 1
    assert "access.school-not-permitted" in [one["code"] for one in record["findings"]]


@pytest.mark.parametrize(
    ("how", "content_type", "said"),
    [
        ("?name=a.doc", "application/msword", (415, "file.form")),
        ("?name=a.xlsx", "", (422, "file.profile")),
        ("?name=a.xml&profile=workbook-primary", "", (422, "file.profile")),
        ("?name=a.xml&profile=nobody", "", (422, "profile.unknown")),
        ("?name=a.xml&profile=ndc-primary", "", (422, "profile.unknown")),
    ],
)
def test_what_cannot_be_read_is_refused_before_it_is_sent(
    api: Api, key: str, how: str, content_type: str, said: tuple[int, str]
):
    answer = sent(api, key, b"x", how, **{"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == said
    assert "title_vi" in answer.json()


def test_more_than_the_limit_is_refused_before_and_while_it_comes(store: Store, tmp_path: Path):
    with running_api(store, files_dir=tmp_path / "spool", file_bytes=100_000) as api:
        key = api.client_key()
        announced = api.post(URL, key, headers=NDJSON | {"Content-Range": "bytes */100001"})
        streamed = api.post(URL, key, content=iter([b"x" * 60_000] * 2), headers=NDJSON)
        for answer in (announced, streamed):
            assert (answer.status_code, answer.json()["code"]) == (413, "body.too-large")


def bomb() -> bytes:
    """One entry that grows a thousandfold."""
    return zipped({"a.ndjson": b"0" * 30_000_000})


def lying() -> bytes:
    """An entry that says it is small, and is not."""
    content = bytearray(zipped({"a.ndjson": b'{"a": 1}\n' * 100_000}))
    at = content.rindex(b"PK\1\2")
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(content)


def crowded() -> bytes:
    """A directory that says it has more entries than anybody reads."""
    content = bytearray(zipped({"a.ndjson": b"{}"}))
    at = content.rindex(b"PK\5\6")
    content[at + 12 : at + 16] = struct.pack("<I", 0x7FFFFFFF)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(zipped({"a.ndjson": b"{}"}))
    content[content.rindex(b"PK\1\2") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb(), "file.archive-too-large"),
        (lying(), "file.entry-damaged"),
        (crowded(), "file.archive-too-large"),
        (encrypted(), "file.entry-encrypted"),
        (zipped({"a.zip": bomb()}), "file.entry-nested"),
        (zipped({"a.ndjson": b"{}"})[:-30], "file.archive-damaged"),
        (b"PK\3\4 not a zip", "file.archive-damaged"),
        (b"", "file.archive-damaged"),
        (zipped({}), None),
    ],
    ids=["bomb", "lying", "crowded", "encrypted", "nested", "cut-off", "no-zip", "nothing", "no-entry"],
)
def test_a_hostile_zip_fails_with_its_reason_and_fills_nothing(api: Api, key: str, content: bytes, code: str | None):
    answer = sent(api, key, content, **{"Content-Type": "application/zip"})
    file_id = answer.headers["location"].rpartition("/")[2]
    assert importer(api.hub).run(file_id)
    status = api.get(f"{URL}/{file_id}", key).json()
    assert (status["state"], status["problem"]["code"]) == ("failed", "file.no-records")
    assert [one["code"] for one in status["findings"]] == ([code] if code else [])
    assert sum(path.stat().st_size for path in spooled(api.hub.settings.files_folder)) < 2_000_000


def test_the_import_goes_on_from_the_last_commit_whoever_was_killed(api: Api, key: str):
    raws = cards(25)
    file_id = sent(api, key, b"\n".join(raws)).headers["location"].rpartition("/")[2]

    class KilledError(BaseException):
        pass

    calls = 0

    def killed(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # after the commit of the second portion, between the rings
            raise KilledError

    with pytest.raises(KilledError):
        importer(api.hub, ring=killed, portion_records=10).run(file_id)
    status = api.get(f"{URL}/{file_id}", key).json()
    assert (status["state"], status["records"], status["imported"], status["accepted"]) == ("importing", 25, 20, 20)
    assert importer(api.hub).run(file_id), "somebody holds it"
    assert api.get(f"{URL}/{file_id}", key).json()["imported"] == 20, "imported without the lease"
    api.now += 61_000
    assert importer(api.hub).run(file_id)
    with api.store.read() as connection:
        positions = list(connection.execute(records.select().order_by(records.c.position)))
        assert [(row.position, row.status) for row in positions] == [(n, "accepted") for n in range(25)]
        assert len(list(connection.execute(versions.select()))) == 25


def test_whoever_lost_the_lease_writes_nothing(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(20))).headers["location"].rpartition("/")[2]

    def taken_over(_: str) -> None:
        api.now += 100_000
        assert importer(api.hub, holder="other").run(file_id)

    assert importer(api.hub, ring=taken_over, portion_records=5).run(file_id)
    with api.store.read() as connection:
        assert len(list(connection.execute(records.select()))) == 20
        assert files.find(connection, file_id).holder == "other"


def test_a_slice_that_is_over_leaves_the_rest_to_anybody(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(20))).headers["location"].rpartition("/")[2]
    rounds = 0
    while not importer(api.hub, portion_records=5).run(file_id, seconds=0):
        rounds += 1
    assert rounds == 4
    assert api.get(f"{URL}/{file_id}", key).json()["accepted"] == 20


def test_unread_pieces_that_were_lost_are_cut_again(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(20))).headers["location"].rpartition("/")[2]
    assert not importer(api.hub, portion_records=5).run(file_id, seconds=0)
    api.hub.spool.pieces(file_id).unlink()
    assert importer(api.hub).run(file_id)
    assert api.get(f"{URL}/{file_id}", key).json()["accepted"] == 20


def test_pieces_that_end_too_early_fail_the_file_and_keep_what_was_accepted(api: Api, key: str):
    file_id = sent(api, key, b"\n".join(cards(20))).headers["location"].rpartition("/")[2]
    assert not importer(api.hub, portion_records=5).run(file_id, seconds=0)
    pieces = api.hub.spool.pieces(file_id)
    pieces.write_bytes(pieces.read_bytes()[: pieces.stat().st_size // 2])
    assert importer(api.hub, portion_records=5).run(file_id)
    status = api.get(f"{URL}/{file_id}", key).json()
    assert (status["state"], status["problem"]["code"], status["rejected"]) == ("failed", "hub.fault", 0)
    assert 5 <= status["accepted"] == status["imported"] < 20


def test_large_records_make_small_portions(api: Api, key: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "PORTION_BYTES", 1)
    file_id = sent(api, key, b"\n".join(cards(3))).headers["location"].rpartition("/")[2]
    rounds = 0
    while not importer(api.hub).run(file_id, seconds=0):
        rounds += 1
    assert rounds == 3


def test_a_file_that_is_not_in_the_spool_fails_with_its_reason(api: Api, key: str):
    file_id = sent(api, key, cards(1)[0]).headers["location"].rpartition("/")[2]
    api.hub.spool.remove(file_id)
    assert importer(api.hub).run(file_id)
    assert api.get(f"{URL}/{file_id}", key).json()["problem"]["code"] == "file.bytes-missing"


def test_old_files_leave_the_spool_and_their_results_stay(api: Api, key: str):
    status, _ = imported(api, key, cards(1)[0])
    waiting = sent(api, key, cards(2)[1]).json()["file_id"]
    given_up = api.post(URL, key, headers=NDJSON | {"Content-Range": "bytes */10"}).json()["file_id"]
    run = forget_old(api.store, api.hub.settings, api.now + 31 * 86_400_000)
    assert (run.state, run.result["spooled_files"]) == ("done", 2)
    assert {path.parent.name for path in spooled(api.hub.settings.files_folder)} == {waiting}
    assert len(lines(api.get(f"{URL}/{status['file_id']}/result", key).content)) == 2
    assert api.get(f"{URL}/{given_up}", key).status_code == 404


def test_a_code_that_no_table_knows_is_counted_once_for_each_record(api: Api, key: str):
    book = load_workbook(io.BytesIO(workbook(2)))
    sheet = book["Lớp học"]
    [column] = {cell.column for cell in sheet[1] if cell.value == "Tỉnh/thành phố"}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column).value = "Nowhere"
    content = io.BytesIO()
    book.save(content)
    status, _ = imported(api, key, content.getvalue(), "?profile=workbook-primary", **{"Content-Type": XLSX})
    assert status["rejected"] == 2
    with api.store.read() as connection:
        rows = connection.execute(unmapped_codes.select().where(unmapped_codes.c.value == "Nowhere")).all()
    assert [row.times for row in rows] == [2]
