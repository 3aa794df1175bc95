"""The texts of the operators' commands, in Vietnamese and English.

The language is `--lang` where a command has it, else `HOCBA_LANG` (vi or en), else that of the terminal's locale
(`LC_ALL`, `LC_MESSAGES`, `LANG`), else English. It is a matter of the terminal, known before any setting is read: help
pages need it too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import click

from hocba_hub.model.catalogues import read_catalogue
from hocba_hub.model.terms import TERMS

Language = Literal["vi", "en"]

TEXTS: Mapping[str, Mapping[Language, str]] = {**TERMS, **read_catalogue("hocba_hub.cli", "texts.yaml")}
"""Name → language → text; the terms that others use as well among them."""


_ASKED = "hocba_hub.language"


def language() -> Language:
    """The language of this command, or terminal."""
    context = click.get_current_context(silent=True)
    wanted = context.meta.get(_ASKED) if context is not None else None
    wanted = wanted or os.environ.get("HOCBA_LANG", "").lower()
    if wanted in {"vi", "en"}:
        return "vi" if wanted == "vi" else "en"
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def text(name: str, /, **facts: object) -> str:
    """A text in the language of this terminal, its facts filled in."""
    return TEXTS[name][language()].format_map(facts)


def _ask(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_ASKED] = value


language_option = click.option(
    "--lang",
    type=click.Choice(["vi", "en"]),
    expose_value=False,
    is_eager=True,
    callback=_ask,
    help=text("option.lang"),
)
"""The option of a command whose texts may be wanted in the other language."""
