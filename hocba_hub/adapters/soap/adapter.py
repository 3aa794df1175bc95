"""The adapter `soap`: batches of documents to a SOAP service that gives its verdicts later.

zeep keeps the contract (WSDL, checks, the small operations, replies and faults); the batch's body is written by
`batch.py`, because there zeep's serialisation would be the limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree
from zeep.wsse.username import UsernameToken

from hocba_hub.adapters import filling
from hocba_hub.adapters.authentication import Secrets, authenticated, credentials_for
from hocba_hub.adapters.destination import Destination, options_of
from hocba_hub.adapters.http import Answer, CallError, HttpConnection, retried, sha256
from hocba_hub.adapters.lists import (
    NO_IDENTITY,
    NO_INVENTORY,
    code_items,
    digest_of,
    identity_page,
    inventory_page,
)
from hocba_hub.adapters.places import SELF, Texts, elements_at, text_at, value_at
from hocba_hub.adapters.protocol import (
    ABSENT,
    NOT_IN_ANSWER,
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
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.soap.fit import check_fit
from hocba_hub.adapters.soap.options import Request, SoapOptions
from hocba_hub.adapters.soap.requests import NO_FACTS, Requests, page
from hocba_hub.adapters.soap.writer import UnwritableError, Written
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.adapters.verdicts import Verdicts
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.keys import CardKey
from hocba_hub.model.making import Made

_LONGEST_REFERENCE = 200
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


class SoapAdapter:
    """One SOAP destination; see `Outbound`.

    Raises:
        DestinationError: the destination file does not fit the adapter or the WSDL.
    """

    def __init__(self, destination: Destination, environment: Mapping[str, str], translations: Translations) -> None:
        self._options = options = options_of(destination, SoapOptions)
        self._authentication = destination.authentication
        self._secrets = Secrets(destination, environment)
        if self._authentication.scheme == "wsse-username-token":
            self._secrets.check("username_env", "password_env")
        self._record_ids = destination.record_ids
        self._acknowledged = {code for code, meaning in destination.codes.items() if meaning is Meaning.ACKNOWLEDGED}
        self._absent = {ABSENT, *(code for code, meaning in destination.codes.items() if meaning is Meaning.ABSENT)}
        self._translations = translations
        self._contract = Contract(destination.folder / options.wsdl, options.binding, options.fault.code)
        names = options.verdict
        self._answers = Texts(names.record_id, names.version, names.verdict, names.code, names.reference)
        self._requests = Requests(self._contract, options.requests(with_lists=bool(destination.code_lists)))
        check_fit(destination, options, self._contract, self._requests, translations)
        self._record_writer = self._requests.record_writer(options.submit)
        self.most_keys = self._requests.most_keys(options.inventory)
        self._connection = HttpConnection(destination)
        self._credentials = credentials_for(destination, self._secrets, self._connection)

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        """Submit a batch; its verdicts are in the answer, or come later, under the outcomes' reference."""
        submit = self._options.submit
        outcomes: list[Outcome] = []
        written: list[Written] = []
        sent: list[OutboundRecord] = []
        by: dict[int, Made] = {}
        digests: dict[int, bytes | None] = {}
        for record in records:
            try:
                made, by[record.delivery_id], content = self._written(record)
                written.append(content)
                sent.append(record)
                digests[record.delivery_id] = digest_of(value_at(made, submit.sha256)) if submit.sha256 else None
            except NotRepresentableError as error:
                by[record.delivery_id] = Made(error.mapping)
                outcomes.append(error.outcome(record))
        if not sent:
            return CallResult(outcomes, made=by)
        request, body = b"", b""
        answer: Answer | None = None
        try:
            inside = self._batch(sent, written)
            request, body = self._envelope(inside), b"".join(inside)
            answer = self._post(submit.operation, request, may_send)
            outcomes += self._answered(self._contract.reply(submit.operation, answer), sent)
        except CallError as failed:
            outcomes += [failed.outcome(record) for record in sent]
        outcomes = [replace(one, sent_sha256=digests.get(one.delivery_id)) for one in outcomes]
        return replace(_evidence(outcomes, request, answer), made=by, request=body)  # the envelope has our password

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:
        """Ask for the verdicts on references, or on each record where that is how they are told."""
        options = self._options.result
        if options is None:
            return self._ask_each(records)
        answer: Answer | None = None
        try:
            asked = references[0] if len(references) == 1 else list(references)
            answer = self._ask(options, {options.reference: asked})
            reply = self._contract.reply(options.operation, answer)
        except CallError as failed:
            return _evidence([failed.outcome(record) for record in records], b"", answer)
        verdicts = self._verdicts(reply, options.results, records)
        unknown = {text_at(one, SELF) for one in elements_at(reply, options.unknown)} if options.unknown else set()
        outcomes = [
            Outcome(record.delivery_id, Stage.ANSWERED, options.unknown_code)
            if record.reference in unknown
            else verdicts.outcome(record)
            for record in records
        ]
        return replace(_evidence(outcomes, b"", answer), unasked=verdicts.unasked(records))

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Ask for the standing of one record."""
        options, names = self._options.card, self._options.standing
        answer: Answer | None = None
        if options is None:
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, "missing-precondition", "no look-up")])
        try:
            facts = filling.card_facts(record, self._record_ids)
            asked = {options.record_id: facts["record_id"]} if options.record_id else {}
            answer = self._ask(options, asked, facts)
            reply = self._contract.reply(options.operation, answer)
            outcome = Outcome(record.delivery_id, Stage.ANSWERED, ABSENT)
            standing = next(elements_at(reply, options.standing), None)
            version = None if standing is None else _number(text_at(standing, names.version))
            if standing is not None and (version is None or version >= record.version):
                outcome = self._standing_outcome(record, standing, version)
        except CallError as failed:
            outcome = failed.outcome(record)
        return _evidence([outcome], b"", answer)

    def _standing_outcome(self, record: OutboundRecord, standing: etree._Element, version: int | None) -> Outcome:
        """What a standing of this version, or a higher one, says; a verdict on no version says nothing."""
        names, options = self._options.standing, self._options.card
        code = text_at(standing, names.code) or text_at(standing, names.verdict)
        if version is None and names.version is not None and code in self._acknowledged:
            return Outcome(record.delivery_id, Stage.NO_ANSWER, "unreadable-answer", "no version")
        verdicts = Verdicts(self._record_ids)
        verdicts.add(self._record_ids.of(record.key), record.version, code)
        reference = text_at(standing, options.reference) if options else None
        return replace(verdicts.outcome(record), reference=reference)

    def code_list(self, name: str) -> CodeList:
        """Fetch a code list.

        Raises:
            CallError: it was not given, or cannot be read.
        """
        options = self._options.code_list
        reply = self._reply(options, {options.list: name})
        read = Texts(options.code, options.name)
        items = code_items((code, named) for code, named in map(read, elements_at(reply, options.items)))
        return CodeList(text_at(reply, options.version) or "", items)

    def inventory(self, after: str | None, keys: Sequence[CardKey] = ()) -> InventoryPage:
        """List what is held.

        Raises:
            CallError: it was not given, or cannot be read; `no-inventory` if it has none.
        """
        options = self._options.inventory
        if options is None:
            raise CallError(Stage.NOT_SENT, NO_INVENTORY)
        asked = [self._record_ids.of(key) for key in keys]
        ids = {options.ids: asked[0] if self.most_keys == 1 else asked} if asked and options.ids else {}
        reply = self._reply(options, {**page(options, after), **ids})
        read = Texts(options.record_id, options.school_year, options.version, options.state, options.sha256)
        lines = (
            (record_id, year, _number(version), state, sha256)
            for record_id, year, version, state, sha256 in map(read, elements_at(reply, options.lines))
        )
        return inventory_page(lines, options.states, text_at(reply, options.next), self._record_ids)

    def identities(self, after: str | None) -> IdentityPage:
        """List identity results.

        Raises:
            CallError: they were not given, or cannot be read; `no-identity` if it tells none.
        """
        options = self._options.identity
        if options is None:
            raise CallError(Stage.NOT_SENT, NO_IDENTITY)
        reply = self._reply(options, page(options, after))
        read = Texts(options.record_id, options.school_year, options.version, options.result)
        lines = (
            (record_id, year, _number(version), result)
            for record_id, year, version, result in map(read, elements_at(reply, options.lines))
        )
        return identity_page(lines, options.results, text_at(reply, options.next), self._record_ids)

    def close(self) -> None:
        """Close kept connections."""
        self._connection.close()

    def _written(self, record: OutboundRecord) -> tuple[dict[str, Any], Made, Written]:
        """A version as it is sent: as a tree, what made it, and written.

        Raises:
            NotRepresentableError: it cannot be.
        """
        represented = self._translations.represent(record)
        (made,), mapping = represented
        if str(value_at(made, self._options.submit.record_id)) != self._record_ids.of(record.key):
            raise NotRepresentableError("The record id is not the one that look-ups ask with.", mapping)
        try:
            return made, represented.made, self._record_writer.write(made)
        except UnwritableError as error:
            raise NotRepresentableError(str(error), mapping) from error

    def _batch(self, records: Sequence[OutboundRecord], written: Sequence[Written]) -> Written:
        """The body of a request to take records."""
        submit = self._options.submit
        if submit.record == SELF:
            return written[0]
        return self._body(submit, {submit.record: written}, filling.batch_facts(records))

    def _answered(self, reply: etree._Element, records: Sequence[OutboundRecord]) -> list[Outcome]:
        """What the answer to `submit` says: verdicts, where it has them; what has none waits under the reference."""
        submit = self._options.submit
        reference = _reference(text_at(reply, submit.reference))
        if reference is None and submit.results is None:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "no reference")
        verdicts = Verdicts() if submit.results is None else self._verdicts(reply, submit.results, records)
        found = [verdicts.outcome(record) for record in records]
        return [
            Outcome(one.delivery_id, Stage.ANSWERED, submit.taken, reference=reference)
            if reference is not None and one.code == NOT_IN_ANSWER
            else replace(one, reference=reference)
            for one in found
        ]

    def _ask_each(self, records: Sequence[OutboundRecord]) -> CallResult:
        """The verdicts on records that can only be asked for one by one; what is not there yet is not absent."""
        asked = (outcome for record in records for outcome in self.lookup(record).outcomes)
        return CallResult(
            [
                Outcome(one.delivery_id, Stage.NO_ANSWER, NOT_IN_ANSWER) if one.code in self._absent else one
                for one in asked
            ]
        )

    def _verdicts(self, reply: etree._Element, place: str, records: Sequence[OutboundRecord]) -> Verdicts:
        """The verdicts in a reply about records, read without zeep: it takes 60 µs for each, this takes 10."""
        names, verdicts = self._options.verdict, Verdicts(self._record_ids)
        asked: dict[str, list[OutboundRecord]] = {}
        if names.record_id is None or names.version is None:
            for record in records:
                asked.setdefault(self._record_ids.of(record.key), []).append(record)
        for result in elements_at(reply, place):
            record_id, told, verdict, code, reference = self._answers(result)
            if names.record_id is None and len(asked) == 1:
                (record_id,) = asked
            version = _number(told)
            meant = asked.get(record_id or "", [])
            if names.version is None and len(meant) == 1:
                version = meant[0].version
            verdicts.add(record_id, version, code or verdict, reference=reference)
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

    def _reply(self, options: Request, values: Mapping[str, object]) -> etree._Element:
        return self._contract.reply(options.operation, self._ask(options, values))

    def _ask(self, options: Request, values: Mapping[str, object], facts: filling.Facts = NO_FACTS) -> Answer:
        body = self._body(options, values, facts)
        return retried(lambda: self._post(options.operation, self._envelope(body)))

    def _body(self, options: Request, values: Mapping[str, object], facts: filling.Facts) -> Written:
        try:
            return self._requests.body(options, values, facts)
        except UnwritableError as error:
            raise CallError(Stage.NOT_SENT, "not-representable", "not by the contract") from error

    def _envelope(self, body: Written) -> bytes:
        before, after = self._contract.frame(self._token())
        return b"".join((before, *body, after))

    def _post(self, operation: str, request: bytes, may_send: MaySend = always) -> Answer:
        headers = self._contract.headers(operation)
        return authenticated(
            self._connection, self._credentials, "POST", "", body=request, headers=headers, may_send=may_send
        )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _WHOLE_NUMBER.fullmatch(text) else None


def _reference(given: str | None) -> str | None:
    return given if given and len(given) <= _LONGEST_REFERENCE else None


def _evidence(outcomes: list[Outcome], request: bytes, answer: Answer | None) -> CallResult:
    return CallResult(outcomes, sha256(request)) if answer is None else answer.evidence(outcomes, request)
