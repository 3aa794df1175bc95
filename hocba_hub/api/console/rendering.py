"""Templates to HTML: the language of the page, how numbers and times are written, and the files that pages load.

Texts stand in the templates, Vietnamese beside English: `{{ t("Nhóm lỗi", "Failure groups") }}`. Whatever a template
puts in is escaped; there is no script and no style in a page, so that its content security policy allows none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hocba_hub import __version__
from hocba_hub.api.http.call import Language, current_call
from hocba_hub.model.clock import vietnam_time
from hocba_hub.model.terms import TERMS

LANGUAGE_COOKIE, THEME_COOKIE = "hocba_language", "hocba_theme"
THEMES = ("light", "dark")
STATIC: Mapping[str, str] = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""The files that pages load, with their media types."""


@cache
def static_file(name: str) -> bytes:
    """One of `STATIC`."""
    return files("hocba_hub.api.console").joinpath("static", name).read_bytes()


@cache
def _static_url(name: str) -> str:
    """Where a page loads a file from: another address for other content, so that it may be kept for ever."""
    return f"/console/static/{name}?v={hashlib.sha256(static_file(name)).hexdigest()[:12]}"


def home_of(request: Request) -> str:
    """Where the pages are to which a request belongs: operators' or clients'."""
    return "/portal" if request.url.path.startswith("/portal") else "/console"


def render(request: Request, template: str, status: int = 200, /, **facts: object) -> HTMLResponse:
    """A page, or a part of one, in the language of the call."""
    return HTMLResponse(render_text(request, template, **facts), status)


def render_text(request: Request, template: str, /, **facts: object) -> str:
    """The same as text."""
    url, theme, home = request.url, request.cookies.get(THEME_COOKIE, ""), home_of(request)
    here = home  # where another language leads; a page that a form was answered with has no address of its own
    if request.method == "GET":
        here = f"{url.path}?{url.query}" if url.query else url.path
    common = {
        "path": url.path, "home": home, "here": here, "theme": theme if theme in THEMES else "", "visit": None
    }  # fmt: skip
    return _environment(current_call().language).get_template(template).render({**common, **facts})


@cache
def _environment(language: Language) -> Environment:
    made = Environment(
        loader=PackageLoader("hocba_hub.api.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.do"],
    )  # fmt: skip
    in_vietnamese = language == "vi"
    made.globals.update(
        language=language,
        version=__version__,
        t=lambda vi, en: vi if in_vietnamese else en,
        term=partial(_term, language),
        static=_static_url,
    )
    made.filters.update(number=partial(_number, language), moment=_moment, share=partial(_share, language))
    return made


def _term(language: Language, kind: str, code: object) -> str:
    """What a state, kind or outcome is called; the code itself where it has no name."""
    found = TERMS.get(f"{kind}.{code}")
    said = str(code).replace("_", " ") if found is None else found[language].replace("_", " ")
    return said[:1].upper() + said[1:]


def _number(language: Language, value: float | None) -> str:
    """1.234.567 in Vietnamese, 1,234,567 in English."""
    if value is None:
        return "–"
    said = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return said.translate(str.maketrans(",.", ".,")) if language == "vi" else said


def _share(language: Language, part: float, whole: float) -> str:
    return f"{_number(language, 100.0 * part / whole)} %" if whole else "–"


def _moment(milliseconds: int | None) -> Markup:
    """A time of Vietnam, marked up so that it does not break."""
    if milliseconds is None:
        return Markup("–")
    return Markup("<time>{}</time>").format(vietnam_time(milliseconds))
