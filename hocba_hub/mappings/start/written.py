"""A draft as YAML, for a person to go on with: each guess with how sure it is, and every question where it belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from hocba_hub.mappings.schemas.targets import LIST, TargetField
from hocba_hub.mappings.start.draft import Draft, Guess, Rule
from hocba_hub.mappings.start.sample import SampleField
from hocba_hub.mappings.values.value import JsonValue

PHRASES = ("head", "tables", "meaning", "sure", "likely", "guess", "follows", "question", "kind", "unread")
"""The sentences that stand in a draft."""
_MOST_CODES = 12
_MOST_SHOWN = 8
_LONGEST_SHOWN = 12
"""Of a value that is shown: codes are short, what is about people is not."""


def written(
    name: str, source: Mapping[str, JsonValue], draft: Draft, card: TargetField, texts: Mapping[str, str]
) -> str:
    """The text of the mapping; `texts` are the sentences that stand in it, in the language of its author."""
    lines = [
        *(f"# {line}" for line in texts["head"].splitlines()),
        f"mapping: {name}",
        "version: 0.1.0",
        f"source: {_flow(source)}",
        "target: report-card",
        "",
    ]
    if draft.tables:
        lines.append(f"tables: # {texts['tables']}")
        for table, pairs in draft.tables.items():
            lines += [f"  {_flow(table)}:", "    match: loose", "    pairs:"]
            lines += [f"      {_line(value, meaning, texts)}" for value, meaning in pairs.items()]
        lines.append("")
    lines.append("fields:")
    lines += _fields(draft, card, texts)
    if draft.unread:
        lines += ["", f"# {texts['unread']}"]
        lines += [f"#   {one.path or '.'}{_values(one)}" for one in draft.unread]
    return "\n".join(lines) + "\n"


def _line(value: str, meaning: str | None, texts: Mapping[str, str]) -> str:
    shown = "null" if meaning is None else _flow(meaning)
    return f"{_quoted(value)}: {shown}" + (f" # ? {texts['meaning']}" if meaning is None else "")


def _fields(draft: Draft, card: TargetField, texts: Mapping[str, str]) -> Iterator[str]:
    known = {one.target: one for one in draft.guesses}
    kinds = " · ".join(card.variants)
    label = next(iter(card.variants.values())).children["kind"].label
    yield f"  # ? kind ({label}) [{kinds}]: {texts['kind']}"
    for path, target, label, is_asked in _within("", card.variant(draft.kind or "secondary"), ""):
        if path in known:
            yield from _guess(known[path], texts)
        elif is_asked and path != "kind":
            yield _question(path, target, label, texts)


def _within(
    path: str, target: TargetField, label: str, *, is_asked: bool = True
) -> Iterator[tuple[str, TargetField, str, bool]]:
    """The fields as the model has them, lists whole: path, field, what people call it, whether a card needs it."""
    for name, child in target.children.items():
        at, called = f"{path}/{name}" if path else name, " · ".join(filter(None, (label, child.label)))
        needed = is_asked and (child.required or child.needed)
        if child.children and child.type != LIST:
            yield from _within(at, child, called, is_asked=needed)
        else:
            yield at, child, called, needed


def _guess(one: Guess, texts: Mapping[str, str], indent: str = "  ", key: str = "") -> Iterator[str]:
    said = texts["follows"] if one.follows else texts[one.sureness]
    name = _quoted(key or one.target)
    if one.items:
        yield f"{indent}{name}: # {said}"
        yield f"{indent}  required: true"
        yield f"{indent}  items:"
        for entry in one.items:
            for number, inner in enumerate(entry):
                begin = "- " if number == 0 else "  "
                comment = texts["follows"] if inner.follows else texts[inner.sureness]
                yield f"{indent}    {begin}{_quoted(inner.target)}: {_rule(inner.rule)} # {comment}"
    elif one.below or "each" in one.rule:
        yield f"{indent}{name}: # {said}"
        for part, value in one.rule.items():
            yield f"{indent}  {part}: {_flow(value)}"
        yield f"{indent}  fields:"
        for inner in one.below:
            yield from _guess(inner, texts, indent + "    ")
    else:
        yield f"{indent}{name}: {_rule(one.rule)} # {said}"


def _question(path: str, target: TargetField, label: str, texts: Mapping[str, str]) -> str:
    codes = sorted(map(str, target.allowed or ()))
    form = f" [{' · '.join(codes[:_MOST_CODES])}]" if codes else ""
    return f"  # ? {path} ({label}){form}: {texts['question']}"


def _rule(rule: Rule) -> str:
    return _flow(rule["from"] if set(rule) == {"from"} else rule)


def _values(one: SampleField) -> str:
    """The values of a field that look like codes; never names, numbers of people or sentences."""
    texts = one.texts()
    if len(texts) > _MOST_SHOWN or any(len(text) > _LONGEST_SHOWN for text in texts):
        return ""
    return "  = " + " · ".join(texts)


def _quoted(text: str) -> str:
    return _flow(text)


def _flow(value: JsonValue) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
