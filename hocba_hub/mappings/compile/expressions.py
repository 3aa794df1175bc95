"""JSONata, for what rules cannot say: with limits on time and depth."""

from __future__ import annotations

from collections.abc import Callable

import jsonatapy

from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.model.errors import HubError

MILLISECONDS = 200
"""Longest evaluation for one record."""
DEPTH = 200
ITEMS = 100_000


class ExpressionError(HubError):
    """An expression is not JSONata; the message is the library's."""


def compile_expression(text: str) -> Callable[[JsonValue], JsonValue]:
    """A function that evaluates a JSONata expression on a node; None if it gives nothing.

    The function raises ValueError, with JSONata's own code, if the expression fails on a record.

    Raises:
        ExpressionError: the text is not JSONata.
    """
    try:
        compiled = jsonatapy.compile(text, timeout=MILLISECONDS, max_stack_depth=DEPTH, max_sequence_length=ITEMS)
    except ValueError as error:
        raise ExpressionError(str(error)) from error
    return compiled.evaluate
