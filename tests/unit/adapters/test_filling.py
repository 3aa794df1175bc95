"""Facts that are filled into requests."""

from __future__ import annotations

from datetime import datetime

import pytest

from hocba_hub.adapters import filling
from hocba_hub.adapters.destination import DestinationError
from hocba_hub.model.keys import RecordIds
from tests.support.sandbox_server import outbound_record


def test_a_fact_alone_is_the_fact_and_within_a_text_its_text():
    facts = {"records": 3, "batch_id": "ab"}
    assert filling.filled("{records}", facts) == 3
    assert filling.filled("n={records}, {batch_id}", facts) == "n=3, ab"
    assert [filling.filled(text, facts) for text in ("plain", 7, True, "{ not a name }")] == [
        *("plain", 7, True),
        "{ not a name }",
    ]


def test_the_time_is_that_of_vietnam():
    sent_at = filling.filled("{sent_at}", {})
    assert datetime.fromisoformat(str(sent_at)).utcoffset() is not None
    assert str(sent_at).endswith("+07:00")


def test_a_batch_has_the_same_id_whenever_it_is_sent():
    first, second = outbound_record(1), outbound_record(2)
    assert filling.batch_facts([first, second]) == filling.batch_facts([first, second])
    ids = {filling.batch_facts(batch)["batch_id"] for batch in ([first], [second], [first, second])}
    assert len(ids) == 3


def test_a_card_is_called_as_its_destination_calls_it():
    assert filling.card_facts(outbound_record(1, 4), RecordIds("HB-{card_id}")) == {
        "record_id": "HB-card-1",
        "card_id": "card-1",
        "school_year": "2025-2026",
        "school": "33000123",
        "version": 4,
    }


def test_a_fact_that_there_is_not_is_told_with_those_that_there_are():
    filling.check("here", ["{sent_at} {records}", 7], filling.BATCH)
    with pytest.raises(
        DestinationError, match=r"here: there is no \{card_id\} .*\{batch_id\}, \{records\}, \{sent_at\}"
    ):
        filling.check("here", ["{card_id}"], filling.BATCH)
