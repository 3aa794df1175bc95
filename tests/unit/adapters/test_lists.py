"""A destination's lists are read with limits, and never taken on trust."""

from __future__ import annotations

from typing import Any

import pytest

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.lists import identity_page, inventory_page
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.keys import RECORD_IDS, CardId, CardKey, RecordIds, SchoolYear
from hocba_hub.model.reconciliation import TheirState

RESULTS = {"1": IdentityResult.VERIFIED}
STATES = {"HELD": TheirState.HELD}
ID = "2025-2026/a"


@pytest.mark.parametrize("version", [None, 0, -1, 2**31, "1", 1.0, True])
def test_a_line_without_a_right_version_makes_the_page_unreadable(version: Any):
    with pytest.raises(CallError, match="unreadable-answer"):
        identity_page([(ID, None, version, "1")], RESULTS, None, RECORD_IDS)
    with pytest.raises(CallError, match="unreadable-answer"):
        inventory_page([(ID, None, version, "HELD", None)], STATES, None, RECORD_IDS)


@pytest.mark.parametrize("word", [None, "", "2", ["1"]])
def test_a_word_that_nobody_knows_makes_the_page_unreadable(word: Any):
    with pytest.raises(CallError, match="unreadable-answer"):
        identity_page([(ID, None, 1, word)], RESULTS, None, RECORD_IDS)
    with pytest.raises(CallError, match="unreadable-answer"):
        inventory_page([(ID, None, 1, word, None)], STATES, None, RECORD_IDS)


@pytest.mark.parametrize("record_id", [None, 5, "", "a", "2025-2026/", "x/y/z"])
def test_a_line_of_no_card_of_ours_is_counted_alone(record_id: Any):
    identity = identity_page([(record_id, None, None, "?"), (ID, None, 1, "1")], RESULTS, 7, RECORD_IDS)
    assert (len(identity.entries), identity.unreadable, identity.next) == (1, 1, None)
    inventory = inventory_page(
        [(record_id, None, None, "?", None), (ID, None, 1, "HELD", "xyz")], STATES, "", RECORD_IDS
    )
    assert (len(inventory.entries), inventory.unreadable, inventory.next) == (1, 1, None)
    assert inventory.entries[0].theirs.sha256 is None


def test_a_number_of_the_wire_is_a_word_too():
    assert identity_page([(ID, None, 1, 1)], RESULTS, "x", RECORD_IDS).next == "x"


def test_a_record_id_without_a_school_year_needs_one_beside_it():
    forms = RecordIds("HB-{card_id}")
    lines = [("HB-a", "2025-2026", 1, "1"), ("HB-a", None, 1, "1"), ("HB-a", "25", 1, "1"), ("a", "2025-2026", 1, "1")]
    page = identity_page(lines, RESULTS, None, forms)
    assert ([one.key for one in page.entries], page.unreadable) == ([CardKey(SchoolYear("2025-2026"), CardId("a"))], 3)
