"""The call that is being answered, as far as its answer and its log lines need it: path, language, trace."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from opentelemetry.trace import Span
from starlette.datastructures import Headers
from starlette.types import Scope

from hocba_hub.tracing import trace_parent_of

Language = Literal["vi", "en"]

_TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = 1
_PREFERENCE = re.compile(r"\s*(vi|en|\*)(?:-[a-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*", re.IGNORECASE)


class Call:
    """One HTTP call; each fact is worked out only if something asks for it."""

    def __init__(self, scope: Scope) -> None:
        """`scope` is that of ASGI."""
        self._scope = scope
        self.span: Span | None = None
        """Of the call, where traces are kept."""
        self.is_large = False
        """Whether so much was held for it that its memory is given back to the system afterwards."""

    @cached_property
    def path(self) -> str:
        """The path as a URI reference, without the query."""
        return quote(self._scope.get("path", ""), safe="/:@!$&'()*+,;=")

    @cached_property
    def trace_parent(self) -> str | None:
        """What names the call (W3C Trace Context): its own span, or else what the caller sent, if that is right."""
        return self.sent_trace_parent if self.span is None else trace_parent_of(self.span)

    @cached_property
    def sent_trace_parent(self) -> str | None:
        """The caller's `traceparent`, if it sent a right one."""
        sent = self._headers.get("traceparent", "")
        return sent if _TRACE_PARENT.fullmatch(sent) else None

    @cached_property
    def trace_id(self) -> str:
        """32 hex digits: the caller's trace, or a new one."""
        return self.trace_parent.split("-")[1] if self.trace_parent else secrets.token_hex(16)

    @property
    def known_trace_id(self) -> str | None:
        """The trace id of the call, where somebody keeps its trace: its sampled flag says so."""
        parent = self.trace_parent
        return self.trace_id if parent is not None and int(parent[-2:], 16) & _SAMPLED else None

    @cached_property
    def language(self) -> Language:
        """The language that `Accept-Language` prefers (RFC 9110 section 12.5.4); English if it does not say."""
        best: tuple[float, Language] = (0.0, "en")
        for part in self._headers.get("accept-language", "").split(","):
            match = _PREFERENCE.fullmatch(part)
            if match is None:
                continue
            weight = float(match[2] or 1)
            if weight > best[0]:
                best = (weight, "vi" if match[1].lower() == "vi" else "en")
        return best[1]

    @cached_property
    def _headers(self) -> Headers:
        return Headers(raw=self._scope.get("headers", []))


_current: ContextVar[Call] = ContextVar("call", default=Call({"path": ""}))  # noqa: B039 - never changed


def current_call() -> Call:
    """The call that is being answered; outside of any, an empty one."""
    return _current.get()


def enter_call(scope: Scope) -> Call:
    """Note, for the rest of this task, that this call is being answered."""
    call = Call(scope)
    _current.set(call)
    return call
