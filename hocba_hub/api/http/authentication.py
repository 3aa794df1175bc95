"""Who calls: `Authorization: Bearer <key>` to a client or an operator; or a client by its certificate.

A certificate is told by the TLS proxy, and only where the settings trust that proxy; a key beside it counts alone.

A client's key opens no operator's call, and the other way round. Handlers depend on `require_client`, on
`require_operator(role)`, or on `ANYONE` for what is secret to neither; the OpenAPI document says which key each needs.
"""

from __future__ import annotations

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from hocba_hub.api.context import Hub, hub_of_app
from hocba_hub.api.http.certificates import identities
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.store.access import Client, Operator, Role

_REALM = 'Bearer realm="hocba-hub"'


class ClientKey(SecurityBase):
    """Dependency: the client that calls, within its rate."""

    def __init__(self) -> None:
        """Shown in the OpenAPI document as `clientKey`."""
        self.model = HTTPBearer(description="Key: hbc_…, or a certificate by a TLS proxy. / Khóa, hoặc chứng thư.")
        self.scheme_name = "clientKey"

    async def __call__(self, request: Request) -> Client:
        """The client.

        Raises:
            ProblemError: 401 without a key in force, 403 for an operator's key, 429 beyond the rate.
        """
        caller = await authenticated(request)
        if not isinstance(caller, Client):
            raise ProblemError("access.wrong-kind")
        allow(hub_of_app(request), caller)
        return caller


class OperatorKey(SecurityBase):
    """Dependency: the operator that calls, of one role at least."""

    def __init__(self, role: Role, *, scoped: bool = False) -> None:
        """Shown in the OpenAPI document as `operatorKey`.

        Only where it is `scoped` may an operator for a part of the province call: what calls shows him that part alone.
        """
        self.model = HTTPBearer(description="Key of an operator: hbo_…  / Khóa của cán bộ vận hành.")
        self.scheme_name = "operatorKey"
        self._role, self._scoped = role, scoped

    async def __call__(self, request: Request) -> Operator:
        """The operator.

        Raises:
            ProblemError: 401 without a key in force, 403 for a client's key, a lower role, or a part of the province.
        """
        caller = await authenticated(request)
        if not isinstance(caller, Operator):
            raise ProblemError("access.wrong-kind")
        if not caller.role.covers(self._role):
            raise ProblemError("access.role-too-low", required_role=self._role)
        if caller.scope is not None and not self._scoped:
            raise ProblemError("access.scope")
        return caller


require_client = ClientKey()


def require_operator(role: Role, *, scoped: bool = False) -> OperatorKey:
    """The dependency for operators of this role or a higher one; `scoped` as `OperatorKey` has it."""
    return OperatorKey(role, scoped=scoped)


class AnyKey(SecurityBase):
    """Dependency: whoever calls, a client within its rate, or an operator of any role."""

    def __init__(self) -> None:
        """Shown in the OpenAPI document as `clientKey`; `_OrOperatorKey` beside it names the alternative."""
        self.model = require_client.model
        self.scheme_name = require_client.scheme_name

    async def __call__(self, request: Request) -> Client | Operator:
        """Whoever calls.

        Raises:
            ProblemError: 401 without a key in force, 429 beyond a client's rate.
        """
        caller = await authenticated(request)
        if isinstance(caller, Client):
            allow(hub_of_app(request), caller)
        return caller


class _OrOperatorKey(SecurityBase):
    """Looks at nothing: in the OpenAPI document, security schemes beside each other are alternatives."""

    def __init__(self) -> None:
        operator = OperatorKey(Role.VIEWER)
        self.model, self.scheme_name = operator.model, operator.scheme_name

    async def __call__(self) -> None:
        """Nothing."""


ANYONE = (Depends(AnyKey()), Depends(_OrOperatorKey()))
"""Dependencies of calls that clients and operators may make."""


def allow(hub: Hub, client: Client) -> None:
    """Count a call of a client.

    Raises:
        ProblemError: 429 beyond its rate or its quota.
    """
    exceeded = hub.usage.exceeded(client.id)
    if exceeded is None:
        return
    if exceeded.measure == "requests":
        raise ProblemError("rate.exceeded", retry_after=exceeded.retry_after)
    raise ProblemError("quota.exceeded", retry_after=exceeded.retry_after, measure=exceeded.measure)


async def authenticated(request: Request) -> Client | Operator:
    """Whoever calls, by the head of the request alone.

    Raises:
        ProblemError: 401 without a key or certificate in force.
    """
    hub = hub_of_app(request)
    if "authorization" not in request.headers and (told := identities(hub.settings, request)):
        client = await hub.keys.client_of(told)
        if client is None:
            raise ProblemError("access.certificate-unknown")
        return client
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        problem = ProblemError("access.key-missing")
        problem.headers["WWW-Authenticate"] = _REALM
        raise problem
    caller = await hub.keys.owner(key)
    if caller is None:
        problem = ProblemError("access.key-unknown")
        problem.headers["WWW-Authenticate"] = f'{_REALM}, error="invalid_token"'
        raise problem
    return caller
