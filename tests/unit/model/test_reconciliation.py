"""What differs between us and a destination for one card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.model.delivery import FINAL, DeliveryState
from hocba_hub.model.keys import Event, Version
from hocba_hub.model.reconciliation import Difference, Ours, Theirs, TheirState, compare

S, D, T = DeliveryState, Difference, TheirState
A, B = b"a" * 32, b"b" * 32


def ours(version: int = 2, event: Event = Event.UPDATE, state: S = S.ACKNOWLEDGED, sha256: bytes | None = A) -> Ours:
    return Ours(Version(version), event, state, sha256)


def theirs(version: int = 2, state: T = T.HELD, sha256: bytes | None = A) -> Theirs:
    return Theirs(version, state, sha256)


@pytest.mark.parametrize(
    ("mine", "there", "found"),
    [
        (ours(), theirs(), None),
        (ours(), None, D.MISSING),
        (ours(), theirs(1), D.OLDER),
        (ours(), theirs(3), D.NEWER),
        (None, theirs(), D.UNKNOWN),
        (None, None, D.UNSENT),
        (ours(), theirs(sha256=B), D.DIFFERENT),
        (ours(sha256=None), theirs(sha256=B), None),
        (ours(), theirs(sha256=None), None),
        (ours(), theirs(state=T.RECALLED), D.DIFFERENT),
        (ours(), theirs(state=T.REFUSED), D.REFUSED),
        (ours(event=Event.CANCEL), theirs(state=T.RECALLED, sha256=B), None),
        (ours(event=Event.CANCEL), theirs(state=T.HELD), D.ALIVE),
        (ours(event=Event.CANCEL), theirs(1), D.OLDER),
        (ours(state=S.REFUSED), theirs(1), D.REFUSED),
        (ours(state=S.REFUSED), None, D.REFUSED),
        (ours(state=S.AWAITING_ACK), None, D.WAITING),
        (ours(state=S.IN_DOUBT), theirs(), D.WAITING),
        (ours(state=S.CANCELLED), None, D.UNSENT),
        (ours(state=S.SUPERSEDED), theirs(), D.UNKNOWN),
    ],
)
def test_what_differs(mine: Ours | None, there: Theirs | None, found: D | None):
    assert compare(mine, there) is found


_MINE = st.none() | st.builds(
    Ours, st.integers(1, 3), st.sampled_from(Event), st.sampled_from(S), st.sampled_from([None, A, B])
)
_THEIRS = st.none() | st.builds(Theirs, st.integers(1, 3), st.sampled_from(T), st.sampled_from([None, A, B]))


@given(_MINE, _THEIRS)
def test_only_what_was_acknowledged_can_be_equal_or_lost(mine: Ours | None, there: Theirs | None):
    found = compare(mine, there)
    if found is None or found in {D.MISSING, D.OLDER, D.NEWER, D.ALIVE, D.DIFFERENT}:
        assert mine is not None
        assert mine.state is S.ACKNOWLEDGED
    if found is D.WAITING:
        assert mine is not None
        assert mine.state not in FINAL
    if found is None:
        assert there is not None
        assert mine is not None
        assert there.version == mine.version
