"""Destination files: the shipped ones with changes, in a folder of a test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hocba_hub import bootstrap
from hocba_hub.adapters.destination import load_destinations
from hocba_hub.adapters.registry import misfits
from hocba_hub.mappings.library.mapping_set import mappings_beside

PACKAGED = Path(bootstrap.__file__).parent / "adapters" / "destinations"
LIBRARY = Path(bootstrap.__file__).parent / "mappings" / "library"


def written(into: Path, name: str, **changes: Any) -> Path:
    """A shipped destination with changes."""
    document = yaml.safe_load((PACKAGED / f"{name}.yaml").read_text(encoding="utf-8")) | changes
    into.mkdir(exist_ok=True)
    path = into / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def merged(document: Any, changes: Any) -> Any:
    """A document with changes deep in it."""
    if not isinstance(document, dict) or not isinstance(changes, dict):
        return changes
    return {**document, **{name: merged(document.get(name), value) for name, value in changes.items()}}


def reasons(folder: Path) -> dict[str, str]:
    """Those that do not fit, and why."""
    mappings = mappings_beside(folder)
    return misfits(load_destinations(folder).values(), {}, lambda: mappings)
