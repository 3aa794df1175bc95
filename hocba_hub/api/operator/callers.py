"""What the routers of operators have in common: who may make a call, by role, and the destination that it is about."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from sqlalchemy import Connection

from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.http.authentication import require_operator
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.keys import CardKey, DestinationName
from hocba_hub.store.access import Operator, Role, schools_of
from hocba_hub.store.story import keys_of

Viewer = Annotated[Operator, Depends(require_operator(Role.VIEWER))]
Acting = Annotated[Operator, Depends(require_operator(Role.OPERATOR))]
Approving = Annotated[Operator, Depends(require_operator(Role.APPROVER))]
ScopedViewer = Annotated[Operator, Depends(require_operator(Role.VIEWER, scoped=True))]
ScopedActing = Annotated[Operator, Depends(require_operator(Role.OPERATOR, scoped=True))]
ScopedApproving = Annotated[Operator, Depends(require_operator(Role.APPROVER, scoped=True))]
"""Of the whole province or a part of it: what calls takes only what `schools_of` the operator's scope holds."""
Administrator = Annotated[Operator, Depends(require_operator(Role.ADMINISTRATOR))]
TheHub = Annotated[Hub, Depends(hub_of)]


def in_scope(hub: Hub, operator: Operator) -> frozenset[str] | None:
    """The schools that an operator is for; None for all."""
    if operator.scope is None:
        return None
    with hub.store.read() as connection:
        return schools_of(connection, operator.scope)


def require_card(connection: Connection, operator: Operator, key: CardKey) -> None:
    """Do nothing if an operator is for the school of a card, or there is no such card.

    Raises:
        ProblemError: `not-found`; what is beyond his scope is not there for him.
    """
    schools = schools_of(connection, operator.scope)
    if schools is not None and not keys_of(connection, [key], schools):
        raise ProblemError("not-found")


def require_bodies(operator: Operator) -> None:
    """Do nothing if an operator may see what cards and calls hold of people.

    Raises:
        ProblemError: `access.bodies`, 403.
    """
    if not operator.sees_bodies:
        raise ProblemError("access.bodies")


def known_destination(hub: Hub, name: str) -> DestinationName:
    """The destination of this name.

    Raises:
        ProblemError: `not-found`, none is configured.
    """
    known = DestinationName(name)
    if known not in hub.destinations:
        raise ProblemError("not-found")
    return known
