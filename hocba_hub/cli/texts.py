"""The texts of the operators' commands, in Vietnamese and English.

The language is `HOCBA_LANG` (vi or en), else that of the terminal's locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else
English. It is a matter of the terminal, known before any setting is read: help pages need it too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from hocba_hub.model.catalogues import read_catalogue

Language = Literal["vi", "en"]

TEXTS: Mapping[str, Mapping[Language, str]] = read_catalogue("hocba_hub.cli", "texts.yaml")
"""Name → language → text."""


def language() -> Language:
    """The language of this terminal."""
    wanted = os.environ.get("HOCBA_LANG", "").lower()
    if wanted in {"vi", "en"}:
        return "vi" if wanted == "vi" else "en"
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def text(name: str, /, **facts: object) -> str:
    """A text in the language of this terminal, its facts filled in."""
    return TEXTS[name][language()].format_map(facts)
