"""Cells of a workbook that show something instead of a value."""

from __future__ import annotations

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import CELL_ERRORS, MERGED, NO_RESULT

CELL_FAULTS = {
    **dict.fromkeys(CELL_ERRORS, kinds.CELL_ERROR),
    NO_RESULT: kinds.NO_RESULT,
    MERGED: kinds.MERGED,
}
"""Text of a cell that holds no value → what is said of it."""
