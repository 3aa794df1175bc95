"""When cards may go: submission windows by level and school year, and the hours in which a system is being maintained.

Days are days of Vietnam, both ends included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from croniter import croniter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.errors import HubError

_CONTINUING = frozenset({"TT43/2021"})
_LAST_PRIMARY, _LAST_LOWER = 5, 9
_MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_FIRST_MONTH = 9
NEVER = 253_370_764_800_000
"""Milliseconds, in the year 9999: what no window will open for."""

Day = Annotated[str, Field(pattern=rf"^([0-9]{{4}}-)?{_MONTH_DAY}$")]
"""`MM-DD`, in the calendar year in which the school year ends; or one day, as `YYYY-MM-DD`."""


class Level(StrEnum):
    """Cấp học."""

    PRIMARY = "primary"
    LOWER_SECONDARY = "lower-secondary"
    UPPER_SECONDARY = "upper-secondary"
    CONTINUING = "continuing"


def level_of(circular: str, grade: int) -> Level:
    """The level of a card, by the circular that it is assessed by and its grade (1 to 12).

    A card of continuing education that was transcribed from paper, by a circular of before, counts by its grade.
    """
    if circular in _CONTINUING:
        return Level.CONTINUING
    if grade <= _LAST_PRIMARY:
        return Level.PRIMARY
    return Level.LOWER_SECONDARY if grade <= _LAST_LOWER else Level.UPPER_SECONDARY


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Part):
    """A time in which cards of some levels and school years may go."""

    opens: Day | None = None
    """Without it, the window was open before."""
    closes: Day
    levels: tuple[Level, ...] = ()
    """All, unless some are named."""
    school_years: tuple[Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{4}$")], ...] = ()
    """All, unless some are named; for a year that is named anywhere, only the windows that name it count."""

    @field_validator("opens", "closes")
    @classmethod
    def _is_a_day(cls, day: str | None) -> str | None:
        if day is not None:
            _day(day, "2023-2024")  # a leap year: 02-29 is 28 February in the others
        return day

    def span(self, school_year: str) -> tuple[int, int]:
        """When it opens and when it is over for cards of a school year, in milliseconds."""
        opens = 0 if self.opens is None else _start(_day(self.opens, school_year))
        return opens, _start(_day(self.closes, school_year) + timedelta(days=1))

    def is_for(self, level: Level) -> bool:
        """Whether it is one for cards of this level."""
        return not self.levels or level in self.levels


def windows_for(windows: Sequence[Window], level: Level, school_year: str) -> list[Window]:
    """The windows that count for cards of a level and a school year."""
    named = [one for one in windows if school_year in one.school_years]
    return [one for one in (named or [w for w in windows if not w.school_years]) if one.is_for(level)]


def school_year_at(now: int) -> str:
    """The school year that cards of a moment (milliseconds) are of: it begins on 1 September."""
    day = datetime.fromtimestamp(now / 1000, VIETNAM).date()
    begins = day.year if day.month >= _FIRST_MONTH else day.year - 1
    return f"{begins}-{begins + 1}"


def year_before(school_year: str) -> str:
    """The school year before another: `2026-2027` → `2025-2026`."""
    begins = int(school_year[:4])
    return f"{begins - 1}-{begins}"


def year_span(school_year: str) -> tuple[int, int]:
    """When a school year begins and is over, in milliseconds."""
    begins, ends = int(school_year[:4]), int(school_year[5:])
    return _start(date(begins, _FIRST_MONTH, 1)), _start(date(ends, _FIRST_MONTH, 1))


def closes_at(windows: Sequence[Window], level: Level, school_year: str, now: int) -> int | None:
    """When the window that is open for a level closes (milliseconds); None if none is open, or there is no window."""
    spans = [one.span(school_year) for one in windows_for(windows, level, school_year)]
    return max((over for opens, over in spans if opens <= now < over), default=None)


def opens_at(windows: Sequence[Window], level: Level, school_year: str, now: int) -> int | None:
    """When a card may go, if not now (milliseconds; `NEVER`); None if it may go, as where there is no window for it."""
    spans = [one.span(school_year) for one in windows_for(windows, level, school_year)]
    if not spans or any(opens <= now < over for opens, over in spans):
        return None
    return min((opens for opens, _ in spans if opens > now), default=NEVER)


class IntakeWindows(_Part):
    """When schools may send cards in, and what becomes of a new card that comes at another time."""

    late: Literal["accept", "refuse"] = "accept"
    windows: tuple[Window, ...] = ()

    def closed_on(self, level: Level, school_year: str, now: int) -> date | None:
        """The last day on which such a card could have come; None if it comes in time, or before any window closed."""
        if opens_at(self.windows, level, school_year, now) is None:
            return None
        spans = [one.span(school_year)[1] for one in windows_for(self.windows, level, school_year)]
        over = max((end for end in spans if end <= now), default=None)
        return None if over is None else datetime.fromtimestamp(over / 1000 - 1, VIETNAM).date()


class WindowsError(HubError):
    """The file of windows is not understood."""


def read_windows(document: object) -> IntakeWindows:
    """The windows that a document says, which may be read from YAML.

    Raises:
        WindowsError: it has another form.
    """
    try:
        return IntakeWindows.model_validate(document or {})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(str(step) for step in e['loc'])}: {e['msg']}" for e in error.errors())
        raise WindowsError(f"The file of windows: {problems}") from error


class Maintenance(_Part):
    """A time in which a system is not to be called: once, or again and again."""

    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    cron: str | None = None
    """When it begins, in Vietnam's time, for `hours`."""
    hours: Annotated[float, Field(gt=0, le=7 * 24)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        once, again = (self.begins, self.ends), (self.cron, self.hours)
        if None not in once and again == (None, None):
            if self.ends is not None and self.begins is not None and self.ends <= self.begins:
                raise ValueError("ends must come after begins")
        elif None not in again and once == (None, None):
            if not croniter.is_valid(str(self.cron)):
                raise ValueError("cron is not a cron expression")
        else:
            raise ValueError("either begins and ends, or cron and hours")
        return self

    def spans(self, since: int, until: int) -> Iterable[tuple[int, int]]:
        """When it begins and ends, of what touches a span of time; milliseconds."""
        if self.begins is not None and self.ends is not None:
            begins, ends = (round(moment.timestamp() * 1000) for moment in (self.begins, self.ends))
            if begins < until and ends > since:
                yield begins, ends
        if self.cron is None or self.hours is None:
            return
        length = round(self.hours * 3_600_000)
        begun = croniter(self.cron, datetime.fromtimestamp((since - length) / 1000, VIETNAM))
        while (start := round(begun.get_next(float) * 1000)) < until:
            yield start, start + length


def maintained_until(calendar: Sequence[Maintenance], now: int) -> int | None:
    """When the maintenance that is under way ends (milliseconds); None if there is none."""
    return max((end for one in calendar for start, end in one.spans(now, now + 1) if start <= now < end), default=None)


def maintained(calendar: Sequence[Maintenance], since: int, until: int) -> int:
    """For how many milliseconds of a span there was maintenance; what overlaps counts once."""
    total, reached = 0, since
    for start, end in sorted(span for one in calendar for span in one.spans(since, until)):
        begins, ends = max(start, reached), min(end, until)
        if ends > begins:
            total, reached = total + ends - begins, ends
    return total


def _day(text: str, school_year: str) -> date:
    if len(text) > len("MM-DD"):
        return date.fromisoformat(text)
    year, month, day = int(school_year[5:]), int(text[:2]), int(text[3:])
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1  # 29 February


def _start(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=VIETNAM).timestamp() * 1000)
