"""A hub that imports files in the test's own process."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson

from hocba_hub.api.context import Hub
from hocba_hub.intake.files.file_reader import FileReader
from hocba_hub.intake.files.importer import Importer
from hocba_hub.model.reading import read_card
from hocba_hub.model.xml_form import NAMESPACE
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from tests.support.xml_cards import canonical_xml


def importer(hub: Hub, **changes: Any) -> Importer:
    """An importer that works with the parts of a hub."""
    parts: dict[str, Any] = {
        "store": hub.store,
        "reader": FileReader(hub.intake, hub.spool, hub.settings.file_records),
        "destinations": sorted(hub.destinations),
        "comparison": hub.intake.checker.comparison,
        "ring": hub.ring,
        "clock": hub.clock,
        "holder": "test",
        "lease_seconds": 60,
    }
    return Importer(**(parts | changes))


def cards(count: int, seed: int = 3) -> list[bytes]:
    """Right cards in canonical JSON; all people are made up."""
    return list(generate(count, seed, schools=6))


def xml(raw: bytes) -> bytes:
    """A card in its XML form."""
    card = read_card(raw).card
    assert card is not None
    return canonical_xml(card)


def xml_list(raws: list[bytes]) -> bytes:
    """Cards in one XML document."""
    whole = b"".join(xml(raw).partition(b"?>")[2] for raw in raws)
    return b'<cards xmlns="%b">%b</cards>' % (NAMESPACE.encode(), whole)


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """A ZIP of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(count: int, kind: str = "primary", seed: int = 3) -> bytes:
    """Right cards as the vendor of the shipped profile writes them."""
    chosen = [card for card in map(orjson.loads, generate(count * 6, seed, schools=6)) if card["kind"] == kind][:count]
    assert len(chosen) == count
    out = io.BytesIO()
    WRITERS[f"workbook-{kind}"](chosen, out)
    return out.getvalue()


def lines(content: bytes) -> list[dict[str, Any]]:
    """NDJSON as values."""
    return [orjson.loads(line) for line in content.splitlines()]


def spooled(folder: Path) -> list[Path]:
    """Every file of a spool."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def imported_once(http: httpx.Client, where: str, raws: list[bytes]) -> dict[str, int]:
    """The accepted versions by record id of a file of four entries; each card has one result, and it is new."""
    status, *results = lines(http.get(f"{where}/result").content)
    assert (status["accepted"], status["rejected"]) == (len(raws), 0)
    assert [one["position"] for one in results] == list(range(len(raws)))
    assert {one["status"] for one in results} == {"accepted"}, "a record came twice"
    assert [one["part"] for one in results] == [f"{n * 4 // len(raws)}.ndjson" for n in range(len(raws))]
    assert {one["card_id"] for one in results} == {orjson.loads(raw)["card_id"] for raw in raws}
    return {one["record_id"]: one["version"] for one in results}


def in_four(raws: list[bytes]) -> bytes:
    """A zip of these cards in four entries."""
    return zipped({f"{n}.ndjson": b"\n".join(raws[n::4]) for n in range(4)})
