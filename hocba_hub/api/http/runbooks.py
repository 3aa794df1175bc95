"""`/runbooks`: what to do about an alert, where its `runbook_url` points to; they hold nothing that needs a key."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.monitoring.alerts import Language, runbook, runbooks_index

router = APIRouter(prefix="/runbooks", tags=["health"], responses=problems(404, 422, 500))

_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}}code,pre{{font-size:.9rem}}
pre{{white-space:pre-wrap}}td{{padding:.2rem .8rem .2rem 0;vertical-align:top}}</style>
<p><a href="?lang={other}">{other_name}</a></p>
{body}
</html>
"""
_LINK = re.compile(r"\[([A-Za-z]+)\]\(([a-z-]+)(?:\.vi)?\.md\)")
Lang = Annotated[Language, Query()]


@router.get("", response_class=Response, responses={200: {"content": {"text/html": {}}}})
async def runbooks(lang: Lang = "vi") -> Response:
    """Every runbook. / Mọi sổ tay."""
    return _page(runbooks_index(lang), lang)


@router.get("/{page}", response_class=Response, responses={200: {"content": {"text/html": {}}}})
async def runbook_page(page: Annotated[str, Path(pattern=r"^[a-z-]{1,60}$")], lang: Lang = "vi") -> Response:
    """What an alert means, where to look, what to do, whom to call. / Ý nghĩa cảnh báo và cách xử lý."""
    found = runbook(page, lang)
    if found is None:
        raise ProblemError("not-found")
    return _page(found, lang)


def _page(markdown: str, language: Language) -> Response:
    """The few forms of Markdown that runbooks use, as a page."""
    lines = [_line(line, language) for line in markdown.splitlines()]
    other = "en" if language == "vi" else "vi"
    page = _PAGE.format(
        language=language, other=other, other_name="English" if other == "en" else "Tiếng Việt",
        title=escape(markdown.partition("\n")[0].lstrip("# ")), body="\n".join(filter(None, lines)),
    )  # fmt: skip
    return Response(page, media_type="text/html", headers={"Content-Language": language})


def _line(line: str, language: Language) -> str:
    if line.startswith("      "):
        return f"<pre>{escape(line.strip())}</pre>"
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line, quote=False))
    told = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", told)
    told = _LINK.sub(rf'<a href="/runbooks/\2?lang={language}">\1</a>', told)
    if told.startswith("| ["):
        return f"<table><tr><td>{'</td><td>'.join(told.strip('| ').split(' | '))}</td></tr></table>"
    for mark, tag in (("## ", "h2"), ("# ", "h1"), ("- ", "li")):
        if told.startswith(mark):
            return f"<{tag}>{told.removeprefix(mark)}</{tag}>"
    return f"<p>{told}</p>" if told and not told.startswith("|") else ""
