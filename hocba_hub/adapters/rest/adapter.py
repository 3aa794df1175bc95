"""The adapter `rest`: records as JSON to a platform that answers at once, in batches or one at a time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from hocba_hub.adapters import filling
from hocba_hub.adapters.authentication import Secrets, authenticated, credentials_for
from hocba_hub.adapters.destination import Destination, options_of, refuse
from hocba_hub.adapters.http import Answer, CallError, HttpConnection, retried, sha256
from hocba_hub.adapters.lists import NO_IDENTITY, NO_INVENTORY, check_year, code_items, identity_page, inventory_page
from hocba_hub.adapters.places import SELF, nested, value_at
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
from hocba_hub.adapters.rest.options import RestOptions, contradictions
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.adapters.verdicts import Verdicts, plain_code, whole
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.keys import CardKey, RecordIds
from hocba_hub.model.making import Made

_MOST_KEYS = 50
"""Record ids in an address, which is to stay below 8,000 characters."""
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
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


class _Written(NamedTuple):
    """A version as it is sent: one record, or several."""

    record: OutboundRecord
    bodies: dict[str, bytes]
    """By record id."""
    made: Made
    """By which mapping, and what came of it."""


class RestAdapter:
    """One REST destination; see `Outbound`.

    Raises:
        DestinationError: the destination file does not fit the adapter.
    """

    def __init__(self, destination: Destination, environment: Mapping[str, str], translations: Translations) -> None:
        self._options = options = options_of(destination, RestOptions)
        self._record_ids = destination.record_ids
        self._translations = translations
        refuse(destination, contradictions(destination, options, translations))
        self._check_texts(destination)
        translations.check_record_ids(options.record_id)
        self.most_keys = 0 if options.inventory.ids is None else min(_MOST_KEYS, options.inventory_limit)
        self._connection = HttpConnection(destination, query=options.query)
        self._credentials = credentials_for(destination, Secrets(destination, environment), self._connection)
        self._acknowledged = {code for code, meaning in destination.codes.items() if meaning is Meaning.ACKNOWLEDGED}

    def _check_texts(self, destination: Destination) -> None:
        options = self._options
        filling.check("options.fields", options.fields.values(), filling.BATCH)
        filling.check("options.lookup_path", [options.lookup_path or ""], filling.CARD)
        filling.check("options.result_path", [options.result_path or ""], frozenset({"reference"}))
        filling.check("options.code_list_path", [options.code_list_path], frozenset({"name"}))
        nested([*options.fields.items(), *([] if options.batch_field == SELF else [(options.batch_field, [])])])
        if options.inventory_path is not None:
            check_year(destination, "inventory", options.inventory.school_year)
        if options.identity_path is not None:
            check_year(destination, "identity", options.identity.school_year)

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        """Send a batch in one call, or its records one after the other; the verdicts come at once."""
        outcomes: list[Outcome] = []
        written: list[_Written] = []
        made: dict[int, Made] = {}
        for record in records:
            try:
                written.append(_without_taken(self._written(record)))
                made[record.delivery_id] = written[-1].made
            except NotRepresentableError as error:
                made[record.delivery_id] = Made(error.mapping)
                outcomes.append(error.outcome(record))
        if not written:
            return CallResult(outcomes, made=made)
        send = self._send_batch if self._options.mode == "batch" else self._send_singly
        call = send(written, may_send)
        sent = {one.record.delivery_id: _digest(one, self._record_ids) for one in written}
        answered = [replace(one, sent_sha256=sent.get(one.delivery_id)) for one in call.outcomes]
        return replace(call, outcomes=[*outcomes, *answered], made=made)

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:
        """Ask for the verdicts on a reference."""
        if self._options.result_path is None:
            outcomes = [Outcome(r.delivery_id, Stage.NOT_SENT, "missing-precondition", "no polls") for r in records]
            return CallResult(outcomes)
        try:
            answer = self._get(_path(self._options.result_path, {"reference": references[0]}))
        except CallError as failed:
            return CallResult([failed.outcome(record) for record in records])
        document = _document(answer)
        if self._is_not_held(answer, document):
            return answer.evidence([Outcome(one.delivery_id, Stage.ANSWERED, ABSENT) for one in records], b"")
        if not _is_fine(answer):
            outcomes = [_refused_call(record, answer, document, self._options.names.code) for record in records]
            return answer.evidence(outcomes, b"")
        verdicts = self._verdicts(
            document, self._options.names.results, {self._record_ids.of(r.key): r for r in records}
        )
        if verdicts is None:
            unreadable = [Outcome(r.delivery_id, Stage.NO_ANSWER, "unreadable-answer") for r in records]
            return answer.evidence(unreadable, b"")
        found = answer.evidence([verdicts.outcome(record) for record in records], b"")
        return replace(found, unasked=verdicts.unasked(records))

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Ask which version is held of each record that this version goes as."""
        if self._options.lookup_path is None:
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, "missing-precondition", "no look-up")])
        try:
            ids = self._ids(record)
        except NotRepresentableError as error:
            return CallResult([error.outcome(record)])
        standings: dict[str, Outcome] = {}
        responses = hashlib.sha256()
        for record_id in ids:
            facts = {**filling.card_facts(record, self._record_ids), "record_id": record_id}
            try:
                answer = self._get(_path(self._options.lookup_path, facts))
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
        document, lines = self._lines(_path(self._options.code_list_path, {"name": name}), names.items)
        items = code_items((value_at(line, names.code), value_at(line, names.name)) for line in lines)
        return CodeList(_word(_at(document, names.version)) or "", items)

    def inventory(self, after: str | None, keys: Sequence[CardKey] = ()) -> InventoryPage:
        """List what is held.

        Raises:
            CallError: it was not given, or cannot be read; `no-inventory` if it has none.
        """
        path, names = self._options.inventory_path, self._options.inventory
        if path is None:
            raise CallError(Stage.NOT_SENT, NO_INVENTORY)
        asked = [(names.limit, str(self._options.inventory_limit)), (names.after, after)]
        asked += [(names.ids, self._record_ids.of(key)) for key in keys]
        document, lines = self._lines(path, names.lines, asked)
        found = (
            (
                value_at(line, names.record_id),
                _at(line, names.school_year),
                _number(value_at(line, names.version)),
                value_at(line, names.state),
                _at(line, names.sha256),
            )
            for line in lines
        )
        return inventory_page(found, names.states, _word(_at(document, names.next)), self._record_ids)

    def identities(self, after: str | None) -> IdentityPage:
        """List identity results.

        Raises:
            CallError: they were not given, or cannot be read; `no-identity` if it tells none.
        """
        path, names = self._options.identity_path, self._options.identity
        if path is None:
            raise CallError(Stage.NOT_SENT, NO_IDENTITY)
        asked = [(names.limit, str(self._options.identity_limit)), (names.after, after)]
        document, lines = self._lines(path, names.lines, asked)
        found = (
            (
                value_at(line, names.record_id),
                _at(line, names.school_year),
                _number(value_at(line, names.version)),
                value_at(line, names.result),
            )
            for line in lines
        )
        return identity_page(found, names.results, _word(_at(document, names.next)), self._record_ids)

    def _lines(
        self, path: str, place: str, asked: Sequence[tuple[str | None, str | None]] = ()
    ) -> tuple[object, list[Any]]:
        """An answer, and the list of objects that it has at a place.

        Raises:
            CallError: it was not given, or is none such.
        """
        query = urlencode([(name, value) for name, value in asked if name is not None and value is not None])
        answer = self._get(f"{path}?{query}" if query else path)
        if answer.status != HTTPStatus.OK:
            raise CallError(Stage.ANSWERED, f"http-{answer.status}")
        document = _document(answer)
        lines = value_at(document, place)
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise CallError(Stage.NO_ANSWER, "unreadable-answer")
        return document, lines

    def close(self) -> None:
        """Close kept connections."""
        self._connection.close()

    def _written(self, record: OutboundRecord) -> _Written:
        represented = self._translations.represent(record)
        records, mapping = represented
        try:
            bodies = {str(value_at(one, self._options.record_id)): orjson.dumps(one) for one in records}
        except orjson.JSONEncodeError as error:
            raise NotRepresentableError("The mapping makes no JSON record.", mapping) from error
        own = self._record_ids.of(record.key)
        if not all(one == own or (one.startswith(own) and self._translations.makes_several()) for one in bodies):
            raise NotRepresentableError("The record id is not the one that look-ups ask with.", mapping)
        if len(bodies) < len(records):
            raise NotRepresentableError("Several records have the same record id.", mapping)
        return _Written(record, bodies, represented.made)

    def _ids(self, record: OutboundRecord) -> Sequence[str]:
        """The ids of the records that a version goes as.

        Raises:
            NotRepresentableError: nobody can say, since the mapping has changed after it was sent.
        """
        if self._translations.makes_several() is None:
            return [self._record_ids.of(record.key)]
        return list(self._written(record).bodies)

    def _send_batch(self, written: Sequence[_Written], may_send: MaySend) -> CallResult:
        options = self._options
        records = [orjson.Fragment(content) for one in written for content in one.bodies.values()]
        facts = filling.batch_facts([one.record for one in written]) if options.fields else {}
        beside = [(place, filling.filled(text, facts)) for place, text in options.fields.items()]
        is_list = options.batch_field == SELF
        body = orjson.dumps(records if is_list else nested([*beside, (options.batch_field, records)]))
        try:
            answer = self._post(options.batch_path, body, may_send)
        except CallError as failed:
            return CallResult([failed.outcome(one.record) for one in written], sha256(body), request=body)
        return answer.evidence(self._outcomes(written, answer, options.names.results), body)

    def _send_singly(self, written: Sequence[_Written], may_send: MaySend) -> CallResult:
        outcomes: list[Outcome] = []
        requests, responses, status = hashlib.sha256(), hashlib.sha256(), None
        sent, came = [], []
        is_over = False
        for one in written:
            found: dict[str, Outcome] = {}
            for record_id, body in one.bodies.items():
                requests.update(body)
                sent.append(body)
                try:
                    answer = self._post(self._options.single_path, body, may_send)
                except CallError as failed:
                    found[record_id] = failed.outcome(one.record)
                    is_over = True
                    break
                responses.update(answer.body)
                came.append(answer.body)
                status = answer.status
                found[record_id] = self._outcomes([one._replace(bodies={record_id: body})], answer, SELF)[0]
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
        return CallResult(
            outcomes, requests.hexdigest(), responses.hexdigest(), status, request=b"\n".join(sent),
            response=b"\n".join(came),
        )  # fmt: skip

    def _get(self, path: str) -> Answer:
        return retried(lambda: authenticated(self._connection, self._credentials, "GET", path))

    def _post(self, path: str, body: bytes, may_send: MaySend) -> Answer:
        return authenticated(
            self._connection, self._credentials, "POST", path, body=body, headers=_JSON, may_send=may_send
        )

    def _outcomes(self, written: Sequence[_Written], answer: Answer, place: str) -> list[Outcome]:
        """What the answer to records says: verdicts, where it has them; what has none waits under the reference."""
        options, document = self._options, _document(answer)
        if not _is_fine(answer):
            return [_refused_call(one.record, answer, document, options.names.code) for one in written]
        reference = _word(_at(document, options.reference)) or None
        verdicts = self._verdicts(document, place, {name: one.record for one in written for name in one.bodies})
        if verdicts is None and reference is None:
            return [Outcome(one.record.delivery_id, Stage.NO_ANSWER, "unreadable-answer") for one in written]
        found = []
        for one in written:
            outcome = (verdicts or Verdicts()).outcome(one.record, list(one.bodies))
            if reference is not None and outcome.code == NOT_IN_ANSWER:
                outcome = Outcome(one.record.delivery_id, Stage.ANSWERED, options.taken)
            found.append(_with_taken(one.record, replace(outcome, reference=reference)))
        return found

    def _verdicts(self, document: object, place: str, asked: Mapping[str, OutboundRecord]) -> Verdicts | None:
        """The verdicts in an answer about records, by record id; None if it is no such answer."""
        results = value_at(document, place)
        if isinstance(results, dict):
            results = [results]
        if not isinstance(results, list):
            return None
        names, verdicts = self._options.names, Verdicts(self._record_ids, self._acknowledged)
        for result in results:
            record_id = _at(result, names.record_id)
            if names.record_id is None and len(asked) == 1:
                (record_id,) = asked
            version = _number(_at(result, names.version))
            if names.version is None and isinstance(record_id, str) and record_id in asked:
                version = asked[record_id].version
            verdicts.add(record_id, version, _word(value_at(result, names.code)), _at(result, names.field))
        return verdicts

    def _is_not_held(self, answer: Answer, document: object) -> bool:
        """Whether it says that the record, or the reference, is not known there; any other 404 is a wrong address."""
        code = _word(value_at(document, self._options.names.code))
        return answer.status == HTTPStatus.NOT_FOUND and code == self._options.not_held_code

    def _standing(self, record: OutboundRecord, answer: Answer) -> Outcome:
        options, names = self._options, self._options.names
        document = _document(answer)
        if self._is_not_held(answer, document):
            return Outcome(record.delivery_id, Stage.ANSWERED, ABSENT)
        if not _is_fine(answer):
            return _refused_call(record, answer, document, names.code)
        standing = value_at(document, options.standing)
        code = plain_code(_word(value_at(standing, names.code)))
        version = _number(_at(standing, names.version))
        if names.version is None:  # the question was about this one
            version = record.version
        if code is None or (version is None and code in self._acknowledged):
            return Outcome(record.delivery_id, Stage.NO_ANSWER, "unreadable-answer")
        is_there = version is None or version >= record.version
        return Outcome(record.delivery_id, Stage.ANSWERED, code if is_there else ABSENT)


def _path(path: str, facts: filling.Facts) -> str:
    return str(filling.filled(path, {name: quote(str(fact), safe="") for name, fact in facts.items()}))


def _at(document: object, place: str | None) -> object:
    return None if place is None else value_at(document, place)


def _word(value: object) -> str | None:
    """A word that may be written as a number or a truth value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | str) else None


def _number(value: object) -> int | None:
    """A whole number, which may be written as a text."""
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return value if type(value) is int else None


def _is_fine(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _digest(written: _Written, record_ids: RecordIds) -> bytes | None:
    """Of the record with the card's own id, as it stood in the request."""
    body = written.bodies.get(record_ids.of(written.record.key))
    return None if body is None else hashlib.sha256(body).digest()


def _without_taken(written: _Written) -> _Written:
    """What is left to send of a version; all of it, if nothing would be left."""
    left = {name: body for name, body in written.bodies.items() if name not in written.record.taken}
    return written._replace(bodies=left) if left else written


def _with_taken(record: OutboundRecord, outcome: Outcome) -> Outcome:
    return replace(outcome, taken=tuple(dict.fromkeys((*record.taken, *(outcome.taken or ())))))


def _document(answer: Answer) -> object:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _refused_call(record: OutboundRecord, answer: Answer, document: object, code_place: str) -> Outcome:
    """The call as a whole was refused: the HTTP status decides, the destination's own code says more."""
    own = plain_code(_word(value_at(document, code_place))) or ""
    return Outcome(record.delivery_id, Stage.ANSWERED, f"http-{answer.status}", own, retry_after=answer.retry_after)
