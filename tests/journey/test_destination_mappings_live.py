"""A destination's mapping that is put in force counts for checking and delivering, in every process, in seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import httpx
import orjson
import pytest
from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.sandbox.vendor import wait_until
from tests.support.rig import Rig
from tests.support.sample_cards import primary_card

NAME = "ndc-primary"
PATIENCE_SECONDS = 30
IN_A_ROW = 12
"""Answers that agree before two API processes are taken to do so."""


def stricter() -> str:
    """The shipped mapping, its next version: the province now wants the number in the register."""
    shipped = files("hocba_hub.mappings.library").joinpath("ndc_primary.yaml").read_text(encoding="utf-8")
    text = shipped.partition("\nexamples:")[0] + "\n"
    assert "sosodangbo: register_number" in text
    text = text.replace("version: 1.0.0", "version: 1.1.0")
    return text.replace("sosodangbo: register_number", "sosodangbo: {from: register_number, required: true}")


def card(card_id: str, **changes: object) -> bytes:
    whole = {**primary_card(), "card_id": card_id, **changes}
    return orjson.dumps({name: value for name, value in whole.items() if value is not None})


def used(http: httpx.Client, card_id: str) -> list[str]:
    """The mappings of the attempts to send a card to the province."""
    found = http.get(f"/v1/report-cards/2025-2026/{card_id}").json()
    [delivery] = [one for one in found["deliveries"] if one["destination"] == "province"]
    return [attempt["mapping"] for attempt in delivery["attempts"] if attempt["kind"] == "send"]


def command(environment: Mapping[str, str], *arguments: str) -> None:
    done = CliRunner().invoke(main, ["mappings", *arguments, "--reason", "the province asks for it"], env=environment)
    assert done.exit_code == 0, done.output


@pytest.mark.timeout(240)
def test_an_activation_reaches_the_checks_and_the_deliveries_of_every_process(tmp_path: Path):
    bare = card("HB-BARE", register_number=None)
    with Rig(tmp_path, apis=2) as rig:
        headers = {"Authorization": f"Bearer {rig.client_key()}"}
        with httpx.Client(base_url=rig.url, headers=headers, timeout=30) as http:

            def codes() -> set[str]:
                with httpx.Client(base_url=rig.url, headers=headers, timeout=30) as fresh:  # perhaps the other process
                    answer = fresh.post("/v1/report-cards/validate", content=bare).json()
                return {finding["code"] for finding in answer["records"][0].get("findings", [])}

            def sent(card_id: str) -> list[str]:
                assert http.post("/v1/report-cards", content=card(card_id)).status_code == 202
                assert wait_until(rig.is_settled, PATIENCE_SECONDS)
                return used(http, card_id)

            assert "destination.missing" not in codes()
            assert sent("HB-1") == ["ndc-primary 1.0.0"]

            draft = tmp_path / "ndc-primary.yaml"
            draft.write_text(stricter(), encoding="utf-8")
            command(rig.environment, "activate", str(draft))
            assert wait_until(lambda: all("destination.missing" in codes() for _ in range(IN_A_ROW)), PATIENCE_SECONDS)
            time.sleep(1.5)  # a worker that looked just before looks again
            assert sent("HB-2") == ["ndc-primary 1.1.0"]

            command(rig.environment, "deactivate", NAME)
            assert wait_until(lambda: not any(codes() for _ in range(IN_A_ROW)), PATIENCE_SECONDS)
            time.sleep(1.5)
            assert sent("HB-3") == ["ndc-primary 1.0.0"]
