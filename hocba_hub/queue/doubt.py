"""What a person may say of records in doubt: only where the hub cannot ask the destination itself."""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.selection import Selection, SelectionError


def check_absence(destinations: Mapping[DestinationName, Destination], selection: Selection) -> None:
    """Do nothing if a person may say that the selected deliveries are not at their destination.

    Raises:
        SelectionError: no destination is named, or it is one that the hub looks things up at by itself.
    """
    name = selection.destination
    destination = None if name is None else destinations.get(DestinationName(name))
    if destination is None or destination.in_doubt is not Doubt.HOLD:
        raise SelectionError("selection.not-held", "Name a destination whose doubts are held for a person.")
