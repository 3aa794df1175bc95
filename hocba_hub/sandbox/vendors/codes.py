"""Codes that vendors write instead of the canonical ones: names of ethnic groups, communes before 1/7/2025."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from random import Random
from typing import NamedTuple

_TABLES = "hocba_hub.mappings.tables"
_ETHNIC_COLUMNS = {"QD121": "qd121", "GSO": "gso_census"}


class FormerCommune(NamedTuple):
    """A commune as it was before 1/7/2025."""

    code: str
    province: str


@cache
def ethnic_names(numbering: str) -> dict[str, str]:
    """Code of an ethnic group in a numbering of the canonical card → its name."""
    column = _ETHNIC_COLUMNS[numbering]
    return {row[column]: row["name"].partition("|")[0] for row in _rows("ethnic_groups.csv") if row[column]}


def commune_code(place: Mapping[str, str]) -> str | None:
    """The code of a place's commune in the list since 1/7/2025, if it has one.

    Raises ValueError for a code of another list: a vendor that knows one list has no words for it.
    """
    if place.get("commune_list", "2025") != "2025":
        raise ValueError("The vendor writes communes of one list only, and this is not of the list since 1/7/2025.")
    return place.get("commune_code")


def former_commune(rng: Random, code: str) -> FormerCommune:
    """One of the communes that became this one whole; those that were split are never chosen."""
    choices = _former_communes()[code]
    return choices[int(rng.random() * len(choices))]


@cache
def _former_communes() -> dict[str, tuple[FormerCommune, ...]]:
    became: dict[FormerCommune, set[str]] = {}
    for row in _rows("communes.csv"):
        became.setdefault(FormerCommune(row["legacy_code"], row["legacy_province_code"]), set()).add(row["code"])
    found: dict[str, tuple[FormerCommune, ...]] = {}
    for former, codes in became.items():
        if len(codes) == 1:
            [code] = codes
            found[code] = (*found.get(code, ()), former)
    return found


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(files(_TABLES).joinpath(name).read_text(encoding="utf-8").splitlines())
