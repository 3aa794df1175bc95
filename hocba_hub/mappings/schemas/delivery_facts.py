"""What a mapping to a destination reads: a canonical card, and under `delivery` the facts of its delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.keys import RECORD_IDS, CardKey, Event, RecordIds, Version

_TEXT: Mapping[str, JsonValue] = {"type": "string"}
FACTS: Mapping[str, JsonValue] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("record_id", "event", "version", "written_at", "key", "row_key", "card_id", "school_year", "school"),
        *("message_id", "document", "document_type", "canonical", "canonical_type"),
        *("original", "original_type", "signed"),
    ],
    "properties": {
        "record_id": {"type": "string", "maxLength": 150, "title": "Mã bản ghi ở nơi nhận"},
        "event": {"enum": ["NEW", "UPDATE", "CANCEL"]},
        "version": {"type": "integer", "minimum": 1, "maximum": 99_999},
        "written_at": {
            "type": "string",
            "maxLength": 19,
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
            "description": "When the hub accepted this version, Vietnam time.",
        },
        "key": {"type": "string", "maxLength": 32, "description": "A technical key of the record, hexadecimal."},
        "row_key": {"type": "string", "maxLength": 28, "description": "Its beginning, to make keys of rows with."},
        "card_id": {"type": "string", "maxLength": 36},
        "school_year": {"type": "string", "maxLength": 9, "pattern": "^20[0-9]{2}-20[0-9]{2}$"},
        "school": {"type": "string", "maxLength": 20},
        "message_id": {"type": "string", "maxLength": 52, "description": "The same in every attempt."},
        "document": {"description": "The bytes to embed: signed XML as it came, else the canonical card."},
        "document_type": {"type": "string", "maxLength": 100, "description": "Their media type."},
        "canonical": {"description": "The canonical card's bytes."},
        "canonical_type": {"type": "string", "maxLength": 100},
        "original": {"description": "The bytes as the client sent them."},
        "original_type": {"type": "string", "maxLength": 100, "description": "Their media type."},
        "signed": {"type": "boolean", "description": "Whether they are XML that carries a signature."},
    },
}
"""The facts of a delivery, as a JSON Schema. In a recall there may be no card beside them."""


def envelope_facts(
    key: CardKey, version: Version, event: Event, accepted_at: datetime, record_ids: RecordIds = RECORD_IDS
) -> dict[str, JsonValue]:
    """The facts that every delivery of a version has, the same in every attempt.

    `record_ids` is the form of the destination's record ids.
    """
    own_id = key.record_id()
    technical = sha256(own_id.encode()).hexdigest()
    return {
        "record_id": record_ids.of(key),
        "event": event.value,
        "version": version,
        "written_at": accepted_at.astimezone(VIETNAM).isoformat(timespec="seconds")[:19],
        "key": technical[:32],
        "row_key": technical[:28],
        "card_id": key.card_id,
        "school_year": key.school_year,
        "message_id": f"{own_id}/{version}",
    }
