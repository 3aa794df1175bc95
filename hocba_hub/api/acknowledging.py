"""Verdicts that a destination brings by itself; one way for REST and SOAP.

Bringing the same again changes nothing, so a destination that got no answer may repeat its call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.protocol import Unasked
from hocba_hub.api.context import Hub
from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.keys import RECORD_IDS, DestinationName, RecordIds, Version
from hocba_hub.queue.outcomes_to_states import heard as by_codes
from hocba_hub.store.access import Client
from hocba_hub.store.acknowledgements import PUSH, Heard, Reception, enter_by_hand, hear

MOST = 1_000
"""Verdicts of one call."""


class Brought(NamedTuple):
    """One verdict as it is brought."""

    record_id: str
    """In the destination's form where it brings it, in the hub's own where a person enters it."""
    version: int
    code: str
    school_year: str | None = None
    """For record ids that do not say it."""


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
            connection, name, heard(brought, RECORD_IDS, destination.codes), actor=actor, reason=reason, now=hub.clock()
        )
    hub.ring(name)
    return receptions(brought, RECORD_IDS, found)


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
        told = heard(brought, destination.record_ids, destination.codes)
        found = hear(connection, name, told, source=PUSH, now=hub.clock())
    hub.ring(name)
    span = current_call().span
    if hub.traces is not None and span is not None:
        hub.traces.told(name, told, span, hub.clock())
    return receptions(brought, destination.record_ids, found)


def heard(brought: Sequence[Brought], record_ids: RecordIds, codes: Mapping[str, Meaning]) -> list[Heard]:
    """The verdicts on cards that may be ours, by the destination's code table."""
    keys = ((one, record_ids.key(one.record_id, one.school_year)) for one in brought)
    return by_codes([Unasked(key, Version(one.version), one.code) for one, key in keys if key is not None], codes)


def receptions(brought: Sequence[Brought], record_ids: RecordIds, found: Sequence[Reception]) -> list[Reception]:
    """What became of each, given what became of those that were `heard`."""
    known = iter(found)
    keys = (record_ids.key(one.record_id, one.school_year) for one in brought)
    return [Reception.UNKNOWN if key is None else next(known) for key in keys]
