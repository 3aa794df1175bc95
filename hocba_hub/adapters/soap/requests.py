"""The bodies of the requests to one destination: what the hub says, and what its file says stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hocba_hub.adapters import filling
from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.places import nested, steps
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.soap.options import IdentityRequest, InventoryRequest, Request, SubmitRequest
from hocba_hub.adapters.soap.writer import ElementWriter, UnwritableError, Written

NO_FACTS: filling.Facts = MappingProxyType({})
_MOST_KEYS = 200


class Requests:
    """Writes the bodies of some operations' requests.

    Raises:
        DestinationError: the contract has not these operations, or they are of a shape that is not written.
    """

    def __init__(self, contract: Contract, made: Sequence[Request]) -> None:
        self._writers = {one.operation: contract.writer(one.operation) for one in made}

    def record_writer(self, submit: SubmitRequest) -> ElementWriter:
        """What writes one record of a batch.

        Raises:
            DestinationError: the contract has no such element.
        """
        return self._writers[submit.operation].below(steps(submit.record))

    def most_keys(self, inventory: InventoryRequest | None) -> int:
        """Of how many cards at once the inventory can be asked for; 0 if only for pages of all."""
        if inventory is None or inventory.ids is None:
            return 0
        if "@" in inventory.ids:
            return 1
        most = self._writers[inventory.operation].below(steps(inventory.ids)).most
        return int(min(_MOST_KEYS, inventory.lines_per_page, most))

    def body(self, request: Request, values: Mapping[str, object], facts: filling.Facts = NO_FACTS) -> Written:
        """A request's body with these values, by place.

        Raises:
            UnwritableError: a value cannot be written by the contract.
        """
        return self._writers[request.operation].write(_tree(request, values, facts))

    def check(self, request: Request, values: Mapping[str, object], known: frozenset[str] = frozenset()) -> None:
        """Do nothing if a request with these values, and facts of these names, is what the contract wants.

        Raises:
            DestinationError: it is not.
        """
        filling.check(request.operation, request.fields.values(), known)
        tree = _tree(request, values, dict.fromkeys(known, 1))
        self._writers[request.operation].check_names(tree)
        try:
            self._writers[request.operation].write(tree)
        except UnwritableError as error:
            raise DestinationError(f"A request {request.operation} is not by the contract: {error}") from error


def page(request: InventoryRequest | IdentityRequest, after: str | None) -> dict[str, object]:
    """The values that ask for a page of a list."""
    asked: dict[str, object] = {request.limit: str(request.lines_per_page)} if request.limit else {}
    return asked if after is None or request.after is None else {**asked, request.after: after}


def _tree(request: Request, values: Mapping[str, object], facts: filling.Facts) -> dict[str, object]:
    beside = [(place, filling.filled(text, facts)) for place, text in request.fields.items()]
    return nested([*beside, *values.items()])
