"""Splitting a JSON document into its records as it arrives: the elements of an array, or of the array under some keys.

    [{"a": 1}, {"b":  2}]                          → b'{"a": 1}', b'{"b":  2}'
    {"from": "x", "cards": [{"a": 1}], "n": 1}     → b'{"a": 1}'                   with the keys ("cards",)
    {"a": 1}                                       → b'{"a": 1}'                   without keys: it is the record

What is held is never more than one record, and what stands before or behind the array.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from enum import Enum

from hocba_hub.intake.errors import SubmissionError

_BLANK = " \t\r\n"
_BLANK_BYTES = _BLANK.encode()
_UTF8 = codecs.getincrementaldecoder("utf-8")
_SURELY_READ = 16
"""Characters before the end of what has come: an error before them is no matter of what is still to come."""


class _Expects(Enum):
    START = 0
    ARRAY = 1
    VALUE_OR_END = 2
    VALUE = 3
    COMMA_OR_END = 4
    REST = 5
    RECORD = 6


class JsonSplitter:
    """Splits one document. Each record comes out with its very bytes."""

    def __init__(self, keys: Sequence[str], record_bytes: int) -> None:
        """`keys` lead from the root object to the array; an array at the root is taken in any case."""
        self._keys, self._most = keys, record_bytes
        self._expects = _Expects.START
        self._decoder = _UTF8()
        self._text = ""
        self._worth_a_try = 0
        self._before = ""
        self._record = bytearray()
        self._must_find, self._has_none = bool(keys), True

    @property
    def held(self) -> int:
        """Characters that are kept until more has come."""
        return len(self._text) + len(self._record)

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece of the document.

        Raises:
            SubmissionError: `body.not-json`; `body.record-too-large`; `profile.records`, no array
                is where the keys lead.
        """
        if self._expects is _Expects.START:
            piece = piece.lstrip(_BLANK_BYTES)
            if not piece:
                return []
            if piece.startswith(b"["):
                self._expects, self._keys = _Expects.VALUE_OR_END, ()
            else:
                self._expects = _Expects.ARRAY if self._keys else _Expects.RECORD
        if self._expects is _Expects.RECORD:
            return self._single(piece, final=final)
        try:
            self._text += self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise _broken() from error
        if len(self._text) < self._worth_a_try and not final:
            return []
        return self._split(final=final)

    def _single(self, piece: bytes, *, final: bool) -> list[bytes]:
        self._record += piece
        if len(self._record) > self._most + len(_BLANK_BYTES):
            self._record = self._record.rstrip(_BLANK_BYTES)
            if len(self._record) > self._most:
                raise _too_large(self._most)
        return [bytes(self._record).rstrip(_BLANK_BYTES)] if final else []

    def _split(self, *, final: bool) -> list[bytes]:
        found: list[bytes] = []
        place = 0
        if self._expects is _Expects.ARRAY:
            begins = self._array(final=final)
            if begins is None:
                return []
            self._before, self._expects, place = self._text[:begins], _Expects.VALUE_OR_END, begins + 1
        elif self._expects is _Expects.VALUE_OR_END and not self._before:
            self._before, place = "[", 1  # an array at the root: its bracket is the first character
        while self._expects is not _Expects.REST:
            place = _skip(self._text, place)
            mark = self._text[place : place + 1]
            if mark == "]" and self._expects is not _Expects.VALUE:
                self._expects = _Expects.REST
                place += 1
            elif self._expects is _Expects.COMMA_OR_END:
                if mark != ",":
                    break
                self._expects = _Expects.VALUE
                place += 1
            else:
                end = self._value_end(place, final=final)
                if end is None:
                    break
                found.append(self._text[place:end].encode("utf-8"))
                self._has_none = False
                self._expects, place = _Expects.COMMA_OR_END, end
        self._text = self._text[place:]
        self._worth_a_try = 0 if self._expects is _Expects.REST else min(2 * len(self._text), self._most + 1)
        self._check(final=final)
        return found

    def _check(self, *, final: bool) -> None:
        rest = self._text.lstrip(_BLANK)
        if self._expects is not _Expects.REST:
            if final or (rest and self._expects is _Expects.COMMA_OR_END):
                raise _broken()
            if len(rest) > self._most:
                raise _too_large(self._most)
            return
        if not self._keys:
            if rest:
                raise _broken()
            self._text = ""
        elif len(rest) > self._most:
            raise _too_large(self._most)
        elif final:
            try:  # what stands around the list has to be whole too
                json.loads(f"{self._before}[]{rest}")
            except (ValueError, RecursionError) as error:
                raise _broken() from error
        if final and self._must_find and self._has_none:
            raise _no_list()

    def _array(self, *, final: bool) -> int | None:
        """Where the array under the keys begins; None if that has not come yet."""
        try:
            place = 0
            for key in self._keys:
                place = _value_of(self._text, place, key)
            if self._text[place : place + 1] == "[":
                return place
            if final:
                json.loads(self._text)
                raise _no_list()
        except RecursionError as error:
            raise _broken() from error
        except ValueError as error:
            if final:
                raise _broken() from error
        except SubmissionError:
            if final:
                try:
                    json.loads(self._text)
                except ValueError as error:
                    raise _broken() from error
                raise
        if len(self._text) > self._most:
            raise _no_list()
        self._worth_a_try = 2 * len(self._text)
        return None

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


_DECODE = json.JSONDecoder().raw_decode


def _value_of(text: str, place: int, wanted: str) -> int:
    """Where the value of a key begins, in the object that begins at a place."""
    place = _skip(text, place)
    if text[place : place + 1] != "{":
        raise _no_list()
    place = _skip(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = _DECODE(text, place)
        place = _skip(text, place)
        if text[place : place + 1] != ":":
            raise ValueError
        place = _skip(text, place + 1)
        if key == wanted:
            return place
        place = _skip(text, _DECODE(text, place)[1])
        if text[place : place + 1] != ",":
            break
        place = _skip(text, place + 1)
    raise _no_list()


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
