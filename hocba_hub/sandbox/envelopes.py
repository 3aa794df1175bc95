"""SOAP as the Ministry's simulator speaks it: requests read and checked by the XSD, replies and faults written.

Independent of the hub's own SOAP code on purpose; only the contract files are shared.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from xml.sax.saxutils import escape

from lxml import etree
from starlette.responses import Response

from hocba_hub.adapters.contracts import MINISTRY_NAMESPACE, MINISTRY_XSD
from hocba_hub.model.errors import HubError

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
M = f"{{{MINISTRY_NAMESPACE}}}"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_FRESH_SECONDS = 300


class SoapError(HubError):
    """A request that is answered by a fault."""

    def __init__(self, soap: str, kind: str, text: str, *, code: str | None = None, wsse: str | None = None) -> None:
        super().__init__(text)
        self.soap, self.kind, self.text, self.code, self.wsse = soap, kind, text, code, wsse


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """A request that fits the contract."""

    soap: str
    """Namespace of its envelope: SOAP 1.1 or 1.2, and the answer's."""
    envelope: etree._Element
    body: etree._Element

    @property
    def operation(self) -> str:
        """Local name of the body's element."""
        return etree.QName(self.body).localname


def read_request(content: bytes) -> SoapRequest:
    """The request in an HTTP body.

    Raises:
        SoapError: it is not XML, not SOAP, or not by the contract's XSD.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        envelope = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise SoapError(SOAP_11, "Client", "not readable as XML", code="SCHEMA_INVALID") from error
    soap = etree.QName(envelope).namespace or ""
    if soap not in {SOAP_11, SOAP_12}:
        raise SoapError(SOAP_11, "VersionMismatch", "SOAP 1.1 or 1.2 is expected")
    body = envelope.find(f"{{{soap}}}Body")
    if body is None or len(body) != 1:
        raise SoapError(soap, "Client", "one element in the body is expected", code="SCHEMA_INVALID")
    if not _schema().validate(body[0]):
        raise SoapError(soap, "Client", "not by the schema", code="SCHEMA_INVALID")
    return SoapRequest(soap, envelope, body[0])


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(MINISTRY_XSD))


class UsernameTokens:
    """Checks WS-Security UsernameTokens of one account: text, or digest with a fresh and unused nonce.

    Source: OASIS Web Services Security UsernameToken Profile 1.1, §3.1.
    """

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._nonces: dict[bytes, float] = {}

    def check(self, request: SoapRequest) -> None:
        """Do nothing if the request's token is right.

        Raises:
            SoapError: there is none, or it is not taken.
        """
        token = request.envelope.find(f"{{{request.soap}}}Header/{{{_WSSE}}}Security/{{{_WSSE}}}UsernameToken")
        if token is None:
            raise SoapError(request.soap, "Client", "no UsernameToken", wsse="InvalidSecurity")
        if not self._is_right(token):
            raise refused_token(request.soap)

    def _is_right(self, token: etree._Element) -> bool:
        password = token.find(f"{{{_WSSE}}}Password")
        if password is None or token.findtext(f"{{{_WSSE}}}Username") != self._username:
            return False
        given = (password.text or "").encode()
        if not password.get("Type", "").endswith("#PasswordDigest"):
            return hmac.compare_digest(given, self._password.encode())
        created = token.findtext(f"{{{_WSU}}}Created") or ""
        try:
            nonce = base64.b64decode(token.findtext(f"{{{_WSSE}}}Nonce") or "", validate=True)
            age = (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()
        except (ValueError, TypeError):
            return False
        digest = hashlib.sha1(nonce + created.encode() + self._password.encode()).digest()  # noqa: S324 - the profile
        fresh = abs(age) <= _FRESH_SECONDS and self._is_new(nonce)
        return fresh and hmac.compare_digest(given, base64.b64encode(digest))

    def _is_new(self, nonce: bytes) -> bool:
        now = time.monotonic()
        if nonce in self._nonces:
            return False
        self._nonces[nonce] = now
        while (oldest := next(iter(self._nonces))) and self._nonces[oldest] < now - _FRESH_SECONDS:
            del self._nonces[oldest]
        return True


def refused_token(soap: str) -> SoapError:
    """The fault for credentials that are not taken (WS-Security 1.1 §12)."""
    return SoapError(soap, "Client", "the security token could not be authenticated", wsse="FailedAuthentication")


def reply(soap: str, operation: str, content: str) -> Response:
    """The reply of an operation; `content` is XML with the prefix `m`."""
    element = f"m:{operation}Response"
    return _envelope(soap, f'<{element} xmlns:m="{MINISTRY_NAMESPACE}">{content}</{element}>', 200)


def elements(fields: Mapping[str, str | int | None] | Iterable[tuple[str, str | int | None]]) -> str:
    """Simple elements of the contract; a value of None leaves the element out."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return "".join(f"<m:{name}>{escape(str(value))}</m:{name}>" for name, value in pairs if value is not None)


def fault(problem: SoapError) -> Response:
    """The fault as SOAP 1.1 or 1.2 has it; HTTP 500, or 400 for a sender's fault in 1.2."""
    security = f' xmlns:wsse="{_WSSE}"' if problem.wsse else ""
    detail = ""
    if problem.code:
        inner = elements({"Code": problem.code, "Text": problem.text})
        detail = f'<m:Problem xmlns:m="{MINISTRY_NAMESPACE}">{inner}</m:Problem>'
    text = escape(problem.text)
    if problem.soap == SOAP_11:
        name = f"wsse:{problem.wsse}" if problem.wsse else f"soap:{problem.kind}"
        inside = f"<faultcode{security}>{name}</faultcode><faultstring>{text}</faultstring>"
        inside += f"<detail>{detail}</detail>" if detail else ""
        return _envelope(SOAP_11, f"<soap:Fault>{inside}</soap:Fault>", 500)
    kind = {"Client": "Sender", "Server": "Receiver"}.get(problem.kind, problem.kind)
    sub = f"<soap:Subcode><soap:Value>wsse:{problem.wsse}</soap:Value></soap:Subcode>" if problem.wsse else ""
    inside = f"<soap:Code><soap:Value>soap:{kind}</soap:Value>{sub}</soap:Code>"
    inside += f'<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
    inside += f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
    return _envelope(SOAP_12, f"<soap:Fault{security}>{inside}</soap:Fault>", 400 if kind == "Sender" else 500)


def _envelope(soap: str, body: str, status: int) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soap:Envelope xmlns:soap="{soap}"><soap:Body>{body}</soap:Body></soap:Envelope>'
    )
    media_type = "text/xml" if soap == SOAP_11 else "application/soap+xml"
    return Response(text, status, media_type=f"{media_type}; charset=utf-8")
