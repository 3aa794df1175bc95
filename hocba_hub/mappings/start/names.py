"""How a field's name is matched with what vendors call the fields of a card, without accents, blanks and capitals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from hocba_hub.mappings.document.paths import HEAD
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.start.sample import SampleField, words_of

_GENERIC = frozenset({"hocsinh", "hs", "hocba", "hb", "thongtin", "thongtinchung", "chung", "info", "data", "record"})
"""Names of objects that say nothing of what is in them."""
_CLOSE = 0.86
_SHORTEST_PART = 5


class NameMatch(IntEnum):
    """How well a field's name is one of those known."""

    NOT = 0
    NEARLY = 1
    """A part of it, or it with another letter."""
    IN_HEAD = 2
    """Its last part, directly in an object of the head: `//truong/ten`."""
    WHOLE = 3


@cache
def names_of(part: str) -> Mapping[str, list[str]]:
    """How vendors call the fields of a part: target → names."""
    text = files(__package__ or "").joinpath("names.yaml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)[part]
    return MappingProxyType(found)


def name_match(one: SampleField, known: Iterable[str]) -> NameMatch:
    """How well a field's name is one of these."""
    words = ["".join(part) for part in one.words]
    return _match(words, set(known), of_head=one.names[:1] == (HEAD,)) if words else NameMatch.NOT


def _match(words: list[str], names: set[str], *, of_head: bool) -> NameMatch:
    said = [word for word in words[:-1] if word not in _GENERIC]
    last = words[-1]
    whole = {"".join([*said, last]), "".join([last, *reversed(said)]), *((last,) if not said else ())}
    if said:
        whole |= {said[-1] + last, last + said[-1]}
    if whole & names:
        return NameMatch.WHOLE
    if last in names:
        return NameMatch.IN_HEAD if len(said) == 1 and of_head else NameMatch.NEARLY
    full = "".join([*said, last])
    long = [name for name in names if len(name) >= _SHORTEST_PART]
    is_part = len(full) >= _SHORTEST_PART and any(name in full or full in name for name in long)
    is_near = is_part or any(SequenceMatcher(None, name, full).ratio() >= _CLOSE for name in long)
    return NameMatch.NEARLY if is_near else NameMatch.NOT


def spoken(target: TargetField) -> list[str]:
    """What the model calls a field, as a name: `Họ và tên học sinh` → hovatenhocsinh."""
    label = target.label.partition("(")[0]
    return ["".join(words_of(label))] if label else []
