"""The chain of the audit trail: each row's hash holds the row and the hash of the one before it.

Who changes, takes out or moves a row breaks the chain from there on; who makes the whole chain anew, or cuts its end,
is found by the anchors that were copied away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

FIRST = bytes(32)
"""What stands for the hash before the first row."""


class Fault(NamedTuple):
    """Something that is wrong with the chain."""

    seq: int
    """Place in the chain."""
    what: str
    """`changed`: the row, or one before it, is not what was written; `missing`: rows are not there; `unchained`: a row
    is in no chain; `cut`: an anchor's row is not there; `rewritten`: it has another hash than its anchor."""


class Anchor(NamedTuple):
    """The end of the chain at a moment."""

    seq: int
    hash: bytes
    at: int
    """Of the row, milliseconds."""


def link(before: bytes, seq: int, row: Mapping[str, Any]) -> bytes:
    """The hash of a row (`id`, `at`, `actor`, `action`, `reason`, `detail`) at its place behind another's hash."""
    told = [seq, row["id"], row["at"], row["actor"], row["action"], row["reason"], row["detail"]]
    return hashlib.sha256(before + orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()
