"""What the delivery engine asks of an outbound adapter, and the facts an adapter brings back.

An adapter reports facts (was it sent, was there an answer, which code); it never judges. What a fact means is said
once, in `queue/code_meanings.py`, by the destination's code table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from hocba_hub.model.identity import IdentityEntry
from hocba_hub.model.keys import CardKey, Event, SchoolCode, Version
from hocba_hub.model.making import Made, Pin
from hocba_hub.model.reconciliation import InventoryEntry

MISFIT = "destination-misfit"
"""Code of a delivery to a destination that cannot be called as it is described; its detail says why."""
ABSENT = "absent"
"""Code of a look-up that found nothing of this version at the destination."""
NOT_IN_ANSWER = "not-in-answer"
"""Code of a record that an answer about a batch does not mention."""
WINDOW_CLOSED = "window-closed"
"""Code of a delivery that waits until the destination takes cards of its level and school year."""
RECORD_ID_IN_USE = "record-id-in-use"
"""Code of a delivery that is not sent because its record id is that of another card there."""
NOT_REPRESENTABLE = "not-representable"
"""Code of a delivery whose card cannot be written as its destination wants it."""
BYTES_DIFFER = "bytes-differ"
"""Code of a delivery that is to go with the same bytes again, and would not: nothing is sent."""
LEASE_OVER = "lease-over"
"""Code of a delivery that was not sent because its lease had ended just before."""
_XML_SIGNATURE = b"http://www.w3.org/2000/09/xmldsig#"


MaySend = Callable[[], bool]
"""Whether the lease of what is to be sent still runs; asked right before the first bytes go out."""


def always() -> bool:
    """For what may be sent at any time, such as questions."""
    return True


@dataclass(frozen=True, slots=True)
class OutboundRecord:
    """One version of a report card on its way to one destination."""

    delivery_id: int
    key: CardKey
    version: Version
    event: Event
    school: SchoolCode
    accepted_at: datetime
    """When the hub accepted this version, with time zone (NDC field `thoigiancapnhat`)."""
    canonical: bytes
    """The canonical report card as JSON, UTF-8."""
    document: bytes
    """The card's document exactly as the client sent it; for canonical JSON the same bytes as `canonical`."""
    document_type: str
    """Media type of `document`."""
    taken: tuple[str, ...] = ()
    """Of a version that goes as several records: the ids of those that the destination has taken already."""
    reference: str | None = None
    """What the destination calls the batch that it came in, if its verdict is awaited."""
    pin: Pin | None = None
    """How it must be made, where not by the mapping in force."""

    @property
    def is_signed(self) -> bool:
        """Whether the client's document is XML that carries a signature (XMLDSig), which any change of it breaks."""
        return "xml" in self.document_type and _XML_SIGNATURE in self.document

    @property
    def message_id(self) -> str:
        """Idempotency key towards the destination: the same in every attempt for this version."""
        return f"{self.key.record_id()}/{self.version}"


class Stage(StrEnum):
    """How far a call came for one record."""

    NOT_SENT = "not_sent"
    """Certainly nothing reached the destination (name, connection or TLS failed; or it was not this record's turn)."""
    NO_ANSWER = "no_answer"
    """Sent, wholly or in part, and no readable answer came back."""
    ANSWERED = "answered"
    """The destination answered; `code` is its answer for this record, or for the whole call."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call did with one record, as facts.

    `code` is the destination's own code where it gave one; else one of ours: `http-<status>`, `soap-client`,
    `soap-server`, `connection-refused`, `name-unknown`, `tls-failed`, `timeout`, `connection-lost`,
    `unreadable-answer`, `not-in-answer`, `missing-precondition`. Codes are short and hold no personal data.
    """

    delivery_id: int
    stage: Stage
    code: str
    detail: str = ""
    """Short text for operators, from a closed set or stripped of values; never personal data."""
    reference: str | None = None
    """What the destination calls the batch whose verdict comes later."""
    retry_after: float | None = None
    """Seconds the destination asked us to wait."""
    held_seconds: float | None = None
    """Seconds until a precondition that is missing will be there, as far as that is known."""
    sent_sha256: bytes | None = None
    """SHA-256 of what was sent of it, as the destination keeps it and says in its inventory."""
    taken: tuple[str, ...] | None = None
    """Of a version that goes as several records: the ids of all that the destination is known to have taken by now;
    None where the call says nothing about it."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call, as evidence: an outcome for each record that it was made for, and digests of the bytes."""

    outcomes: Sequence[Outcome]
    request_sha256: str = ""
    response_sha256: str = ""
    http_status: int | None = None
    made: Mapping[int, Made] = field(default_factory=dict)
    """Delivery → what its record was made by, and what came of it."""
    unasked: Sequence[Unasked] = ()
    """What the answer says of versions that it was not asked about."""
    request: bytes = b""
    """What was sent, without anything that authenticates the hub; several calls one after the other."""
    response: bytes = b""
    """What came back."""


class Unasked(NamedTuple):
    """A code for a version that the call was not made for."""

    key: CardKey
    version: Version
    code: str


class CodeItem(NamedTuple):
    """One line of a code list."""

    code: str
    name: str


class CodeList(NamedTuple):
    """A code list of a destination."""

    version: str
    """As the destination calls it."""
    items: Sequence[CodeItem]


class InventoryPage(NamedTuple):
    """A page of a destination's inventory."""

    entries: Sequence[InventoryEntry]
    next: str | None
    """Where the next page begins; None after the last."""
    unreadable: int = 0
    """Lines that are of no card of ours."""


class IdentityPage(NamedTuple):
    """A page of identity results, in the order in which they came to be."""

    entries: Sequence[IdentityEntry]
    next: str | None
    """Where it goes on, now or later, when there are new ones; None if the destination does not say."""
    unreadable: int = 0
    """Lines that are of no card of ours."""


class Outbound(Protocol):
    """An adapter bound to one destination. Calls may come from several threads at once; connections are kept.

    No method raises for what the network or the destination did: that comes back as outcomes.
    """

    most_keys: int
    """Of how many cards at once the inventory can be asked for; 0 if only for pages of all."""

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        """Send a batch; one outcome per record, in any order.

        Before each call that it makes for this it asks `may_send`, as late as it can: a process that was held up
        meanwhile may have lost its lease, and whoever took over has sent the batch, or will. Then nothing goes out,
        and the records' code is `lease-over`. Of a version that goes as several records, those in its `taken` are not
        sent again.
        """
        ...

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:
        """Ask for the verdicts on references, at most `acknowledgement.references`; one outcome per given record.

        A record that is not decided yet has the destination's own code for that; one that the answer does not
        mention `not-in-answer`. The records' bodies are empty here. What the answer says of others that came under
        these references is given as `unasked`.
        """
        ...

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Ask whether the destination holds this version; one outcome.

        The outcome's code is the destination's code for the record's standing when it holds this version or a
        higher one, and `absent` when it holds none or only a lower one. A version that goes as several records is held
        if each of them is.
        """
        ...

    def code_list(self, name: str) -> CodeList:
        """Fetch one of the destination's code lists.

        Raises:
            CallError: it was not given, or cannot be read.
        """
        ...

    def inventory(self, after: str | None, keys: Sequence[CardKey] = ()) -> InventoryPage:
        """List what the destination holds: the page behind `after`, or of at most `most_keys` cards only.

        Of a version that goes as several records only the one with the card's own record id counts.

        Raises:
            CallError: it was not given, or cannot be read; `no-inventory` if it has none.
        """
        ...

    def identities(self, after: str | None) -> IdentityPage:
        """List the identity results that came to be behind `after`; without it, from the first.

        Raises:
            CallError: they were not given, or cannot be read; `no-identity` if it tells none.
        """
        ...

    def close(self) -> None:
        """Close kept connections."""
        ...
