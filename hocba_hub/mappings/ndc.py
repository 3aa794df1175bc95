"""Canonical report card → NDC record: the data dictionary's names, its envelope and its child tables.

The names come from the model's own field declarations (`model/fields.py`), compiled once; what this file adds is how
the dictionary writes a value, and which fields a table does not have. Continuing education has no card table in the
dictionary; its cards go into the table of secondary schools, told apart by `macaphoc` 05. (The table of learning
results asks for an overall mark, which TT 43/2021 does not know.)

Source: data dictionary towards the National Data Centre, 2026 (third-party copy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hocba_hub.model.card import ContinuingCard, PrimaryCard, SecondaryCard
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import CardKey, Event, Version
from hocba_hub.model.people import Place

VIETNAM = timezone(timedelta(hours=7))

PRIMARY = "thongtinsohocbasotieuhoc"
SECONDARY = "thongtinsohocbasothcsthpt"

Record = dict[str, Any]
_Writer = Callable[[Any, Record], None]

_TABLES: Mapping[str, tuple[str, type[BaseModel]]] = {
    "primary": (PRIMARY, PrimaryCard),
    "secondary": (SECONDARY, SecondaryCard),
    "continuing": (SECONDARY, ContinuingCard),
}
_ELSEWHERE: Mapping[str, frozenset[str]] = {
    PRIMARY: frozenset({"malop", "nghenghiepcha", "nghenghiepme", "nghenghiepnguoigiamho"}),
    SECONDARY: frozenset({"malop", "madanhhieu", "diemtongket", "coduxettotnghiep", "totnghiepcap", "kyluat"}),
}
"""Fields of the model that the dictionary has in other tables only."""


class NdcError(HubError):
    """The card has not the shape of a canonical report card."""


def ndc_record(
    key: CardKey, version: Version, event: Event, accepted_at: datetime, card: Mapping[str, Any] | None
) -> Record:
    """The record of one version: envelope, table name and fields; for a recall only the envelope and the card's key.

    `card` is the canonical JSON, parsed (not needed for a recall). Both times of the envelope are `accepted_at` in
    Vietnam time, so that every attempt for a version sends the same bytes.

    Raises:
        NdcError: the card has not the shape of a canonical report card.
    """
    written = accepted_at.astimezone(VIETNAM).strftime("%Y-%m-%dT%H:%M:%S")
    record: Record = {
        "idbanghi": key.record_id(),
        "sukien": event.value,
        "phienban": version,
        "thoigiancapnhat": written,
        "ngaycapnhat": written,
    }
    if event is Event.CANCEL:
        return record | {"madinhdanhhocba": key.card_id, "namhoc": key.school_year}
    try:
        _card_writer((card or {})["kind"])(card, record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NdcError(f"Expected a canonical report card ({type(error).__name__}).") from error
    return record


@cache
def _card_writer(kind: str) -> _Writer:
    table, card = _TABLES[kind]
    fields = _part_writer(_fields(card, table))
    technical_key = f"key{table}"

    def write(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
        record["bang"] = table
        record[technical_key] = sha256(record["idbanghi"].encode()).hexdigest()[:32]
        record["trangthaithongtinhocba"] = "1"
        record["phienbanthongtinhocba"] = str(record["phienban"])
        record["trichluc"] = False
        record["cokhuyettatkhongdanhgia"] = False
        fields(source, record)

    return write


class _Fields(NamedTuple):
    """What a table has of a part."""

    plain: list[tuple[str, str]]
    """Name in the card → the dictionary's name, where the value stays as it is."""
    others: list[tuple[str, _Writer]]


def _fields(part: type[BaseModel], table: str, shape: str = "{}") -> _Fields:
    """The fields of a part; `shape` makes the dictionary's name out of a field's own."""
    found = _Fields([], [])
    for attribute, info in part.model_fields.items():
        name = info.alias or attribute
        match _field_writer(_OWN_NAMES.get(attribute) or _declared(info), info, table, shape):
            case None:
                pass
            case str(target):
                found.plain.append((name, target))
            case writer:
                found.others.append((name, writer))
    return found


def _part_writer(fields: _Fields) -> _Writer:
    plain, others = fields

    def write(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
        value_of = source.get
        for name, target in plain:
            value = value_of(name)
            if value is not None:
                record[target] = value
        for name, writer in others:
            value = value_of(name)
            if value is not None:
                writer(value, record)

    return write


def _field_writer(own: str, info: FieldInfo, table: str, shape: str) -> str | _Writer | None:
    """How a field is written: its name if the value stays as it is; None if the table does not have it."""
    inner, is_list = _inner_part(info)
    if inner is Place:
        return _place_writer(own)
    if inner is not None and is_list:
        return _list_writer(inner, table, own)
    if inner is not None:
        fields = _fields(inner, table, "{}" + own)
        return _part_writer(fields) if any(fields) else None
    target = shape.format(own)
    if not own or target in _ELSEWHERE[table]:
        return None
    if own == "ngaythangnamsinh":
        return _write_birth
    return _converted(target, _CONVERSIONS[own]) if own in _CONVERSIONS else target


def _list_writer(part: type[BaseModel], table: str, own: str) -> _Writer:
    """Writes a list of parts as a child table, each row with its technical keys."""
    child = f"{table}_{own}"
    own_key, parent_key = f"key{child}", f"key{table}"
    tag = sha256(child.encode()).hexdigest()[:2]
    fields = _part_writer(_fields(part, table))

    def write(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
        parent = record[parent_key]
        stem = parent[:28] + tag
        record[child] = rows = [{own_key: f"{stem}{place:02x}", parent_key: parent} for place in range(len(source))]
        for item, row in zip(source, rows, strict=True):
            fields(item, row)

    return write


def _place_writer(own: str) -> _Writer:
    """Writes a place; a commune's code only if it is of the list in force, since codes are re-used."""
    address, commune, province = (f"{own}_{name}" for name in ("diachichitiet", "maxa", "matinh"))

    def write(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
        record[address] = source["address"]
        if source.get("commune_list") == "2025" and "commune_code" in source:
            record[commune] = source["commune_code"]
        if "province_code" in source:
            record[province] = source["province_code"]

    return write


def _converted(target: str, convert: Callable[[Any], Any]) -> _Writer:
    def write(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
        value = convert(source)
        if value is not None:
            record[target] = value

    return write


def _write_birth(source: Any, record: Record) -> None:  # noqa: ANN401 - JSON
    record[_BIRTH[len(source)]] = source


_BIRTH = {10: "ngaythangnamsinh", 7: "thangnamsinh", 4: "namsinh"}
"""Three fields for three precisions, by the length of the date."""

_OWN_NAMES = {"ethnic_list": "dantoc_danhmuc"}
"""Names of the stand-in contract for what the dictionary has no field for."""

_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "trangthaithongtinhocba": {"in_force": "1", "recalled": "2"}.__getitem__,
    "makhoi": str,
    "cannang": float,
    "chieucao": float,
    # The dictionary's minimum is 1: no absence is written as no value.
    "sobuoinghi": lambda sessions: sessions or None,
}


def _declared(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra["ndc"]) if isinstance(extra, dict) else ""


def _inner_part(info: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """The part that a field holds, if it holds parts; and whether it is a list of them."""
    choices = get_args(info.annotation) or (info.annotation,)
    for choice in choices:
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice, get_origin(info.annotation) is tuple
    return None, False
