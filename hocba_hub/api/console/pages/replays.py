"""Replays: the list, and one of them on its way, tried on paper, begun, watched, paused, stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Response
from starlette.datastructures import FormData

from hocba_hub.api.console.live import follow
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Form, ScopedActing, ScopedViewing, asked, field
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import replays
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.operator.replays import AskedReplay, ReplayInPath
from hocba_hub.model.replays import ItemOutcome, ReplayState

router = console_router()

_PAGE, _SAMPLE = 50, 20
_AT_REST = frozenset({ReplayState.DONE, ReplayState.CANCELLED, ReplayState.STOPPED, ReplayState.FROZEN})
_ACTS: dict[str, Callable[..., Any]] = {
    "start": replays.start_replay, "pause": replays.pause_replay, "resume": replays.resume_replay,
    "cancel": replays.cancel_replay,
}  # fmt: skip


@router.get("/console/replays")
def listed(visit: ScopedViewing, after: Cursor = None) -> Response:
    """All of them, the newest first."""
    page = replays.replays_listed(operator=visit.operator, hub=visit.hub, after=after, limit=_PAGE)
    return render(visit.request, "replays.html", visit=visit, page=page)


@router.post("/console/replays")
def freeze(visit: ScopedActing, form: Form) -> Response:
    """Choose what is sent again; it is looked at on its page before anything goes out."""
    steps = [int(one) for one in field(form, "canary").replace(",", " ").split() if one.isdecimal()]
    share = field(form, "most_failed")
    facts = {
        "reason": field(form, "reason"), "meaning": field(form, "meaning"), "canary": steps,
        "records_per_second": field(form, "records_per_second"), "selection": selection_of(form),
        "most_failed": int(share) / 100 if share.isdecimal() else None, "reconciliation": _differences(form),
    }  # fmt: skip
    made = replays.freeze_replay(asked(AskedReplay, facts), visit.operator, visit.hub)
    return go_to(f"/console/replays/{made.replay.id}?done=frozen")


def selection_of(form: FormData) -> dict[str, Any] | None:
    """The deliveries that a form names, as `AskedSelection` has it; None if it names none."""
    named: dict[str, Any] = {
        name: value for name in ("destination", "code", "school", "group") if (value := field(form, name))
    }
    states = [str(one) for one in form.getlist("states") if one]
    deliveries = [int(str(one)) for one in form.getlist("deliveries") if str(one).isdecimal()]
    named |= {"states": states} if states else {}
    named |= {"deliveries": deliveries} if deliveries else {}
    return named or None


def _differences(form: FormData) -> dict[str, Any] | None:
    name = field(form, "reconciled")
    if not name:
        return None
    school = field(form, "of_school")
    kinds = [str(one) for one in form.getlist("kinds")]
    return {"destination": name, "kinds": kinds} | ({"school": school} if school else {})


@router.get("/console/replays/{replay_id}")
def one(
    visit: ScopedViewing,
    replay_id: ReplayInPath,
    outcome: Annotated[ItemOutcome | None, Query()] = None,
    after: Cursor = None,
    done: str = "",
) -> Response:
    """One replay: how far it is, what it would do, and what became of each record."""
    operator, hub = visit.operator, visit.hub
    found = replays.replay(replay_id, operator, hub)
    items = replays.replay_items(
        replay_id=replay_id, operator=operator, hub=hub, outcome=outcome, after=after, limit=_PAGE
    )
    foreseen = None
    if found.state in {ReplayState.FROZEN, ReplayState.PAUSED, ReplayState.STOPPED}:
        foreseen = replays.dry_run(replay_id, operator, hub, limit=_SAMPLE)
    return render(
        visit.request, "replay.html", visit=visit, replay=found, items=items, foreseen=foreseen, outcome=outcome,
        done=done, is_live=found.state not in _AT_REST,
    )  # fmt: skip


@router.get("/console/replays/{replay_id}/live")
def live(visit: ScopedViewing, replay_id: ReplayInPath) -> Response:
    """The counts of a replay, as they change."""
    return follow(
        visit,
        "replay_live.html",
        lambda: replays.replay(replay_id, visit.operator, visit.hub),
        lambda one: one.state in _AT_REST,
    )


@router.post("/console/replays/{replay_id}/{act}")
def act(
    visit: ScopedActing, replay_id: ReplayInPath, act: Annotated[str, Path(pattern="^(start|pause|resume|cancel)$")],
    form: Form,
) -> Response:  # fmt: skip
    """Begin, pause, go on, or end it."""
    _ACTS[act](replay_id, asked(AskedReason, {"reason": field(form, "reason")}), visit.operator, visit.hub)
    return go_to(f"/console/replays/{replay_id}?done={act}")
