"""The shipped destination files: complete code tables, no secrets, and what each code means to the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hocba_hub import adapters
from hocba_hub.adapters.contracts import PROVINCE_OPENAPI
from hocba_hub.adapters.destination import DestinationError, load_destination, load_destinations
from hocba_hub.adapters.protocol import Outcome, Stage
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.model.delivery import Meaning
from hocba_hub.queue.code_meanings import meaning_of
from hocba_hub.store.lease import Kind

FOLDER = Path(adapters.__file__).parent / "destinations"
SHIPPED = load_destinations(FOLDER, {})
M = Meaning


def meaning(name: str, code: str, stage: Stage = Stage.ANSWERED, kind: Kind = Kind.SEND) -> Meaning:
    return meaning_of(Outcome(1, stage, code), kind, SHIPPED[name].codes)


@pytest.mark.parametrize("name", ["province", "ministry"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ALREADY_HELD", M.ACKNOWLEDGED),
        ("OLDER_VERSION", M.REFUSED),
        ("SCHOOL_UNKNOWN", M.REFUSED),
        ("CARD_LOCKED", M.REFUSED),
        ("http-401", M.PRECONDITION),
        ("http-403", M.PRECONDITION),
        ("http-404", M.PRECONDITION),
        ("http-302", M.PRECONDITION),
        ("http-408", M.TRANSIENT),
        ("http-425", M.TRANSIENT),
        ("http-429", M.TRANSIENT),
        ("http-500", M.TRANSIENT),
        ("http-503", M.TRANSIENT),
        ("http-502", M.UNKNOWN_OUTCOME),
        ("http-504", M.UNKNOWN_OUTCOME),
        ("absent", M.ABSENT),
        ("never heard of", M.TRANSIENT),
    ],
)
def test_what_answers_mean(name, code, expected):
    assert meaning(name, code) is expected


def test_what_the_codes_of_one_destination_mean():
    assert meaning("province", "OK") is M.ACKNOWLEDGED
    assert meaning("ministry", "TAKEN") is meaning("ministry", "PENDING") is M.AWAITING_ACK
    assert meaning("ministry", "ACCEPTED") is M.ACKNOWLEDGED
    assert meaning("ministry", "REFERENCE_UNKNOWN", kind=Kind.POLL) is M.ABSENT
    assert meaning("ministry", "wsse-refused") is M.PRECONDITION
    assert meaning("ministry", "soap-server") is M.TRANSIENT


@pytest.mark.parametrize("name", ["province", "ministry"])
def test_what_was_not_sent_means(name):
    assert meaning(name, "missing-precondition", Stage.NOT_SENT) is M.PRECONDITION
    assert meaning(name, "not-representable", Stage.NOT_SENT) is M.PRECONDITION
    assert meaning(name, "connection-refused", Stage.NOT_SENT) is M.TRANSIENT
    assert meaning("province", "token-refused", Stage.NOT_SENT) is M.PRECONDITION


def test_every_code_of_the_contracts_is_in_the_tables():
    text = yaml.safe_load(PROVINCE_OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"]["result"]
    codes = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", text["properties"]["ma"]["description"]))
    assert codes
    assert codes <= set(SHIPPED["province"].codes)
    own = {"ACCEPTED", "REFUSED", "PENDING", "RECORD_INVALID", "DOCUMENT_MISSING", "DIGEST_MISMATCH", "CONTRADICTED"}
    assert own <= set(SHIPPED["ministry"].codes)


def test_the_files_name_secrets_and_hold_none():
    for destination in SHIPPED.values():
        fields = destination.authentication
        assert re.fullmatch("HOCBA_[A-Z_]+", fields.username_env or "")
        assert re.fullmatch("HOCBA_[A-Z_]+", fields.password_env or "")


def test_both_adapters_can_be_made_from_the_shipped_files():
    made = {name: adapter_for(destination, {}) for name, destination in SHIPPED.items()}
    assert {name: adapter.most_keys for name, adapter in made.items()} == {"province": 50, "ministry": 200}
    for adapter in made.values():
        adapter.close()


def test_an_unknown_adapter_is_named_with_the_known_ones():
    text = (FOLDER / "province.yaml").read_text(encoding="utf-8").replace("adapter: rest", "adapter: fax")
    with pytest.raises(DestinationError, match="no adapter fax; known are: rest, soap"):
        adapter_for(load_destination(text, {}), {})
