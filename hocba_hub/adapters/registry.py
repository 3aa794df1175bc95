"""The adapters by the name that a destination file gives; each module is loaded only when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.adapters.translation import Translations
from hocba_hub.mappings.library.mapping_set import MappingSet, shipped_mappings

_ADAPTERS = {
    "rest": ("hocba_hub.adapters.rest", "RestAdapter"),
    "soap": ("hocba_hub.adapters.soap.adapter", "SoapAdapter"),
}
"""Adapter name → its module and class, called with the destination, the environment and what translates for it."""


def adapter_for(
    destination: Destination, environment: Mapping[str, str], current: Callable[[], MappingSet] = shipped_mappings
) -> Outbound:
    """The adapter bound to a destination; `environment` holds the secrets that its file names.

    `current` gives the mappings in force at any moment; by default those that come with the hub.

    Raises:
        DestinationError: there is no adapter of that name, or it cannot work with this destination file.
    """
    try:
        module, name = _ADAPTERS[destination.adapter]
    except KeyError:
        known = ", ".join(sorted(_ADAPTERS))
        raise DestinationError(
            f"{destination.name}: there is no adapter {destination.adapter}; known are: {known}."
        ) from None
    translations = Translations(destination, current)
    return cast("Outbound", getattr(import_module(module), name)(destination, environment, translations))
