"""What the destinations in force could not hold, asked when a card comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.translation import Formats, mapping_name
from hocba_hub.mappings.document import DocumentError
from hocba_hub.mappings.holdable import HoldCheck, hold_check, holdable
from hocba_hub.mappings.library import MappingNotFoundError
from hocba_hub.mappings.schemas import SchemaUnknownError
from hocba_hub.model.findings import Finding


class Holdings:
    """The checks of several destinations, made when a kind of card and school year first comes."""

    def __init__(self, destinations: Iterable[Destination], formats: Formats) -> None:
        self._destinations = tuple(destinations)
        self._formats = formats
        self._made: dict[tuple[str, str], tuple[HoldCheck, ...]] = {}

    def findings(self, kind: str, school_year: str, card: Callable[[], Mapping[str, Any]]) -> list[Finding]:
        """What stands against delivering a canonical card; `card` parses it, and is called only if there is doubt.

        Raises:
            DestinationError: a destination's mapping cannot be used.
        """
        checks = self._made.get((kind, school_year))
        if checks is None:
            checks = self._made[kind, school_year] = tuple(self._checks(kind, school_year))
        return holdable(card(), checks) if checks else []

    def _checks(self, kind: str, school_year: str) -> Iterable[HoldCheck]:
        for destination in self._destinations:
            name = mapping_name(destination, kind)
            if not name:
                continue
            try:
                document = self._formats.library.select(name, school_year=school_year)
                schema = self._formats.schemas.get(document.target.schema)
                check = hold_check(destination.name, document, self._formats.tables, schema)
            except (MappingNotFoundError, DocumentError, SchemaUnknownError) as error:
                raise DestinationError(f"{destination.name}: {error}") from error
            if check.mapping is not None:
                yield check
