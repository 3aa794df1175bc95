"""Recalls that race with corrections, and corrections of what was recalled."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import orjson
import pytest
from sqlalchemy import select

from hocba_hub.store.bodies import unpack
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import report_cards, versions
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.imports import cards, importer

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def api(store: Store, tmp_path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "files") as running:
        yield running


def corrected(card: bytes, n: int) -> bytes:
    changed = json.loads(card)
    changed["year"]["homeroom_comment"] = f"Nhận xét thứ {n}"
    return orjson.dumps(changed)


def where(card: bytes) -> str:
    read = json.loads(card)
    return f"/v1/report-cards/{read['school_year']}/{read['card_id']}/recall"


def test_a_recall_is_of_the_version_that_it_follows(api: Api):
    """Thirty corrections and ten recalls at once: each CANCEL has the very content of the version before it."""
    key, card = api.client_key(), cards(1)[0]
    assert api.post("/v1/report-cards", key, content=card).status_code == 202
    barrier = threading.Barrier(8)

    def correct(thread: int) -> None:
        barrier.wait()
        for n in range(8):
            api.post("/v1/report-cards?reinstate=true", key, content=corrected(card, 100 * thread + n))

    def recall() -> None:
        barrier.wait()
        for _ in range(5):
            assert api.post(where(card), key).status_code == 202

    threads = [threading.Thread(target=correct, args=(n,)) for n in range(5)]
    threads += [threading.Thread(target=recall) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with api.store.read() as connection:
        rows = connection.execute(select(versions).order_by(versions.c.version)).all()
    kept = [(row.event, orjson.loads(unpack(row.canonical))) for row in rows]
    assert [row.version for row in rows] == list(range(1, len(rows) + 1))
    cancels = 0
    for (_, before), (event, content) in pairwise(kept):
        assert (event == "CANCEL") == (content["status"] == "recalled")
        if event == "CANCEL":
            cancels += 1
            assert content | {"status": before["status"]} == before, "a recall of an older version"
    assert cancels


@pytest.mark.parametrize("entrance", ["REST", "SOAP", "file"])
def test_a_recalled_card_is_put_into_force_again_only_by_who_says_so(api: Api, entrance: str):
    key, card = api.client_key(), cards(1)[0]
    api.post("/v1/report-cards", key, content=card)
    recalled = api.post(where(card), key)
    assert recalled.json()["records"][0]["event"] == "CANCEL"
    assert recalled.json()["bytes"] > 1_000

    def sent(n: int, *, reinstate: bool) -> str:
        content = corrected(card, n) if n else card
        if entrance == "REST":
            return api.post(f"/v1/report-cards?reinstate={str(reinstate).lower()}", key, content=content).text
        if entrance == "SOAP":
            said = soap.submit(soap.record(content)).replace("<records>", "<reinstate>true</reinstate><records>", 1)
            return soap.call(api, soap.envelope(said if reinstate else soap.submit(soap.record(content))), key).text
        answer = api.post(f"/v1/files?reinstate={str(reinstate).lower()}", key, content=content, headers=NDJSON)
        assert importer(api.hub).run(answer.json()["file_id"])
        return api.get(f"/v1/files/{answer.json()['file_id']}/result", key).text

    for n in (0, 1):  # what was in force before, and something new
        assert "submission.card-recalled" in sent(n, reinstate=False)
    with api.store.read() as connection:
        assert connection.execute(select(report_cards.c.version, report_cards.c.recalled)).one() == (2, True)
    assert "submission.card-recalled" not in sent(1, reinstate=True)
    with api.store.read() as connection:
        assert connection.execute(select(report_cards.c.version, report_cards.c.recalled)).one() == (3, False)


def test_of_a_recall_and_an_update_at_once_the_update_never_undoes_the_recall(api: Api):
    """Whichever comes first: the later the update sets out, the surer it is the second."""
    key = api.client_key()
    for number, head_start in enumerate((0, 0, 0.005, 0.01, 0.03, 0.2)):
        card = cards(1, number + 20)[0]
        api.post("/v1/report-cards", key, content=card)
        barrier = threading.Barrier(2)

        def update(card: bytes = card, barrier: threading.Barrier = barrier, head_start: float = head_start) -> None:
            barrier.wait()
            time.sleep(head_start)
            api.post("/v1/report-cards", key, content=corrected(card, 1))

        def recall(card: bytes = card, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            assert api.post(where(card), key).status_code == 202

        both = [threading.Thread(target=update), threading.Thread(target=recall)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    with api.store.read() as connection:
        assert set(connection.execute(select(report_cards.c.recalled)).scalars()) == {True}
