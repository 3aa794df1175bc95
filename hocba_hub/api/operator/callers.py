"""What the routers of operators have in common: who may make a call, by role, and the destination that it is about."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.http.authentication import require_operator
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.access import Operator, Role

Viewer = Annotated[Operator, Depends(require_operator(Role.VIEWER))]
Acting = Annotated[Operator, Depends(require_operator(Role.OPERATOR))]
Approving = Annotated[Operator, Depends(require_operator(Role.APPROVER))]
Administrator = Annotated[Operator, Depends(require_operator(Role.ADMINISTRATOR))]
TheHub = Annotated[Hub, Depends(hub_of)]


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
