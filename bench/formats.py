"""Other ways in than canonical JSON by REST: SOAP, and a vendor's own JSON; accepted, and to the last verdict.

The ways take turns, so that the machine's moods hit all of them.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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

_ROUNDS, _CARDS, _BATCH = 5, 2_000, 500
_DELIVERED = 4_000
_VENDOR = "?profile=vendor-flat-secondary"


@dataclass(frozen=True, slots=True)
class _Way:
    """How a batch of cards is sent."""

    name: str
    path: str
    media_type: str
    write: Callable[[list[bytes]], bytes]
    least: float
    """Least rate, of that of canonical JSON by REST."""


def _lines(cards: list[bytes]) -> bytes:
    return b"\n".join(cards)


def _vendors(cards: list[bytes]) -> bytes:
    return b"\n".join(map(_vendor, cards))


def _vendor(card: bytes) -> bytes:
    return orjson.dumps(flat(json.loads(card)))


def _documents(cards: list[bytes]) -> bytes:
    return _envelope(b"<document>" + base64.b64encode(card) + b"</document>" for card in cards)


def _elements(cards: list[bytes]) -> bytes:
    return _envelope(map(as_xml, cards))


def _envelope(cards: Iterable[bytes]) -> bytes:
    records = b"".join(b"<records>" + card + b"</records>" for card in cards)
    head = f'<s:Envelope xmlns:s="{S11}"><s:Body><SubmitReportCards xmlns="{MESSAGES}">'.encode()
    return head + records + b"</SubmitReportCards></s:Body></s:Envelope>"


_WAYS = (
    _Way("canonical JSON by REST", "/v1/report-cards", "application/x-ndjson", _lines, 1.0),
    _Way("documents of canonical JSON by SOAP", "/soap/v1", TYPES[S11], _documents, 0.6),
    # Of XML there is more to do, whoever brings it: a tree is built and walked.
    _Way("canonical XML by SOAP", "/soap/v1", TYPES[S11], _elements, 0.4),
    _Way("a vendor's own JSON by REST", f"/v1/report-cards{_VENDOR}", "application/x-ndjson", _vendors, 0.4),
)


def measure(folder: Path) -> Iterator[Figure]:
    """Cards a second, each way against canonical JSON by REST in the same run."""
    with postgres() as server:
        with paused_hub(folder / "accepted", server.create_database("accepted")) as (rig, key):
            yield from _accepted(rig, key)
        with Rig(folder / "delivered", server.create_database("delivered")) as rig:
            yield from _delivered(rig)


def _accepted(rig: Rig, key: str) -> Iterator[Figure]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for number in range(_ROUNDS + 1):
        for way in _WAYS:
            cards = secondary_cards(_CARDS)
            bodies = [way.write(cards[start : start + _BATCH]) for start in range(0, _CARDS, _BATCH)]
            before = _stored(rig)
            load = post_all(f"{rig.url}{way.path}", key, bodies, connections=4, media_type=way.media_type)
            assert set(load.statuses) <= {200, 202}, f"{way.name}: {load.statuses}"
            assert _stored(rig) - before == _CARDS, f"{way.name}: not all were accepted"
            if number:  # the first round is for what is loaded and compiled once
                seconds[way.name] += load.seconds
    rates = {way.name: _ROUNDS * _CARDS / seconds[way.name] for way in _WAYS}
    what = f"cards accepted in batches of {_BATCH}, PostgreSQL, 1 API process"
    first = Figure(_WAYS[0].name, rates[_WAYS[0].name], "/s")
    yield Figure(f"{what}: {first.what}", first.value, "/s")
    for way in _WAYS[1:]:
        yield Figure(f"{what}: {way.name}", rates[way.name], "/s", at_least(way.least, first))


def _delivered(rig: Rig) -> Iterator[Figure]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for _ in range(2):
        for query in ("", _VENDOR):
            cards = secondary_cards(_DELIVERED)
            sent = [_vendor(card) for card in cards] if query else None
            seconds[query] += end_to_end(rig, cards, sent, query=query)
    what = f"end to end, {2 * _DELIVERED:,} secondary cards to 2 destinations, PostgreSQL"
    canonical, vendor = (2 * _DELIVERED / seconds[query] for query in ("", _VENDOR))
    first = Figure(f"{what}: canonical JSON", canonical, "/s")
    yield first
    yield Figure(f"{what}: a vendor's own JSON", vendor, "/s", at_least(0.6, first))


def _stored(rig: Rig) -> int:
    with rig.store() as store, store.read() as connection:
        return connection.execute(select(func.count()).select_from(report_cards)).scalar_one()
