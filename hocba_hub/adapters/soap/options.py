"""What a destination file says to the adapter `soap`: operations, and places in a service's own contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.adapters import filling
from hocba_hub.adapters.contracts import MINISTRY_WSDL
from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.adapters.places import SELF, ElementPlace, Place
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.reconciliation import TheirState


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Part):
    """An operation, and what stands in its request beside what the hub says."""

    operation: str
    fields: dict[Place, filling.Field] = {}
    """What else stands in the request, by place; see `filling`."""


class StandingPlaces(_Part):
    """What a standing has where."""

    version: Place | None = "Version"
    """Null where an answer does not say it: then it is the version that was asked about."""
    verdict: Place | None = "Verdict"
    code: Place | None = "Code"


class VerdictPlaces(StandingPlaces):
    """What a result has where."""

    record_id: Place | None = "RecordId"
    """Null where an answer is about the only record of a request and does not name it."""
    reference: Place | None = "Reference"
    """Which of several references a verdict is about."""


class SubmitRequest(Request):
    """How records are sent, and what the answer has where."""

    operation: str = "SubmitReportCards"
    record: ElementPlace = "Record"
    """The element that repeats; `.` where a request is one record."""
    record_id: Place = "RecordId"
    """Where the record id stands in a record; compared with what each mapping makes."""
    reference: Place | None = "Reference"
    """Null where every verdict is in the answer."""
    taken: str = "TAKEN"
    results: ElementPlace | None = None
    """Verdicts that the answer has already."""
    sha256: Place | None = "Sha256"
    """Element of a record whose digest the inventory says again."""


class ResultRequest(Request):
    """How the verdicts of a reference are asked for, and where in the answer they are."""

    operation: str = "GetSubmissionResult"
    reference: Place = "Reference"
    results: ElementPlace = "Result"
    unknown: ElementPlace | None = "UnknownReference"
    """Names a reference, of several, that is not known there."""
    unknown_code: str = "REFERENCE_UNKNOWN"


class CardRequest(Request):
    """How the standing of one card is asked for, and where in the answer it is."""

    operation: str = "GetReportCard"
    record_id: Place | None = "RecordId"
    """Null where `fields` say which card is meant."""
    standing: ElementPlace = "Standing"
    reference: Place | None = "Reference"
    verdict: StandingPlaces | None = None
    """Where in a standing its verdict is, if elsewhere than in a result."""


class InventoryRequest(Request):
    """How a page of the inventory is asked for, and what it and its lines have where."""

    operation: str = "ListReportCards"
    after: Place | None = "After"
    limit: Place | None = "Limit"
    lines_per_page: int = Field(5_000, ge=1, le=50_000)
    ids: Place | None = "RecordId"
    """Asks for single records; null where that cannot be done."""
    lines: ElementPlace = "Entry"
    next: Place | None = "Next"
    record_id: Place = "RecordId"
    school_year: Place | None = None
    """For record ids that do not say it."""
    version: Place = "Version"
    state: Place = "State"
    sha256: Place | None = "Sha256"
    states: dict[str, TheirState] = {
        "HELD": TheirState.HELD,
        "RECALLED": TheirState.RECALLED,
        "REFUSED": TheirState.REFUSED,
    }
    """What its words for a standing mean."""


class IdentityRequest(Request):
    """How a page of identity results is asked for, and what it and its lines have where."""

    operation: str = "ListIdentityResults"
    after: Place | None = "After"
    limit: Place | None = "Limit"
    lines_per_page: int = Field(1_000, ge=1, le=10_000)
    lines: ElementPlace = "IdentityResult"
    next: Place | None = "Next"
    record_id: Place = "RecordId"
    school_year: Place | None = None
    """For record ids that do not say it."""
    version: Place = "Version"
    result: Place = "Outcome"
    results: dict[str, IdentityResult] = {
        "VERIFIED": IdentityResult.VERIFIED,
        "MISMATCH": IdentityResult.MISMATCH,
        "NOT_FOUND": IdentityResult.NOT_FOUND,
    }
    """What its words for a result mean."""


class ListRequest(Request):
    """How a code list is asked for, and what it and its lines have where."""

    operation: str = "GetCodeList"
    list: Place = "Name"
    """Names the list in the request."""
    version: Place | None = "ListVersion"
    items: ElementPlace = "Item"
    code: Place = "Code"
    name: Place = "Label"


class FaultPlaces(_Part):
    """What a fault has where."""

    code: Place | None = None
    """Where in a fault the service's own code is; without it, the first `Code` of the detail."""


class SoapOptions(_Part):
    """The part of a destination file that only this adapter knows: names in the service's own contract."""

    wsdl: Path = MINISTRY_WSDL
    binding: str = "ReportCardsSoap11"
    submit: SubmitRequest = SubmitRequest()
    """Takes a batch; the destination's mappings make the elements of each record."""
    result: ResultRequest | None = ResultRequest()
    """Returns the verdicts of a reference; null where the answer to `submit` or `card` tells them."""
    card: CardRequest | None = CardRequest()
    """Returns the standing of one record; null where the destination cannot be asked."""
    inventory: InventoryRequest | None = InventoryRequest()
    """Lists what is held; null where it cannot be listed."""
    identity: IdentityRequest | None = None
    """Lists the results of the check of personal numbers; null where none are told."""
    code_list: ListRequest = ListRequest()
    """Returns a code list."""
    verdict: VerdictPlaces = VerdictPlaces()
    """Where in a result or a standing the verdict is; a code beside it says more and wins."""
    fault: FaultPlaces = FaultPlaces()

    def requests(self, *, with_lists: bool) -> list[Request]:
        """The requests that may be made; those for code lists `with_lists` only."""
        lists = self.code_list if with_lists else None
        made = (self.submit, self.result, self.card, self.inventory, self.identity, lists)
        return [one for one in made if one is not None]

    @property
    def standing(self) -> StandingPlaces:
        """What a standing has where."""
        return self.verdict if self.card is None or self.card.verdict is None else self.card.verdict


def contradictions(destination: Destination, options: SoapOptions) -> Iterator[tuple[bool, str]]:
    """What a file may say only together with something else: whether it is wrong, and why."""
    submit, result, card, verdict = options.submit, options.result, options.card, options.verdict
    standing = options.standing
    is_single = submit.record == SELF
    can_look_up = card is not None
    yield (
        not can_look_up and destination.in_doubt is Doubt.LOOK_UP,
        "without options.card, in_doubt is send-again or hold",
    )
    tells = submit.results is not None or submit.reference is not None
    yield not tells, "options.submit names neither a reference nor results"
    tells = submit.results is not None or result is not None or can_look_up
    yield not tells, "no verdict is told, neither by options.submit.results nor by result or card"
    yield is_single and destination.batch.records != 1, "where options.submit.record is ., batch.records is 1"
    yield (
        is_single and bool(submit.fields),
        "where options.submit.record is ., the mapping makes all, and fields nothing",
    )
    yield verdict.record_id is None and not is_single, "options.verdict.record_id is null only where submit.record is ."
    has_code = all(one.verdict or one.code for one in (verdict, standing))
    yield not has_code, "options.verdict names neither a verdict nor a code"
    asks_version = card is not None and "version" in filling.names(card.fields.values())
    why = "a look-up that is told no version asks for one, by {version} in options.card.fields"
    yield can_look_up and standing.version is None and not asks_version, why
    for page, name in ((options.inventory, "inventory"), (options.identity, "identity")):
        is_half = page is not None and (page.after is None) != (page.next is None)
        yield is_half, f"options.{name}.after and next go together: one leads to the other"
