"""What the states, kinds and outcomes of the hub are called, in Vietnamese and English, wherever people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from hocba_hub.model.catalogues import read_catalogue

TERMS: Mapping[str, Mapping[Literal["vi", "en"], str]] = read_catalogue("hocba_hub.model", "terms.yaml")
"""Name, as `state.queued`, → language → term."""
