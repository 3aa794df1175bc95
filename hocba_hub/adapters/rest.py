"""The adapter `rest`: records as JSON to a platform that answers at once, in batches or one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hocba_hub.adapters.authentication import Secrets, authenticated, credentials_for
from hocba_hub.adapters.destination import Destination, DestinationError, Doubt
from hocba_hub.adapters.http import Answer, CallError, HttpConnection, retried, sha256
from hocba_hub.adapters.lists import NO_IDENTITY, NO_INVENTORY, code_items, identity_page, inventory_page
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
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.adapters.verdicts import Verdicts, plain_code, whole
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.reconciliation import TheirState

_JSON = {"Content-Type": "application/json"}
_NOT_ABOUT_THE_RECORD = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""After one of these, the next record of a one-by-one run would get the same answer."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Written(NamedTuple):
    """A version as it is sent: one record, or several."""

    record: OutboundRecord
    bodies: dict[str, bytes]
    """By record id."""
    mapping: str
    """By which it was made."""


class _Names(_Part):
    results: str = "results"
    record_id: str = "idbanghi"
    version: str = "phienban"
    code: str = "ma"
    field: str = "truong"


class _ListNames(_Part):
    version: str = "phienban"
    items: str = "muc"
    code: str = "ma"
    name: str = "ten"


class _InventoryNames(_Part):
    lines: str = "banghi"
    next: str = "tiep"
    record_id: str = "idbanghi"
    version: str = "phienban"
    state: str = "trangthai"
    sha256: str = "sha256"
    states: dict[str, TheirState] = {"1": TheirState.HELD, "2": TheirState.RECALLED, "3": TheirState.REFUSED}
    """What its words for a standing mean."""


class _IdentityNames(_Part):
    lines: str = "ketqua"
    next: str = "tiep"
    record_id: str = "idbanghi"
    version: str = "phienban"
    result: str = "xacthuc"
    results: dict[str, IdentityResult] = {
        "1": IdentityResult.VERIFIED,
        "2": IdentityResult.MISMATCH,
        "3": IdentityResult.NOT_FOUND,
    }
    """What its words for a result mean."""


class RestOptions(_Part):
    """The part of a destination file that only this adapter knows."""

    mode: Literal["batch", "single"] = "batch"
    batch_path: str = "/v1/records"
    batch_field: str = "records"
    """Name of the list in a batch."""
    single_path: str = "/v1/record"
    lookup_path: str | None = "/v1/records/{record_id}"
    """Where to ask for one record; null where the destination cannot be asked."""
    code_list_path: str = "/v1/code-lists/{name}"
    """Where to ask for a code list."""
    inventory_path: str | None = "/v1/inventory"
    """Where to list what is held; null where it cannot be listed."""
    inventory_limit: int = Field(5_000, ge=1, le=50_000)
    """Lines of one page."""
    inventory: _InventoryNames = _InventoryNames()
    """Where in a page its lines and the next page are, and in a line the record id, version, standing and digest."""
    identity_path: str | None = None
    """Where to list identity results; null where it tells none."""
    identity_limit: int = Field(1_000, ge=1, le=10_000)
    """Lines of one page."""
    identity: _IdentityNames = _IdentityNames()
    """Where in a page its lines and the place to go on are, and in a line the record id, version and result."""
    not_held_code: str = "NOT_HELD"
    """The code of a 404 that says: this record is not held. Any other 404 is a wrong address."""
    names: _Names = _Names()
    """Where in an answer a result has what; `field` names the field that a refusal is about."""
    list_names: _ListNames = _ListNames()
    """Where in a code list its version and lines are, and in a line code and name."""
    query: dict[str, str] = {}
    """Parameters of every call, such as a router's `dstcode`."""


class RestAdapter:
    """One REST destination; see `Outbound`.

    Raises:
        DestinationError: the destination file does not fit the adapter.
    """

    polls = False
    inventory_by_id = True

    def __init__(self, destination: Destination, environment: Mapping[str, str], translations: Translations) -> None:
        try:
            self._options = RestOptions.model_validate(destination.options)
        except ValidationError as error:
            places = ", ".join(".".join(str(step) for step in e["loc"]) for e in error.errors())
            raise DestinationError(f"{destination.name}: options not usable: {places}.") from error
        if destination.authentication.scheme == "wsse-username-token":
            raise DestinationError(f"{destination.name}: wsse-username-token belongs to SOAP, not to REST.")
        if self._options.lookup_path is None and destination.in_doubt is Doubt.LOOK_UP:
            raise DestinationError(f"{destination.name}: without a lookup_path, in_doubt is send-again or hold.")
        self._connection = HttpConnection(destination, query=self._options.query)
        self._credentials = credentials_for(destination, Secrets(destination, environment), self._connection)
        self._translations = translations
        translations.check_record_ids(self._options.names.record_id)
        self._acknowledged = {code for code, meaning in destination.codes.items() if meaning is Meaning.ACKNOWLEDGED}

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        """Send a batch in one call, or its records one after the other; the verdicts come at once."""
        outcomes: list[Outcome] = []
        written: list[_Written] = []
        mappings: dict[int, str] = {}
        for record in records:
            try:
                written.append(_without_taken(self._written(record)))
                mappings[record.delivery_id] = written[-1].mapping
            except NotRepresentableError as error:
                mappings[record.delivery_id] = error.mapping
                outcomes.append(Outcome(record.delivery_id, Stage.NOT_SENT, "not-representable", str(error)))
        if not written:
            return CallResult(outcomes, mappings=mappings)
        send = self._send_batch if self._options.mode == "batch" else self._send_singly
        call = send(written, may_send)
        sent = {one.record.delivery_id: _digest(one) for one in written}
        answered = [replace(one, sent_sha256=sent.get(one.delivery_id)) for one in call.outcomes]
        return replace(call, outcomes=[*outcomes, *answered], mappings=mappings)

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:  # noqa: ARG002 - the protocol's
        """Nothing to ask: this adapter's destinations give their verdicts at once."""
        return CallResult([Outcome(r.delivery_id, Stage.NOT_SENT, "missing-precondition", "no polls") for r in records])

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Ask which version is held of each record that this version goes as."""
        if self._options.lookup_path is None:
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, "missing-precondition", "no look-up")])
        try:
            ids = self._ids(record)
        except NotRepresentableError as error:
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, "not-representable", str(error))])
        standings: dict[str, Outcome] = {}
        responses = hashlib.sha256()
        for record_id in ids:
            path = self._options.lookup_path.format(record_id=quote(record_id, safe=""))
            try:
                answer = self._get(path)
            except CallError as failed:
                return CallResult([failed.outcome(record)])
            responses.update(answer.body)
            standing = standings[record_id] = self._standing(record, answer)
            if standing.code != ABSENT and standing.code not in self._acknowledged:
                return CallResult([standing], "", responses.hexdigest(), answer.status)
        return CallResult([whole(standings, self._acknowledged)], "", responses.hexdigest(), answer.status)

    def code_list(self, name: str) -> CodeList:
        """Fetch a code list.

        Raises:
            CallError: it was not given, or cannot be read.
        """
        names = self._options.list_names
        document, lines = self._lines(self._options.code_list_path.format(name=quote(name, safe="")), names.items)
        items = code_items((line.get(names.code), line.get(names.name)) for line in lines)
        return CodeList(str(document.get(names.version) or ""), items)

    def inventory(self, after: str | None, ids: Sequence[str] = ()) -> InventoryPage:
        """List what is held.

        Raises:
            CallError: it was not given, or cannot be read; `no-inventory` if it has none.
        """
        if self._options.inventory_path is None:
            raise CallError(Stage.NOT_SENT, NO_INVENTORY)
        names = self._options.inventory
        query = [("limit", str(self._options.inventory_limit)), *(("id", one) for one in ids)]
        if after is not None:
            query.append(("after", after))
        document, lines = self._lines(f"{self._options.inventory_path}?{urlencode(query)}", names.lines)
        found = (
            (line.get(names.record_id), line.get(names.version), line.get(names.state), line.get(names.sha256))
            for line in lines
        )
        return inventory_page(found, names.states, document.get(names.next))

    def identities(self, after: str | None) -> IdentityPage:
        """List identity results.

        Raises:
            CallError: they were not given, or cannot be read; `no-identity` if it tells none.
        """
        if self._options.identity_path is None:
            raise CallError(Stage.NOT_SENT, NO_IDENTITY)
        names = self._options.identity
        query = [("limit", str(self._options.identity_limit))] + ([] if after is None else [("after", after)])
        document, lines = self._lines(f"{self._options.identity_path}?{urlencode(query)}", names.lines)
        found = ((line.get(names.record_id), line.get(names.version), line.get(names.result)) for line in lines)
        return identity_page(found, names.results, document.get(names.next))

    def _lines(self, path: str, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """An answer, and the list of objects that it has under a name.

        Raises:
            CallError: it was not given, or is none such.
        """
        answer = self._get(path)
        if answer.status != HTTPStatus.OK:
            raise CallError(Stage.ANSWERED, f"http-{answer.status}")
        document = _document(answer) or {}
        lines = document.get(name)
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise CallError(Stage.NO_ANSWER, "unreadable-answer")
        return document, lines

    def close(self) -> None:
        """Close kept connections."""
        self._connection.close()

    def _written(self, record: OutboundRecord) -> _Written:
        records, mapping = self._translations.represent(record)
        try:
            bodies = {str(one[self._options.names.record_id]): orjson.dumps(one) for one in records}
        except (KeyError, orjson.JSONEncodeError) as error:
            raise NotRepresentableError("The mapping makes no JSON record with a record id.", mapping) from error
        if not all(one.startswith(record.key.record_id()) for one in bodies):
            raise NotRepresentableError("The record id is not the one that look-ups ask with.", mapping)
        if len(bodies) < len(records):
            raise NotRepresentableError("Several records have the same record id.", mapping)
        return _Written(record, bodies, mapping)

    def _ids(self, record: OutboundRecord) -> Sequence[str]:
        """The ids of the records that a version goes as.

        Raises:
            NotRepresentableError: nobody can say, since the mapping has changed after it was sent.
        """
        if self._translations.makes_several() is None:
            return [record.key.record_id()]
        return list(self._written(record).bodies)

    def _send_batch(self, written: Sequence[_Written], may_send: MaySend) -> CallResult:
        head = b'{"%b":[' % self._options.batch_field.encode()
        body = b"".join((head, b",".join(content for one in written for content in one.bodies.values()), b"]}"))
        try:
            answer = self._post(self._options.batch_path, body, may_send)
        except CallError as failed:
            return CallResult([failed.outcome(one.record) for one in written], sha256(body))
        return answer.evidence(self._outcomes(written, answer, self._options.names.results), body)

    def _send_singly(self, written: Sequence[_Written], may_send: MaySend) -> CallResult:
        outcomes: list[Outcome] = []
        requests, responses, status = hashlib.sha256(), hashlib.sha256(), None
        is_over = False
        for one in written:
            found: dict[str, Outcome] = {}
            for record_id, body in one.bodies.items():
                requests.update(body)
                try:
                    answer = self._post(self._options.single_path, body, may_send)
                except CallError as failed:
                    found[record_id] = failed.outcome(one.record)
                    is_over = True
                    break
                responses.update(answer.body)
                status = answer.status
                found[record_id] = self._outcomes([one._replace(bodies={record_id: body})], answer, None)[0]
                is_over = status in _NOT_ABOUT_THE_RECORD
                if is_over or found[record_id].code not in self._acknowledged:
                    break  # the version's other records wait with it
            outcomes.append(_with_taken(one.record, whole(found, self._acknowledged)))
            if is_over:
                break
        last = outcomes[-1]
        outcomes += [
            Outcome(one.record.delivery_id, Stage.NOT_SENT, last.code, "not its turn", retry_after=last.retry_after)
            for one in written[len(outcomes) :]
        ]
        return CallResult(outcomes, requests.hexdigest(), responses.hexdigest(), status)

    def _get(self, path: str) -> Answer:
        return retried(lambda: authenticated(self._connection, self._credentials, "GET", path))

    def _post(self, path: str, body: bytes, may_send: MaySend) -> Answer:
        return authenticated(
            self._connection, self._credentials, "POST", path, body=body, headers=_JSON, may_send=may_send
        )

    def _outcomes(self, written: Sequence[_Written], answer: Answer, list_name: str | None) -> list[Outcome]:
        if answer.status != HTTPStatus.OK:
            return [_refused_call(one.record, answer, self._options.names.code) for one in written]
        document = _document(answer)
        results = [document] if list_name is None else document.get(list_name) if document else None
        if not isinstance(results, list) or document is None:
            return [Outcome(one.record.delivery_id, Stage.NO_ANSWER, "unreadable-answer") for one in written]
        names, verdicts = self._options.names, Verdicts(self._acknowledged)
        for result in results:
            if isinstance(result, dict):
                verdicts.add(*(result.get(n) for n in (names.record_id, names.version, names.code, names.field)))
        return [_with_taken(one.record, verdicts.outcome(one.record, list(one.bodies))) for one in written]

    def _standing(self, record: OutboundRecord, answer: Answer) -> Outcome:
        names = self._options.names
        document = _document(answer)
        if (
            answer.status == HTTPStatus.NOT_FOUND
            and document
            and document.get(names.code) == self._options.not_held_code
        ):
            return Outcome(record.delivery_id, Stage.ANSWERED, ABSENT)
        if answer.status != HTTPStatus.OK:
            return _refused_call(record, answer, names.code)
        version = document.get(names.version) if document else None
        code = plain_code(document.get(names.code)) if document else None
        if not isinstance(version, int) or code is None:
            return Outcome(record.delivery_id, Stage.NO_ANSWER, "unreadable-answer")
        return Outcome(record.delivery_id, Stage.ANSWERED, code if version >= record.version else ABSENT)


def _digest(written: _Written) -> bytes | None:
    """Of the record with the card's own id, as it stood in the request."""
    body = written.bodies.get(written.record.key.record_id())
    return None if body is None else hashlib.sha256(body).digest()


def _without_taken(written: _Written) -> _Written:
    """What is left to send of a version; all of it, if nothing would be left."""
    left = {name: body for name, body in written.bodies.items() if name not in written.record.taken}
    return written._replace(bodies=left) if left else written


def _with_taken(record: OutboundRecord, outcome: Outcome) -> Outcome:
    return replace(outcome, taken=tuple(dict.fromkeys((*record.taken, *(outcome.taken or ())))))


def _document(answer: Answer) -> dict[str, Any] | None:
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _refused_call(record: OutboundRecord, answer: Answer, code_name: str) -> Outcome:
    """The call as a whole was refused: the HTTP status decides, the destination's own code says more."""
    own = plain_code((_document(answer) or {}).get(code_name)) or ""
    return Outcome(record.delivery_id, Stage.ANSWERED, f"http-{answer.status}", own, retry_after=answer.retry_after)
