"""What is expected, said in Vietnamese: the phrases that findings about a document use in their `expected`.

Anything else there (names, patterns, examples) reads the same in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hocba_hub.model.catalogues import read_catalogue

VIETNAMESE: Mapping[str, str] = read_catalogue("hocba_hub.mappings", "messages.yaml")
"""English → Vietnamese."""


def in_vietnamese(expected: str) -> str:
    """The phrase in Vietnamese, with what stands after its colon left as it is; other texts as they are."""
    if expected in VIETNAMESE:
        return VIETNAMESE[expected]
    phrase, colon, detail = expected.partition(": ")
    return f"{VIETNAMESE[phrase]}{colon}{detail}" if colon and phrase in VIETNAMESE else expected


_CLASSES = {
    "missing": "không có gì",
    "whole number": "số nguyên",
    "number": "số",
    "date": "ngày",
    "object": "đối tượng",
}
_COUNTED = (
    (re.compile(r"text of (\d+) characters"), r"văn bản \1 ký tự"),
    (re.compile(r"list of (\d+)"), r"danh sách \1 mục"),
)


def class_in_vietnamese(value_class: str) -> str:
    """The class of a value in Vietnamese."""
    for pattern, words in _COUNTED:
        value_class = pattern.sub(words, value_class)
    return _CLASSES.get(value_class, VIETNAMESE.get(value_class, value_class))
