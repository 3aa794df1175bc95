"""The code lists that the simulators publish, until a test or a demonstration publishes another version."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import NamedTuple


class Published(NamedTuple):
    """A version of a list: code and name of each line."""

    version: str
    items: list[tuple[str, str]]


_ETHNIC_GROUPS = "DANTOC"
_SYSTEMS = {"ministry": "qd121", "province": "gso_census"}


def published(simulator: str) -> dict[str, Published]:
    """What a simulator publishes by itself: the ethnic groups, by the numbering that it uses."""
    text = files("hocba_hub.mappings.tables").joinpath("ethnic_groups.csv").read_text(encoding="utf-8-sig")
    system = _SYSTEMS[simulator]
    lines = csv.DictReader(io.StringIO(text))
    items = [(line[system], line["name"].partition("|")[0]) for line in lines if line[system]]
    return {_ETHNIC_GROUPS: Published("1", items)}
