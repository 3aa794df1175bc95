"""The XML form of a card: the same names and order as the canonical JSON, an element for each field."""

from __future__ import annotations

NAMESPACE = "urn:hocba-hub:report-card:1"
ROOTS = {"primary": "primary_card", "secondary": "secondary_card", "continuing": "continuing_card"}
"""Kind of card → the name of its root element."""
