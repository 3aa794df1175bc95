"""Other ways in than canonical JSON by REST: the same cards by SOAP, and in a vendor's own JSON to the last verdict."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
from sqlalchemy import func, select

from bench.accept import paused_hub, postgres, secondary_cards
from bench.delivery import end_to_end
from bench.figures import Figure, at_least
from bench.load import post_all
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.sandbox.vendors.flat_json import flat
from hocba_hub.store.tables import report_cards
from tests.support.rig import Rig
from tests.support.soap_calls import S11, TYPES, as_xml

SOAP, VENDOR = 0.6, 0.6
"""Least rates, of the same cards in canonical JSON by REST."""
_CARDS, _BATCH = 10_000, 500
_PROFILE = "vendor-flat-secondary"


def measure(folder: Path) -> Iterator[Figure]:
    """Cards a second, each way against canonical JSON by REST in the same run."""
    with postgres() as server:
        with paused_hub(folder / "soap", server.create_database("soap")) as (rig, key):
            rest = _accepted(rig, key, "canonical JSON by REST", _lines)
            yield rest
            for name, write in (("documents of canonical JSON by SOAP", _documents), ("XML by SOAP", _elements)):
                soap = _accepted(rig, key, name, write)
                yield replace(soap, target=at_least(SOAP, rest))
        with Rig(folder / "canonical", server.create_database("canonical")) as rig:
            canonical = _delivered(rig, "canonical JSON")
            yield canonical
        with Rig(folder / "vendor", server.create_database("vendor")) as rig:
            yield replace(_delivered(rig, "a vendor's own JSON", _PROFILE), target=at_least(VENDOR, canonical))


def _delivered(rig: Rig, name: str, profile: str = "") -> Figure:
    cards = secondary_cards(_CARDS)
    if profile:
        sent = [orjson.dumps(flat(json.loads(card))) for card in cards]
        seconds = end_to_end(rig, cards, sent, query=f"?profile={profile}")
    else:
        seconds = end_to_end(rig, cards)
    return Figure(f"end to end, {_CARDS:,} secondary cards, {name}, PostgreSQL", _CARDS / seconds, "/s")


def _accepted(rig: Rig, key: str, name: str, write: Callable[[list[bytes]], bytes]) -> Figure:
    """Accept cards in batches; all of them must be stored."""
    before = _stored(rig)
    cards = secondary_cards(_CARDS)
    bodies = [write(cards[start : start + _BATCH]) for start in range(0, _CARDS, _BATCH)]
    is_soap = bodies[0].startswith(b"<")
    load = post_all(
        f"{rig.url}/soap/v1" if is_soap else f"{rig.url}/v1/report-cards",
        key, bodies, connections=4, media_type=TYPES[S11] if is_soap else "application/x-ndjson",
    )  # fmt: skip
    assert set(load.statuses) <= {200, 202}, f"{name}: {load.statuses}"
    assert _stored(rig) - before == _CARDS, f"{name}: not all were accepted"
    return Figure(f"cards accepted in batches of {_BATCH}, {name}, PostgreSQL", _CARDS / load.seconds, "/s")


def _stored(rig: Rig) -> int:
    with rig.store() as store, store.read() as connection:
        return connection.execute(select(func.count()).select_from(report_cards)).scalar_one()


def _lines(cards: list[bytes]) -> bytes:
    return b"\n".join(cards)


def _documents(cards: list[bytes]) -> bytes:
    return _envelope(b"<document>" + base64.b64encode(card) + b"</document>" for card in cards)


def _elements(cards: list[bytes]) -> bytes:
    return _envelope(map(as_xml, cards))


def _envelope(cards: Iterable[bytes]) -> bytes:
    records = b"".join(b"<records>" + card + b"</records>" for card in cards)
    head = f'<s:Envelope xmlns:s="{S11}"><s:Body><SubmitReportCards xmlns="{MESSAGES}">'.encode()
    return head + records + b"</SubmitReportCards></s:Body></s:Envelope>"
