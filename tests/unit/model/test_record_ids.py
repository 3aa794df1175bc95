"""What a destination calls a card: from the key to the record id and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.model.keys import RECORD_IDS, CardId, CardKey, RecordIds, SchoolYear, card_key

CARD_IDS = st.from_regex(r"[0-9A-Za-z._:-]{1,36}", fullmatch=True)
YEARS = st.integers(2000, 2099).map(lambda year: f"{year}-{year + 1}")
FORMS = st.sampled_from(
    [
        "{school_year}/{card_id}",
        "{card_id}/{school_year}",
        "{card_id}{school_year}",
        "{school_year}{card_id}",
        "HB.{card_id}",
        "{card_id}",
        "a-{card_id}-{school_year}.z",
    ]
)


@given(FORMS, YEARS, CARD_IDS)
def test_a_record_id_leads_back_to_its_card(form, year, card_id):
    record_ids, key = RecordIds(form), CardKey(SchoolYear(year), CardId(card_id))
    assert record_ids.key(record_ids.of(key), year) == key
    if record_ids.names_year:
        assert record_ids.key(record_ids.of(key)) == key
        assert record_ids.key(record_ids.of(key), "1999-2000") == key  # the record id itself says it
    else:
        assert record_ids.key(record_ids.of(key)) is None


def test_the_hub_s_own_form():
    key = CardKey(SchoolYear("2025-2026"), CardId("a"))
    assert RECORD_IDS.of(key) == key.record_id() == "2025-2026/a"
    assert card_key("2025-2026/a") == key
    assert card_key("2025/a") is None


@pytest.mark.parametrize(
    "form",
    ["", "x", "{school_year}", "{card_id}{card_id}", "{card_id} x", "{card_id}{", "{id}{card_id}", "{card_id}é",
     "{school_year}{school_year}{card_id}", "{card_id}" + "x" * 100, "{card_id}\n"],
)  # fmt: skip
def test_what_is_no_form(form):
    with pytest.raises(ValueError, match="card_id"):
        RecordIds(form)


@pytest.mark.parametrize("record_id", ["HB.", "HBxa", "HB.a b", "HB." + "a" * 37, "xHB.a", "HB.a/2"])
def test_what_is_no_card_of_ours(record_id):
    assert RecordIds("HB.{card_id}").key(record_id, "2025-2026") is None
