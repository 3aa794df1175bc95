"""What the OpenAPI document says of intake: bodies that are read as a stream are not declared by the handlers."""

from __future__ import annotations

from typing import Any

from hocba_hub.api.http.parameters import OPTIONS_DESCRIPTION

_RECORD: dict[str, Any] = {
    "type": "object",
    "required": ["position", "status", "sha256"],
    "properties": {
        "position": {"type": "integer", "minimum": 0, "description": "From 0, as in the body."},
        "status": {"enum": ["accepted", "unchanged", "rejected"]},
        "sha256": {"type": "string", "description": "SHA-256 of the record's bytes as sent, hex."},
        "record_id": {"type": "string", "description": "school_year/card_id"},
        "school_year": {"type": "string"},
        "card_id": {"type": "string"},
        "version": {"type": "integer", "minimum": 1},
        "event": {"enum": ["NEW", "UPDATE", "CANCEL"]},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
}
FINDING: dict[str, Any] = {
    "type": "object",
    "required": ["code", "severity", "pointer", "expected", "value_class", "message_vi", "message_en"],
    "properties": {
        "code": {"type": "string", "examples": ["schema.missing"]},
        "severity": {"enum": ["error", "warning", "not_checkable"]},
        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the record as sent."},
        "expected": {"type": "string"},
        "value_class": {"type": "string", "description": "The kind of the offending value, never the value."},
        "sent": {"type": "string", "description": "What the card says there, where that is a level, a mark or a code."},
        "target": {"type": "string", "description": "Canonical field, for a record that came through a profile."},
        "folded": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Finding"},
            "description": "Findings that may go when this one goes.",
        },
        "message_vi": {"type": "string"},
        "message_en": {"type": "string"},
    },
}
RECEIPT: dict[str, Any] = {
    "type": "object",
    "required": ["state", "received_at", "bytes", "sha256", "accepted", "rejected", "records"],
    "properties": {
        "submission_id": {"type": "string", "format": "uuid"},
        "state": {"enum": ["accepted", "partial", "rejected"]},
        "received_at": {"type": "string", "format": "date-time"},
        "bytes": {"type": "integer"},
        "sha256": {"type": "string"},
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "records": {"type": "array", "items": _RECORD},
    },
}
SCHEMAS = {"Finding": FINDING, "Receipt": RECEIPT}
"""Components that the answers refer to."""

_CARD = {"type": "object", "description": "A canonical report card; see docs/schema/report-card.schema.json."}
_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "Canonical report cards; or, with `?profile=NAME` or as `application/vnd.hocba.NAME+json`, `+ndjson` or "
            "`+xml`, records in the vendor's own format. / Học bạ theo mẫu chuẩn, hoặc theo định dạng riêng NAME."
        ),
        "content": {
            "application/json": {"schema": {"oneOf": [_CARD, {"type": "array", "items": _CARD, "minItems": 1}]}},
            "application/x-ndjson": {"schema": {"type": "string", "description": "One card a line."}},
        },
    },
    "parameters": [
        {
            "name": "Content-Encoding",
            "in": "header",
            "schema": {"enum": ["identity", "gzip"]},
            "description": "The body may be sent gzipped.",
        }
    ],
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9._-]+$"},
    "description": "The same key gives the same answer again, for seven days.",
}


def _answers(*problems: int, good: int) -> dict[str, Any]:
    receipt = {"schema": {"$ref": "#/components/schemas/Receipt"}}
    answers: dict[str, Any] = {
        str(good): {"description": "The receipt", "content": {"application/json": receipt}},
    }
    for status in problems:
        answers[str(status)] = {"$ref": "#/components/responses/Problem"}
    return answers


SUBMIT = {
    "security": [{"clientKey": []}],
    "requestBody": _BODY["requestBody"],
    "parameters": [*OPTIONS_DESCRIPTION, *_BODY["parameters"], _KEY],
    "responses": _answers(400, 401, 403, 409, 413, 415, 422, 429, 503, good=202),
}
VALIDATE = {**_BODY, "responses": _answers(400, 401, 403, 413, 415, 422, 429, 503, good=200)}
RECALL = {"responses": _answers(401, 403, 404, 422, 429, 503, good=202)}
