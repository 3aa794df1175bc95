"""The operations: what REST does, asked and answered in XML."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from lxml import etree
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.acknowledging import Brought, take_verdicts
from hocba_hub.api.http.call import current_call
from hocba_hub.api.http.free_space import check_free_space
from hocba_hub.api.lookup import look_up_card, look_up_submission
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.receipt import receipt
from hocba_hub.api.soap.asked import Asked
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.api.soap.envelope_source import EnvelopeSource
from hocba_hub.intake.profiles import JSON_TYPE
from hocba_hub.intake.submission import Submitted
from hocba_hub.model.clock import vietnam_day
from hocba_hub.store.decide import Submission

_PAGE = 100


async def submit(asked: Asked) -> dict[str, Any]:
    """Accept the records; the receipt."""
    await check_free_space(asked.hub.backpressure)
    source = await _source(asked)
    submitted = await asked.hub.submissions.submit(_submission(asked, source.media_type), source)
    return {"receipt": _receipt(submitted, source.xpaths)}


async def validate(asked: Asked) -> dict[str, Any]:
    """The receipt as `submit` would give it now; nothing is stored."""
    source = await _source(asked)
    found = await asked.hub.submissions.validate(_submission(asked, source.media_type), source)
    answer = _receipt(found, source.xpaths)
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


async def acknowledge(asked: Asked) -> dict[str, Any]:
    """Take the verdicts that a destination brings; what became of each."""

    def text(element: etree._Element, name: str) -> str:
        return element.findtext(f"{{{MESSAGES}}}{name}") or ""

    brought = [
        Brought(text(one, "record_id"), int(text(one, "version")), text(one, "code"), text(one, "school_year") or None)
        for one in asked.body
    ]
    found = await asked.hub.writing.run(take_verdicts, asked.hub, asked.client, brought)
    return {
        "results": [
            {"record_id": one.record_id, "version": one.version, "reception": str(reception)}
            for one, reception in zip(brought, found, strict=True)
        ]
    }


OPERATIONS: Mapping[str, Callable[[Asked], Awaitable[dict[str, Any]]]] = {
    "SubmitReportCards": submit,
    "ValidateReportCards": validate,
    "GetSubmissionStatus": submission_status,
    "GetReportCard": report_card,
    "RecallReportCard": recall,
    "AcknowledgeReportCards": acknowledge,
}
KEYED = frozenset({"SubmitReportCards", "RecallReportCard"})
"""Operations that a message id makes safe to repeat; the others change nothing."""


async def _source(asked: Asked) -> EnvelopeSource:
    hub = asked.hub
    mappings = await hub.intake.mappings.awaited()
    profile = hub.intake.profile(mappings, asked.client, vietnam_day(hub.clock()), asked.optional("profile"))
    return await run_in_threadpool(EnvelopeSource, asked, profile, hub.settings)


def _submission(asked: Asked, media_type: str) -> Submission:
    return asked.hub.submissions.begin(
        asked.client,
        media_type,
        atomic=asked.is_atomic,
        reinstates=asked.reinstates,
        tells_unchecked=asked.tells_unchecked,
        trace_parent=current_call().trace_parent,
        claim=asked.claim,
    )


def _receipt(submitted: Submitted, xpaths: Mapping[int, Callable[[str], str]] = MappingProxyType({})) -> dict[str, Any]:
    answer = receipt(submitted)
    for entry in answer["records"]:
        of_place = xpaths.get(entry["position"])
        if of_place is not None:
            _add_xpaths(entry.get("findings", ()), of_place)
    return answer


def _add_xpaths(findings: Iterable[dict[str, Any]], of_place: Callable[[str], str]) -> None:
    for finding in findings:
        _add_xpaths(finding.get("folded", ()), of_place)
        finding["xpath"] = of_place(finding["pointer"])
