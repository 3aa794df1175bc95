"""The operations: what REST does, asked and answered in XML."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.backpressure import check_room
from hocba_hub.api.call import current_call
from hocba_hub.api.context import Hub
from hocba_hub.api.intake import may_recall
from hocba_hub.api.lookup import card_shape, submission_shape
from hocba_hub.api.pages import place
from hocba_hub.api.problems import ProblemError
from hocba_hub.api.receipt import receipt
from hocba_hub.api.soap.attachments import Attached
from hocba_hub.api.soap.cards import JSON, received
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.xml_reading import xpath
from hocba_hub.store import search
from hocba_hub.store.accept import Portion, ReceivedRecord, RecordResult, cards_of, decide, recall_of
from hocba_hub.store.access import Client

_PORTION_RECORDS = 500
"""Records of a long submission that are accepted in one commit."""
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

    def fingerprint(self) -> bytes:
        """The same for the same request, whatever its headers are."""
        digest = hashlib.sha256(etree.tostring(self.body, method="c14n", exclusive=True))
        for body in self.attached.values():
            digest.update(hashlib.sha256(body).digest())
        return digest.digest()


async def submit(asked: Asked) -> dict[str, Any]:
    """Accept the records, portion by portion; the receipt."""
    await check_room(asked.hub.room)
    records, in_xml = await received(asked.body, asked.content, asked.attached, asked.hub.settings, asked.hub.judge)
    submission = _portion(asked, records)
    size = len(records) if asked.is_atomic else _PORTION_RECORDS
    results: list[RecordResult] = []
    for start in range(0, len(records), size):
        last = start + size >= len(records)
        portion = replace(submission, records=records[start : start + size], first=start == 0, last=last)
        results += await asked.hub.writer.write(portion)
    return {"receipt": _receipt(asked, submission, results, in_xml)}


async def validate(asked: Asked) -> dict[str, Any]:
    """The receipt as `submit` would give it now; nothing is stored."""
    records, in_xml = await received(asked.body, asked.content, asked.attached, asked.hub.settings, asked.hub.judge)
    portion = _portion(asked, records)
    answer = _receipt(asked, portion, await run_in_threadpool(_decided, asked.hub, portion), in_xml)
    del answer["submission_id"]
    return {"receipt": answer}


async def submission_status(asked: Asked) -> dict[str, Any]:
    """What became of a submission of this client, one page of its records."""
    position = place(asked.optional("after"), int)
    limit = int(asked.optional("limit") or _PAGE)

    def look() -> dict[str, Any]:
        with asked.hub.store.read() as connection:
            found = search.submission(
                connection,
                asked.text("submission_id"),
                client_id=asked.client.id,
                after=position[0] if position else -1,
                limit=limit,
            )
        if found is None:
            raise ProblemError("not-found")
        return submission_shape(found).model_dump(mode="json", exclude_none=True)

    return {"submission": await run_in_threadpool(look)}


async def report_card(asked: Asked) -> dict[str, Any]:
    """A card's versions, and where each stands at each destination."""

    def look() -> dict[str, Any]:
        with asked.hub.store.read() as connection:
            found = search.card(connection, asked.key)
        if found is None or not asked.client.may_speak_for(found.card.school_code):
            raise ProblemError("not-found")
        return card_shape(found).model_dump(mode="json", exclude_none=True)

    return {"report_card": await run_in_threadpool(look)}


async def recall(asked: Asked) -> dict[str, Any]:
    """Recall a card: its next version is CANCEL at every destination; the receipt."""
    await check_room(asked.hub.room)
    if not await run_in_threadpool(may_recall, asked.hub, asked.client, asked.key):
        raise ProblemError("not-found")
    portion = replace(_portion(asked, [recall_of(asked.key)]), media_type=JSON)
    return {"receipt": _receipt(asked, portion, await asked.hub.writer.write(portion))}


OPERATIONS: Mapping[str, Callable[[Asked], Awaitable[dict[str, Any]]]] = {
    "SubmitReportCards": submit,
    "ValidateReportCards": validate,
    "GetSubmissionStatus": submission_status,
    "GetReportCard": report_card,
    "RecallReportCard": recall,
}
KEYED = frozenset({"SubmitReportCards", "RecallReportCard"})
"""Operations that a message id makes safe to repeat; the others change nothing."""


def _portion(asked: Asked, records: Sequence[ReceivedRecord]) -> Portion:
    return Portion(
        submission_id=uuid7(),
        client_id=asked.client.id,
        schools=asked.client.schools,
        received_at=asked.hub.clock(),
        media_type=asked.media_type,
        atomic=asked.is_atomic,
        reinstates=asked.reinstates,
        trace_parent=current_call().trace_parent,
        records=records,
        first=True,
        last=True,
        size=asked.size,
        sha256=asked.sha256,
    )


def _receipt(
    asked: Asked, portion: Portion, results: Sequence[RecordResult], in_xml: Container[int] = ()
) -> dict[str, Any]:
    answer = receipt(portion.submission_id, portion.received_at, results, size=asked.size, sha256=asked.sha256)
    for entry in answer["records"]:
        for finding in entry.get("findings", ()):
            if entry["position"] in in_xml:
                finding["xpath"] = xpath(finding["pointer"])
    return answer


def _decided(hub: Hub, portion: Portion) -> list[RecordResult]:
    keys = sorted({record.key for record in portion.records if record.key is not None})
    with hub.store.read() as connection:
        return decide(cards_of(connection, keys), portion)
