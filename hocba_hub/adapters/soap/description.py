"""What a WSDL has, as the places that a destination file can name: for whoever writes one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.soap import schema
from hocba_hub.adapters.soap.contract import Contract, binding_names

_DEEPEST = 8
_MOST = 1_000
"""Places of one request or answer; a schema may be endless."""


class DescribedPlace(NamedTuple):
    """A place in a request or an answer."""

    binding: str
    operation: str
    way: Literal["request", "answer"]
    place: str
    type: str
    """Name of its XML Schema type; empty of elements that hold others."""
    times: str
    """How often it stands: `1`, `0..1`, `1..100`, `0..n`."""


class UnusableOperation(NamedTuple):
    """An operation that is not written or read here."""

    binding: str
    operation: str
    reason: str


def described(wsdl: Path) -> Iterator[DescribedPlace | UnusableOperation]:
    """Every operation of a WSDL, binding by binding, with its places.

    Raises:
        DestinationError: it cannot be read or understood.
    """
    for binding in binding_names(wsdl):
        contract = Contract(wsdl, binding)
        for operation in contract.operations():
            try:
                contract.writer(operation)
            except DestinationError as error:
                yield UnusableOperation(binding, operation, str(error))
                continue
            known = contract.operation(operation)
            for way, element in (("request", known.input.body), ("answer", known.output.body)):
                for place, kind, times in itertools.islice(_places(element, "", 0), _MOST):
                    yield DescribedPlace(binding, operation, way, place, kind, times)  # type: ignore[arg-type]


def _places(element: Any, above: str, depth: int) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - zeep
    for name, attribute in schema.attributes(element.type):
        yield f"{above}@{name}", _name(attribute.type), "1" if attribute.required else "0..1"
    for one in schema.children(element.type) if depth < _DEEPEST else ():
        most = "n" if one.most == schema.UNBOUNDED else f"{one.most:.0f}"
        times = most if most == str(one.least) else f"{one.least}..{most}"
        yield f"{above}{one.name}", _name(schema.text_type(one.element.type)), times
        yield from _places(one.element, f"{above}{one.name}/", depth + 1)


def _name(kind: Any) -> str:  # noqa: ANN401 - zeep
    return "" if kind is None else str(kind.name or type(kind).__name__)
