"""A SOAP service's contract: its WSDL read by zeep once per process, envelopes and replies of its operations."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault
from zeep.wsdl import Document
from zeep.wsse.username import UsernameToken

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.http import Answer, CallError
from hocba_hub.adapters.protocol import Stage
from hocba_hub.adapters.verdicts import plain_code
from hocba_hub.model.safe_xml import UnsafeXmlError, parse_xml

_DEEPEST = 8
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_FAULTS = {
    "Client": "soap-client",
    "Sender": "soap-client",
    "MustUnderstand": "soap-client",
    "VersionMismatch": "soap-client",
    "Server": "soap-server",
    "Receiver": "soap-server",
}
_WSSE_FAULTS = frozenset(
    {
        "FailedAuthentication",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "SecurityTokenUnavailable",
        "UnsupportedAlgorithm",
        "UnsupportedSecurityToken",
    }
)
"""Fault codes of WS-Security 1.1 §12: our credentials were not taken."""

# zeep logs values that do not fit their type: personal data. What does not fit becomes an outcome here.
logging.getLogger("zeep").setLevel(logging.CRITICAL)

_documents: dict[Path, Document] = {}
_documents_lock = threading.Lock()


def wsdl_document(path: Path) -> Document:
    """The WSDL at `path`, parsed once per process; it may import schemas beside it, nothing from the network.

    Raises:
        DestinationError: it cannot be read or understood.
    """
    with _documents_lock:
        known = _documents.get(path)
        if known is None:
            settings = zeep.Settings(forbid_dtd=True, forbid_external=True)
            try:
                transport: Any = zeep.Transport()  # type: ignore[no-untyped-call]  # zeep
                known = Document(str(path), transport, settings=settings)
            except (OSError, ZeepError, NotImplementedError) as error:
                raise DestinationError(f"{path.name}: not usable as WSDL ({type(error).__name__}).") from error
            _documents[path] = known
        return known


class Contract:
    """One binding (SOAP 1.1 or 1.2, document/literal) of a WSDL.

    Raises:
        DestinationError: the WSDL has no such binding.
    """

    def __init__(self, wsdl: Path, binding: str) -> None:
        bindings: dict[str, Any] = {etree.QName(name).localname: b for name, b in wsdl_document(wsdl).bindings.items()}
        if binding not in bindings:
            raise DestinationError(f"{wsdl.name}: no binding {binding}; known are: {', '.join(sorted(bindings))}.")
        self._binding = bindings[binding]
        self._envelope_namespace: str = self._binding.nsmap["soap-env"]

    def operation(self, name: str) -> Any:  # noqa: ANN401 - zeep is not typed
        """How zeep describes an operation.

        Raises:
            DestinationError: the binding has none of that name.
        """
        try:
            return self._binding.get(name)
        except (KeyError, ValueError):
            raise DestinationError(f"The binding {self._binding.name} has no operation {name}.") from None

    def check_request(self, operation: str, field: str, times: int = 1) -> None:
        """Do nothing if a request with this one element, so many times, is what the contract wants.

        Raises:
            DestinationError: it is not.
        """
        try:
            self.request(operation, None, **{field: "x"})
        except CallError as error:
            raise DestinationError(f"A request {operation} with {field} alone is not by the contract.") from error
        element = dict(self.operation(operation).input.body.type.elements)[field]
        if element.max_occurs != "unbounded" and element.max_occurs < times:
            raise DestinationError(f"A request {operation} takes {field} {element.max_occurs} times, not {times}.")

    def check_reply(self, operation: str, *names: str) -> None:
        """Do nothing if a reply has elements of these names.

        Raises:
            DestinationError: the contract has not.
        """
        known = set(_element_names(self.operation(operation).output.body, 0))
        if missing := [name for name in names if name not in known]:
            raise DestinationError(f"The reply of {operation} has no element {', '.join(missing)}.")

    def headers(self, operation: str) -> dict[str, str]:
        """HTTP headers of a request."""
        action = self.operation(operation).soapaction
        if self._envelope_namespace == _SOAP_12:
            return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

    def request(self, operation: str, token: UsernameToken | None, **fields: object) -> bytes:
        """The envelope of a request as zeep serialises it, with a UsernameToken if one is given.

        Raises:
            CallError: a field cannot be written by the contract; nothing was sent.
        """
        try:
            envelope = self.operation(operation).create(**fields).content
        except (ZeepError, TypeError, ValueError) as error:
            raise CallError(Stage.NOT_SENT, "not-representable", "not by the contract") from error
        if token is not None:
            token.apply(envelope, {})  # type: ignore[no-untyped-call]  # zeep
        return _DECLARATION + etree.tostring(envelope)

    def frame(self, token: UsernameToken | None) -> tuple[bytes, bytes]:
        """The envelope around a body that is written by other means: what comes before it, and after it."""
        soap = f"{{{self._envelope_namespace}}}"
        envelope = etree.Element(f"{soap}Envelope", nsmap={"soap": self._envelope_namespace})
        etree.SubElement(envelope, f"{soap}Header")
        etree.SubElement(envelope, f"{soap}Body").text = ""
        if token is not None:
            token.apply(envelope, {})  # type: ignore[no-untyped-call]  # zeep
        before, _, after = etree.tostring(envelope).partition(b"</soap:Body>")
        return _DECLARATION + before, b"</soap:Body>" + after

    def reply(self, operation: str, answer: Answer) -> Any:  # noqa: ANN401 - zeep is not typed
        """What the operation returned, as zeep reads it.

        Raises:
            CallError: as `reply_element`.
        """
        try:
            return self.operation(operation).process_reply(
                self.reply_element(operation, answer).getroottree().getroot()
            )
        except (ZeepError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "not by the contract") from error

    def reply_element(self, operation: str, answer: Answer) -> etree._Element:
        """The element in the body of a reply: the one that the contract says.

        Raises:
            CallError: a fault (answered), an HTTP error without a fault (answered), or nothing readable (no answer).
        """
        try:
            document = parse_xml(answer.body)
        except UnsafeXmlError as error:
            raise _unreadable(answer) from error
        envelope = f"{{{self._envelope_namespace}}}"
        if document.find(f"{envelope}Body/{envelope}Fault") is not None:
            try:
                self._binding.process_error(document, self.operation(operation))
            except Fault as fault:
                raise CallError(Stage.ANSWERED, _fault_code(fault), "", answer.retry_after) from fault
        # zeep reads a reply by position and would take any element; the name must be the contract's.
        element = document.find(f"{envelope}Body/{self.operation(operation).output.body.qname}")
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES or element is None:
            raise _unreadable(answer)
        return element


def _element_names(element: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - zeep
    for name, inner in getattr(element.type, "elements", ()) if depth < _DEEPEST else ():
        yield name
        yield from _element_names(inner, depth + 1)


def _unreadable(answer: Answer) -> CallError:
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        return CallError(Stage.ANSWERED, f"http-{answer.status}", "", answer.retry_after)
    return CallError(Stage.NO_ANSWER, "unreadable-answer", "not by the contract")


def _fault_code(fault: Fault) -> str:
    for element in () if fault.detail is None else fault.detail.iter("{*}Code"):
        if own := plain_code(element.text):
            return own
    names = [str(fault.code or ""), *(subcode.localname for subcode in fault.subcodes or ())]
    local = [name.rpartition(":")[2].partition(".")[0] for name in names]
    if _WSSE_FAULTS.intersection(local):
        return "wsse-refused"
    return _FAULTS.get(local[0], "soap-server")
