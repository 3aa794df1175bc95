"""Every field of the data dictionary towards the National Data Centre has a home in the canonical model."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from hocba_hub.mappings import schemas
from hocba_hub.model.card import CARD

_DEFINITIONS: dict[str, Any] = CARD.json_schema()["$defs"]
_OUTSIDE_THE_CARD = {"phienbanthongtinhocba"}
"""The version, which the hub counts."""
_ELSEWHERE = {
    "thangnamsinh": "ngaythangnamsinh",
    "namsinh": "ngaythangnamsinh",
    "ngaythangnamsinhnn": "ngaythangnamsinh",
    "thangnamsinhnn": "ngaythangnamsinh",
    "namsinhnn": "ngaythangnamsinh",
    "hotennn": "hovaten",
    "quoctichnn": "quoctich",
    "manhomcaphoc": "macaphoc",
    "hocky": "hocky1",
    "mahocluc": "canam",
    "mahanhkiem": "renluyencanam",
    "songaynghi": "sobuoinghi",
    "nhanxet": "nxetgvcn",
    "colenlop": "duoclenlop",
    "corenluyenlai": "renluyenlai",
    "khenthuong": "ndungkhenthuong",
    "diem": "diemcanam",
}
"""Names of the table of learning results, and of less precise dates → the same under the name of the card tables."""


def _names(part: str, shape: str = "{}") -> Iterator[str]:
    """The dictionary's names of a part's fields; a part below adds its own name after the field's."""
    for facts in _DEFINITIONS[part]["properties"].values():
        own = facts["ndc"]
        below = re.findall(r"'#/\$defs/(\w+)'", str(facts))
        if not below:
            yield shape.format(own)
        elif below == ["Place"]:
            yield from (f"{own}_{name}" for name in _names("Place"))
        else:
            is_list = "'array'" in str(facts)
            yield from _names(below[0], "{}" if is_list else "{}" + own)


@pytest.mark.parametrize(
    ("table", "cards"),
    [
        ("ndc_primary.csv", ["PrimaryCard"]),
        ("ndc_secondary.csv", ["SecondaryCard"]),
        ("ndc_learning_result.csv", ["SecondaryCard", "ContinuingCard"]),
    ],
)
def test_every_field_has_a_home(table: str, cards: list[str]) -> None:
    text = files(schemas.__name__).joinpath(table).read_text(encoding="utf-8")
    wanted = {row["field"] for row in csv.DictReader(text.splitlines()) if not row["field"].startswith("key")}
    assert len(wanted) > 20
    for card in cards:
        names = set(_names(card))
        assert {_ELSEWHERE.get(name, name) for name in wanted - _OUTSIDE_THE_CARD} - names == set()
