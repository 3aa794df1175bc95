"""Verdicts that a destination brings by itself; one way for REST and SOAP.

Bringing the same again changes nothing, so a destination that got no answer may repeat its call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.protocol import Unasked
from hocba_hub.api.context import Hub
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.keys import DestinationName, Version, card_key
from hocba_hub.queue.outcomes_to_states import heard as by_codes
from hocba_hub.store.access import Client
from hocba_hub.store.acknowledgements import PUSH, Heard, Reception, enter_by_hand, hear

MOST = 1_000
"""Verdicts of one call."""


class Brought(NamedTuple):
    """One verdict as it is brought."""

    record_id: str
    version: int
    code: str


def enter_verdicts(
    hub: Hub, destination: Destination, brought: Sequence[Brought], *, actor: str, reason: str
) -> list[Reception]:
    """Take the verdicts that a person has from a destination, with the audit trail; what became of each.

    Raises:
        StoreError: the store is away.
    """
    name = DestinationName(destination.name)
    with hub.store.write() as connection:
        found = enter_by_hand(
            connection, name, heard(destination, brought), actor=actor, reason=reason, now=hub.clock()
        )
    hub.ring(name)
    return receptions(brought, found)


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
    with hub.store.write() as connection:
        found = hear(connection, name, heard(destination, brought), source=PUSH, now=hub.clock())
    hub.ring(name)
    return receptions(brought, found)


def heard(destination: Destination, brought: Sequence[Brought]) -> list[Heard]:
    """The verdicts on cards that may be ours, by the destination's code table."""
    of_ours = [
        Unasked(key, Version(one.version), one.code) for one in brought if (key := card_key(one.record_id)) is not None
    ]
    return by_codes(of_ours, destination.codes)


def receptions(brought: Sequence[Brought], found: Sequence[Reception]) -> list[Reception]:
    """What became of each, given what became of those that were `heard`."""
    known = iter(found)
    return [Reception.UNKNOWN if card_key(one.record_id) is None else next(known) for one in brought]
