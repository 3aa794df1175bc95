"""Idempotency keys: a call with a key is run once; its answer is given again to whoever asks again.

Semantics of draft-ietf-httpapi-idempotency-key-header-07: 422 for the same key with another payload, 409 while the
first call runs, otherwise the stored answer. The natural key of the cards holds for ever beside it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable

import orjson
from fastapi import Request, Response

from hocba_hub.api.context import Hub
from hocba_hub.api.http.body import Body
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.store import idempotency
from hocba_hub.store.engine import StoreError
from hocba_hub.store.idempotency import Claim, ClaimLostError

HEADER = "Idempotency-Key"
_LONGEST = 255
_AGAIN_SECONDS = 0.5
_forgetting: set[asyncio.Task[None]] = set()
_HOLD_MS = 15_000
"""A first call that has not been heard of for so long is taken for dead, as when its process was killed.

Its accepted records are recognised by their natural keys; if it was not dead but stood still, no more are accepted.
"""
_FORGET_SECONDS = 120


async def with_idempotency_key(
    hub: Hub, client_id: int, request: Request, body: Body, run: Callable[[Claim | None], Awaitable[Response]]
) -> Response:
    """The answer of `run`, or the stored answer of the call that had this key before.

    `run` is given the claim of the key, None where the call has no key; it belongs into the submission.

    Raises:
        ProblemError: 400 for a malformed key, 409 and 422 as above.
    """
    key = _key(request)
    if key is None:
        return await run(None)
    route = f"{request.method} {request.url.path}"
    begun = await hub.writing.run(_begin, hub, client_id, route, key)
    if isinstance(begun, idempotency.Running):
        raise ProblemError("idempotency.still-running", retry_after=2)
    if isinstance(begun, idempotency.Stored):
        async for _ in body.chunks():
            pass
        if begun.body_sha256 != _fingerprint(body, request):
            raise ProblemError("idempotency.other-payload")
        stored = orjson.loads(begun.answer)
        headers = {**stored["headers"], "Idempotency-Replayed": "true"}
        return Response(stored["body"].encode(), begun.status, headers)
    claim = begun.claim
    renewing = asyncio.get_running_loop().create_task(_renew(hub, claim))
    try:
        response = await run(claim)
    except ClaimLostError:
        raise ProblemError("idempotency.still-running", retry_after=2) from None
    except BaseException:
        _forget_soon(hub, claim)
        raise
    finally:
        renewing.cancel()
    answer = orjson.dumps({"headers": _kept(response), "body": bytes(response.body).decode()})
    try:
        await hub.writing.run(_finish, hub, claim, _fingerprint(body, request), response.status_code, answer)
    except StoreError:
        # The answer is true all the same; who asks again is recognised by the natural keys of the cards.
        _forget_soon(hub, claim)
    return response


def _forget_soon(hub: Hub, claim: Claim) -> None:
    forgetting = asyncio.get_running_loop().create_task(_forget_surely(hub, claim))
    _forgetting.add(forgetting)  # the loop itself keeps no hold of its tasks
    forgetting.add_done_callback(_forgetting.discard)


def _key(request: Request) -> str | None:
    """The key: a structured-field string (RFC 9651 section 3.3.3), or bare."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    key = sent.strip()
    if len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        raise ProblemError("idempotency.malformed-key")
    return key


def _fingerprint(body: Body, request: Request) -> str:
    return hashlib.sha256(f"{body.sha256}?{request.url.query}".encode()).hexdigest()


def _kept(response: Response) -> dict[str, str]:
    return {name: response.headers[name] for name in ("content-type", "location") if name in response.headers}


def _begin(hub: Hub, client_id: int, route: str, key: str) -> idempotency.Begun:
    with hub.store.write() as connection:
        return idempotency.begin(connection, client_id, route, key, hub.clock(), _HOLD_MS)


async def _renew(hub: Hub, claim: Claim) -> None:
    """Hold the key for as long as the call goes on."""
    while True:
        await asyncio.sleep(_HOLD_MS / 3000)
        try:
            await hub.writing.run(_hold, hub, claim)
        except StoreError:
            continue  # the next time; until then the key is held


def _hold(hub: Hub, claim: Claim) -> None:
    with hub.store.write() as connection:
        idempotency.renew(connection, claim, until=hub.clock() + _HOLD_MS)


async def _forget_surely(hub: Hub, claim: Claim) -> None:
    """Let the key be new again as soon as the store can be written: whoever retries shall not wait for its end."""
    end = time.monotonic() + _FORGET_SECONDS
    while time.monotonic() < end:
        try:
            await hub.writing.run(_forget, hub, claim)
        except StoreError:
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return


def _forget(hub: Hub, claim: Claim) -> None:
    with hub.store.write() as connection:
        idempotency.forget(connection, claim)


def _finish(hub: Hub, claim: Claim, body_sha256: str, status: int, answer: bytes) -> None:
    with hub.store.write() as connection:
        idempotency.finish(connection, claim, body_sha256=body_sha256, status=status, answer=answer)
