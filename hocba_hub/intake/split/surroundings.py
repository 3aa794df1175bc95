"""What stands around the records of a list, put around each of them: each is kept as a document of its own.

    {"year": 1, "cards": [{"a": 1}, {"a": 2}]}   → {"year": 1,"cards":[{"a": 1}]}, {"year": 1,"cards":[{"a": 2}]}

So a record that is read again, or by another version of its mapping, still has the head of its document. A record
with nothing around it stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hocba_hub.intake.errors import SubmissionError

MOST_PART, _MOST_UNREAD = 65_536, 16_384
"""Most bytes that are put around each record: of what rules read, and of what none reads (the first ones)."""
_HELD_BYTES = 8 << 20
"""Most bytes of records that wait for something which may still come behind them."""


@dataclass(slots=True)
class _Level:
    """One object that the records stand in."""

    names: frozenset[str]
    """What rules read of it."""
    missing: set[str]
    """What of this has not come yet: until the object ends, or all has come, its records wait."""
    before: bytes
    between: bytes
    opening: bytes
    closing: bytes
    parts: list[bytes] = field(default_factory=list)
    """What stands beside the list."""
    sizes: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """Bytes of the parts that rules read, and of the others."""
    waiting: list[_Wrapped] = field(default_factory=list)

    def around(self, inner: _Wrapped) -> _Wrapped:
        """A record with this object around it."""
        parts = self.between.join([*self.parts, b""]) if self.parts else b""
        begin = self.before + parts + self.opening
        return _Wrapped(begin + inner.begin, inner.raw, inner.end + self.closing, bool(self.parts) or inner.has_more)


class _Wrapped(NamedTuple):
    """A record, and what is around it so far."""

    begin: bytes
    raw: bytes
    end: bytes
    has_more: bool
    """Whether anything but the way to it is around it."""


class Surroundings:
    """Gathers what stands around records, object by object, and gives each record with it."""

    def __init__(self, names: Sequence[frozenset[str]], *, always: bool) -> None:
        """`names` are what rules read of each object around, the outermost first.

        `always`: the objects are put around records even if nothing stands in them.
        """
        self._names, self._always = names, always
        self._levels: list[_Level] = []
        self._known: _Wrapped | None = None
        self._waiting = 0
        self.done: list[bytes] = []
        """Records that wait for nothing any more; the caller takes them."""

    @property
    def held(self) -> int:
        """Bytes of the records that wait."""
        return self._waiting

    def begin(self, before: bytes, between: bytes, opening: bytes, closing: bytes) -> None:
        """Another object begins: how it begins, what parts its parts, how the list in it begins and both end."""
        depth = len(self._levels)
        names = self._names[depth] if depth < len(self._names) else frozenset()
        self._levels.append(_Level(names, set(names), before, between, opening, closing))
        self._known = None

    def reads(self, name: str) -> bool:
        """Whether rules read something of this name in the innermost object."""
        return name in self._levels[-1].names

    def add(self, name: str, part: bytes) -> None:
        """Something that stands in the innermost object, beside the list.

        Raises:
            SubmissionError: rules read it, and it is too large to be kept with each record.
        """
        level = self._levels[-1]
        is_read = name in level.names
        size = level.sizes[is_read] + len(part)
        if size > (MOST_PART if is_read else _MOST_UNREAD):
            if is_read:
                raise SubmissionError("profile.head-too-large")
            return
        level.parts.append(part)
        level.sizes[is_read] = size
        self._known = None
        if name in level.missing:
            level.missing.discard(name)
            if not level.missing:
                self._release(len(self._levels) - 1)

    def record(self, raw: bytes, *, always: bool = False) -> None:
        """A record of the list in the innermost object.

        Raises:
            SubmissionError: it waits for something that rules read, behind too many others.
        """
        if self._known is None:
            self._known = self._wrapped()
        if self._known is not None:
            self._give(self._known._replace(raw=raw), always=always)
            return
        self._waiting += len(raw)
        if self._waiting > _HELD_BYTES:
            raise SubmissionError("profile.head-late")
        self._pass(len(self._levels) - 1, _Wrapped(b"", raw, b"", has_more=always))

    def end(self) -> None:
        """The innermost object ends."""
        self._levels[-1].missing.clear()
        self._release(len(self._levels) - 1)
        self._levels.pop()
        self._known = None

    def _wrapped(self) -> _Wrapped | None:
        """What is around every record that comes now; None if they wait for more."""
        if any(level.missing for level in self._levels):
            return None
        wrapped = _Wrapped(b"", b"", b"", has_more=False)
        for level in reversed(self._levels):
            wrapped = level.around(wrapped)
        return wrapped

    def _pass(self, depth: int, one: _Wrapped) -> None:
        """Take a record outwards, as far as the objects around it are known."""
        for level in reversed(self._levels[: depth + 1]):
            if level.missing:
                level.waiting.append(one)
                return
            one = level.around(one)
        self._waiting -= len(one.raw)
        self._give(one)

    def _release(self, depth: int) -> None:
        level = self._levels[depth]
        waiting, level.waiting = level.waiting, []
        for one in waiting:
            self._pass(depth, one)

    def _give(self, one: _Wrapped, *, always: bool = False) -> None:
        whole = one.has_more or always or self._always
        self.done.append(one.begin + one.raw + one.end if whole else one.raw)
