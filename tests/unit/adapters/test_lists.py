"""A destination's lists are read with limits, and never taken on trust."""

from __future__ import annotations

from typing import Any

import pytest

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.lists import identity_page, inventory_page
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.reconciliation import TheirState

RESULTS = {"1": IdentityResult.VERIFIED}
STATES = {"HELD": TheirState.HELD}
ID = "2025-2026/a"


@pytest.mark.parametrize("version", [None, 0, -1, 2**31, "1", 1.0, True])
def test_a_line_without_a_right_version_makes_the_page_unreadable(version: Any):
    with pytest.raises(CallError, match="unreadable-answer"):
        identity_page([(ID, version, "1")], RESULTS, None)
    with pytest.raises(CallError, match="unreadable-answer"):
        inventory_page([(ID, version, "HELD", None)], STATES, None)


@pytest.mark.parametrize("word", [None, "", "2", ["1"]])
def test_a_word_that_nobody_knows_makes_the_page_unreadable(word: Any):
    with pytest.raises(CallError, match="unreadable-answer"):
        identity_page([(ID, 1, word)], RESULTS, None)
    with pytest.raises(CallError, match="unreadable-answer"):
        inventory_page([(ID, 1, word, None)], STATES, None)


@pytest.mark.parametrize("record_id", [None, 5, "", "a", "2025-2026/", "x/y/z"])
def test_a_line_of_no_card_of_ours_is_counted_alone(record_id: Any):
    identity = identity_page([(record_id, None, "?"), (ID, 1, "1")], RESULTS, 7)
    assert (len(identity.entries), identity.unreadable, identity.next) == (1, 1, None)
    inventory = inventory_page([(record_id, None, "?", None), (ID, 1, "HELD", "xyz")], STATES, "")
    assert (len(inventory.entries), inventory.unreadable, inventory.next) == (1, 1, None)
    assert inventory.entries[0].theirs.sha256 is None


def test_a_number_of_the_wire_is_a_word_too():
    assert identity_page([(ID, 1, 1)], RESULTS, "x").next == "x"
