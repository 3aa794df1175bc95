"""What the OpenAPI document says of problems: one response and one schema for all of them."""

from __future__ import annotations

from typing import Any

from hocba_hub.api.openapi.examples import PROBLEM
from hocba_hub.api.problems.problem import MEDIA_TYPE
from hocba_hub.api.problems.problem_kinds import KINDS

_TEXT: dict[str, Any] = {"type": "string"}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457). / Mô tả lỗi.",
    "examples": [PROBLEM],
    "required": ["type", "title", "status", "detail", "instance", "code", "title_vi", "title_en", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/rate.exceeded"]},
        "title": {"type": "string", "description": "In the language of Accept-Language."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do, in the language of Accept-Language."},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"enum": list(KINDS)},
        "title_vi": _TEXT,
        "title_en": _TEXT,
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "required_role": {"type": "string", "description": "Of access.role-too-low."},
        "findings": {
            "type": "array",
            "description": "Of mapping.wrong: everything that stands against the document.",
            "items": {"$ref": "#/components/schemas/Finding"},
        },
        "errors": {
            "type": "array",
            "description": "Of request.invalid: what is wrong, place by place.",
            "items": {
                "type": "object",
                "required": ["code", "in", "pointer", "expected", "message_vi", "message_en"],
                "properties": {
                    "code": _TEXT,
                    "in": {"enum": ["path", "query", "header", "cookie", "body"]},
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)."},
                    "expected": _TEXT,
                    "message_vi": _TEXT,
                    "message_en": _TEXT,
                },
            },
        },
    },
}

PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "A problem; its code says which. / Lỗi; xem code.",
    "headers": {
        "Retry-After": {
            "description": "Seconds to wait, of 409, 429 and 503.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {"description": "Of 401.", "schema": {"type": "string"}},
    },
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a call that may answer with problems of these statuses."""
    return {status: {"$ref": "#/components/responses/Problem"} for status in statuses}
