"""One card's whole story, found by whatever somebody has of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from hocba_hub.api.call_bodies import look_at_bodies
from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.parameters import CardInPath, YearInPath
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedActing, ScopedViewer, TheHub, require_bodies, require_card
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import CardId, Moment, SchoolYear, Shape, shown_as
from hocba_hub.model import keys
from hocba_hub.model.keys import CardKey
from hocba_hub.store import story as stored
from hocba_hub.store.access import Operator, schools_of
from hocba_hub.store.story import StoryKind

router = APIRouter(
    prefix="/v1/operations/trace",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


AttemptInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="From the story. / Lấy từ diễn biến.")]


class CardFound(Shape):
    """A card that the key stands for. / Một học bạ khớp với khóa tìm."""

    school_year: SchoolYear
    card_id: CardId


class StoryEventEntry(Shape):
    """Something that happened, without the card's content. / Một sự kiện, không có nội dung học bạ."""

    at: Moment
    kind: StoryKind
    place: str = Field(description="vendor, hub, or a destination. / Phần mềm, trục, hay nơi nhận.")
    version: int | None = None
    actor: str
    code: str
    facts: Mapping[str, Any]


class StoryEntry(Shape):
    """A card's whole story. / Toàn bộ diễn biến của một học bạ."""

    school_year: SchoolYear
    card_id: CardId
    school_code: str
    version: int = Field(description="The newest. / Phiên bản mới nhất.")
    recalled: bool
    standing: Mapping[str, str] = Field(description="State at each destination. / Trạng thái ở mỗi nơi nhận.")
    events: Sequence[StoryEventEntry] = Field(description="The oldest first. / Cũ nhất trước.")


class Trace(Shape):
    """The cards that a key stands for, and the story if it is one. / Các học bạ khớp; một thì kèm diễn biến."""

    model_config = shown_as(examples.TRACE)

    cards: Sequence[CardFound] = Field(description="At most 100. / Nhiều nhất 100.")
    story: StoryEntry | None = None


class BodiesEntry(Shape):
    """What was sent of a card and came back, personal data masked. / Nội dung đã gửi và trả lời, đã che."""

    model_config = shown_as(examples.BODIES)

    destination: str
    request: str | None = Field(None, description="None: nothing of this card. / Không có: không có học bạ này.")
    response: str | None = None


@router.get("/{school_year}/{card_id}/attempts/{attempt_id}", response_model_exclude_none=True, responses=problems(404))
def call_bodies(
    school_year: YearInPath,
    card_id: CardInPath,
    attempt_id: AttemptInPath,
    operator: ScopedActing,
    hub: TheHub,
) -> BodiesEntry:
    """The bodies of one call, of this card only and masked; the look is in the audit trail. / Nội dung một lần gọi."""
    key = CardKey(keys.SchoolYear(school_year), keys.CardId(card_id))
    return _bodies(hub, key, attempt_id, operator)


@router.post(
    "/{school_year}/{card_id}/attempts/{attempt_id}/reveal", response_model_exclude_none=True, responses=problems(404)
)
def reveal_bodies(
    *,
    school_year: YearInPath,
    card_id: CardInPath,
    attempt_id: AttemptInPath,
    asked: AskedReason,
    operator: ScopedActing,
    hub: TheHub,
) -> BodiesEntry:
    """The same with what it holds of people, for a reason; needs the right to see it. / Xem không che, nêu lý do."""
    require_bodies(operator)
    key = CardKey(keys.SchoolYear(school_year), keys.CardId(card_id))
    return _bodies(hub, key, attempt_id, operator, asked.reason)


def _bodies(hub: Hub, key: CardKey, attempt_id: int, operator: Operator, reveal_for: str | None = None) -> BodiesEntry:
    with hub.store.write() as connection:
        require_card(connection, operator, key)
        found = look_at_bodies(
            connection, hub.destinations, key, attempt_id, actor=operator.actor, now=hub.clock(), reveal_for=reveal_for
        )
    if found is None:
        raise ProblemError("not-found")
    return BodiesEntry.model_validate(found)


@router.get("", response_model_exclude_none=True, responses=problems(404))
def trace(
    operator: ScopedViewer,
    hub: TheHub,
    key: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f]+$",
            description="Record, message, card, submission or trace id, pupil's code or number, school, reference. / "
            "Mã bản ghi, học bạ, lần gửi, học sinh, trường, số tham chiếu, mã vết.",
        ),
    ],
) -> Trace:
    """Everything that happened to a card: vendor, hub, province, Ministry, on one time line. / Diễn biến của học bạ."""
    with hub.store.read() as connection:
        found = stored.find(connection, key)
        schools = schools_of(connection, operator.scope)
        found = found if schools is None else stored.keys_of(connection, found, schools)
        story = stored.story(connection, found[0]) if len(found) == 1 else None
    if not found:
        raise ProblemError("not-found")
    return Trace(
        cards=[CardFound.model_validate(one) for one in found],
        story=None
        if story is None
        else StoryEntry(
            **story.key._asdict(),
            school_code=story.school_code,
            version=story.version,
            recalled=story.recalled,
            standing=story.standing,
            events=[StoryEventEntry.model_validate(one) for one in story.events],
        ),
    )
