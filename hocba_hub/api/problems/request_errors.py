"""What is wrong with a call's parameters or with an operator's JSON, place by place, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_TEXTS: Mapping[str, tuple[str, str]] = {
    "missing": ("Thiếu giá trị bắt buộc.", "A value is required here."),
    "extra_forbidden": ("Không có trường này.", "There is no such field."),
    "string_pattern_mismatch": ("Sai dạng: {expected}.", "Not of the form {expected}."),
    "string_too_short": ("Quá ngắn: tối thiểu {expected} ký tự.", "Too short: at least {expected} characters."),
    "string_too_long": ("Quá dài: tối đa {expected} ký tự.", "Too long: at most {expected} characters."),
    "too_long": ("Quá nhiều phần tử: tối đa {expected}.", "Too many items: at most {expected}."),
    "too_short": ("Quá ít phần tử: tối thiểu {expected}.", "Too few items: at least {expected}."),
    "greater_than_equal": ("Quá nhỏ: tối thiểu {expected}.", "Too small: at least {expected}."),
    "less_than_equal": ("Quá lớn: tối đa {expected}.", "Too large: at most {expected}."),
    "literal_error": ("Phải là một trong: {expected}.", "Must be one of: {expected}."),
    "enum": ("Phải là một trong: {expected}.", "Must be one of: {expected}."),
    "time": ("Thời điểm phải theo RFC 3339, có múi giờ.", "A time is in RFC 3339, with its zone."),
    "school_year": ("Năm học gồm hai năm liền nhau, như {expected}.", "A school year is two in a row, as {expected}."),
    "element": (
        "Phần tử không đúng chỗ; ở đây cần: {expected}.",
        "This element is not expected; expected: {expected}.",
    ),
    "attribute": ("Không nhận thuộc tính này.", "This attribute is not taken."),
    "text": ("Không nhận văn bản giữa các phần tử.", "No text is taken between elements."),
    "cursor": ("Dùng đúng giá trị next của trang trước.", "Use the value next of the page before."),
}
_OTHER = ("Giá trị sai kiểu hoặc không hợp lệ.", "The value has the wrong type or is not valid.")
_EXPECTED = ("pattern", "min_length", "max_length", "ge", "le", "expected")
"""Where pydantic says what was expected; never the value that came."""


def request_errors(problems: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's errors as the API shows them: place, code and texts, without the offending values."""
    return [request_error(problem["type"], problem["loc"], _expected(problem.get("ctx") or {})) for problem in problems]


def request_error(code: str, location: Iterable[str | int], expected: str = "") -> dict[str, str]:
    """One error. `location` begins with where it is: `path`, `query`, `header` or `body`."""
    place, *steps = (str(step) for step in location)
    vi, en = _TEXTS.get(code, _OTHER)
    return {
        "code": f"request.{code}",
        "in": place,
        "pointer": "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps),
        "expected": expected,
        "message_vi": vi.format(expected=expected),
        "message_en": en.format(expected=expected),
    }


def _expected(facts: Mapping[str, Any]) -> str:
    return next((str(facts[name]) for name in _EXPECTED if name in facts), "")
