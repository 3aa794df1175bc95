"""Records as the vendor of a shipped profile sends them, and how they are sent."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors.flat_json import flat as vendor_flat
from tests.support.api_server import Api

NAME = "vendor-flat-secondary"


URL = "/v1/report-cards"


@cache
def _card() -> dict[str, Any]:
    cards = map(orjson.loads, generate(100, 7, schools=5))
    return vendor_flat(next(card for card in cards if card["kind"] == "secondary"))


def flat(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A right card as the vendor of the shipped profile sends it, with changes."""
    return {**_card(), "maHocBa": f"HB-{number}", **changes}


def sent(api: Api, key: str, body: object, how: str = "", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return api.post(URL + how, key, content=content, headers={"Content-Type": "application/json", **headers})


SOURCE = files("hocba_hub.mappings").joinpath("library", "vendor_flat_secondary.yaml").read_text(encoding="utf-8")


def renamed(version: str = "1.1.0") -> str:
    return SOURCE.replace("version: 1.0.0", f"version: {version}").replace("noiSinh", "noiSinhMoi")
