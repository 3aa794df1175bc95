"""What every entrance of one process shares: made once, by `bootstrap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.profiles import Profile, choose_profile
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.access import Client
from hocba_hub.store.engine import Store


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """The store, the destinations' names, the mappings in force, and what checks a record."""

    store: Store
    destinations: Sequence[DestinationName]
    mappings: ActiveMappings
    checker: RecordChecker
    record_bytes: int
    """Most bytes of one record."""

    def profile(self, mappings: MappingSet, client: Client, day: date, asked: str | None) -> Profile:
        """See `choose_profile`.

        Raises:
            UnknownProfileError: there is no such profile for this client.
        """
        return choose_profile(mappings, client, day, record_bytes=self.record_bytes, asked=asked)
