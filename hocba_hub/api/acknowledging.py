"""Verdicts that a destination brings by itself; one way for REST and SOAP.

Bringing the same again changes nothing, so a destination that got no answer may repeat its call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hocba_hub.api.context import Hub
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.keys import DestinationName, Version, card_key
from hocba_hub.store.access import Client
from hocba_hub.store.acknowledgements import PUSH, Heard, Reception, hear

MOST = 1_000
"""Verdicts of one call."""


class Brought(NamedTuple):
    """One verdict as it is brought."""

    record_id: str
    version: int
    code: str


def take_verdicts(hub: Hub, client: Client, brought: Sequence[Brought]) -> list[Reception]:
    """Take the verdicts that a destination brings; what became of each, in their order.

    Raises:
        ProblemError: `access.not-a-destination`, the caller is none of this hub's.
        StoreError: the store is away.
    """
    name = DestinationName(client.destination or "")
    destination = hub.destinations.get(name)
    if destination is None:
        raise ProblemError("access.not-a-destination")
    keys = [card_key(one.record_id) for one in brought]
    verdicts = [
        Heard(key, Version(one.version), one.code, destination.codes.get(one.code, Meaning.TRANSIENT))
        for key, one in zip(keys, brought, strict=True)
        if key is not None
    ]
    with hub.store.write() as connection:
        heard = iter(hear(connection, name, verdicts, source=PUSH, now=hub.clock()))
    hub.ring(name)
    return [Reception.UNKNOWN if key is None else next(heard) for key in keys]
