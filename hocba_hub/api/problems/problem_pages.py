"""What each kind of problem means: served where its type points to, and written to docs/problems.md."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.model.problems import ProblemKind

router = APIRouter(prefix="/problems", tags=["problems"], responses=problems(404, 422, 500))

_FIELDS = ("code", "status", "title_vi", "title_en", "detail_vi", "detail_en")
_PAGE = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{code}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}}code{{font-size:1rem}}</style>
<p><code>{code}</code> · HTTP {status}</p>
<h1>{title_vi}</h1><p>{detail_vi}</p>
<div lang="en"><h2>{title_en}</h2><p>{detail_en}</p></div>
</html>
"""
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The kind, in both languages; as a page for browsers. / Loại lỗi, hai thứ tiếng.",
        "content": {"application/json": {"schema": {"type": "object"}}, "text/html": {"schema": {"type": "string"}}},
    }
}


def _facts(kind: ProblemKind) -> dict[str, str | int]:
    return {"type": kind.type, **{name: getattr(kind, name) for name in _FIELDS}}


@router.get("")
async def kinds() -> Response:
    """Every kind of problem. / Mọi loại lỗi."""
    return Response(orjson.dumps([_facts(kind) for kind in KINDS.values()]), media_type="application/json")


@router.get("/{code}", response_class=Response, responses=_ANSWER)
async def kind(code: Annotated[str, Path(pattern=r"^[a-z.-]{1,40}$")], request: Request) -> Response:
    """What one kind of problem means, and what to do. / Ý nghĩa một loại lỗi và cách xử lý."""
    known = KINDS.get(code)
    if known is None:
        raise ProblemError("not-found")
    if "text/html" in request.headers.get("accept", ""):
        page = _PAGE.format_map({name: escape(str(value)) for name, value in _facts(known).items()})
        return Response(page, media_type="text/html")
    return Response(orjson.dumps(_facts(known)), media_type="application/json")


def problems_page() -> bytes:
    """docs/problems.md."""
    lines = [
        "# Problems · Các loại lỗi",
        "",
        "Every answer that is not a good one is a problem document (RFC 9457, `application/problem+json`). `type` is",
        "`/problems/<code>`, which the hub itself serves. `title` and `detail` follow `Accept-Language` (vi or en);",
        "both titles are always there. `trace_id` is the call's W3C trace id; a fault of the hub (500) is",
        "logged under it.",
        "",
        "| code | HTTP | tiếng Việt | English |",
        "|---|---|---|---|",
    ]
    for known in KINDS.values():
        vi, en = f"**{known.title_vi}.** {known.detail_vi}", f"**{known.title_en}.** {known.detail_en}"
        lines.append(f"| `{known.code}` | {known.status} | {vi} | {en} |")
    return ("\n".join(lines) + "\n").encode()
