"""The families of /metrics as data (`metrics.yaml`): one place for their names, types, labels and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict


class Family(BaseModel):
    """One family; the name of a counter is without its `_total`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    tally: str | None = None
    """Counter of the store that it shows."""
    en: str
    vi: str


class Catalogue(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    labels: Mapping[str, Mapping[Literal["en", "vi"], str]]
    families: Mapping[str, Family]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this version."""
    return Catalogue.model_validate(yaml.safe_load(files(__package__).joinpath("metrics.yaml").read_bytes()))


def exposed_name(name: str, family: Family) -> str:
    """The name that queries use: `hocba_records` → `hocba_records_total`; of a histogram without its suffixes."""
    return f"{name}_total" if family.type == "counter" else name
