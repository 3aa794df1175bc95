"""Attachments: a request of several parts (RFC 2387), whose root names the others by `xop:Include` (XOP 1.0, MTOM)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

from lxml import etree

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.api.soap.faults import Fault, Kind

_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_DOCUMENT = f"{{{MESSAGES}}}document"
_MOST_HEADER_BYTES = 8_192
_HEADER = re.compile(rb"^([!#-'*+\-.0-9A-Za-z^-z|~]+):[ \t]*((?:[^\r\n]|\r?\n[ \t])*)\r?\n", re.MULTILINE)

Attached = Mapping[etree._Element, bytes]  # noqa: SLF001 - lxml's only name for it
"""Element that held an `xop:Include` → the bytes of the part."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A request's root, and its other parts by content id."""

    root: bytes
    others: Mapping[str, bytes]


def media_type(header: str) -> tuple[str, Mapping[str, str]]:
    """A media type and its parameters, names in lower case (RFC 9110 section 8.3.1)."""
    message = Message()
    message["Content-Type"] = header.replace("\r", " ").replace("\n", " ") or "text/xml"
    parameters = message.get_params([], unquote=True) or []
    return message.get_content_type(), {name.lower(): value for name, value in parameters[1:] if isinstance(value, str)}


def read_parts(content: bytes, parameters: Mapping[str, str], most: int) -> Parts:
    """The parts of a `multipart/related` body; at most `most` of them.

    Raises:
        Fault: it is not built as RFC 2387 has it.
    """
    boundary = parameters.get("boundary", "").encode("ascii", "replace")
    pieces = (b"\r\n" + content).split(b"\r\n--" + boundary, most + 2) if boundary else []
    if not 3 <= len(pieces) <= most + 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 - before, one part, end
        raise _broken()
    root: bytes | None = None
    others: dict[str, bytes] = {}
    start = parameters.get("start", "").strip("<> ")
    for piece in pieces[1:-1]:
        content_id, body = _part(piece)
        is_root = content_id == start if start else root is None
        if is_root and root is None:
            root = body
        elif content_id in others:
            raise _broken()
        else:
            others[content_id] = body
    if root is None:
        raise _broken()
    return Parts(root, others)


def first_part(begin: bytes) -> bytes:
    """What has come of the first part's body; empty if it has not begun."""
    return begin.partition(b"\r\n\r\n")[2]


def _part(piece: bytes) -> tuple[str, bytes]:
    head, found, body = piece.lstrip(b" \t").partition(b"\r\n\r\n")
    if not found or head[:2] not in {b"", b"\r\n"} or len(head) > _MOST_HEADER_BYTES:
        raise _broken()
    headers = {name.lower(): value.strip() for name, value in _HEADER.findall(head[2:] + b"\r\n")}
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in {b"binary", b"8bit", b"7bit"}:
        raise _broken()
    return headers.get(b"content-id", b"").decode("utf-8", "replace").strip("<> "), body


def attached(root: etree._Element, parts: Mapping[str, bytes]) -> Attached:
    """Take every `xop:Include` out of a message; what each of them stood for, by the element that held it.

    Raises:
        Fault: one names a part that is not there, or stands elsewhere than alone in a `document`.
    """
    found: dict[etree._Element, bytes] = {}
    for include in list(root.iter(_INCLUDE)):
        holder = include.getparent()
        scheme, _, content_id = include.get("href", "").partition(":")
        body = parts.get(unquote(content_id))
        if holder is None or holder.tag != _DOCUMENT or len(holder) != 1 or scheme.lower() != "cid" or body is None:
            raise _broken()
        holder.remove(include)
        holder.text = ""
        found[holder] = body
    return found


def _broken() -> Fault:
    return Fault(ProblemError("soap.attachment"), Kind.SENDER)
