"""The operations: what REST does, asked and answered in XML."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.context import Hub
from hocba_hub.api.http.call import current_call
from hocba_hub.api.http.free_space import check_free_space
from hocba_hub.api.lookup import look_up_card, look_up_submission
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.receipt import receipt
from hocba_hub.api.soap.attachments import Attached
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.api.soap.envelope_source import EnvelopeSource
from hocba_hub.intake.profiles import JSON_TYPE
from hocba_hub.intake.submission import Submitted
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.xml_reading import xpath
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Submission

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One call whose caller is known and whose body is by the XSD."""

    hub: Hub
    client: Client
    body: etree._Element
    """The operation's element."""
    content: bytes
    """The bytes of the envelope."""
    attached: Attached
    media_type: str
    size: int
    """Bytes of the whole request, its attachments with it; `sha256` (hex) is theirs too."""
    sha256: str

    def text(self, name: str) -> str:
        """The text of an element that the XSD requires."""
        return self.body.findtext(f"{{{MESSAGES}}}{name}") or ""

    def optional(self, name: str) -> str | None:
        """The text of an element that may be left out."""
        return self.body.findtext(f"{{{MESSAGES}}}{name}")

    @property
    def key(self) -> CardKey:
        """The card that the call is about."""
        return CardKey(SchoolYear(self.text("school_year")), CardId(self.text("card_id")))

    @property
    def is_atomic(self) -> bool:
        """Whether all records are to be accepted, or none."""
        return (self.optional("atomic") or "").strip() in {"true", "1"}

    @property
    def reinstates(self) -> bool:
        """Whether recalled cards are put into force again."""
        return (self.optional("reinstate") or "").strip() in {"true", "1"}

    @property
    def tells_unchecked(self) -> bool:
        """Whether what could not be checked is to be told."""
        return (self.optional("not_checkable") or "").strip() in {"true", "1"}

    def fingerprint(self) -> bytes:
        """The same for the same request, whatever its headers are."""
        digest = hashlib.sha256(etree.tostring(self.body, method="c14n", exclusive=True))
        for body in self.attached.values():
            digest.update(hashlib.sha256(body).digest())
        return digest.digest()


async def submit(asked: Asked) -> dict[str, Any]:
    """Accept the records; the receipt."""
    await check_free_space(asked.hub.backpressure)
    source = _source(asked)
    submitted = await asked.hub.submissions.submit(_submission(asked, asked.media_type), source)
    return {"receipt": _receipt(submitted, source.in_xml)}


async def validate(asked: Asked) -> dict[str, Any]:
    """The receipt as `submit` would give it now; nothing is stored."""
    source = _source(asked)
    found = await asked.hub.submissions.validate(_submission(asked, asked.media_type), source)
    answer = _receipt(found, source.in_xml)
    del answer["submission_id"]
    return {"receipt": answer}


async def submission_status(asked: Asked) -> dict[str, Any]:
    """What became of a submission of this client, one page of its records."""
    found = await run_in_threadpool(
        look_up_submission,
        asked.hub,
        asked.text("submission_id"),
        asked.client,
        after=asked.optional("after"),
        limit=int(asked.optional("limit") or _PAGE),
    )
    return {"submission": found.model_dump(mode="json", exclude_none=True)}


async def report_card(asked: Asked) -> dict[str, Any]:
    """A card's versions, and where each stands at each destination."""
    found = await run_in_threadpool(look_up_card, asked.hub, asked.key, asked.client)
    return {"report_card": found.model_dump(mode="json", exclude_none=True)}


async def recall(asked: Asked) -> dict[str, Any]:
    """Recall a card: its next version is CANCEL at every destination; the receipt."""
    await check_free_space(asked.hub.backpressure)
    submission = _submission(asked, JSON_TYPE)
    recalled = await asked.hub.submissions.recall(submission, asked.key, size=asked.size, sha256=asked.sha256)
    if recalled is None:
        raise ProblemError("not-found")
    return {"receipt": _receipt(recalled)}


OPERATIONS: Mapping[str, Callable[[Asked], Awaitable[dict[str, Any]]]] = {
    "SubmitReportCards": submit,
    "ValidateReportCards": validate,
    "GetSubmissionStatus": submission_status,
    "GetReportCard": report_card,
    "RecallReportCard": recall,
}
KEYED = frozenset({"SubmitReportCards", "RecallReportCard"})
"""Operations that a message id makes safe to repeat; the others change nothing."""


def _source(asked: Asked) -> EnvelopeSource:
    settings = asked.hub.settings
    return EnvelopeSource(
        asked.body, asked.content, asked.attached, settings, asked.media_type, asked.size, asked.sha256
    )


def _submission(asked: Asked, media_type: str) -> Submission:
    return asked.hub.submissions.begin(
        asked.client,
        media_type,
        atomic=asked.is_atomic,
        reinstates=asked.reinstates,
        tells_unchecked=asked.tells_unchecked,
        trace_parent=current_call().trace_parent,
    )


def _receipt(submitted: Submitted, in_xml: Container[int] = ()) -> dict[str, Any]:
    answer = receipt(submitted)
    for entry in answer["records"]:
        for finding in entry.get("findings", ()):
            if entry["position"] in in_xml:
                finding["xpath"] = xpath(finding["pointer"])
    return answer
