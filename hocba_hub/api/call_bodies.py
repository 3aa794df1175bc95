"""The bodies of a call that was about a card, as an operator may see them; that they were looked at is in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.keys import CardKey, DestinationName
from hocba_hub.model.shown_bodies import plain_facts, shown
from hocba_hub.store import audit, story


@dataclass(frozen=True, slots=True)
class ShownBodies:
    """What was sent of a card and came back about it; None where nothing of the card is in it."""

    destination: str
    request: str | None
    response: str | None


def look_at_bodies(
    connection: Connection,
    destinations: Mapping[DestinationName, Destination],
    key: CardKey,
    attempt_id: int,
    *,
    actor: str,
    now: int,
    reveal_for: str | None = None,
) -> ShownBodies | None:
    """The bodies of a call about a card, with the audit trail in the same transaction; None if there are none.

    Personal data are masked unless there is a reason to reveal them.
    """
    found = story.bodies_of(connection, key, attempt_id)
    if found is None:
        return None
    destination = destinations.get(DestinationName(found.destination))
    own = key.record_id() if destination is None else destination.record_ids.of(key)
    message_ids = {f"{own}/{version}" for version in found.versions}
    plain = {key.school_year, key.card_id, *map(str, found.versions), *message_ids, "NEW", "UPDATE", "CANCEL"}
    plain |= plain_facts(orjson.loads(found.canonical))
    reveals = reveal_for is not None
    action = "reveal-bodies" if reveals else "view-bodies"
    detail = {"card": key.record_id(), "attempt": attempt_id}
    audit.write(connection, at=now, actor=actor, action=action, reason=reveal_for or "", detail=detail, cards=[key])
    return ShownBodies(
        found.destination,
        shown(found.request, {own}, plain, is_answer=False, reveals=reveals),
        shown(found.response, {own}, plain, is_answer=True, reveals=reveals),
    )
