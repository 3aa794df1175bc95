"""Replays: failed deliveries chosen once, tried on paper, sent again a few at first, watched, paused, stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedActing, ScopedViewer, TheHub, in_scope, known_destination
from hocba_hub.api.operator.delivery_shapes import (
    AskedReason,
    AskedSelection,
    CountEntry,
    DestinationName,
    SchoolCode,
)
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.replays import ItemOutcome, ReplayError, ReplayMeaning, ReplayPlan, ReplayState
from hocba_hub.queue.dry_run import DryRun
from hocba_hub.store import reconciliation, replays
from hocba_hub.store.access import Operator
from hocba_hub.store.replays import Differences, Replay

router = APIRouter(
    prefix="/v1/operations/replays",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

ReplayInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its id. / Số của lần gửi lại.")]
_NDJSON = "application/x-ndjson"
_PAGE = 500


class AskedDifferences(BaseModel):
    """What the newest reconciliation found to differ. / Khác biệt của lần đối soát gần nhất."""

    model_config = ConfigDict(extra="forbid")

    destination: DestinationName
    kinds: Sequence[Difference] = Field(min_length=1, max_length=9, examples=[["missing", "older"]])
    school: SchoolCode | None = None


class AskedReplay(AskedReason):
    """What is to be sent again, and how. / Gửi lại những gì, cách nào."""

    model_config = shown_as(examples.REPLAY_ASKED)

    selection: AskedSelection | None = None
    reconciliation: AskedDifferences | None = None
    meaning: ReplayMeaning = Field(
        ReplayMeaning.MAPPING_IN_FORCE,
        description="The same bytes; the same input by the mapping version of that day; or by the mapping in force. / "
        "Đúng từng byte; ánh xạ của hôm đó; hay ánh xạ đang áp dụng.",
    )
    canary: Sequence[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        (1, 10, 100),
        max_length=10,
        description="Of each cause, step by step; then the rest. / Thử từng bước, rồi phần còn lại.",
    )
    records_per_second: float | None = Field(None, gt=0, le=10_000)
    most_failed: float = Field(
        0.1, ge=0, le=1, description="Share of failures at which it stops. / Tỷ lệ lỗi thì tự dừng."
    )
    start: StrictBool = Field(False, description="At once, without a look at it. / Gửi ngay.")  # noqa: FBT003 - a default

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.selection is None) == (self.reconciliation is None):
            raise PydanticCustomError("one-of-two", "either `selection` or `reconciliation`")
        return self


class ItemCountEntry(Shape):
    """Records with one outcome and code. / Số bản ghi theo kết quả."""

    outcome: ItemOutcome | None = Field(None, description="None: open. / Không có: chưa xong.")
    code: str = Field(description="Of a failure, or why skipped; `waiting` or `sent` of open ones. / Mã lỗi hay lý do.")
    records: int


class ReplayEntry(Shape):
    """A replay. / Một lần gửi lại."""

    model_config = shown_as(examples.REPLAY)

    id: int
    state: ReplayState
    created_at: Moment
    created_by: str
    reason: str
    selection: Mapping[str, Any]
    meaning: ReplayMeaning
    canary: Sequence[int]
    records_per_second: float | None = None
    most_failed: float
    records: int = Field(description="Selected, exactly. / Số bản ghi đã chọn, chính xác.")
    counts: Sequence[ItemCountEntry] = Field(description="Their sum is `records`. / Tổng đúng bằng records.")
    stop_code: str | None = Field(
        None, description="Why it stopped by itself: same-cause, too-many-failed … / Vì sao tự dừng."
    )
    stop_group_id: int | None = Field(None, description="The failure group that came back. / Nhóm lỗi tái diễn.")
    started_at: Moment | None = None
    ended_at: Moment | None = None


class HolderEntry(Shape):
    """Another replay that has claimed some of it. / Lần gửi lại khác đang giữ bản ghi."""

    replay_id: int
    created_by: str
    deliveries: int


class FrozenReport(Shape):
    """What was chosen. / Những gì đã chọn."""

    model_config = shown_as(examples.FROZEN)

    replay: ReplayEntry
    selected: Sequence[CountEntry]
    held: Sequence[HolderEntry] = Field(description="Not chosen: others hold them. / Không chọn: người khác đang giữ.")
    unmatched: int = Field(description="Ids that are not there, or in another state. / Mã không khớp.")


class ReplayItemEntry(Shape):
    """One record of a replay. / Một bản ghi của lần gửi lại."""

    model_config = shown_as(examples.REPLAY_ITEM)

    delivery_id: int
    destination: str
    school_code: str
    school_year: SchoolYear
    card_id: CardId
    version: int
    state: str = Field(description="When it was selected. / Trạng thái lúc chọn.")
    failure_group_id: int | None = None
    released_at: Moment | None = Field(None, description="When it was sent again. / Khi nào gửi lại.")
    outcome: ItemOutcome | None = None
    code: str
    ended_at: Moment | None = None


class ForeseenEntry(Shape):
    """What would become of one record. / Bản ghi này sẽ ra sao."""

    model_config = shown_as(examples.FORESEEN)

    delivery_id: int
    destination: str
    school_code: str
    school_year: SchoolYear
    card_id: CardId
    version: int
    becomes: Literal["sent", "superseded", "skipped", "held"]
    code: str
    mapping_before: str
    mapping: str
    changed: Sequence[str] | None = Field(
        None, description="Places, never values, that differ from what was made before. / Chỗ khác, không nêu giá trị."
    )


@router.post("", status_code=201, response_model_exclude_none=True, responses=problems(404, 409))
def freeze_replay(asked: AskedReplay, operator: ScopedActing, hub: TheHub) -> FrozenReport:
    """Choose what is sent again, once and for all; nothing goes out before it is started. / Chọn bản ghi gửi lại."""
    schools = in_scope(hub, operator)
    plan = ReplayPlan(asked.meaning, tuple(asked.canary), asked.records_per_second, asked.most_failed)
    try:
        with hub.store.write() as connection:
            if asked.selection is not None:
                chosen: Any = replace(asked.selection.as_selection(), schools=schools)
            elif operator.scope is not None:
                raise ProblemError("access.scope")
            else:
                assert asked.reconciliation is not None  # noqa: S101 - one of the two is given
                chosen = _differences(hub, connection, asked.reconciliation)
            frozen = replays.freeze(
                connection, chosen, plan, actor=operator.actor, reason=asked.reason, now=hub.clock()
            )
            selected = replays.selected_counts(connection, frozen.replay.id)
            if asked.start:
                replays.start(connection, frozen.replay.id, actor=operator.actor, reason=asked.reason, now=hub.clock())
            entry = _entry(connection, frozen.replay.id)
    except ReplayError as error:
        raise _problem(error) from error
    return FrozenReport(
        replay=entry,
        selected=[CountEntry.model_validate(one) for one in selected],
        held=[HolderEntry.model_validate(one) for one in frozen.held],
        unmatched=frozen.unmatched,
    )


@router.get("", response_model_exclude_none=True)
def replays_listed(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    open: Annotated[bool, Query(description="Only those that have not ended. / Chỉ lần chưa xong.")] = False,  # noqa: A002
    after: Cursor = None,
    limit: Limit = 50,
) -> Page[ReplayEntry]:
    """The replays, the newest first. / Các lần gửi lại, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = replays.listed(
            connection, open_only=open, created_by=_own(operator), before=seen[0] if seen else None, limit=limit + 1
        )
        entries = [_shown(connection, one) for one in found[:limit]]
    return Page(items=entries, next=cursor((found[limit - 1].id,)) if len(found) > limit else None)


@router.get("/{replay_id}", response_model_exclude_none=True, responses=problems(404))
def replay(replay_id: ReplayInPath, operator: ScopedViewer, hub: TheHub) -> ReplayEntry:
    """One replay, with exact counts at this moment. / Một lần gửi lại, đếm chính xác lúc này."""
    with hub.store.read() as connection:
        return _shown(connection, _found(connection, replay_id, operator))


@router.get("/{replay_id}/items", response_model_exclude_none=True, responses=problems(404))
def replay_items(
    *,
    replay_id: ReplayInPath,
    operator: ScopedViewer,
    hub: TheHub,
    outcome: Annotated[ItemOutcome | None, Query()] = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[ReplayItemEntry]:
    """Its records, with what became of each. / Từng bản ghi và kết quả."""
    seen = place(after, int)
    with hub.store.read() as connection:
        _found(connection, replay_id, operator)
        found = replays.items(connection, replay_id, outcome=outcome, after=seen[0] if seen else 0, limit=limit + 1)
    return Page(
        items=[ReplayItemEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].delivery_id,)) if len(found) > limit else None,
    )


@router.get("/{replay_id}/dry-run", response_model_exclude_none=True, responses=problems(404))
def dry_run(
    replay_id: ReplayInPath, operator: ScopedViewer, hub: TheHub, after: Cursor = None, limit: Limit = 100
) -> Page[ForeseenEntry]:
    """What would become of each record, and what would differ in it; nothing is sent. / Chạy thử, không gửi."""
    seen = place(after, int)
    with hub.store.read() as connection:
        foreseen = _dry_run(hub).foresee(
            connection, _found(connection, replay_id, operator), after=seen[0] if seen else 0, limit=limit + 1
        )
    return Page(
        items=[ForeseenEntry.model_validate(one) for one in foreseen[:limit]],
        next=cursor((foreseen[limit - 1].delivery_id,)) if len(foreseen) > limit else None,
    )


@router.get(
    "/{replay_id}/dry-run.ndjson",
    response_class=StreamingResponse,
    responses={
        200: {"description": "One JSON a line. / Mỗi dòng một JSON.", "content": {_NDJSON: {}}},
        **problems(404),
    },
)
def dry_run_lines(replay_id: ReplayInPath, operator: ScopedViewer, hub: TheHub) -> StreamingResponse:
    """The whole dry run, one record a line. / Toàn bộ lần chạy thử, mỗi dòng một bản ghi."""
    with hub.store.read() as connection:
        found = _found(connection, replay_id, operator)
    return StreamingResponse(_lines(hub, found), media_type=_NDJSON)


def _lines(hub: Hub, found: Replay) -> Iterator[bytes]:
    runs, after = _dry_run(hub), 0
    while True:
        with hub.store.read() as connection:
            foreseen = runs.foresee(connection, found, after=after, limit=_PAGE)
        yield b"".join(orjson.dumps(one._asdict()) + b"\n" for one in foreseen)
        if len(foreseen) < _PAGE:
            return
        after = foreseen[-1].delivery_id


@router.post("/{replay_id}/start", response_model_exclude_none=True, responses=problems(404, 409))
def start_replay(replay_id: ReplayInPath, asked: AskedReason, operator: ScopedActing, hub: TheHub) -> ReplayEntry:
    """Begin to send. / Bắt đầu gửi lại."""
    return _do(replays.start, replay_id, asked, operator, hub)


@router.post("/{replay_id}/pause", response_model_exclude_none=True, responses=problems(404, 409))
def pause_replay(replay_id: ReplayInPath, asked: AskedReason, operator: ScopedActing, hub: TheHub) -> ReplayEntry:
    """Send no more for now; what is on its way goes on. / Tạm dừng."""
    return _do(replays.pause, replay_id, asked, operator, hub)


@router.post("/{replay_id}/resume", response_model_exclude_none=True, responses=problems(404, 409))
def resume_replay(replay_id: ReplayInPath, asked: AskedReason, operator: ScopedActing, hub: TheHub) -> ReplayEntry:
    """Go on, also after it stopped by itself. / Chạy tiếp, kể cả khi đã tự dừng."""
    return _do(replays.resume, replay_id, asked, operator, hub)


@router.post("/{replay_id}/cancel", response_model_exclude_none=True, responses=problems(404, 409))
def cancel_replay(replay_id: ReplayInPath, asked: AskedReason, operator: ScopedActing, hub: TheHub) -> ReplayEntry:
    """End it; what was not sent stays as it was. / Hủy; phần chưa gửi giữ nguyên."""
    return _do(replays.cancel, replay_id, asked, operator, hub)


def _do(
    what: Callable[..., Replay | None], replay_id: int, asked: AskedReason, operator: Operator, hub: Hub
) -> ReplayEntry:
    try:
        with hub.store.write() as connection:
            _found(connection, replay_id, operator)
            if what(connection, replay_id, actor=operator.actor, reason=asked.reason, now=hub.clock()) is None:
                raise ProblemError("not-found")
            entry = _entry(connection, replay_id)
    except ReplayError as error:
        raise _problem(error) from error
    return entry


def _problem(error: ReplayError) -> ProblemError:
    return ProblemError(error.code, retry_after=None, **error.facts)


def _dry_run(hub: Hub) -> DryRun:
    return DryRun(hub.destinations, hub.intake.mappings.current)


def _differences(hub: Hub, connection: Connection, asked: AskedDifferences) -> Differences:
    name = known_destination(hub, asked.destination)
    run_id = reconciliation.newest_run(connection, name)
    if run_id is None:
        raise ProblemError("not-found")
    return Differences(run_id, frozenset(asked.kinds), asked.school)


def _own(operator: Operator) -> str | None:
    """Whose replays an operator may see: all, or for a part of the province his own."""
    return None if operator.scope is None else operator.actor


def _found(connection: Connection, replay_id: int, operator: Operator) -> Replay:
    found = replays.find(connection, replay_id)
    if found is None or _own(operator) not in {None, found.created_by}:
        raise ProblemError("not-found")
    return found


def _entry(connection: Connection, replay_id: int) -> ReplayEntry:
    found = replays.find(connection, replay_id)
    assert found is not None  # noqa: S101 - the caller has it
    return _shown(connection, found)


def _shown(connection: Connection, found: Replay) -> ReplayEntry:
    return ReplayEntry(
        id=found.id,
        state=found.state,
        created_at=found.created_at,
        created_by=found.created_by,
        reason=found.reason,
        selection=found.selection,
        meaning=found.plan.meaning,
        canary=found.plan.canary,
        records_per_second=found.plan.records_per_second,
        most_failed=found.plan.most_failed,
        records=found.records,
        counts=[ItemCountEntry.model_validate(one) for one in replays.counts(connection, found.id)],
        stop_code=found.stop_code,
        stop_group_id=found.stop_group_id,
        started_at=found.started_at,
        ended_at=found.ended_at,
    )
