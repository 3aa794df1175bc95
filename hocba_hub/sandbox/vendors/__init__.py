"""What vendor systems make of the synthetic cards: each shipped profile's own format, written from the same truth.

A writer takes canonical cards and writes them as its vendor would send them, so that the profile of the same name has
to give the same cards back. What a format cannot hold is said in its writer's docstring, in its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from hocba_hub.sandbox.vendors.flat_json import write_flat_primary, write_flat_secondary
from hocba_hub.sandbox.vendors.signed_xml import write_signed_cards
from hocba_hub.sandbox.vendors.soap_xml import write_soap_vendor
from hocba_hub.sandbox.vendors.workbook_primary import write_workbook_primary
from hocba_hub.sandbox.vendors.workbook_secondary import write_workbook_secondary

Card = dict[str, Any]
"""A canonical card, as parsed JSON."""
Writer = Callable[[Iterable[Card], BinaryIO], int]
"""Writes cards to a stream, as one document; returns how many it wrote: a form of one level leaves the others out."""

WRITERS: dict[str, Writer] = {
    "signed-card": write_signed_cards,
    "soap-vendor": write_soap_vendor,
    "vendor-flat-primary": write_flat_primary,
    "vendor-flat-secondary": write_flat_secondary,
    "workbook-primary": write_workbook_primary,
    "workbook-secondary": write_workbook_secondary,
}
"""Name of a profile (that of its mapping) → its writer."""
