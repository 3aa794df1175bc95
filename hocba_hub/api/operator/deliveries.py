"""What operators ask and do: failures, what waits, cancellation, pause and resume, the audit trail."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from hocba_hub.adapters.registry import adapter_for
from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import DestinationInPath
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, ScopedViewer, TheHub, Viewer, in_scope, known_destination
from hocba_hub.api.operator.delivery_shapes import (
    ActReport,
    AskedAct,
    AskedReason,
    AuditEntry,
    Code,
    CountEntry,
    DeliveryEntry,
    DeliveryGroupEntry,
    DeliverySummary,
    DestinationEntry,
    DestinationList,
    DestinationName,
    SchoolCode,
    TestedDestination,
    Time,
    milliseconds,
)
from hocba_hub.api.shapes import Page
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName as Name
from hocba_hub.monitoring.doctor import try_destination
from hocba_hub.store import audit, control
from hocba_hub.store.access import Operator
from hocba_hub.store.delivery_acts import Act, execute, preview
from hocba_hub.store.delivery_lists import ListedDelivery, delivery_groups, listed_deliveries
from hocba_hub.store.selection import FAILED, PENDING, Selection

router = APIRouter(
    prefix="/v1/operations",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


def narrowed(
    *,
    destination: Annotated[DestinationName | None, Query()] = None,
    code: Annotated[Code | None, Query()] = None,
    school: Annotated[SchoolCode | None, Query()] = None,
    since: Annotated[Time | None, Query()] = None,
    until: Annotated[Time | None, Query()] = None,
) -> Selection:
    """What a list is narrowed to, whatever its states."""
    return Selection(
        destination=destination, code=code, school=school, since=milliseconds(since), until=milliseconds(until)
    )


Narrowed = Annotated[Selection, Depends(narrowed)]


def failed(
    selection: Narrowed,
    state: Annotated[
        Literal["refused", "parked", "held", "cancelled"] | None,
        Query(description="By default refused, parked and held. / Mặc định: refused, parked, held."),
    ] = None,
) -> Selection:
    """What a failure list is narrowed to."""
    return replace(selection, states=_only(state))


def waiting(
    selection: Narrowed,
    state: Annotated[
        Literal["queued", "in_doubt", "awaiting_ack"] | None,
        Query(description="By default all three. / Mặc định: cả ba."),
    ] = None,
) -> Selection:
    """What a list of pending deliveries is narrowed to."""
    return replace(selection, states=_only(state))


def _only(state: str | None) -> frozenset[DeliveryState]:
    return frozenset() if state is None else frozenset({DeliveryState(state)})


NewestQuery = Annotated[bool, Query(description="The newest first. / Mới nhất trước.")]
Failed = Annotated[Selection, Depends(failed)]
Waiting = Annotated[Selection, Depends(waiting)]


@router.get("/failures", response_model_exclude_none=True)
def failures(operator: ScopedViewer, hub: TheHub, selection: Failed) -> DeliverySummary:
    """Failures by destination, state and code. / Lỗi theo nơi nhận, trạng thái và mã."""
    return _summary(hub, _within(hub, operator, selection), FAILED)


@router.get("/pending", response_model_exclude_none=True)
def pending(operator: ScopedViewer, hub: TheHub, selection: Waiting) -> DeliverySummary:
    """What waits, by destination, state and code. / Bản ghi đang chờ, theo nơi nhận, trạng thái và mã."""
    return _summary(hub, _within(hub, operator, selection), PENDING)


def _within(hub: Hub, operator: Operator, selection: Selection) -> Selection:
    """The part of a selection that an operator is for."""
    return replace(selection, schools=in_scope(hub, operator))


def _summary(hub: Hub, selection: Selection, by_default: Collection[DeliveryState]) -> DeliverySummary:
    with hub.store.read() as connection:
        found = delivery_groups(connection, selection, by_default)
    groups = [DeliveryGroupEntry.model_validate(group) for group in found]
    deliveries = sum(group.deliveries for group in groups)
    return DeliverySummary(deliveries=deliveries, groups=groups, misfits=dict(hub.misfits) or None)


@router.get("/failures/deliveries", response_model_exclude_none=True)
def failures_listed(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    selection: Failed,
    newest: NewestQuery = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[DeliveryEntry]:
    """The failed deliveries one by one, group after group. / Từng bản ghi lỗi, lần lượt theo nhóm."""
    listed = partial(listed_deliveries, selection=_within(hub, operator, selection), by_default=FAILED)
    return _page(hub, partial(listed, newest_first=newest), after, limit)


@router.get("/pending/deliveries", response_model_exclude_none=True)
def pending_listed(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    selection: Waiting,
    newest: NewestQuery = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[DeliveryEntry]:
    """The pending deliveries one by one, group after group. / Từng bản ghi đang chờ, lần lượt theo nhóm."""
    listed = partial(listed_deliveries, selection=_within(hub, operator, selection), by_default=PENDING)
    return _page(hub, partial(listed, newest_first=newest), after, limit)


def _page(
    hub: Hub, listed: Callable[..., Sequence[ListedDelivery]], after: str | None, limit: int
) -> Page[DeliveryEntry]:
    start = place(after, str, str, str, int, int)
    with hub.store.read() as connection:
        found = listed(connection, after=start, limit=limit + 1)
    return Page(
        items=[DeliveryEntry.model_validate(delivery) for delivery in found[:limit]],
        next=cursor(found[limit - 1].place) if len(found) > limit else None,
    )


@router.post("/hurry", response_model_exclude_none=True)
def hurry(asked: AskedAct, operator: Acting, hub: TheHub) -> ActReport:
    """Wait no longer: send, look up or poll at once. / Không đợi nữa: gửi, tra cứu hoặc hỏi kết quả ngay."""
    return act(Act.HURRY, asked, operator, hub)


@router.post("/cancel", response_model_exclude_none=True)
def cancel(asked: AskedAct, operator: Acting, hub: TheHub) -> ActReport:
    """End deliveries; only a replay opens them again. / Hủy; chỉ gửi lại mới mở ra được."""
    return act(Act.CANCEL, asked, operator, hub)


def act(what: Act, asked: AskedAct, operator: Operator, hub: Hub) -> ActReport:
    """Do something to many deliveries, or count only.

    Raises:
        SelectionError: the selection is not one that the act takes.
    """
    selection = asked.selection.as_selection()
    if asked.dry_run:
        with hub.store.read() as connection:
            result = preview(connection, what, selection)
    else:
        result = execute(hub.store, what, selection, actor=operator.actor, reason=asked.reason, now=hub.clock())
        for name in {count.destination for count in result.counts} if what is not Act.CANCEL else ():
            hub.ring(Name(name))
    return ActReport(
        dry_run=asked.dry_run,
        deliveries=result.deliveries,
        counts=[CountEntry.model_validate(count) for count in result.counts],
        changed=result.changed,
        unmatched=result.unmatched,
        audit_id=result.audit_id,
    )


@router.get("/destinations", response_model_exclude_none=True)
def destinations(_: Viewer, hub: TheHub) -> DestinationList:
    """How every destination stands. / Tình trạng mọi nơi nhận."""
    with hub.store.read() as connection:
        health = control.overview(connection, hub.destinations, hub.clock())
    return DestinationList(destinations=[_destination(hub, each) for each in health])


@router.post("/destinations/{name}/pause", response_model_exclude_none=True, responses=problems(404))
def pause(name: DestinationInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> DestinationEntry:
    """Send nothing there until it is resumed. / Tạm dừng gửi đến nơi nhận."""
    known = known_destination(hub, name)
    with hub.store.write() as connection:
        control.pause(connection, known, actor=operator.actor, reason=asked.reason, now=hub.clock())
        return _destination(hub, control.overview(connection, [known], hub.clock())[0])


@router.post("/destinations/{name}/resume", response_model_exclude_none=True, responses=problems(404))
def resume(name: DestinationInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> DestinationEntry:
    """Send again. / Tiếp tục gửi."""
    known = known_destination(hub, name)
    with hub.store.write() as connection:
        control.resume(connection, known, actor=operator.actor, reason=asked.reason, now=hub.clock())
        health = control.overview(connection, [known], hub.clock())[0]
    hub.ring(known)
    return _destination(hub, health)


@router.post("/destinations/{name}/test", response_model_exclude_none=True, responses=problems(404))
def try_destination_call(name: DestinationInPath, _: Acting, hub: TheHub) -> TestedDestination:
    """Ask it for a card that there is not: whether it answers, and knows us. / Gọi thử nơi nhận."""
    destination = hub.destinations[known_destination(hub, name)]
    make = partial(adapter_for, destination, os.environ, hub.intake.mappings.current)
    last = list(try_destination(destination, make, os.environ))[-1]
    return TestedDestination(
        state=last.state, code=last.code, says_vi=last.says("vi"), says_en=last.says("en"), do_vi=last.do("vi"),
        do_en=last.do("en"),
    )  # fmt: skip


@router.get("/audit", response_model_exclude_none=True)
def audit_trail(_: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 100) -> Page[AuditEntry]:
    """What people did, the newest first. / Nhật ký thao tác, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = audit.entries(connection, before=seen[0] if seen else None, limit=limit + 1)
    return Page(
        items=[AuditEntry.model_validate(entry) for entry in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


def _destination(hub: Hub, health: control.DestinationHealth) -> DestinationEntry:
    configured = hub.destinations[health.name]
    most = configured.limits.concurrency
    return DestinationEntry(
        name=health.name,
        title_vi=configured.title.vi,
        title_en=configured.title.en,
        paused_at=health.paused_at,
        pause_reason=health.pause_reason,
        breaker_open_until=health.open_until,
        maintained_until=configured.maintained_until(hub.clock()),
        failed_calls=health.failures,
        concurrency=min(health.cap or most, most),
        oldest_due_at=health.oldest_due_at,
        depth=health.depth,
        misfit=hub.misfits.get(health.name),
    )
