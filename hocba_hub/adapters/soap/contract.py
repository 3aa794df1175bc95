"""A SOAP service's contract: its WSDL read by zeep once per process, envelopes and replies of its operations."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import zeep
from lxml import etree
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.wsse.username import UsernameToken

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.http import Answer, CallError
from hocba_hub.adapters.places import steps, text_at
from hocba_hub.adapters.protocol import Stage
from hocba_hub.adapters.soap import schema
from hocba_hub.adapters.soap.writer import ElementWriter, body_writer
from hocba_hub.adapters.verdicts import plain_code
from hocba_hub.model.safe_xml import UnsafeXmlError, parse_xml

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
            except Exception as error:  # zeep fails in many ways over what it does not understand
                raise DestinationError(f"{path.name}: not usable as WSDL ({type(error).__name__}).") from error
            _documents[path] = known
        return known


def binding_names(wsdl: Path) -> list[str]:
    """The SOAP bindings of a WSDL.

    Raises:
        DestinationError: it cannot be read or understood.
    """
    return sorted(_soap_bindings(wsdl_document(wsdl)))


def _soap_bindings(document: Document) -> dict[str, Any]:
    named = ((etree.QName(name).localname, binding) for name, binding in document.bindings.items())
    return {name: binding for name, binding in named if isinstance(binding, SoapBinding)}


class Contract:
    """One binding (SOAP 1.1 or 1.2, document/literal or rpc/literal) of a WSDL.

    `fault_place` is where in a fault the service's own code is; without it, the first `Code` of the detail.

    Raises:
        DestinationError: the WSDL has no such binding.
    """

    def __init__(self, wsdl: Path, binding: str, fault_place: str | None = None) -> None:
        self._document, self._name = wsdl_document(wsdl), binding
        bindings = _soap_bindings(self._document)
        if binding not in bindings:
            raise DestinationError(f"{wsdl.name}: no binding {binding}; known are: {', '.join(sorted(bindings))}.")
        self._binding = bindings[binding]
        self._fault_place = fault_place
        self._encoded = frozenset(self._encoded_operations())
        self._envelope_namespace: str = self._binding.nsmap["soap-env"]

    def operations(self) -> list[str]:
        """Names of the binding's operations."""
        return sorted(self._binding.all())

    def operation(self, name: str) -> Any:  # noqa: ANN401 - zeep is not typed
        """How zeep describes an operation.

        Raises:
            DestinationError: the binding has none of that name.
        """
        try:
            return self._binding.get(name)
        except (KeyError, ValueError):
            raise DestinationError(f"The binding {self._binding.name} has no operation {name}.") from None

    def writer(self, operation: str) -> ElementWriter:
        """What writes the body of an operation's request.

        Raises:
            DestinationError: there is no such operation, or it is of a shape that is not written or read here.
        """
        known = self.operation(operation)
        if known.output is None or known.output.body is None or known.input.body is None:
            raise DestinationError(f"{operation} takes nothing, or answers nothing.")
        if known.input.header is not None and known.input.header.type.elements:
            raise DestinationError(f"{operation} needs a SOAP header of its own, which is not written.")
        if operation in self._encoded:
            raise DestinationError(f"{operation} is of the use encoded; only literal is written.")
        return body_writer(known)

    def _encoded_operations(self) -> Iterator[str]:
        """Those whose bodies are of the use `encoded` (WSDL 1.1 §3.5), which zeep does not keep."""
        for path in {one.location for one in self._document._definitions.values()}:  # noqa: SLF001 - it has no public list
            operations = etree.parse(path).iterfind(f"{{*}}binding[@name='{self._name}']/{{*}}operation")
            for operation in operations:  # of a file of ours, which zeep has read
                if operation.find("*/{*}body[@use='encoded']") is not None:
                    yield str(operation.get("name"))

    def check_reply(self, operation: str, lines: str, *places: str | None) -> None:
        """Do nothing if a reply has elements at `lines`, and those have elements or attributes at `places`.

        Raises:
            DestinationError: the contract has none such.
        """
        found = self._reply_type(operation, self.operation(operation).output.body, lines)
        for place in places:
            if place is not None:
                self._reply_type(operation, found, place)

    @staticmethod
    def _reply_type(operation: str, element: Any, place: str) -> Any:  # noqa: ANN401 - zeep
        """What a reply has at a place below an element; None where the schema allows anything."""
        for name in steps(place):
            if element is None:
                return None
            is_attribute = name.startswith("@")
            if is_attribute and name[1:] in dict(schema.attributes(element.type)):
                return None
            inner = {one.name: one.element for one in schema.children(element.type)}
            if name in inner:
                element = inner[name]
                continue
            if schema.allows_any(element.type, attribute=is_attribute):
                return None
            raise DestinationError(f"The reply of {operation} has no element {place}, by its contract.")
        return element

    def headers(self, operation: str) -> dict[str, str]:
        """HTTP headers of a request."""
        action = self.operation(operation).soapaction
        if self._envelope_namespace == _SOAP_12:
            return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

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

    def reply(self, operation: str, answer: Answer) -> etree._Element:
        """The element in the body of a reply: the one that the contract says.

        Raises:
            CallError: a fault (answered), an HTTP error without a fault (answered), or nothing readable (no answer).
        """
        try:
            document = parse_xml(answer.body)
        except UnsafeXmlError as error:
            raise _unreadable(answer) from error
        envelope = f"{{{self._envelope_namespace}}}"
        body = document.find(f"{envelope}Body")
        fault = None if body is None else body.find(f"{envelope}Fault")
        if fault is not None:
            raise CallError(Stage.ANSWERED, _fault_code(fault, self._fault_place), "", answer.retry_after)
        element = None if body is None else self._returned(operation, body)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES or element is None:
            raise _unreadable(answer)
        return element

    def _returned(self, operation: str, body: etree._Element) -> etree._Element | None:
        known = self.operation(operation)
        if known.style == "rpc":  # WS-I Basic Profile 1.1, R2729: named after the operation, whatever the message is
            return body.find(f"{{*}}{known.name}Response")
        return body.find(known.output.body.qname)


def _unreadable(answer: Answer) -> CallError:
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        return CallError(Stage.ANSWERED, f"http-{answer.status}", "", answer.retry_after)
    return CallError(Stage.NO_ANSWER, "unreadable-answer", "not by the contract")


def _fault_code(fault: etree._Element, place: str | None) -> str:
    """The service's own code where it has one; else what SOAP says of whose fault it is."""
    own = (
        (element.text for element in fault.iterfind("{*}detail//{*}Code")),
        (element.text for element in fault.iterfind("{*}Detail//{*}Code")),
    )
    for text in (text_at(fault, place),) if place else itertools.chain(*own):
        if code := plain_code(_local(fault, text)):
            return code
    # SOAP 1.1 §4.4; SOAP 1.2 part 1 §5.4.6
    codes = [text_at(fault, one) or "" for one in ("faultcode", "Code/Value", "Code/Subcode/Value")]
    local = [code.rpartition(":")[2].partition(".")[0] for code in codes if code]
    if _WSSE_FAULTS.intersection(local):
        return "wsse-refused"
    return _FAULTS.get(local[0] if local else "", "soap-server")


def _local(element: etree._Element, text: str | None) -> str | None:
    """A code without the prefix that makes a qualified name of it, such as `s:Client`."""
    prefix, colon, name = (text or "").partition(":")
    return name if colon and prefix in element.nsmap else text
