"""Named mistakes of judgement planted in right cards: the form is right, but a circular is not kept."""

from __future__ import annotations

from typing import Any

import orjson

from hocba_hub.sandbox.synthetic.defects import Card, Defect, placed


def _later_result(card: Card) -> bytes:
    """One result better than what the levels give, or worse where there is no better one."""
    results = ("Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành")
    place = results.index(card["year"]["result"])
    card["year"]["result"] = results[place - 1 if place else 1]
    return orjson.dumps(card)


def _other_level(card: Card) -> bytes:
    """The best learning level for the weakest pupils, the weakest for all others."""
    learning = card["year"]["learning"]
    learning["year"] = "T" if learning["year"] == "CĐ" else "CĐ"
    return orjson.dumps(card)


def _wrong_year_average(card: Card) -> bytes:
    row = _scored(card)
    row["year"] = "9.9" if row["year"] != "9.9" else "1.0"
    return orjson.dumps(card)


def _wrong_kind(card: Card) -> bytes:
    row = _scored(card)
    row["year"] = "Đ"
    return orjson.dumps(card)


def _scored(card: Card) -> dict[str, Any]:
    """The first row with marks."""
    row: dict[str, Any] = next(row for row in card["year"]["subjects"] if row["year"][0].isdigit())
    return row


def _other_promotion(card: Card) -> bytes:
    card["year"]["promoted"] = not card["year"]["promoted"]
    return orjson.dumps(card)


def _undeserved_title(card: Card) -> bytes:
    card["year"]["training"] = {"term1": "K", "term2": "K", "year": "K"}
    card["year"]["title"] = "Học sinh Giỏi"
    return orjson.dumps(card)


def _primary_too_soon(card: Card) -> bytes:
    card["year"]["completed_primary"] = not card["year"]["completed_primary"]
    return orjson.dumps(card)


def _subject_of_older(card: Card) -> bytes:
    card["year"]["subjects"][0] |= {"code": "VLI", "name": "Vật lí"}
    return orjson.dumps(card)


def _degree_missing(card: Card) -> bytes:
    del card["year"]["qualities"]["honesty"]
    return orjson.dumps(card)


MISJUDGED: tuple[Defect, ...] = (
    Defect("result not that of the levels", "primary.result.", _later_result, "primary", assessed=True),
    Defect("primary completed or not", "primary.completed-primary", _primary_too_soon, "primary", assessed=True),
    Defect("subject of another level", "primary.subject-of-grade", _subject_of_older, "primary", assessed=True),
    Defect("quality missing", "primary.degrees", _degree_missing, "primary", assessed=True),
    Defect("level not that of the marks", "secondary.learning.", _other_level, "secondary", assessed=True),
    Defect("year average computed wrongly", "secondary.year-average", _wrong_year_average, "secondary", assessed=True),
    Defect("comment in the place of a mark", "secondary.assessment-kind", _wrong_kind, "secondary", assessed=True),
    Defect("promotion not that of the results", "secondary.promoted", _other_promotion, "secondary", assessed=True),
    Defect("title not deserved", "secondary.title.good", _undeserved_title, "secondary", assessed=True),
    Defect("circular before its time", "cross.circular-year", placed("school_year", "2019-2020")),
)  # fmt: skip
"""Mistakes that only the rules find."""
