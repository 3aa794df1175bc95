"""Transforms of a whole document's bytes, for formats that embed one in another."""

from __future__ import annotations

import binascii
import hashlib

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import JsonValue, ValueRejected, as_text, value_class


def base64(value: JsonValue) -> str:
    """The bytes in Base64, without line breaks (RFC 4648 §4); a text counts as its UTF-8."""
    return binascii.b2a_base64(_content(value), newline=False).decode("ascii")


def digest(value: JsonValue) -> str:
    """SHA-256 of the bytes, hexadecimal; a text counts as its UTF-8."""
    return hashlib.sha256(_content(value)).hexdigest()


def _content(value: JsonValue) -> bytes:
    if type(value) is bytes:
        return value
    try:
        return as_text(value).encode()
    except UnicodeEncodeError as error:
        raise ValueRejected(kinds.UNREADABLE, "Unicode", value_class=value_class(value)) from error
