"""Splitting a JSON document into its records as it arrives: the elements of an array, or of the arrays under some keys.

    [{"a": 1}, {"b":  2}]                          → b'{"a": 1}', b'{"b":  2}'
    {"cards": [{"a": 1}]}                          → b'{"a": 1}'                   with the keys ("cards",)
    {"from": "x", "cards": [{"a": 1}], "n": 1}     → b'{"from": "x","cards":[{"a": 1}]}'
    {"rooms": [{"cards": [{"a": 1}]}, …]}          → b'{"a": 1}', …                with the keys ("rooms", "cards")
    {"a": 1}                                       → b'{"a": 1}'                   without keys: it is the record

Each record comes out with its very bytes, and with what stands around it; see `surroundings.py`. What is held is never
more than one record, and what waits there.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.surroundings import Surroundings

_BLANK = " \t\r\n"
_BLANK_BYTES = _BLANK.encode()
_UTF8 = codecs.getincrementaldecoder("utf-8")
_PLAIN = frozenset({bytes([character]) for character in b'"-0123456789tfn'})
"""First characters of JSON values that are no arrays and no objects."""
_SURELY_READ = 16
"""Characters before the end of what has come: an error before them is no matter of what is still to come."""


class _Expects(Enum):
    """What may come next in an array or object; `VALUE` is a member, in an object with its name."""

    VALUE_OR_END = 0
    VALUE = 1
    COMMA_OR_END = 2


@dataclass(slots=True)
class _Open:
    """An array or object that has begun, and leads to the records or holds them."""

    is_array: bool
    depth: int
    """How many of the keys lead to it."""
    expects: _Expects = _Expects.VALUE_OR_END


class JsonSplitter:
    """Splits one document."""

    def __init__(self, keys: Sequence[str], record_bytes: int, names: Sequence[frozenset[str]] = ()) -> None:
        """`keys` lead from the root object to the array; an array at the root is taken in any case.

        `names` are what rules read of the objects on this way, the root first.
        """
        self._keys, self._most = keys, record_bytes
        self._around = Surroundings(names, always=False)
        self._open: list[_Open] = []
        self._has_begun = self._is_record = self._stands_alone = False
        self._decoder = _UTF8()
        self._text = ""
        self._worth_a_try = 0
        self._record = bytearray()
        self._has_none = True

    @property
    def held(self) -> int:
        """Characters that are kept until more has come."""
        return len(self._text) + len(self._record) + self._around.held

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece of the document.

        Raises:
            SubmissionError: `body.not-json`; `body.record-too-large`; `profile.records`, no array
                is where the keys lead; `profile.head-too-large`, `profile.head-late`.
        """
        if not self._has_begun:
            piece = piece.lstrip(_BLANK_BYTES)
            if not piece:
                return []
            piece = self._begin(piece)
        if self._is_record:
            return self._single(piece, final=final)
        try:
            self._text += self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise _broken() from error
        if len(self._text) < self._worth_a_try and not final:
            return []
        try:
            self._split(final=final)
        except RecursionError as error:
            raise _broken() from error
        done, self._around.done = self._around.done, []
        self._has_none &= not done
        if final and self._has_none and self._keys and not self._stands_alone:
            raise _no_list()
        return done

    def _begin(self, piece: bytes) -> bytes:
        """Look at the document's first character; returns what follows it."""
        self._has_begun = True
        if piece[:1] == b"[":
            self._open.append(_Open(is_array=True, depth=len(self._keys)))
            self._stands_alone = True
        elif not self._keys:
            self._is_record = True
            return piece
        elif piece[:1] == b"{":
            self._enter(0)
        else:
            raise _no_list() if piece[:1] in _PLAIN else _broken()
        return piece[1:]

    def _single(self, piece: bytes, *, final: bool) -> list[bytes]:
        self._record += piece
        if len(self._record) > self._most + len(_BLANK_BYTES):
            self._record = self._record.rstrip(_BLANK_BYTES)
            if len(self._record) > self._most:
                raise _too_large(self._most)
        return [bytes(self._record).rstrip(_BLANK_BYTES)] if final else []

    def _split(self, *, final: bool) -> None:
        text, place = self._text, 0
        while self._open:
            place = _skip(text, place)
            here = self._open[-1]
            mark = text[place : place + 1]
            if here.expects is not _Expects.VALUE and mark == ("]" if here.is_array else "}"):
                self._leave()
                place += 1
            elif here.expects is _Expects.COMMA_OR_END:
                if mark != ",":
                    break
                here.expects = _Expects.VALUE
                place += 1
            else:
                read = self._element if here.is_array else self._member
                after = read(here, place, final=final)
                if after is None:
                    break
                place = after
        self._text = rest = text[place:].lstrip(_BLANK)
        self._worth_a_try = min(2 * len(rest), self._most + 1) if self._open else 0
        if final and self._open:
            raise _broken()
        if rest and (not self._open or self._open[-1].expects is _Expects.COMMA_OR_END):
            raise _broken()
        if len(rest) > self._most:
            raise _too_large(self._most) if self._open[-1].is_array else _no_list()

    def _element(self, here: _Open, place: int, *, final: bool) -> int | None:
        """Take the element of an array that begins at a place; returns where it ends, None if that has not come yet."""
        if here.depth < len(self._keys) and (inside := self._down(here, place)) is not None:
            return inside
        end = self._value_end(place, final=final)
        if end is None:
            return None
        here.expects = _Expects.COMMA_OR_END
        if here.depth == len(self._keys):
            self._give(self._text[place:end])
        return end

    def _member(self, here: _Open, place: int, *, final: bool) -> int | None:
        """Take the member of an object that begins at a place, as `_element`."""
        text = self._text
        if text[place : place + 1] not in {'"', ""}:
            raise _broken()
        end = self._value_end(place, final=final)
        colon = len(text) if end is None else _skip(text, end)
        if text[colon : colon + 1] not in {":", ""}:
            raise _broken()
        begin = _skip(text, colon + 1)
        if begin >= len(text):
            return None
        name = _DECODE(text, place)[0]
        if name == self._keys[here.depth]:
            here.expects = _Expects.COMMA_OR_END
            inside = self._down(here, begin, deeper=1)
            if inside is not None:
                return inside
        after = self._value_end(begin, final=final)
        here.expects = _Expects.VALUE if after is None else _Expects.COMMA_OR_END
        if after is None:
            return None
        if name != self._keys[here.depth]:
            self._around.add(name, text[place:after].encode())
        elif here.depth + 1 == len(self._keys) and text[begin] == "{":
            self._give(text[begin:after])
        return after

    def _down(self, here: _Open, place: int, deeper: int = 0) -> int | None:
        """Go into the array or object that begins at a place, if it leads to records or holds them in a list."""
        mark, depth = self._text[place : place + 1], here.depth + deeper
        if mark == "[":
            self._open.append(_Open(is_array=True, depth=depth))
        elif mark == "{" and depth < len(self._keys):
            self._enter(depth)
        else:
            return None
        here.expects = _Expects.COMMA_OR_END
        return place + 1

    def _enter(self, depth: int) -> None:
        self._open.append(_Open(is_array=False, depth=depth))
        name = json.dumps(self._keys[depth], ensure_ascii=False).encode()
        self._around.begin(b"{", b",", name + b":[", b"]}")

    def _leave(self) -> None:
        if not self._open.pop().is_array:
            self._around.end()

    def _give(self, text: str) -> None:
        raw = text.encode()
        if self._stands_alone:
            self._around.done.append(alone(raw, self._keys))
        else:
            self._around.record(raw, always=_is_alike(raw, self._keys))

    def _value_end(self, place: int, *, final: bool) -> int | None:
        """Where the value that begins at a place ends; None if that has not come yet."""
        try:
            end = _DECODE(self._text, place)[1]
        except RecursionError as error:
            raise _broken() from error
        except json.JSONDecodeError as error:
            unended = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _SURELY_READ
            if final or not unended:
                raise _broken() from error
            return None
        except ValueError as error:  # an integer of more digits than Python reads
            raise _broken() from error
        is_certain = end < len(self._text) or self._text[end - 1] in '}]"'
        return end if is_certain or final else None


def alone(raw: bytes, keys: Sequence[str]) -> bytes:
    """How a record is kept that stands in none of the objects to which the keys lead.

    As it is, if it cannot be taken for a document that holds records itself.
    """
    if not _is_alike(raw, keys):
        return raw
    begin = b"".join(b"{" + json.dumps(key, ensure_ascii=False).encode() + b":[" for key in keys)
    return begin + raw + b"]}" * len(keys)


def _is_alike(raw: bytes, keys: Sequence[str]) -> bool:
    """Whether a record may have a list of the same name as the one that it stands in."""
    return bool(keys) and (keys[0].encode() in raw or b"\\u" in raw)


_DECODE = json.JSONDecoder().raw_decode


def _skip(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\r", "\n"}:
        place += 1
    return place


def _broken() -> SubmissionError:
    return SubmissionError("body.not-json")


def _no_list() -> SubmissionError:
    return SubmissionError("profile.records")


def _too_large(most: int) -> SubmissionError:
    return SubmissionError("body.record-too-large", f"A record may have {most} bytes at most.")
