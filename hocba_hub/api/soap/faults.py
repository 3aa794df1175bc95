"""Faults: whatever is not a good answer, as SOAP 1.1 and 1.2 say it, with the problem (RFC 9457) as detail."""

from __future__ import annotations

from enum import Enum
from xml.sax.saxutils import escape, quoteattr

import orjson
from fastapi import Response

from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.contract import PROBLEM
from hocba_hub.model.errors import HubError

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
MEDIA_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PREFIXES = {
    "wsse": WSSE,
    "wsu": WSU,
    "wsa": "http://www.w3.org/2005/08/addressing",
}
_MEMBERS = ("type", "title", "status", "detail", "instance", "code", "title_vi", "title_en", "trace_id")


class Kind(Enum):
    """Who is at fault; the values are the local names in SOAP 1.1 and 1.2."""

    SENDER = ("Client", "Sender")
    RECEIVER = ("Server", "Receiver")
    VERSION = ("VersionMismatch", "VersionMismatch")
    MUST_UNDERSTAND = ("MustUnderstand", "MustUnderstand")


class Fault(HubError):  # noqa: N818 - the name that SOAP gives it
    """Ends a call with a fault."""

    def __init__(
        self,
        problem: ProblemError,
        kind: Kind | None = None,
        *,
        soap: str | None = None,
        subcode: str = "",
        beyond: list[tuple[str, str]] | None = None,
    ) -> None:
        """`kind` follows from the problem if it is not given; `soap` is the request's namespace where it is known.

        `subcode` is a name with the prefix `wsse`, `wsu` or `wsa`, `beyond` are the headers that were not understood.
        """
        super().__init__(problem.kind.title_en)
        self.problem, self.soap, self.subcode, self.beyond = problem, soap, subcode, beyond or []
        self.kind = kind or (Kind.RECEIVER if _is_ours(problem) else Kind.SENDER)


def _is_ours(problem: ProblemError) -> bool:
    """The same request may be right later: nothing in it has to change."""
    return problem.kind.status >= 500 or "Retry-After" in problem.headers  # noqa: PLR2004 - HTTP


def fault_response(fault: Fault, soap: str) -> Response:
    """The fault as an answer: 500, 400 for a sender's fault in SOAP 1.2 (part 2, table 20), or 401 with a challenge."""
    detail = f"<p:problem xmlns:p={quoteattr(PROBLEM)}>{''.join(_members(fault.problem))}</p:problem>"
    body = _fault_11(fault, detail) if soap == SOAP_11 else _fault_12(fault, detail)
    header = ""
    if soap == SOAP_12 and fault.beyond:  # part 1, section 5.4.8
        header = "".join(
            f'<s:NotUnderstood xmlns:h={quoteattr(namespace)} qname="h:{escape(name)}"/>'
            for namespace, name in fault.beyond
        )
        header = f"<s:Header>{header}</s:Header>"
    text = f'{DECLARATION}<s:Envelope xmlns:s="{soap}">{header}<s:Body>{body}</s:Body></s:Envelope>'
    status = 400 if soap == SOAP_12 and fault.kind is Kind.SENDER else 500
    if "WWW-Authenticate" in fault.problem.headers:
        status = 401
    headers = {"Content-Language": current_call().language, **fault.problem.headers}
    return Response(text, status, headers, MEDIA_TYPES[soap])


def _fault_11(fault: Fault, detail: str) -> str:
    kind = fault.problem.kind
    in_vietnamese = current_call().language == "vi"
    title, more = (kind.title_vi, kind.detail_vi) if in_vietnamese else (kind.title_en, kind.detail_en)
    code, declared = _subcode(fault) if fault.subcode else (f"s:{fault.kind.value[0]}", "")
    return (
        f"<s:Fault><faultcode{declared}>{code}</faultcode>"
        f'<faultstring xml:lang="{current_call().language}">{escape(title)}: {escape(more)}</faultstring>'
        f"<detail>{detail}</detail></s:Fault>"
    )


def _fault_12(fault: Fault, detail: str) -> str:
    kind = fault.problem.kind
    subcode = ""
    if fault.subcode:
        code, declared = _subcode(fault)
        subcode = f"<s:Subcode><s:Value{declared}>{code}</s:Value></s:Subcode>"
    return (
        f"<s:Fault><s:Code><s:Value>s:{fault.kind.value[1]}</s:Value>{subcode}</s:Code><s:Reason>"
        f'<s:Text xml:lang="en">{escape(kind.title_en)}: {escape(kind.detail_en)}</s:Text>'
        f'<s:Text xml:lang="vi">{escape(kind.title_vi)}: {escape(kind.detail_vi)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )


def _subcode(fault: Fault) -> tuple[str, str]:
    prefix = fault.subcode.partition(":")[0]
    return fault.subcode, f" xmlns:{prefix}={quoteattr(_PREFIXES[prefix])}"


def _members(problem: ProblemError) -> list[str]:
    """The problem's members, in the order of its schema; lists as elements `i` (RFC 9457 appendix B)."""
    said = orjson.loads(bytes(problem.response().body))
    values = {name: said[name] for name in _MEMBERS}
    if "Retry-After" in problem.headers:
        values["retry_after"] = problem.headers["Retry-After"]
    written = [f"<p:{name}>{escape(str(value))}</p:{name}>" for name, value in values.items()]
    if said.get("errors"):
        written.append(f"<p:errors>{''.join(map(_error, said['errors']))}</p:errors>")
    return written


def _error(error: dict[str, str]) -> str:
    inside = "".join(f"<p:{name}>{escape(value)}</p:{name}>" for name, value in error.items())
    return f"<p:i>{inside}</p:i>"
