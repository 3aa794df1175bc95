"""JSONata, for what rules cannot say: with limits on time and depth.

The library's compiled expressions belong to the thread that made them, and must end there too. So each evaluation
compiles for itself (3 µs, about what the evaluation takes), and what it made is gone before it returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jsonatapy

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import JsonValue, ValueRejected
from hocba_hub.model.errors import HubError

MILLISECONDS = 200
"""Longest evaluation for one record."""
DEPTH = 200
ITEMS = 100_000

_NUMBERS = "a number on each side of the operator"
_ARGUMENT = "a function gets the kind of value that it takes"
_REASONS = {
    "D1002": _NUMBERS,
    "D1012": f"an end within {MILLISECONDS} ms",
    "D2015": f"fewer items than {ITEMS:,}",
    "D3030": "a text that is a number",
    "D3110": "a moment in ISO 8601",
    "T0410": _ARGUMENT,
    "T0411": _ARGUMENT,
    "T0412": _ARGUMENT,
    "T1006": "the name of a function",
    "T2001": _NUMBERS,
    "T2002": _NUMBERS,
    "T2004": _NUMBERS,
    "T2009": "two values of one kind to compare",
    "T2010": "two values of one kind to compare",
}
"""JSONata's own code → what would have been right."""
_OTHER = "values that the expression can work on"


class ExpressionError(HubError):
    """An expression is not JSONata; the message is the library's."""


def compile_expression(text: str) -> Callable[[JsonValue], JsonValue]:
    """A function, for any thread, that evaluates a JSONata expression on a node; None if it gives nothing.

    The function raises `ValueRejected`, with what would have been right and JSONata's own code, if the expression
    fails on a record.

    Raises:
        ExpressionError: the text is not JSONata.
    """
    try:
        _compiled(text)
    except ValueError as error:
        raise ExpressionError(str(error)) from None

    def evaluate(node: JsonValue) -> JsonValue:
        code = "type"
        try:
            value = _evaluated(text, node)
        except ValueError as error:
            code = str(error).partition(":")[0][:5]  # the rest of the message may hold the record's values
        except TypeError:
            pass
        else:
            if not (isinstance(value, float) and not math.isfinite(value)):
                return value
            code = "D1001"
        raise ValueRejected(kinds.EXPRESSION_FAILED, f"{_REASONS.get(code, _OTHER)}: {code}")

    return evaluate


def _evaluated(text: str, node: JsonValue) -> JsonValue:
    compiled = _compiled(text)
    try:
        return compiled.evaluate(node)
    finally:
        del compiled  # or the traceback of an error would keep it, and let it end in another thread


def _compiled(text: str) -> jsonatapy.JsonataExpression:
    return jsonatapy.compile(text, timeout=MILLISECONDS, max_stack_depth=DEPTH, max_sequence_length=ITEMS)
