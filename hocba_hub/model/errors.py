"""The root of the hub's own errors. Each room has a small hierarchy of its own below it."""

from __future__ import annotations


class HubError(Exception):
    """Something the hub refuses or cannot do; its message says what was expected and never holds personal data."""
