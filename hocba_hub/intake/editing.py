"""Edits of cards by operators: a new version of an unsigned card, proposed by one and approved by another.

Bytes that somebody has signed are never changed: such a card goes back to its school (`store/returns.py`). An edit
passes the same checks as a card that a client sends, when it is proposed and again when it is approved; what comes of
it is a version like any other, of the same client, and goes to every destination.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.source import SentRecord
from hocba_hub.model.editing import MOST_CHANGES, Asked, EditError, EditState, edited
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardKey
from hocba_hub.store import edits
from hocba_hub.store.accept import accept, canonical_of
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Card, Portion, ReceivedRecord, Submission, cards_of
from hocba_hub.store.edits import Edit
from hocba_hub.store.search import document

_MEDIA_TYPE = "application/json"
_SIGNATURE = b"http://www.w3.org/2000/09/xmldsig#"


class NotAcceptableError(EditError):
    """The card would not be accepted as it is to be; `findings` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("edit.not-acceptable")
        self.findings = findings


@dataclass(frozen=True)
class Editing:
    """Proposes and decides edits, with the parts of a process that takes cards."""

    parts: IntakeParts
    needs_second: bool
    """Whether only somebody else may approve what a person has proposed."""

    def propose(  # noqa: PLR0917 - an edit
        self, key: CardKey, version: int, asked: Sequence[Asked], actor: str, reason: str, now: int
    ) -> Edit | None:
        """Propose changes of a card, as its `version` stands; None if there is no such card.

        Raises:
            EditError: `edit.stale`, the card has another version by now; `edit.signed`, `edit.recalled`, `edit.place`,
                `edit.nothing`, `edit.too-many`, `edit.open`.
            NotAcceptableError: the card would not be accepted so.
        """
        if len(asked) > MOST_CHANGES:
            raise EditError("edit.too-many", most=MOST_CHANGES)
        with self.parts.store.read() as connection:
            card = cards_of(connection, [key]).get(key)
            if card is None:
                return None
            canonical = self._editable(connection, card, version)
        made, changes = edited(canonical, asked)
        received = self._checked(made)
        assert received.content is not None  # noqa: S101 - it was checked
        with self.parts.store.write() as connection:
            card = cards_of(connection, [key], lock=True)[key]
            self._editable(connection, card, version)
            return edits.propose(connection, key, version, made, changes, actor=actor, reason=reason, now=now)

    def approve(self, edit_id: int, actor: str, reason: str, now: int) -> Edit | None:
        """Make the new version of an edit that somebody has proposed; None if there is none. The caller rings.

        An edit whose card has moved on since is noted as stale, and nothing is made of it.

        Raises:
            EditError: `edit.decided`; `edit.second`, somebody else has to approve it.
            NotAcceptableError: the card would not be accepted so by now.
        """
        with self.parts.store.read() as connection:
            found = edits.find(connection, edit_id)
        if found is None:
            return None
        if found.state is not EditState.PROPOSED:
            raise EditError("edit.decided")
        if self.needs_second and found.asked_by == actor:
            raise EditError("edit.second")
        received = self._checked(found.canonical)
        with self.parts.store.write() as connection:
            card = cards_of(connection, [found.key], lock=True)[found.key]
            if card.version != found.base_version:
                return edits.decided(connection, found, EditState.STALE, None, actor, reason, now)
            # The client of the card is not asked, but its hub: whoever may send the school's cards today or not.
            client = Client(card.client_id, "", None)
            submission = Submission(uuid7(), client, now, _MEDIA_TYPE)
            digest = hashlib.sha256(found.canonical).hexdigest()
            portion = Portion(submission, [received], size=len(found.canonical), sha256=digest)
            [[result]] = accept(connection, [portion], self.parts.destinations, self.parts.checker.comparison, now)
            if result.status != "accepted":
                raise NotAcceptableError(result.findings)
            return edits.decided(connection, found, EditState.MADE, result.version, actor, reason, now)

    def reject(self, edit_id: int, actor: str, reason: str, now: int) -> Edit | None:
        """Make nothing of an edit; None if there is none. Whoever proposed it may take it back, too.

        Raises:
            EditError: `edit.decided`.
        """
        with self.parts.store.write() as connection:
            found = edits.find(connection, edit_id)
            if found is None:
                return None
            return edits.decided(connection, found, EditState.REJECTED, None, actor, reason, now)

    @staticmethod
    def _editable(connection: Connection, card: Card, version: int) -> bytes:
        """The canonical form of a card that may be changed as it stands.

        Raises:
            EditError: it has moved on, was recalled, or carries a signature.
        """
        if card.version != version:
            raise EditError("edit.stale", version=card.version)
        if card.recalled:
            raise EditError("edit.recalled")
        sent = document(connection, card.key, version)
        if sent is None or _SIGNATURE in sent.body:
            raise EditError("edit.signed")
        return canonical_of(connection, card.key, version)

    def _checked(self, canonical: bytes) -> ReceivedRecord:
        """The record of a card as it is to be.

        Raises:
            NotAcceptableError: something stands against it.
        """
        mappings = self.parts.mappings.newest()
        received = self.parts.checker.check(0, SentRecord(canonical, _MEDIA_TYPE), mappings)
        if received.content is None or any(one.kind.severity is Severity.ERROR for one in received.findings):
            raise NotAcceptableError(received.findings)
        return received
