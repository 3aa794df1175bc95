"""docs/report-card.md and docs/report-card.vi.md: every field of a card, what it means and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator

from hocba_hub.model.card_fields import KINDS, NEEDED_BY_MOST, REQUIRED, CardField, card_fields
from hocba_hub.rules.of_field import rules_of_fields

_VIETNAMESE, _ENGLISH = 0, 1
_KINDS = {"primary": ("TH", "primary"), "secondary": ("THCS, THPT", "secondary"), "continuing": ("GDTX", "continuing")}
_OPENING = {
    _VIETNAMESE: """# Học bạ: từng trường

[English](report-card.md)

Đây là cấu trúc chuẩn mà mọi định dạng được ánh xạ sang (`target: report-card`). `hocba-hub card` cho xem từng trường,
`hocba-hub codes tables` các bảng mã; qua API: `GET /v1/card-fields`, `GET /v1/code-tables`.

**Cần ở đâu**: tên loại học bạ in đậm: cấu trúc bắt buộc phải có (trong đối tượng chứa nó); in nghiêng: học bạ thường bị
từ chối nếu thiếu; chữ thường: có thể có. **Quy tắc**: những quy tắc có thể nêu phát hiện ở trường này ([danh
sách](rules.vi.md), `card.*` ở [danh mục](findings.md)). Tên NDC là tên trong từ điển dữ liệu 2026 (bản của bên thứ ba).
Mọi người trong ví dụ là hư cấu.
""",
    _ENGLISH: """# The report card: field by field

[Tiếng Việt](report-card.vi.md)

This is the form that every format is mapped to (`target: report-card`). `hocba-hub card` shows a field, and
`hocba-hub codes tables` the code tables; over the API: `GET /v1/card-fields`, `GET /v1/code-tables`.

**Needed by**: in bold the kinds of cards whose form demands the field (where the object around it is), in italics
those that are nearly always refused without it; plain, it may be there. **Rules**: those that can find something wrong
at this field ([list](rules.md), `card.*` in the [catalogue](findings.md)). NDC names are those of the data dictionary
of 2026 (a third party's copy). All people in the examples are made up.
""",
}
_HEADS = {
    _VIETNAMESE: "| trường | tên | dạng | cần ở | ví dụ | NDC | quy tắc |",
    _ENGLISH: "| field | name | form | needed by | example | NDC | rules |",
}


def card_page() -> bytes:
    """The English page."""
    return "\n".join(_lines(_ENGLISH)).encode() + b"\n"


def card_page_vi() -> bytes:
    """The Vietnamese page."""
    return "\n".join(_lines(_VIETNAMESE)).encode() + b"\n"


def _lines(language: int) -> Iterator[str]:
    yield _OPENING[language]
    part = None
    rules = rules_of_fields()
    for one in card_fields().values():
        top = one.path.partition("/")[0].removesuffix("[]") if "/" in one.path or one.example is None else ""
        if top != part:
            part = top
            title = card_fields()[top] if top else None
            if title is not None:
                yield f"\n## `{top}`: {(title.label_vi, title.label_en)[language]}\n"
            yield _HEADS[language]
            yield "|---|---|---|---|---|---|---|"
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in _cells(one, rules[one.path], language))} |"


def _cells(one: CardField, rules: tuple[str, ...], language: int) -> Iterator[str]:
    yield f"`{one.path}`"
    meaning = (one.meaning_vi, one.meaning_en)[language]
    yield (one.label_vi, one.label_en)[language] + (f". {meaning}" if meaning else "")
    forms = dict.fromkeys(form[language] for form in one.forms.values())
    codes = ", ".join(
        f"`{code}`" + (f" {name[language]}" if name[language] else "") for code, name in one.codes.items()
    )
    yield codes or " · ".join(forms)
    yield ", ".join(_kind(one, kind, language) for kind in KINDS if kind in one.kinds)
    yield (
        "" if one.example is None else f"`{str(one.example).lower() if isinstance(one.example, bool) else one.example}`"
    )
    yield f"`{one.ndc}`" if one.ndc else ""
    yield ", ".join(f"`{code}`" for code in rules)


def _kind(one: CardField, kind: str, language: int) -> str:
    name = _KINDS[kind][language]
    return {REQUIRED: f"**{name}**", NEEDED_BY_MOST: f"*{name}*"}.get(one.kinds[kind], name)
