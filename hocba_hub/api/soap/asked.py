"""One SOAP call as its operation gets it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lxml import etree

from hocba_hub.api.context import Hub
from hocba_hub.api.soap.attachments import Attached
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.access import Client
from hocba_hub.store.idempotency import Claim


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
    claim: Claim | None = None
    """The idempotency key that the call holds."""

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
