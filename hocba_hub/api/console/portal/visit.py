"""Who looks at the portal: the client whose key, or whose people's identity, opened the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from hocba_hub.api.console.visit import COOKIES, SignInNeededError, read_form, require_token, session_of
from hocba_hub.api.context import Hub, hub_of_app
from hocba_hub.api.http.authentication import allow
from hocba_hub.store.access import Client
from hocba_hub.store.sessions import Session

_HOME = "/portal"
_MOST_BYTES = 8_000_000
"""Of a form with a sample in it."""


@dataclass(frozen=True, slots=True)
class ClientVisit:
    """A client that is signed in and looks at its page."""

    request: Request
    hub: Hub
    session: Session
    client: Client
    home = _HOME


async def client_signed_in(request: Request) -> ClientVisit:
    """The client that is signed in, within its rate; once a call.

    Raises:
        SignInNeededError: none is.
        ProblemError: 429 beyond its rate.
    """
    found, hub = await session_of(request, COOKIES[_HOME]), hub_of_app(request)
    if found is None or not isinstance(found.owner, Client):
        raise SignInNeededError
    request.state.visit = visit = ClientVisit(request, hub, found, found.owner)
    allow(hub, found.owner)
    return visit


async def client_posted(request: Request, visit: Annotated[ClientVisit, Depends(client_signed_in)]) -> FormData:
    """The form that a page of this session sent; a file of some megabytes may be in it.

    Raises:
        ProblemError: `console.form-foreign`, its token is not that of the session.
    """
    form = await read_form(request, files=1, most=_MOST_BYTES)
    require_token(form, visit.session)
    return form


Visiting = Annotated[ClientVisit, Depends(client_signed_in)]
Posted = Annotated[FormData, Depends(client_posted)]
