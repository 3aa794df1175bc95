"""SOAP calls written by hand, and answers held against the published schemas."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx
from lxml import etree

from hocba_hub.api.soap.contract import MESSAGES, PROBLEM, schema
from hocba_hub.model.card import CARD
from hocba_hub.model.reading import read_card
from hocba_hub.model.xml_form import NAMESPACE
from hocba_hub.sandbox.synthetic import generate
from tests.support.api_server import Api
from tests.support.xml_cards import canonical_xml

S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"
TYPES = {S11: "text/xml; charset=utf-8", S12: "application/soap+xml; charset=utf-8"}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
NS = {"h": MESSAGES, "c": NAMESPACE, "p": PROBLEM, "s": S11, "t": S12}
H = f"{{{MESSAGES}}}"


class _Published(etree.Resolver):
    def resolve(self, url, _, context):
        return self.resolve_string(schema(url.rpartition("=")[2]), context)


def published() -> etree.XMLSchema:
    """The schemas as the WSDL imports them, compiled as one."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Published())
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="v1?xsd={name}"/>'
        for namespace, name in ((MESSAGES, "messages"), (PROBLEM, "problem"))
    )
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text, parser))


SCHEMA = published()


def cards(number: int, seed: int = 1) -> list[bytes]:
    """Right cards, as canonical JSON."""
    return [card for card in generate(number * 2, seed) if read_card(card).card is not None][:number]


def as_xml(card: bytes) -> bytes:
    return canonical_xml(CARD.validate_json(card)).partition(b"?>")[2].strip()


def record(card: bytes) -> str:
    return f"<records>{as_xml(card).decode()}</records>"


def document(raw: bytes) -> str:
    return f"<records><document>{base64.b64encode(raw).decode()}</document></records>"


def included(number: int) -> str:
    """A record whose document is the attachment of this number, from 0."""
    include = f'<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:part{number}%40test"/>'
    return f"<records><document>{include}</document></records>"


def multipart(content: bytes, *attachments: bytes, soap: str = S11) -> tuple[bytes, str]:
    """A request with attachments (MTOM/XOP), and its Content-Type."""
    boundary = "=_a boundary-" + hashlib.sha256(b"".join(attachments)).hexdigest()[:20]
    plain = TYPES[soap].partition(";")[0]
    parts = [(f'application/xop+xml; charset=UTF-8; type="{plain}"', "root@test", content)]
    parts += [("application/octet-stream", f"part{n}@test", one) for n, one in enumerate(attachments)]
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{name}>\r\n\r\n".encode()
        + one
        + b"\r\n"
        for kind, name, one in parts
    )
    more = f'type="application/xop+xml"; start="<root@test>"; start-info="{plain}"; boundary="{boundary}"'
    return body + f"--{boundary}--\r\n".encode(), f"multipart/related; {more}"


def submit(
    *records: str, operation: str = "SubmitReportCards", atomic: bool | None = None, profile: str | None = None
) -> str:
    said = "" if atomic is None else f"<atomic>{str(atomic).lower()}</atomic>"
    said += "" if profile is None else f"<profile>{profile}</profile>"
    return f'<{operation} xmlns="{MESSAGES}">{said}{"".join(records)}</{operation}>'


def about_card(card: bytes, operation: str = "GetReportCard") -> str:
    key = CARD.validate_json(card)
    inside = f"<school_year>{key.school_year}</school_year><card_id>{key.card_id}</card_id>"
    return f'<{operation} xmlns="{MESSAGES}">{inside}</{operation}>'


def about_submission(submission_id: str, more: str = "") -> str:
    inside = f"<submission_id>{submission_id}</submission_id>{more}"
    return f'<GetSubmissionStatus xmlns="{MESSAGES}">{inside}</GetSubmissionStatus>'


def envelope(body: str, *, soap: str = S11, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{soap}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")


def token(
    name: str, password: str, *, now: int, digest: bool = False, nonce: bytes | None = None, more: str = ""
) -> str:
    """A WS-Security header; with a nonce, or for a digest, it says when it was made."""
    salt, created = nonce or os.urandom(16), moment(now)
    kind, said = "PasswordText", password
    if digest:
        kind = "PasswordDigest"
        said = base64.b64encode(hashlib.sha1(salt + created.encode() + password.encode()).digest()).decode()
    fresh = f"<w:Nonce>{base64.b64encode(salt).decode()}</w:Nonce><u:Created>{created}</u:Created>"
    return (
        f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}" xmlns:s="{S11}" s:mustUnderstand="1"><w:UsernameToken>'
        f'<w:Username>{escape(name)}</w:Username><w:Password Type="{PROFILE}{kind}">{escape(said)}</w:Password>'
        f"{fresh if digest or nonce else ''}</w:UsernameToken>{more}</w:Security>"
    )


def call(
    api: Api, content: bytes, key: str | None = None, *, soap: str = S11, client: str = "vendor", **headers: str
) -> httpx.Response:
    """Post an envelope, with HTTP Basic of a client where a key is given."""
    proof = {}
    if key is not None:
        proof["Authorization"] = "Basic " + base64.b64encode(f"{client}:{key}".encode()).decode()
    said = {"Content-Type": TYPES[soap], **proof, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return api.http.post("/soap/v1", content=content, headers=said)


def answer(response: httpx.Response) -> etree._Element:
    """The element in the body of a good answer, which is as the schema says."""
    assert response.status_code == 200, response.text
    return checked(response)


def checked(response: httpx.Response) -> etree._Element:
    root = etree.fromstring(response.content)
    soap = etree.QName(root).namespace
    assert response.headers["content-type"] == TYPES[soap]
    (element,) = root.find(f"{{{soap}}}Body")
    if etree.QName(element).localname != "Fault":
        SCHEMA.assertValid(element)
    return element


class Fault:
    """A fault in either version of SOAP, its detail checked against the schema."""

    def __init__(self, response: httpx.Response) -> None:
        element = checked(response)
        self.element, self.status = element, response.status_code
        self.soap = etree.QName(element).namespace
        if self.soap == S11:
            assert response.status_code in {500, 401}
            self.code = element.findtext("faultcode").rpartition(":")[2]
            self.subcode = None
            self.texts = {
                element.find("faultstring").get("{http://www.w3.org/XML/1998/namespace}lang"): element.findtext(
                    "faultstring"
                )
            }
            detail = element.find("detail")
        else:
            self.code = element.findtext("t:Code/t:Value", namespaces=NS).rpartition(":")[2]
            self.subcode = element.findtext("t:Code/t:Subcode/t:Value", namespaces=NS)
            assert response.status_code in ({400, 401} if self.code == "Sender" else {500})
            texts = element.findall("t:Reason/t:Text", NS)
            self.texts = {text.get("{http://www.w3.org/XML/1998/namespace}lang"): text.text for text in texts}
            detail = element.find("t:Detail", NS)
        (problem,) = detail
        SCHEMA.assertValid(problem)
        self.problem: dict[str, Any] = {etree.QName(member).localname: member.text for member in problem}
        self.errors = [
            {etree.QName(member).localname: member.text for member in error}
            for error in problem.iterfind("p:errors/p:i", NS)
        ]
