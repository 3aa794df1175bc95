"""What a type of an XML Schema has, as zeep describes it: the one place that knows zeep's ways to say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from zeep.xsd import ComplexType
from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements.indicators import Choice, Group, Indicator

UNBOUNDED = float("inf")
_SIMPLE_CONTENT = "_value_1"
"""How zeep names the text of an element that has attributes, too."""


class Child(NamedTuple):
    """An element within another one."""

    name: str
    element: Any
    least: int
    most: float


def has_parts(kind: Any) -> bool:  # noqa: ANN401 - zeep
    """Whether elements of the type may hold elements or attributes; else they are text alone."""
    return isinstance(kind, ComplexType)


def children(kind: Any) -> list[Child]:  # noqa: ANN401 - zeep
    """The elements that elements of the type hold, in their order."""
    repeated = {name for group in repeated_groups(kind) for name in group}
    return [
        Child(
            name,
            one,
            int(one.min_occurs),
            UNBOUNDED if one.max_occurs == "unbounded" or name in repeated else one.max_occurs,
        )
        for name, one in _named(kind)
        if name != _SIMPLE_CONTENT and not isinstance(one, AnyElement)
    ]


def attributes(kind: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - zeep
    """The attributes of the type by name, without `@`."""
    return ((name, one) for name, one in (kind.attributes if has_parts(kind) else ()) if name)


def text_type(kind: Any) -> Any:  # noqa: ANN401 - zeep
    """The type of the text of such elements; None if they hold elements only."""
    if not has_parts(kind):
        return kind
    return next((one.type for name, one in _named(kind) if name == _SIMPLE_CONTENT and hasattr(one, "type")), None)


def allows_any(kind: Any, *, attribute: bool = False) -> bool:  # noqa: ANN401 - zeep
    """Whether the type allows any element, or any attribute, that it does not name."""
    if attribute:
        return has_parts(kind) and any(name is None for name, _ in kind.attributes)
    return any(isinstance(one, AnyElement) for _, one in _named(kind))


def repeated_groups(kind: Any) -> list[list[str]]:  # noqa: ANN401 - zeep
    """The names in each sequence or choice that may stand several times."""
    return [[name for name, _ in one.elements if name] for one in _groups(kind) if one.max_occurs != 1]


def choices(kind: Any) -> list[frozenset[str]]:  # noqa: ANN401 - zeep
    """Names of which one must be there; choices within what may be left out do not count."""
    outer = _groups(kind)[:1]
    certain = [*outer, *(one for group in outer if not isinstance(group, Choice) for one in _parts(group))]
    return [
        frozenset(name for name, _ in one.elements if name)
        for one in certain
        if isinstance(one, Choice) and one.min_occurs
    ]


def _named(kind: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - zeep
    return list(kind.elements) if has_parts(kind) else []


def _groups(kind: Any) -> list[Any]:  # noqa: ANN401 - zeep
    """The sequences, choices and groups of a type, outer ones first."""
    return [one for _, group in kind.elements_nested for one in _within(group)] if has_parts(kind) else []


def _within(group: Any) -> list[Any]:  # noqa: ANN401 - zeep
    return [group, *(one for below in _parts(group) for one in _within(below))] if isinstance(group, Indicator) else []


def _parts(group: Any) -> list[Any]:  # noqa: ANN401 - zeep
    return [group.child] if isinstance(group, Group) else list(group)
