"""Bodies of calls as people may see them: the part that is about one card, with everything personal masked.

What is shown is listed, everything else is masked: of a request the card's own facts that are no person's (school,
class, subject, ids, version), of an answer also codes. The other cards of a batch are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import orjson
from lxml import etree

from hocba_hub.model.safe_xml import UnsafeXmlError, parse_xml

PERSONAL = frozenset({"pupil", "family", "signers", "year", "register_number", "issue"})
"""The parts of a card that are about people; of a subject its code and name are not."""
MASK = "•••"
"""Stands for what is not shown."""
_CODE = re.compile(r"[A-Za-z][A-Z0-9_.:-]{1,60}|[0-9]{1,3}|true|false")
"""What an answer says by code."""
_MOST_LEAVES = 40
"""Of an answer that names no card, such as a receipt."""
_MOST_SHOWN = 50_000
_Mask = Callable[[str], str]


def plain_facts(card: Any) -> set[str]:  # noqa: ANN401 - JSON
    """The values of a canonical card that are no person's, as text."""
    found = {str(value) for name in card if name not in PERSONAL for value in _leaves(card[name])}
    subjects = card.get("year", {}).get("subjects", [])
    return found | {str(one[name]) for one in subjects for name in ("code", "name") if one.get(name) is not None}


def shown(
    body: bytes, record_ids: Collection[str], plain: Collection[str], *, is_answer: bool, reveals: bool = False
) -> str | None:
    """What of a body is about a card, masked unless it `reveals`; None if nothing is, or it cannot be read.

    `record_ids` are what the destination calls the card; `plain` are the values that are shown as they are.
    """
    ids, readable = set(record_ids), {*map(str, plain), *record_ids}

    def mask(text: str) -> str:
        bare = text.strip()
        is_plain = reveals or not bare or bare in readable or (is_answer and _CODE.fullmatch(bare) is not None)
        return text if is_plain else MASK

    found = _json_shown(body, ids, mask, is_answer=is_answer)
    if found is None:
        found = _xml_shown(body, ids, mask, is_answer=is_answer)
    return None if found is None else found[:_MOST_SHOWN]


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for inside in value.values():
            yield from _leaves(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _leaves(inside)
    elif value is not None:
        yield value


def _json_shown(body: bytes, ids: set[str], mask: _Mask, *, is_answer: bool) -> str | None:
    documents = _documents(body)
    parts = [part for one in documents if (part := _json_part(one, ids)) is not None]
    if not parts and is_answer:
        parts = [one for one in documents if sum(1 for _ in _leaves(one)) <= _MOST_LEAVES][:1]
    told = [orjson.dumps(_masked(part, mask), option=orjson.OPT_INDENT_2).decode() for part in parts]
    return "\n".join(told) if told else None


def _documents(body: bytes) -> list[Any]:
    """The JSON of a body; records that were sent one by one stand line by line."""
    try:
        return [orjson.loads(body)]
    except orjson.JSONDecodeError:
        pass
    try:
        return [orjson.loads(line) for line in body.split(b"\n") if line.strip()]
    except orjson.JSONDecodeError:
        return []


def _json_part(value: Any, ids: set[str]) -> Any:  # noqa: ANN401 - JSON
    """The item of a list that names the card, the innermost one; without such a list the whole. None if none does."""
    if not any(str(leaf) in ids for leaf in _leaves(value)):
        return None
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        if isinstance(one, dict | list) and (part := _json_part(one, ids)) is not None:
            return part if isinstance(value, list) or part is not one else value
    return value


def _masked(value: Any, mask: _Mask) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _masked(inside, mask) for name, inside in value.items()}
    if isinstance(value, list):
        return [_masked(inside, mask) for inside in value]
    if value is None or isinstance(value, bool):
        return value
    return value if mask(str(value)) == str(value) else MASK


def _xml_shown(body: bytes, ids: set[str], mask: _Mask, *, is_answer: bool) -> str | None:
    try:
        root = parse_xml(body)
    except UnsafeXmlError:
        return None
    part = next((one for one in root.iter() if isinstance(one.tag, str) and _names(one, ids)), None)
    if part is None:
        if not is_answer or sum(1 for _ in root.iter()) > _MOST_LEAVES:
            return None
        part = root
    while (above := part.getparent()) is not None and len(above.findall(str(part.tag))) < 2:  # noqa: PLR2004 - a list
        part = above
    for one in part.iter():
        if isinstance(one.tag, str):
            one.text = None if one.text is None else mask(one.text)
            for name, value in one.attrib.items():
                one.set(name, mask(str(value)))
        one.tail = None
    etree.indent(part)
    return str(etree.tostring(part, encoding="unicode"))


def _names(element: etree._Element, ids: set[str]) -> bool:
    return (element.text or "").strip() in ids or any(str(value) in ids for value in element.attrib.values())
