"""The operators' commands as a test runs them, and what they print."""

from __future__ import annotations

import re
from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]


def cells(output: str) -> list[list[str]]:
    """The rows of a printed table."""
    return [re.split(r"\s{2,}", line.strip()) for line in output.splitlines() if line.strip()]
