"""What a destination's lists say, read with limits and never taken on trust."""

from __future__ import annotations

from collections.abc import Iterable

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.protocol import CodeItem, Stage

_MOST_ITEMS = 20_000
_LONGEST_CODE, _LONGEST_NAME = 100, 500


def code_items(lines: Iterable[tuple[object, object]]) -> list[CodeItem]:
    """The lines of a code list, from code and name as they came.

    Raises:
        CallError: a line has no code or no name, a code comes twice, or there are too many or none.
    """
    items = []
    for code, name in lines:
        if not isinstance(code, str) or not isinstance(name, str):
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without code or name")
        item = CodeItem(code.strip(), name.strip())
        if not 0 < len(item.code) <= _LONGEST_CODE or not 0 < len(item.name) <= _LONGEST_NAME:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "a line without code or name")
        items.append(item)
        if len(items) > _MOST_ITEMS:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "too many lines")
    if not items or len({item.code for item in items}) != len(items):
        raise CallError(Stage.NO_ANSWER, "unreadable-answer", "no lines, or a code twice")
    return items
