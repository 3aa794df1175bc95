"""Catalogues: texts kept as data, Vietnamese beside English, in a YAML file of the room that uses them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_catalogue(package: str, name: str) -> Mapping[str, Any]:
    """The entries of a catalogue that comes with the hub, in their order; `package` is the room that it lies in."""
    entries: Mapping[str, Any] = yaml.load(files(package).joinpath(name).read_bytes(), _Loader)  # noqa: S506 - one of the safe ones
    return entries
