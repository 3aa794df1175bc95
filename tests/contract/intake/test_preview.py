"""What a preview looks at: records by every way in, rejected ones too, each as its client would have it read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from hocba_hub.intake.preview import RecordsPreview, preview_draft
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.model.activation import EVERYWHERE, ActivationScope
from hocba_hub.store import rejected_records, retention
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import activate
from tests.support.api_server import Api, running_api
from tests.support.imports import importer, workbook
from tests.support.vendor_records import NAME, SOURCE, flat, renamed, sent

VENDOR_NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "spool") as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    return api.client_key()


def file(api: Api, key: str, content: bytes, profile: str = NAME, **headers: str) -> None:
    answer = api.post(f"/v1/files?profile={profile}", key, content=content, headers=headers or VENDOR_NDJSON)
    assert answer.status_code == 202, answer.text
    assert importer(api.hub).run(answer.headers["location"].rpartition("/")[2])


def previewed(api: Api, text: str, scope: ActivationScope = EVERYWHERE, limit: int = 200) -> RecordsPreview:
    mappings = api.hub.intake.mappings.newest()
    with api.store.read() as connection:
        return preview_draft(connection, mappings, api.hub.intake.checker, load_document(text), limit, scope)


def put_in_force(api: Api, text: str, client: str | None = None) -> None:
    with api.store.write() as connection:
        document = load_document(text)
        activate(
            connection,
            NAME,
            document.number,
            text.encode(),
            ActivationScope(client),
            actor="a",
            reason="r",
            now=api.now,
        )


def test_it_sees_what_came_by_call_and_by_file_and_what_was_rejected(api: Api, key: str):
    assert sent(api, key, [flat(1)], f"?profile={NAME}").status_code == 202
    file(api, key, orjson.dumps(flat(2)))
    wrong: dict[str, Any] = flat(3)
    wrong["noiSinhMoi"] = wrong.pop("noiSinh")  # as the vendor's next release sends it
    assert sent(api, key, [wrong], f"?profile={NAME}").status_code == 422
    file(api, key, orjson.dumps({**wrong, "maHocBa": "HB-4"}))
    made = previewed(api, renamed())
    assert made.effect.records == 4
    assert sorted(made.record_ids[n] for n in made.effect.start_failing) == ["2025-2026/HB-1", "2025-2026/HB-2"]
    assert sorted(made.record_ids[n] for n in made.effect.start_passing) == ["2025-2026/HB-3", "2025-2026/HB-4"]
    assert (made.unreadable, made.not_kept) == (0, 0)
    assert previewed(api, renamed(), limit=2).effect.records == 2


def test_rows_of_a_workbook_are_seen(api: Api, key: str):
    content, name = workbook(2), "workbook-primary"
    headers = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    file(api, key, content, name, **headers)
    text = api.hub.intake.mappings.newest().select(name).text
    made = previewed(api, text)
    assert made.effect.records > 0
    assert (made.effect.changed, made.unreadable) == (0, 0)


def test_each_client_is_seen_under_its_own_activations(api: Api, key: str):
    north = api.client_key(name="north")
    for number, of in ((1, key), (2, north)):
        assert sent(api, of, [flat(number)], f"?profile={NAME}").status_code == 202
    put_in_force(api, SOURCE.replace("version: 1.0.0", "version: 1.0.1"), "north")
    everywhere = previewed(api, renamed())
    assert everywhere.effect.records == 2
    assert [everywhere.record_ids[n] for n in everywhere.effect.start_failing] == ["2025-2026/HB-1"]
    of_north = previewed(api, renamed(), ActivationScope("north"))
    assert of_north.effect.records == 1
    assert [of_north.record_ids[n] for n in of_north.effect.start_failing] == ["2025-2026/HB-2"]
    next_year = previewed(api, renamed(), ActivationScope(None, "2026-2027"))
    assert (next_year.effect.records, next_year.effect.changed) == (2, 0)
    # What is in force for a client is what a draft is held against.
    put_in_force(api, renamed("1.1.0"), "north")
    mended = previewed(api, SOURCE.replace("version: 1.0.0", "version: 1.2.0"), ActivationScope("north"))
    assert [mended.record_ids[n] for n in mended.effect.start_passing] == ["2025-2026/HB-2"]


def test_it_says_what_it_could_not_look_at(api: Api, key: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rejected_records, "MOST_KEPT", 3)
    for number in range(5):
        assert sent(api, key, [flat(number, noiSinh="")], f"?profile={NAME}").status_code == 422
    made = previewed(api, SOURCE)
    assert (made.effect.records, made.not_kept) == (3, 2)
    assert sorted(made.record_ids) == ["2025-2026/HB-2", "2025-2026/HB-3", "2025-2026/HB-4"]
    admin = api.operator_key("administrator", name="lan")
    answer = api.post(f"/v1/mappings/{NAME}/preview", admin, json={"document": renamed(), "client": "vendor"}).json()
    assert (answer["records"], answer["unreadable"], answer["not_kept"]) == (3, 0, 2)


def test_rejected_bytes_are_forgotten_in_time_and_never_kept_of_schools_that_are_not_the_clients(api: Api, key: str):
    stranger = api.client_key("33-XX-0001", name="stranger")
    sent(api, stranger, [flat(9, noiSinh="")], f"?profile={NAME}")
    assert previewed(api, SOURCE).effect.records == 0
    sent(api, key, [flat(1, noiSinh="")], f"?profile={NAME}")
    assert previewed(api, SOURCE).effect.records == 1
    with api.store.write() as connection:
        assert retention.forget_rejected_bytes(connection, before=api.now) == 0
    with api.store.write() as connection:
        assert retention.forget_rejected_bytes(connection, before=2**43) == 1
    assert previewed(api, SOURCE).effect.records == 0
