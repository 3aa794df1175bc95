"""The kinds of findings that a canonical card can have. `docs/findings.md` is made from every room's kinds."""

from __future__ import annotations

from hocba_hub.model.findings import finding_kinds

KINDS = finding_kinds("hocba_hub.model")
"""Every kind of this room, by its code."""

MALFORMED = KINDS["json.malformed"]
TOO_DEEP = KINDS["json.too-deep"]
DUPLICATE_KEY = KINDS["json.duplicate-key"]
NOT_OBJECT = KINDS["json.not-object"]
XML_UNSAFE = KINDS["xml.unsafe"]
XML_ROOT = KINDS["xml.root"]
XML_ORDER = KINDS["xml.order"]
XML_ATTRIBUTE = KINDS["xml.attribute"]
XML_TEXT = KINDS["xml.text"]
UNKNOWN_KIND = KINDS["schema.kind"]
MISSING = KINDS["schema.missing"]
UNKNOWN_FIELD = KINDS["schema.unknown-field"]
WRONG_TYPE = KINDS["schema.type"]
TOO_LONG = KINDS["schema.length.too-long"]
TOO_SHORT = KINDS["schema.length.too-short"]
PATTERN = KINDS["schema.pattern"]
CHOICE = KINDS["schema.choice"]
RANGE = KINDS["schema.range"]
INVALID = KINDS["schema.invalid"]
NOT_NFC = KINDS["text.not-nfc"]
ETH = KINDS["text.eth"]
CONTROL = KINDS["text.control-character"]

CONSISTENCY = {code.removeprefix("card."): kind for code, kind in KINDS.items() if code.startswith("card.")}
"""Kinds for parts that do not fit together, by the last part of their code."""

SCHOOL_NOT_PERMITTED = KINDS["access.school-not-permitted"]
CARD_OF_ANOTHER_SCHOOL = KINDS["access.card-of-another-school"]
CARD_TRANSFERRED = KINDS["access.card-transferred"]
NOT_ALONE = KINDS["submission.atomic"]
RECALLED = KINDS["submission.card-recalled"]
REFUSED_THERE = KINDS["destination.refused"]
DIFFERENT_THERE = KINDS["destination.different"]
NEWER_THERE = KINDS["destination.newer"]
RETURNED = KINDS["destination.returned"]
IDENTITY_MISMATCH = KINDS["identity.mismatch"]
IDENTITY_NOT_FOUND = KINDS["identity.not-found"]
LATE = KINDS["window.late"]
WINDOW_CLOSED = KINDS["window.closed"]
LOCKED = KINDS["lock.locked"]
