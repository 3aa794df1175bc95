"""A destination that its file, its contract and its mappings do not describe well enough to be called.

Nothing is sent there: its deliveries are held, with the reason, until the file is mended and the processes are
started again. Other destinations go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.protocol import (
    MISFIT,
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
from hocba_hub.model.keys import CardKey


class Misfit:
    """Stands in for the adapter of such a destination; see `Outbound`."""

    most_keys = 0

    def __init__(self, reason: str) -> None:
        """`reason` is for operators."""
        self.reason = reason

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:  # noqa: ARG002
        """Nothing is sent."""
        return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, MISFIT, self.reason) for record in records])

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:  # noqa: ARG002 - the protocol's
        """Nothing is asked."""
        return self.send(records)

    def lookup(self, record: OutboundRecord) -> CallResult:
        """Nothing is asked."""
        return self.send([record])

    def code_list(self, name: str) -> CodeList:  # noqa: ARG002 - the protocol's
        """Nothing is asked.

        Raises:
            CallError: always.
        """
        raise CallError(Stage.NOT_SENT, MISFIT, self.reason)

    def inventory(self, after: str | None, keys: Sequence[CardKey] = ()) -> InventoryPage:  # noqa: ARG002
        """Nothing is asked.

        Raises:
            CallError: always.
        """
        raise CallError(Stage.NOT_SENT, MISFIT, self.reason)

    def identities(self, after: str | None) -> IdentityPage:  # noqa: ARG002
        """Nothing is asked.

        Raises:
            CallError: always.
        """
        raise CallError(Stage.NOT_SENT, MISFIT, self.reason)

    def close(self) -> None:
        """There is nothing to close."""
