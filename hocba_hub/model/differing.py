"""Where two JSON documents differ: places, never values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def differing_places(before: Any, after: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """The places at which two trees differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from differing_places(before.get(name), after.get(name), f"{place}/{name}" if place else str(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            inside = place if not place and len(before) == 1 else f"{place}/{number}" if place else str(number)
            yield from differing_places(*pair, inside)
    elif before != after:
        yield place
