"""Where something stands in an answer: names parted by `/`, in XML and in JSON alike.

    Code            the child element, or key, of that name
    Status/Code     one level further down
    @code           an attribute; Status/@code of a child
    .               the thing itself

Namespaces and prefixes do not matter. It is that part of the path syntax of mappings which can be compared with a
contract before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from lxml import etree
from pydantic import Field

from hocba_hub.adapters.destination import DestinationError

SELF = "."
_NAME = r"[^/@.\s{}][^/@\s{}]*"
Place = Annotated[str, Field(max_length=200, pattern=rf"^(?:\.|(?:{_NAME}/)*@?{_NAME})$")]
ElementPlace = Annotated[str, Field(max_length=200, pattern=rf"^(?:\.|(?:{_NAME}/)*{_NAME})$")]
"""A place of elements: no attribute."""


def steps(place: str) -> tuple[str, ...]:
    """The names of a place; of the thing itself none."""
    return () if place == SELF else tuple(place.split("/"))


def value_at(document: object, place: str) -> object:
    """What a parsed JSON document has at a place; None if nothing."""
    for name in steps(place):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def elements_at(element: etree._Element, place: str) -> Iterator[etree._Element]:
    """The elements at a place, in their order."""
    names = steps(place)
    return element.iterfind("/".join(f"{{*}}{name}" for name in names)) if names else iter((element,))


class Texts:
    """Reads the texts of several places of an element; a place that is None has nothing."""

    def __init__(self, *places: str | None) -> None:
        self._places = places
        self._are_children = not any(place and ("/" in place or "@" in place or place == SELF) for place in places)

    def __call__(self, element: etree._Element) -> tuple[str | None, ...]:
        """A text for each place, without blanks around it."""
        if self._are_children:  # several times as fast as asking for each
            found = {str(child.tag).rpartition("}")[2]: child.text for child in element.iterchildren(reversed=True)}
            return tuple(_stripped(found.get(place)) if place else None for place in self._places)
        return tuple(_text_at(element, place) if place else None for place in self._places)


def text_at(element: etree._Element, place: str | None) -> str | None:
    """The text at a place of an element, without blanks around it; None if there is nothing."""
    return None if place is None else _text_at(element, place)


def _text_at(element: etree._Element, place: str) -> str | None:
    above, at, attribute = place.partition("@")
    found = next(elements_at(element, above.rstrip("/") or SELF), None)
    if found is None:
        return None
    if not at:
        return _stripped(found.text)
    text: str | None = found.get(attribute)
    if text is None:  # it may be of a namespace
        text = next((str(value) for name, value in found.items() if str(name).rpartition("}")[2] == attribute), None)
    return _stripped(text)


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def nested(values: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Values with their places as a tree: `("a/b", 1)` is `{"a": {"b": 1}}`.

    Raises:
        DestinationError: two values are for one place, or one is for a place within another.
    """
    tree: dict[str, object] = {}
    for place, value in values:
        *above, last = steps(place) or ("",)
        here: object = tree
        for name in above:
            here = here.setdefault(name, {}) if isinstance(here, dict) else None
        if not isinstance(here, dict) or not last or last in here:
            raise DestinationError(f"{place} is given twice, or is within another one that is given.")
        here[last] = value
    return tree
