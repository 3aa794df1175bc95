"""The envelope: what a request holds, and the words of an answer around its body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.api.soap.faults import DECLARATION, SOAP_11, SOAP_12, WSSE, Fault, Kind
from hocba_hub.model.safe_xml import UnsafeXmlError, XmlLimits, parse_xml

WSA = frozenset({"http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"})
_UNDERSTOOD = WSA | {WSSE}
"""Namespaces whose headers are understood."""
_ANONYMOUS = ("/anonymous", "/none")
_OURS = {
    SOAP_11: {None, "", "http://schemas.xmlsoap.org/soap/actor/next"},
    SOAP_12: {None, "", f"{SOAP_12}/role/next", f"{SOAP_12}/role/ultimateReceiver"},
}
"""Actors and roles whose headers are meant for us."""
_BUILT = {
    soap: ([etree.QName(soap, "Body")], [etree.QName(soap, "Header"), etree.QName(soap, "Body")])
    for soap in (SOAP_11, SOAP_12)
}
_LONGEST_ID = 255
_BODY_DEPTH = 2
_ROOT = re.compile(rb"<([A-Za-z_][\w.-]{0,63}:)?Envelope[\s>]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request that is SOAP, and none of whose headers is beyond us."""

    soap: str
    """Namespace of SOAP 1.1 or 1.2; the answer's too."""
    security: etree._Element | None
    """The `wsse:Security` header that is meant for us."""
    addressing: str | None
    """Namespace of the WS-Addressing that the request uses."""
    message_id: str | None
    body: etree._Element
    """The operation's element."""

    @property
    def operation(self) -> str:
        """Local name of the operation; empty if the body is not of our namespace."""
        name = etree.QName(self.body)
        return name.localname if name.namespace == MESSAGES else ""


def read_envelope(content: bytes, limits: XmlLimits) -> Envelope:
    """The envelope in the bytes of a request.

    Raises:
        Fault: not XML that is read, not SOAP, or a header that must be understood and is not.
    """
    try:
        root = parse_xml(content, limits)
    except UnsafeXmlError as error:
        said = {"code": f"xml.{error.defect}", "in": "body", "pointer": "", "expected": ""}
        problem = ProblemError(
            "soap.unreadable", errors=[said | {"message_vi": error.message_vi, "message_en": error.message_en}]
        )
        raise Fault(problem, Kind.SENDER) from error
    name = etree.QName(root)
    soap = name.namespace or ""
    if name.localname != "Envelope" or soap not in {SOAP_11, SOAP_12}:
        raise Fault(ProblemError("soap.version"), Kind.VERSION)
    if [etree.QName(child) for child in root] not in _BUILT[soap] or len(root[-1]) != 1:
        raise Fault(ProblemError("soap.envelope"), Kind.SENDER, soap=soap)
    blocks = list(root[0]) if len(root) > 1 else []
    _check_understood(soap, blocks)
    security = [block for block in blocks if block.tag == f"{{{WSSE}}}Security" and _is_ours(soap, block)]
    if len(security) > 1:
        raise Fault(ProblemError("access.token-unsupported"), Kind.SENDER, soap=soap, subcode="wsse:InvalidSecurity")
    addressing, message_id = _addressed(soap, blocks)
    return Envelope(soap, security[0] if security else None, addressing, message_id, root[-1][0])


def head_of(begin: bytes) -> bytes | None:
    """What a request says before its body: the envelope up to the `Body`; None if `Body` does not begin in these bytes.

    Nothing is built of it, so that it costs no more than the bytes themselves.
    """
    parser = expat.ParserCreate()
    depth, body = 0, -1

    def start(name: str, _: object) -> None:
        nonlocal depth, body
        depth += 1
        if depth == _BODY_DEPTH and name.rpartition(":")[2] == "Body" and body < 0:
            body = parser.CurrentByteIndex

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise ValueError

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, refuse
    with suppress(expat.ExpatError, ValueError):  # what is broken behind the body's begin is no matter here
        parser.Parse(begin, False)  # noqa: FBT003 - expat's own signature
    return None if body < 0 else begin[:body]


def envelope_of_head(head: bytes, limits: XmlLimits) -> Envelope:
    """The envelope of a request of which only the head is there (`head_of`); its body is an empty element.

    Raises:
        Fault: as `read_envelope`.
    """
    root = _ROOT.search(head)
    prefix = root[1] if root is not None else b""
    return read_envelope(b"%s<%sBody><x/></%sBody></%sEnvelope>" % (head, prefix, prefix, prefix), limits)


def _is_ours(soap: str, block: etree._Element) -> bool:
    return block.get(f"{{{soap}}}{'actor' if soap == SOAP_11 else 'role'}") in _OURS[soap]


def _check_understood(soap: str, blocks: list[etree._Element]) -> None:
    """SOAP 1.1 section 4.2.3; SOAP 1.2 part 1, sections 2.4 and 5.4.8."""
    beyond = [
        (name.namespace or "", name.localname)
        for block in blocks
        if block.get(f"{{{soap}}}mustUnderstand", "").strip() in {"1", "true"} and _is_ours(soap, block)
        if (name := etree.QName(block)).namespace not in _UNDERSTOOD
    ]
    if beyond:
        raise Fault(ProblemError("soap.must-understand"), Kind.MUST_UNDERSTAND, soap=soap, beyond=beyond)


def _addressed(soap: str, blocks: list[etree._Element]) -> tuple[str | None, str | None]:
    """Namespace of WS-Addressing and the message id; answers go back on the same connection, and nowhere else."""
    addressing: str | None = None
    message_id: str | None = None
    for block in blocks:
        name = etree.QName(block)
        if name.namespace not in WSA:
            continue
        addressing = name.namespace
        if name.localname == "MessageID":
            message_id = (block.text or "").strip()
        elif name.localname in {"ReplyTo", "FaultTo"}:
            address = (block.findtext(f"{{{addressing}}}Address") or "").strip()
            if not address.endswith(_ANONYMOUS):
                subcode = "wsa:OnlyAnonymousAddressSupported"
                raise Fault(ProblemError("soap.reply-to"), Kind.SENDER, soap=soap, subcode=subcode)
    if message_id is not None and not (0 < len(message_id) <= _LONGEST_ID and message_id.isprintable()):
        raise Fault(ProblemError("idempotency.malformed-key"), Kind.SENDER, soap=soap)
    return addressing, message_id


def answer(envelope: Envelope, values: dict[str, Any]) -> bytes:
    """The answer to a request: `values` as elements, in their order; lists are elements that repeat."""
    name = f"{envelope.operation}Response"
    header = ""
    if envelope.addressing:
        related = f"<a:RelatesTo>{escape(envelope.message_id)}</a:RelatesTo>" if envelope.message_id else ""
        header = (
            f'<s:Header xmlns:a="{envelope.addressing}"><a:Action>{MESSAGES}/{name}</a:Action>'
            f"<a:MessageID>urn:uuid:{uuid4()}</a:MessageID>{related}</s:Header>"
        )
    inside = "".join(elements(values))
    return (
        f'{DECLARATION}<s:Envelope xmlns:s="{envelope.soap}">{header}<s:Body>'
        f'<{name} xmlns="{MESSAGES}">{inside}</{name}></s:Body></s:Envelope>'
    ).encode()


def elements(values: dict[str, Any]) -> Iterator[str]:
    """JSON as elements: names as they are, None left out."""
    for name, value in values.items():
        for item in value if isinstance(value, list) else (value,):
            match item:
                case None:
                    continue
                case dict():
                    yield f"<{name}>"
                    yield from elements(item)
                    yield f"</{name}>"
                case bool():
                    yield f"<{name}>{'true' if item else 'false'}</{name}>"
                case _:
                    yield f"<{name}>{escape(str(item))}</{name}>"
