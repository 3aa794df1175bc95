"""What of a value that no code table knows may be shown to people who need not see personal data.

A vendor may put anything into a field of codes, a name or a personal number too. What looks like a code is shown; of
anything else only its kind and length.
"""

from __future__ import annotations

import re

_LONGEST = 40
_MANY_DIGITS = re.compile(r"[0-9][0-9 .\-]{4,}[0-9]")
_CODE = re.compile(r"[\w .,/()&'+\-]+")
_FAMILY_NAMES = frozenset(
    [
        "nguyễn",
        "trần",
        "lê",
        "phạm",
        "hoàng",
        "huỳnh",
        "phan",
        "vũ",
        "võ",
        "đặng",
        "bùi",
        "đỗ",
        "hồ",
        "ngô",
        "dương",
        "lý",
        "nguyen",
        "tran",
        "le",
        "pham",
        "hoang",
        "huynh",
        "vu",
        "vo",
        "dang",
        "bui",
        "do",
        "ngo",
        "duong",
    ]
)
_MANY_WORDS = 3


def shown_value(value: str) -> str:
    """The value if it looks like a code or the name of one, else a mask: `••• (13)`.

    A code is short, holds no long number, and is not written as a person's name: three words or more that all begin
    with a capital, or a family name with another word behind it.
    """
    words = value.split()
    looks_like_a_name = (len(words) >= _MANY_WORDS and all(word[:1].isupper() or word.isupper() for word in words)) or (
        len(words) > 1 and words[0].lower() in _FAMILY_NAMES
    )
    is_code = len(value) <= _LONGEST and _CODE.fullmatch(value) is not None and not _MANY_DIGITS.search(value)
    return value if is_code and not looks_like_a_name else f"••• ({len(value)})"
