"""What an outcome means: the error classes, decided in one pure function by the destination's code table."""

from __future__ import annotations

from collections.abc import Mapping

from hocba_hub.adapters.protocol import (
    ABSENT,
    BYTES_DIFFER,
    LEASE_OVER,
    MISFIT,
    RECORD_ID_IN_USE,
    WINDOW_CLOSED,
    Outcome,
    Stage,
)
from hocba_hub.model.delivery import Meaning
from hocba_hub.store.lease import Kind

_DEFAULTS: Mapping[str, Meaning] = {
    "missing-precondition": Meaning.PRECONDITION,
    MISFIT: Meaning.PRECONDITION,
    WINDOW_CLOSED: Meaning.PRECONDITION,
    RECORD_ID_IN_USE: Meaning.PRECONDITION,
    BYTES_DIFFER: Meaning.PRECONDITION,
    "http-401": Meaning.PRECONDITION,
    "http-403": Meaning.PRECONDITION,
    ABSENT: Meaning.ABSENT,
}
"""What our own codes mean unless the destination's file says otherwise; everything else is transient."""


def meaning_of(outcome: Outcome, kind: Kind, codes: Mapping[str, Meaning]) -> Meaning:
    """What one record's outcome means.

    Only a code that the destination gave, and that its table knows as one, is a verdict. What was sent and not
    answered is unknown; asking again (a look-up, a poll) does no harm, so there no answer is merely transient.
    """
    match outcome.stage:
        case Stage.NOT_SENT if outcome.code == LEASE_OVER:
            return Meaning.RELEASED
        case Stage.NOT_SENT:
            known = codes.get(outcome.code, _DEFAULTS.get(outcome.code))
            return Meaning.PRECONDITION if known is Meaning.PRECONDITION else Meaning.TRANSIENT
        case Stage.NO_ANSWER:
            return Meaning.UNKNOWN_OUTCOME if kind is Kind.SEND else Meaning.TRANSIENT
        case Stage.ANSWERED:
            return codes.get(outcome.code, _DEFAULTS.get(outcome.code, Meaning.TRANSIENT))
