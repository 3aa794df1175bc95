"""What a destination's lists say: code lists, inventories, identity results; read with limits, never taken on trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.protocol import CodeItem, IdentityPage, InventoryPage, Stage
from hocba_hub.model.identity import IdentityEntry, IdentityResult
from hocba_hub.model.keys import CardKey, RecordIds, Version
from hocba_hub.model.reconciliation import InventoryEntry, Theirs, TheirState

NO_INVENTORY = "no-inventory"
"""Code of a destination that cannot list what it holds."""
NO_IDENTITY = "no-identity"
"""Code of a destination that tells nothing of personal numbers."""
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


InventoryLine = tuple[object, object, object, object, object]
"""Record id, school year where it is told, version, state and digest, as they came."""
IdentityLine = tuple[object, object, object, object]
"""Record id, school year where it is told, version and result, as they came."""


def inventory_page(
    lines: Iterable[InventoryLine], states: Mapping[str, TheirState], following: object, record_ids: RecordIds
) -> InventoryPage:
    """A page of an inventory; `states` says what the destination's words for a standing mean.

    Raises:
        CallError: a line has no readable version, or a standing that nobody knows.
    """
    entries, unreadable = [], 0
    for record_id, school_year, version, state, digest in lines:
        key = _key(record_ids, record_id, school_year)
        if key is None:
            unreadable += 1
            continue
        standing = states.get(str(state))
        if not _is_version(version) or standing is None:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without version or standing")
        entries.append(InventoryEntry(key, Theirs(Version(version), standing, digest_of(digest))))
    return InventoryPage(entries, _following(following), unreadable)


def identity_page(
    lines: Iterable[IdentityLine], results: Mapping[str, IdentityResult], following: object, record_ids: RecordIds
) -> IdentityPage:
    """A page of identity results; `results` says what the destination's words mean.

    Raises:
        CallError: a line has no readable version, or a result that nobody knows.
    """
    entries, unreadable = [], 0
    for record_id, school_year, version, told in lines:
        key = _key(record_ids, record_id, school_year)
        if key is None:
            unreadable += 1
            continue
        result = results.get(str(told))
        if not _is_version(version) or result is None:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without version or result")
        entries.append(IdentityEntry(key, Version(version), result))
    return IdentityPage(entries, _following(following), unreadable)


def check_year(destination: Destination, name: str, place: str | None) -> None:
    """Do nothing if a list says of which school year a card is: in its record id, or at a place of its own.

    Raises:
        DestinationError: nothing says it.
    """
    if not destination.record_ids.names_year and place is None:
        raise DestinationError(
            f"{destination.name}: record_ids says no school year, and options.{name}.school_year names no place of it."
        )


def _key(record_ids: RecordIds, record_id: object, school_year: object) -> CardKey | None:
    if not isinstance(record_id, str):
        return None
    return record_ids.key(record_id, school_year if isinstance(school_year, str) else None)


def digest_of(given: object) -> bytes | None:
    """A SHA-256 that is written in hex; None if it is none."""
    return bytes.fromhex(given) if isinstance(given, str) and _SHA_256.fullmatch(given) else None


def _following(place: object) -> str | None:
    return place if isinstance(place, str) and place else None


def _is_version(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= _LARGEST_VERSION
