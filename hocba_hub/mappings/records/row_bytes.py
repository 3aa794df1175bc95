"""The bytes that a card of a workbook or CSV file is kept in: its rows as JSON, with days told from texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import orjson

from hocba_hub.mappings.records.rows import RowRecord
from hocba_hub.mappings.records.sheet_head import SheetHead
from hocba_hub.mappings.records.sheet_rows import HEAD_CELLS
from hocba_hub.mappings.values.value import JsonValue

_DAY, _MOMENT = "@day", "@moment"


def row_bytes(record: RowRecord) -> bytes:
    """The card's rows, and what stands above their table; where its columns stand is not among them."""
    node = {**record.node, HEAD_CELLS: record.head} if record.head else record.node
    return orjson.dumps(node, default=_marked, option=orjson.OPT_PASSTHROUGH_DATETIME)


def row_record(raw: bytes, letters: Mapping[str, Mapping[str, str]]) -> RowRecord:
    """The card that these bytes were made of; without `letters` its findings name rows, not cells.

    Raises:
        orjson.JSONDecodeError: nobody made these bytes.
    """
    node = _plain(orjson.loads(raw))
    head = node.pop(HEAD_CELLS, {}) if isinstance(node, dict) else {}
    return RowRecord(node, letters, SheetHead(head))


def _marked(value: object) -> JsonValue:
    if isinstance(value, datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, date):
        return {_DAY: value.isoformat()}
    return str(value)


def _plain(node: JsonValue) -> JsonValue:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        if _DAY in node:
            return date.fromisoformat(node[_DAY])
        if _MOMENT in node:
            return datetime.fromisoformat(node[_MOMENT])
    for name, value in node.items():
        if isinstance(value, dict | list):
            node[name] = _plain(value)
    return node
