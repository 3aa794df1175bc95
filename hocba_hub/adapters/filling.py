"""What stands in a request beside the records: fields of the destination file, with facts filled in.

A field is a text, number or truth value; `{name}` in a text is replaced by that fact, and a text that is one fact
alone becomes the fact itself: `"{records}"` is a number in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.http import sha256
from hocba_hub.adapters.protocol import OutboundRecord
from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.keys import RecordIds

Field: TypeAlias = str | int | bool
Facts: TypeAlias = Mapping[str, Field]

_NAME = re.compile(r"\{([a-z_]+)\}")
_ALWAYS = frozenset({"sent_at"})
BATCH = frozenset({"records", "batch_id"})
CARD = frozenset({"record_id", "card_id", "school_year", "school", "version"})
"""Names of the facts of a request about one card."""


def batch_facts(records: Sequence[OutboundRecord]) -> Facts:
    """How many records a batch has, and 32 hexadecimal digits that are the same whenever the same batch is sent."""
    ids = "\n".join(record.message_id for record in records)
    return {"records": len(records), "batch_id": sha256(ids.encode())[:32]}


def card_facts(record: OutboundRecord, record_ids: RecordIds) -> Facts:
    """Which version of which card it is."""
    return {
        "record_id": record_ids.of(record.key),
        "card_id": record.key.card_id,
        "school_year": record.key.school_year,
        "school": record.school,
        "version": int(record.version),
    }


def names(texts: Iterable[Field]) -> set[str]:
    """The facts that some texts name."""
    return {name for text in texts if isinstance(text, str) for name in _NAME.findall(text)}


def check(where: str, texts: Iterable[Field], known: frozenset[str] = frozenset()) -> None:
    """Do nothing if texts name only facts that are `known`, or that there always are.

    Raises:
        DestinationError: there is no such fact.
    """
    if unknown := sorted(names(texts) - known - _ALWAYS):
        said = ", ".join(f"{{{name}}}" for name in sorted(known | _ALWAYS))
        raise DestinationError(f"{where}: there is no {{{unknown[0]}}} to fill in, only {said}.")


def filled(text: Field, facts: Facts) -> Field:
    """A text with the facts that it names."""
    if not isinstance(text, str) or "{" not in text:
        return text
    known = {"sent_at": datetime.now(VIETNAM).isoformat(timespec="seconds"), **facts}
    if (alone := _NAME.fullmatch(text)) is not None:
        return known[alone[1]]
    return _NAME.sub(lambda match: str(known[match[1]]), text)
