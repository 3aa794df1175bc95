"""JSONata, for what rules cannot say: through a library, with limits on time and depth, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from hocba_hub.mappings.values import Raw
from hocba_hub.model.errors import HubError

LIBRARY = "jsonatapy"
MILLISECONDS = 200
"""Longest evaluation for one record."""
DEPTH = 200
ITEMS = 100_000


class ExpressionError(HubError):
    """An expression is not JSONata; the message is the library's."""


class ExpressionsUnavailableError(ExpressionError):
    """The JSONata library is not installed."""


@cache
def _library() -> Raw:
    try:
        return import_module(LIBRARY)
    except ImportError as error:
        raise ExpressionsUnavailableError(LIBRARY) from error


def compile_expression(text: str) -> Callable[[Raw], Raw]:
    """A function that evaluates a JSONata expression on a node; None if it gives nothing.

    The function raises ValueError, with JSONata's own code, if the expression fails on a record.

    Raises:
        ExpressionsUnavailableError: the library is not installed.
        ExpressionError: the text is not JSONata.
    """
    library = _library()
    try:
        compiled = library.compile(text, timeout=MILLISECONDS, max_stack_depth=DEPTH, max_sequence_length=ITEMS)
    except ValueError as error:
        raise ExpressionError(str(error)) from error
    evaluate: Callable[[Raw], Raw] = compiled.evaluate
    return evaluate
