"""The target schemas that mappings can name, and the field tables of the data dictionary as they were found.

`report-card` is the canonical model; `ndc-…` are the tables of the 2026 data dictionary towards the National Data
Centre (third-party copy; technical keys and the envelope, which the sender of a delivery adds, left out).
"""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib.resources import files

from hocba_hub.mappings.targets import TargetField, from_field_table, from_json_schema
from hocba_hub.model.card import CARD
from hocba_hub.model.errors import HubError

REPORT_CARD = "report-card"
_TABLES = {
    "ndc-primary": ("ndc_primary.csv", "thongtinsohocbasotieuhoc"),
    "ndc-secondary": ("ndc_secondary.csv", "thongtinsohocbasothcsthpt"),
    "ndc-learning-result": ("ndc_learning_result.csv", "ketquahoctapththcsthpttx"),
}
NAMES = (REPORT_CARD, *_TABLES)
"""Every schema by the name that a mapping gives as its target."""


class SchemaUnknownError(HubError):
    """There is no target schema of this name."""


@cache
def target_schema(name: str) -> TargetField:
    """The target schema of this name.

    Raises:
        SchemaUnknownError: there is none.
    """
    if name == REPORT_CARD:
        return from_json_schema(CARD.json_schema(by_alias=True))
    if name not in _TABLES:
        raise SchemaUnknownError(f"There is no target schema {name}; known: {', '.join(NAMES)}.")
    file, table = _TABLES[name]
    text = files(__package__ or "").joinpath(file).read_text(encoding="utf-8")
    return from_field_table(csv.DictReader(io.StringIO(text)), table)
