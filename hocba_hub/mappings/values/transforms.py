"""The named transforms: all that a mapping may do to a value, besides a code table.

Each entry of `TRANSFORMS` says what it takes and gives, so that the static check can follow types and lengths
through a rule. A transform gets a clean value that is not empty, and returns the new one, None for "nothing", or
raises `ValueRejected`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hocba_hub.mappings.values import content, dates, numbers, text
from hocba_hub.mappings.values.value import ArgumentError, Change, JsonValue, as_text, clean_text
from hocba_hub.mappings.values.value_shapes import BOOLEAN, NUMBER, TEXT, WHOLE, Shape


@dataclass(frozen=True, slots=True)
class Transform:
    """One named transform."""

    about: str
    """What it does, in a line for the reference of mapping authors."""
    build: Callable[[JsonValue], Change]
    """From the argument (None if there is none) to the function; raises `ArgumentError`."""
    shape: Callable[[JsonValue, Shape], Shape]
    """From the argument and what comes in to what comes out."""
    argument: str = ""
    """What the argument may be; empty if there is none."""
    gathers: bool = False
    """Whether it makes one value of all that its rule reads: it gets a list of clean values, perhaps none."""

    def made(self, argument: JsonValue) -> Change:
        """The function for an argument.

        Raises:
            ArgumentError: the argument is not right; the message says what is expected.
        """
        if argument is not None and not self.argument:
            raise ArgumentError("none")
        return self.build(argument)


def _of_text(change: Callable[[str], JsonValue]) -> Callable[[JsonValue], Change]:
    return lambda _: lambda value: change(value if isinstance(value, str) else as_text(value))


def _keeps(_: JsonValue, before: Shape) -> Shape:
    return Shape(TEXT, before.longest)


def _gives(shape: Shape) -> Callable[[JsonValue, Shape], Shape]:
    return lambda *_: shape


def _pad_shape(argument: JsonValue, before: Shape) -> Shape:
    return Shape(TEXT, None if before.longest is None else max(before.longest, text.pad_argument(argument)[0]))


def _unknown(_: JsonValue, __: Shape) -> Shape:
    return Shape()


_FLAG = "{true: [x], false: ['-']}"


def _flag(argument: JsonValue) -> Change:
    if argument is None:
        return numbers.flag(numbers.YES, numbers.NO)
    if not isinstance(argument, dict) or set(argument) != {"true", "false"}:
        raise ArgumentError(_FLAG)
    return numbers.flag(text.listed(argument["true"], _FLAG), text.listed(argument["false"], _FLAG))


_LEVEL = "letter · digit"


def _level_words(argument: JsonValue) -> dict[str, str]:
    if argument not in ("letter", "digit"):
        raise ArgumentError(_LEVEL)
    return numbers.LETTERS if argument == "letter" else numbers.DIGITS


_PLACES = "0 … 6"


def _places(argument: JsonValue) -> int | None:
    return None if argument is None else text.whole_number(argument, _PLACES, 0, 6)


def _affix_shape(argument: JsonValue, before: Shape) -> Shape:
    return Shape(TEXT, None if before.longest is None else before.longest + len(as_text(argument)))


TRANSFORMS: Mapping[str, Transform] = {
    "trim": Transform("Cuts blanks at both ends.", _of_text(str.strip), _keeps),
    "nfc": Transform("Unicode NFC, and Đ for its look-alike Ð.", _of_text(clean_text), _keeps),
    "collapse-spaces": Transform(
        "One blank for each run of blanks and line breaks.", _of_text(lambda t: " ".join(t.split())), _keeps
    ),
    "coalesce": Transform(
        "The first value that is there.", lambda _: lambda values: values[0] if values else None, _unknown, gathers=True
    ),
    "join": Transform(
        "All values as one text, with a text between them.",
        text.joining,
        _gives(Shape(TEXT)),
        "a text",
        gathers=True,
    ),
    "sum": Transform("The sum of all values, from comma or point.", lambda _: numbers.total, _unknown, gathers=True),
    "count": Transform("How many values there are.", lambda _: len, _gives(Shape(WHOLE)), gathers=True),
    "upper": Transform("Capitals.", _of_text(str.upper), _gives(Shape(TEXT))),
    "lower": Transform("Small letters.", _of_text(str.lower), _gives(Shape(TEXT))),
    "capitalise": Transform(
        "Each word with a capital: names typed in capitals.",
        _of_text(lambda t: " ".join(w[:1].upper() + w[1:].lower() for w in t.split())),
        _gives(Shape(TEXT)),
    ),
    "digits": Transform("Only the digits.", _of_text(lambda t: "".join(c for c in t if c in "0123456789")), _keeps),
    "text": Transform("Text, as a person would type the value.", _of_text(str), _keeps),
    "pad": Transform("Fills up from the left: codes that lost their zeros.", text.pad, _pad_shape, text.PAD),
    "prefix": Transform(
        "Puts a text before.",
        text.prefix,
        _affix_shape,
        "a text",
    ),
    "suffix": Transform(
        "Puts a text behind.",
        text.suffix,
        _affix_shape,
        "a text",
    ),
    "replace": Transform("Replaces a text by another.", text.replacing, _gives(Shape(TEXT)), text.REPLACE),
    "split": Transform("One part of a text.", text.splitting, _keeps, text.SPLIT),
    "name-part": Transform(
        "Family name, middle names or given name of a full Vietnamese name.", text.name_part, _keeps, text.NAME_PART
    ),
    "empty": Transform("These texts count as nothing.", text.emptying, lambda _, before: before, text.EMPTY),
    "date": Transform(
        "An ISO date, by the first pattern that fits.",
        lambda a: dates.date_reader(text.listed(a, dates.PATTERN_HELP)),
        _gives(Shape(TEXT, 10)),
        dates.PATTERN_HELP,
    ),
    "write-date": Transform(
        "An ISO date in another form.", dates.date_writer, lambda a, _: Shape(TEXT, len(as_text(a))), dates.PATTERN_HELP
    ),
    "precision": Transform(
        "An ISO date only if it is just so precise; nothing otherwise.",
        dates.precision,
        lambda a, _: dates.PRECISIONS[a],
        dates.PRECISION,
    ),
    "decimal": Transform(
        "A number as exact text with a point, from comma or point; with so many decimal places at least.",
        lambda a: numbers.decimals(_places(a) or 0),
        _gives(Shape(TEXT)),
        _PLACES,
    ),
    "number": Transform("A number, from comma or point.", lambda _: numbers.number, _gives(Shape(NUMBER))),
    "integer": Transform("A whole number.", lambda _: numbers.integer, _gives(Shape(WHOLE))),
    "mark": Transform(
        "A mark: a letter in capitals, or a number with a point, with so many decimal places at least.",
        lambda a: numbers.mark(_places(a)),
        _gives(Shape(TEXT)),
        _PLACES,
    ),
    "round": Transform(
        "Rounds half up to so many decimal places; gives `decimal` text.",
        lambda a: numbers.rounding(text.whole_number(a, "0 … 6", 0, 6)),
        _gives(Shape(TEXT)),
        "0 … 6",
    ),
    "flag": Transform("Yes or no.", _flag, _gives(Shape(BOOLEAN)), _FLAG),
    "level": Transform(
        "A level as letter (T K Đ CĐ) or digit (1 to 4).",
        lambda a: numbers.level(_level_words(a)),
        lambda a, _: Shape.of(*_level_words(a).values()),
        _LEVEL,
    ),
    "base64": Transform("Bytes in Base64.", lambda _: content.base64, _gives(Shape(TEXT))),
    "sha256": Transform("SHA-256 of bytes, hexadecimal.", lambda _: content.digest, _gives(Shape(TEXT, 64))),
    "school-year": Transform("A school year as 2025-2026.", _of_text(text.school_year), _gives(Shape(TEXT, 9))),
    "leading-number": Transform(
        "The first number of a text: the grade of a class name.",
        _of_text(text.leading_number),
        _gives(Shape(WHOLE)),
    ),
}
"""Every transform by its name in a mapping."""
