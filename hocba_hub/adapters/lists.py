"""What a destination's lists say: code lists and inventories, read with limits and never taken on trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.protocol import CodeItem, InventoryEntry, InventoryPage, Stage
from hocba_hub.model.keys import card_key
from hocba_hub.model.reconciliation import Theirs, TheirState

NO_INVENTORY = "no-inventory"
"""Code of a destination that cannot list what it holds."""
_MOST_ITEMS = 20_000
_SHA_256 = re.compile(r"[0-9a-f]{64}")
_LARGEST_VERSION = 2**31 - 1
_LONGEST_CODE, _LONGEST_NAME = 100, 500


def code_items(lines: Iterable[tuple[object, object]]) -> list[CodeItem]:
    """The lines of a code list, from code and name as they came.

    Raises:
        CallError: a line has no code or no name, a code comes twice, or there are too many or none.
    """
    items = []
    for code, name in lines:
        if not isinstance(code, str) or not isinstance(name, str):
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without code or name")
        item = CodeItem(code.strip(), name.strip())
        if not 0 < len(item.code) <= _LONGEST_CODE or not 0 < len(item.name) <= _LONGEST_NAME:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without code or name")
        items.append(item)
        if len(items) > _MOST_ITEMS:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "too many lines")
    if not items or len({item.code for item in items}) != len(items):
        raise CallError(Stage.NO_ANSWER, "unreadable-answer", "no lines, or a code twice")
    return items


Line = tuple[object, object, object, object]
"""Record id, version, state and digest of a line, as they came."""


def inventory_page(lines: Iterable[Line], states: Mapping[str, TheirState], following: object) -> InventoryPage:
    """A page of an inventory; `states` says what the destination's words for a standing mean.

    Raises:
        CallError: a line has no readable version, or a standing that nobody knows.
    """
    entries, unreadable = [], 0
    for record_id, version, state, digest in lines:
        key = card_key(record_id) if isinstance(record_id, str) else None
        if key is None:
            unreadable += 1
            continue
        standing = states.get(str(state))
        if type(version) is not int or not 0 < version <= _LARGEST_VERSION or standing is None:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without version or standing")
        sha256 = bytes.fromhex(digest) if isinstance(digest, str) and _SHA_256.fullmatch(digest) else None
        entries.append(InventoryEntry(key, Theirs(version, standing, sha256)))
    return InventoryPage(entries, following if isinstance(following, str) and following else None, unreadable)
