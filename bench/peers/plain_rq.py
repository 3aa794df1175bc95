"""The plain way: what most teams would write with this stack, for comparison in the same run.

FastAPI takes a card, one RQ job is enqueued for each, and a forking worker whose modules are loaded before the fork
sends it with httpx to the province and with zeep to the Ministry, both wrapped in tenacity. No store, no receipt that
survives a crash, no order, no look-ups.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import orjson
import redis
import zeep
from fastapi import FastAPI
from rq import Queue, Worker
from tenacity import retry, stop_after_attempt, wait_exponential
from zeep.wsse.username import UsernameToken

from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas.delivery_facts import envelope_facts
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear, Version

REDIS = os.environ.get("PLAIN_REDIS", "redis://127.0.0.1:6379/0")
PROVINCE = os.environ.get("HOCBA_PROVINCE_URL", "")
MINISTRY = os.environ.get("HOCBA_MINISTRY_URL", "")

app = FastAPI()
_queue = Queue("plain", connection=redis.Redis.from_url(REDIS))


@app.post("/cards", status_code=202)
def take(card: dict[str, Any]) -> dict[str, str]:
    job = _queue.enqueue(deliver, card)
    return {"job": job.id}


@retry(stop=stop_after_attempt(5), wait=wait_exponential(0.1))
def deliver(card: dict[str, Any]) -> None:
    raw = orjson.dumps(card)
    with httpx.Client(base_url=PROVINCE) as province:
        token = province.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(os.environ["HOCBA_PROVINCE_CLIENT_ID"], os.environ["HOCBA_PROVINCE_CLIENT_SECRET"]),
        ).json()["access_token"]
        province.post(
            "/v1/records", json={"records": [_ndc(card)]}, headers={"Authorization": f"Bearer {token}"}
        ).raise_for_status()
    client = zeep.Client(
        f"{MINISTRY}?wsdl",
        wsse=UsernameToken(
            os.environ["HOCBA_MINISTRY_USERNAME"], os.environ["HOCBA_MINISTRY_PASSWORD"], use_digest=True
        ),
    )
    service = client.create_service(next(iter(client.wsdl.bindings)), MINISTRY)
    service.SubmitReportCards(Record=[_record(card, raw)])


def _ndc(card: dict[str, Any]) -> dict[str, Any]:
    key = CardKey(SchoolYear(card["school_year"]), CardId(card["card_id"]))
    source = {**card, "delivery": envelope_facts(key, Version(1), Event.NEW, datetime.now(UTC))}
    return _mapping(card["kind"]).translate(JsonRecord(source)).output


@cache
def _mapping(kind: str) -> CompiledMapping:
    name = "ndc-primary" if kind == "primary" else "ndc-secondary"
    return compile_mapping(shipped_library().select(name), shipped_tables())


def _record(card: dict[str, Any], raw: bytes) -> dict[str, Any]:
    return {
        "RecordId": f"{card['school_year']}/{card['card_id']}",
        "Version": 1,
        "Event": "NEW",
        "SchoolYear": card["school_year"],
        "SchoolCode": card["school"]["code"],
        "MessageId": f"{card['school_year']}/{card['card_id']}/1",
        "Sha256": hashlib.sha256(raw).hexdigest(),
        "MediaType": "application/json",
        "Document": raw,
    }


if __name__ == "__main__":
    import bench.peers.plain_rq  # noqa: F401, PLW0406 - the name that the jobs carry, loaded before the fork

    Worker([_queue], connection=redis.Redis.from_url(REDIS)).work(logging_level="WARNING")
