"""The adapters by the name that a destination file gives; each module is loaded only when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import cast

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.adapters.translation import Translations
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.library.mapping_set import MappingSet, shipped_mappings
from hocba_hub.model.activation import ActivationScope

_ADAPTERS = {
    "rest": ("hocba_hub.adapters.rest.adapter", "RestAdapter"),
    "soap": ("hocba_hub.adapters.soap.adapter", "SoapAdapter"),
}
"""Adapter name → its module and class, called with the destination, the environment and what translates for it."""


def misfits(
    destinations: Iterable[Destination],
    environment: Mapping[str, str],
    current: Callable[[], MappingSet] = shipped_mappings,
) -> dict[str, str]:
    """The destinations that cannot be called as they are described, by name, each with the reason; nobody is called."""
    found: dict[str, str] = {}
    for destination in destinations:
        try:
            adapter_for(destination, environment, current).close()
        except DestinationError as error:
            found[destination.name] = str(error)
    return found


def new_misfits(
    destinations: Iterable[Destination],
    environment: Mapping[str, str],
    mappings: MappingSet,
    draft: Document,
    scope: ActivationScope,
) -> dict[str, str]:
    """The destinations that could be called no more if a draft were put in force, each with the reason."""
    used = [one for one in destinations if draft.name in one.mappings.values()]
    after = misfits(used, environment, lambda: mappings.with_draft(draft, scope))
    before = misfits((one for one in used if one.name in after), environment, lambda: mappings)
    return {name: reason for name, reason in after.items() if name not in before}


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
