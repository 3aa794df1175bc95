"""The adapter `soap`: batches of documents to a SOAP service that gives its verdicts later.

zeep keeps the contract (WSDL, checks, the small operations, replies and faults); the batch's body is written by
`batch.py`, because there zeep's serialisation would be the limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from zeep.wsse.username import UsernameToken

from hocba_hub.adapters.authentication import Secrets, authenticated, credentials_for
from hocba_hub.adapters.contracts import MINISTRY_WSDL
from hocba_hub.adapters.destination import Destination, DestinationError, Doubt
from hocba_hub.adapters.http import Answer, CallError, HttpConnection, retried, sha256
from hocba_hub.adapters.lists import (
    NO_IDENTITY,
    NO_INVENTORY,
    Line,
    code_items,
    digest_of,
    identity_page,
    inventory_page,
)
from hocba_hub.adapters.protocol import (
    ABSENT,
    CallResult,
    CodeList,
    IdentityPage,
    InventoryPage,
    MaySend,
    OutboundRecord,
    Outcome,
    Stage,
    always,
)
from hocba_hub.adapters.soap.batch import BatchWriter, UnwritableError
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.adapters.verdicts import Verdicts
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.reconciliation import TheirState

_LONGEST_REFERENCE = 200
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Submit(_Part):
    operation: str = "SubmitReportCards"
    record: str = "Record"
    reference: str = "Reference"
    taken: str = "TAKEN"
    sha256: str = "Sha256"
    """Element of a record whose digest the inventory says again."""


class _Result(_Part):
    operation: str = "GetSubmissionResult"
    reference: str = "Reference"
    results: str = "Result"
    unknown: str = "UnknownReference"
    """Names a reference, of several, that is not known there."""
    unknown_code: str = "REFERENCE_UNKNOWN"


class _Card(_Part):
    operation: str = "GetReportCard"
    record_id: str = "RecordId"
    standing: str = "Standing"
    reference: str = "Reference"


class _Inventory(_Part):
    operation: str = "ListReportCards"
    after: str = "After"
    limit: str = "Limit"
    lines_per_page: int = Field(5_000, ge=1, le=50_000)
    ids: str | None = "RecordId"
    """Asks for single records; null where that cannot be done."""
    lines: str = "Entry"
    next: str = "Next"
    record_id: str = "RecordId"
    version: str = "Version"
    state: str = "State"
    sha256: str = "Sha256"
    states: dict[str, TheirState] = {
        "HELD": TheirState.HELD,
        "RECALLED": TheirState.RECALLED,
        "REFUSED": TheirState.REFUSED,
    }
    """What its words for a standing mean."""


class _Identity(_Part):
    operation: str = "ListIdentityResults"
    after: str = "After"
    limit: str = "Limit"
    lines_per_page: int = Field(1_000, ge=1, le=10_000)
    lines: str = "IdentityResult"
    next: str = "Next"
    record_id: str = "RecordId"
    version: str = "Version"
    result: str = "Outcome"
    results: dict[str, IdentityResult] = {
        "VERIFIED": IdentityResult.VERIFIED,
        "MISMATCH": IdentityResult.MISMATCH,
        "NOT_FOUND": IdentityResult.NOT_FOUND,
    }
    """What its words for a result mean."""


class _List(_Part):
    operation: str = "GetCodeList"
    list: str = "Name"
    """Names the list in the request."""
    version: str = "ListVersion"
    items: str = "Item"
    code: str = "Code"
    name: str = "Label"


class _Verdict(_Part):
    record_id: str = "RecordId"
    version: str = "Version"
    verdict: str = "Verdict"
    code: str = "Code"
    reference: str = "Reference"
    """Which of several references a verdict is about."""


class SoapOptions(_Part):
    """The part of a destination file that only this adapter knows: names in the service's own contract."""

    wsdl: Path = MINISTRY_WSDL
    binding: str = "ReportCardsSoap11"
    submit: _Submit = _Submit()
    """Takes a batch and returns a reference; the destination's mappings make the elements of each record."""
    result: _Result = _Result()
    """Returns the verdicts of a reference."""
    card: _Card | None = _Card()
    """Returns the standing of one record; null where the destination cannot be asked."""
    inventory: _Inventory | None = _Inventory()
    """Lists what is held; null where it cannot be listed."""
    identity: _Identity | None = None
    """Lists the results of the check of personal numbers; null where none are told."""
    code_list: _List = _List()
    """Returns a code list."""
    verdict: _Verdict = _Verdict()
    """Where in a result or a standing the verdict is; a code beside it says more and wins."""


class SoapAdapter:
    """One SOAP destination; see `Outbound`.

    Raises:
        DestinationError: the destination file does not fit the adapter or the WSDL.
    """

    polls = True
    inventory_by_id = True

    def __init__(self, destination: Destination, environment: Mapping[str, str], translations: Translations) -> None:
        try:
            self._options = SoapOptions.model_validate(destination.options)
        except ValidationError as error:
            places = ", ".join(".".join(str(step) for step in e["loc"]) for e in error.errors())
            raise DestinationError(f"{destination.name}: options not usable: {places}.") from error
        self._authentication = destination.authentication
        self._secrets = Secrets(destination, environment)
        if self._authentication.scheme == "wsse-username-token":
            self._secrets.check("username_env", "password_env")
        self._has_lists = bool(destination.code_lists)
        self._references = destination.acknowledgement.references
        self._contract = Contract(destination.folder / self._options.wsdl, self._options.binding)
        submit = self._options.submit
        self._translations = translations
        self._writer = BatchWriter(self._contract.operation(submit.operation), submit.record)
        if (several := translations.makes_several()) is not None:
            raise DestinationError(f"{several.label}: makes several records of a card; soap sends one.")
        for document in translations.documents():
            self._writer.check(document.fields)
        self._check_replies()
        self.inventory_by_id = self._options.inventory is not None and self._options.inventory.ids is not None
        if self._options.card is None and destination.in_doubt is Doubt.LOOK_UP:
            raise DestinationError(f"{destination.name}: without options.card, in_doubt is send-again or hold.")
        translations.check_record_ids(self._options.verdict.record_id)
        self._connection = HttpConnection(destination)
        self._credentials = credentials_for(destination, self._secrets, self._connection)

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        """Submit a batch; its verdicts come later, under the outcomes' reference."""
        submit = self._options.submit
        outcomes: list[Outcome] = []
        written: list[bytes] = []
        sent: list[OutboundRecord] = []
        mappings: dict[int, str] = {}
        digests: dict[int, bytes | None] = {}
        for record in records:
            try:
                (made,), mappings[record.delivery_id] = self._translations.represent(record)
                written.append(self._writer.record(made))
                sent.append(record)
                digests[record.delivery_id] = digest_of(made.get(submit.sha256))
            except (NotRepresentableError, UnwritableError) as error:
                if isinstance(error, NotRepresentableError):
                    mappings[record.delivery_id] = error.mapping
                outcomes.append(Outcome(record.delivery_id, Stage.NOT_SENT, "not-representable", str(error)))
        if not sent:
            return CallResult(outcomes, mappings=mappings)
        request = b""
        answer: Answer | None = None
        try:
            before, after = self._contract.frame(self._token())
            request = b"".join((before, self._writer.body(written), after))
            answer = self._post(submit.operation, request, may_send)
            reference = _reference(self._contract.reply(submit.operation, answer), submit)
            outcomes += [Outcome(r.delivery_id, Stage.ANSWERED, submit.taken, reference=reference) for r in sent]
        except CallError as failed:
            outcomes += [failed.outcome(record) for record in sent]
        outcomes = [replace(one, sent_sha256=digests.get(one.delivery_id)) for one in outcomes]
        return replace(_evidence(outcomes, request, answer), mappings=mappings)

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:
        """Ask for the verdicts on references."""
        options = self._options.result
        answer: Answer | None = None
        try:
            asked = references[0] if len(references) == 1 else list(references)
            answer = self._ask(options.operation, {options.reference: asked})
            reply = self._contract.reply_element(options.operation, answer)
        except CallError as failed:
            return _evidence([failed.outcome(record) for record in records], b"", answer)
        verdicts = self._verdicts(reply)
        unknown = {element.text for element in reply.iter(f"{{*}}{options.unknown}")}
        outcomes = [
            Outcome(record.delivery_id, Stage.ANSWERED, options.unknown_code)
            if record.reference in unknown
            else verdicts.outcome(record)
            for record in records
        ]
        return replace(_evidence(outcomes, b"", answer), unasked=verdicts.unasked(records))

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Ask for the standing of one record."""
        options, names = self._options.card, self._options.verdict
        answer: Answer | None = None
        if options is None:
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, "missing-precondition", "no look-up")])
        try:
            answer = self._ask(options.operation, {options.record_id: record.key.record_id()})
            standing = _member(self._contract.reply(options.operation, answer), options.standing)
            version = getattr(standing, names.version, None)
            if standing is None or (isinstance(version, int) and version < record.version):
                outcome = Outcome(record.delivery_id, Stage.ANSWERED, ABSENT)
            else:
                verdicts = Verdicts()
                verdicts.add(record.key.record_id(), record.version, _code(standing, names))
                found = verdicts.outcome(record)
                reference = getattr(standing, options.reference, None)
                outcome = Outcome(record.delivery_id, found.stage, found.code, found.detail, reference=reference)
        except CallError as failed:
            outcome = failed.outcome(record)
        return _evidence([outcome], b"", answer)

    def code_list(self, name: str) -> CodeList:
        """Fetch a code list.

        Raises:
            CallError: it was not given, or cannot be read.
        """
        options = self._options.code_list
        reply = self._reply(options.operation, {options.list: name})
        items = code_items(
            (item.findtext(f"{{*}}{options.code}"), item.findtext(f"{{*}}{options.name}"))
            for item in reply.iter(f"{{*}}{options.items}")
        )
        return CodeList(reply.findtext(f"{{*}}{options.version}") or "", items)

    def inventory(self, after: str | None, ids: Sequence[str] = ()) -> InventoryPage:
        """List what is held.

        Raises:
            CallError: it was not given, or cannot be read; `no-inventory` if it has none.
        """
        options = self._options.inventory
        if options is None:
            raise CallError(Stage.NOT_SENT, NO_INVENTORY)
        fields: dict[str, str | list[str]] = {options.limit: str(options.lines_per_page)}
        if ids and options.ids is not None:
            fields[options.ids] = list(ids)
        if after is not None:
            fields[options.after] = after
        reply = self._reply(options.operation, fields)

        def lines() -> Iterator[Line]:
            for line in reply.iter(f"{{*}}{options.lines}"):
                found = _fields(line)
                version = _number(found.get(options.version))
                yield found.get(options.record_id), version, found.get(options.state), found.get(options.sha256)

        return inventory_page(lines(), options.states, reply.findtext(f"{{*}}{options.next}"))

    def identities(self, after: str | None) -> IdentityPage:
        """List identity results.

        Raises:
            CallError: they were not given, or cannot be read; `no-identity` if it tells none.
        """
        options = self._options.identity
        if options is None:
            raise CallError(Stage.NOT_SENT, NO_IDENTITY)
        fields: dict[str, str | list[str]] = {options.limit: str(options.lines_per_page)}
        if after is not None:
            fields[options.after] = after
        reply = self._reply(options.operation, fields)
        lines = (
            (found.get(options.record_id), _number(found.get(options.version)), found.get(options.result))
            for line in reply.iter(f"{{*}}{options.lines}")
            for found in [_fields(line)]
        )
        return identity_page(lines, options.results, reply.findtext(f"{{*}}{options.next}"))

    def close(self) -> None:
        """Close kept connections."""
        self._connection.close()

    def _check_replies(self) -> None:
        """Whether requests and replies hold what the options name.

        Raises:
            DestinationError: a request needs more than we say, or a reply has not what we read.
        """
        submit, result, card, verdict = (
            self._options.submit,
            self._options.result,
            self._options.card,
            self._options.verdict,
        )
        self._contract.check_reply(submit.operation, submit.reference)
        self._contract.check_request(result.operation, result.reference, self._references)
        self._contract.check_reply(
            result.operation, result.results, verdict.record_id, verdict.version, verdict.verdict
        )
        if card is not None:
            self._contract.check_request(card.operation, card.record_id)
            self._contract.check_reply(card.operation, card.standing, verdict.version, verdict.verdict)
        inventory = self._options.inventory
        if inventory is not None:
            self._contract.check_reply(
                inventory.operation, inventory.lines, inventory.record_id, inventory.version, inventory.state
            )
        identity = self._options.identity
        if identity is not None:
            self._contract.check_reply(
                identity.operation, identity.lines, identity.record_id, identity.version, identity.result
            )
        if self._has_lists:
            lists = self._options.code_list
            self._contract.check_request(lists.operation, lists.list)
            self._contract.check_reply(lists.operation, lists.items, lists.code, lists.name)

    def _verdicts(self, reply: etree._Element) -> Verdicts:
        """The verdicts in a reply about a batch, read without zeep: it takes 60 µs for each, this takes 10."""
        names, verdicts = self._options.verdict, Verdicts()
        for result in reply.iter(f"{{*}}{self._options.result.results}"):
            found = _fields(result)
            verdicts.add(
                found.get(names.record_id),
                _number(found.get(names.version)),
                found.get(names.code) or found.get(names.verdict),
                reference=found.get(names.reference),
            )
        return verdicts

    def _token(self) -> UsernameToken | None:
        known = self._authentication
        if known.scheme != "wsse-username-token":
            return None
        return UsernameToken(  # type: ignore[no-untyped-call]  # zeep
            self._secrets.value(known.username_env),
            self._secrets.value(known.password_env),
            use_digest=known.wsse_password == "digest",  # noqa: S105 - the kind, not a password
            zulu_timestamp=True,
        )

    def _reply(self, operation: str, fields: Mapping[str, str | list[str]]) -> etree._Element:
        return self._contract.reply_element(operation, self._ask(operation, fields))

    def _ask(self, operation: str, fields: Mapping[str, str | list[str]]) -> Answer:
        return retried(lambda: self._post(operation, self._contract.request(operation, self._token(), **fields)))

    def _post(self, operation: str, request: bytes, may_send: MaySend = always) -> Answer:
        headers = self._contract.headers(operation)
        return authenticated(
            self._connection, self._credentials, "POST", "", body=request, headers=headers, may_send=may_send
        )


def _member(reply: Any, name: str) -> Any:  # noqa: ANN401 - zeep is not typed
    """The named child of a reply; zeep returns the only child of a wrapper itself."""
    return getattr(reply, name, reply)


def _fields(element: etree._Element) -> dict[str, str | None]:
    """Local name -> text of an element's children."""
    return {etree.QName(child).localname: child.text for child in element}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _WHOLE_NUMBER.fullmatch(text) else None


def _reference(reply: object, names: _Submit) -> str:
    reference = _member(reply, names.reference)
    if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST_REFERENCE:
        raise CallError(Stage.NO_ANSWER, "unreadable-answer", "no reference")
    return reference


def _code(result: object, names: _Verdict) -> object:
    return getattr(result, names.code, None) or getattr(result, names.verdict, None)


def _evidence(outcomes: list[Outcome], request: bytes, answer: Answer | None) -> CallResult:
    return CallResult(outcomes, sha256(request)) if answer is None else answer.evidence(outcomes, request)
