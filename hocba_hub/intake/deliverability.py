"""What the destinations in force could not hold, asked when a card comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.translation import chosen_version, mapping_name
from hocba_hub.mappings.check.deliverability import DeliverabilityCheck, deliverability_check, undeliverable
from hocba_hub.mappings.document.document import DocumentError
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.schemas import SchemaUnknownError
from hocba_hub.model.clock import Clock, system_clock, vietnam_day_number
from hocba_hub.model.findings import Finding


class Deliverability:
    """The checks of several destinations, made when a kind of card and school year first comes. For any thread."""

    def __init__(self, destinations: Iterable[Destination], clock: Clock = system_clock) -> None:
        self._destinations, self._clock = tuple(destinations), clock
        self._made: tuple[MappingSet | None, int, dict[tuple[str, str], tuple[DeliverabilityCheck, ...]]]
        self._made = (None, 0, {})

    def findings(
        self, mappings: MappingSet, kind: str, school_year: str, card: Callable[[], Mapping[str, Any]]
    ) -> list[Finding]:
        """What stands against delivering a canonical card; `card` parses it, and is called only if there is doubt.

        Raises:
            DestinationError: a destination's mapping cannot be used.
        """
        of, on, made = self._made
        now = self._clock()
        day = vietnam_day_number(now)
        if of is not mappings or on != day:  # an activation may begin or end with a day
            made = {}
            self._made = (mappings, day, made)
        checks = made.get((kind, school_year))
        if checks is None:
            checks = made[kind, school_year] = tuple(self._checks(mappings, kind, school_year, now))
        return undeliverable(card(), checks) if checks else []

    def _checks(self, mappings: MappingSet, kind: str, school_year: str, now: int) -> Iterable[DeliverabilityCheck]:
        for destination in self._destinations:
            name = mapping_name(destination, kind)
            if not name:
                continue
            try:
                document = mappings.filled(chosen_version(mappings, name, school_year, now))
                schema = mappings.schema(document.target)
                check = deliverability_check(destination.name, document, mappings.tables, schema)
            except (MappingNotFoundError, DocumentError, SchemaUnknownError) as error:
                raise DestinationError(f"{destination.name}: {error}") from error
            if check.mapping is not None:
                yield check
