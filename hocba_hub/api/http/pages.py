"""Listings page by page: an opaque cursor says where the next page begins, whatever comes or goes meanwhile."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Query

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.problems.request_errors import request_error

_LARGEST = 2**63

Cursor = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_-]+$",
        max_length=500,
        description="The value `next` of the page before. / Giá trị next của trang trước.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of the page. / Số mục tối đa của trang.")]


def cursor(place: Sequence[str | int]) -> str:
    """The cursor for a place in a listing."""
    return base64.urlsafe_b64encode(orjson.dumps(list(place))).decode("ascii").rstrip("=")


def place(presented: str | None, *kinds: type[str | int]) -> tuple[Any, ...] | None:
    """The place that a cursor stands for, its parts of these kinds; None without a cursor.

    Raises:
        ProblemError: 422, no listing gave this cursor.
    """
    if presented is None:
        return None
    try:
        found = orjson.loads(base64.urlsafe_b64decode(presented + "=" * (-len(presented) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, list) or [type(part) for part in found] != list(kinds) or not all(map(_fits, found)):
        raise ProblemError("request.invalid", errors=[request_error("cursor", ("query", "after"))])
    return tuple(found)


def _fits(part: str | int) -> bool:
    """Whether both engines can hold this; nobody but a forger has a cursor that does not."""
    return "\0" not in part if isinstance(part, str) else abs(part) < _LARGEST
