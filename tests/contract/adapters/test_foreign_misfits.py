"""A destination file that does not fit a service of another shape is refused at the start, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hocba_hub.adapters.destination import DestinationError, load_destination
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.mappings.library.mapping_set import mappings_beside
from tests.support.destination_files import merged
from tests.support.foreign_services import FOREIGN

MAPPINGS = mappings_beside(FOREIGN)


def bind(name: str, changes: dict[str, Any], folder: Path = FOREIGN, mapping: str = "") -> None:
    document = merged(yaml.safe_load((FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")), changes)
    mappings = mappings_beside(folder)
    destination = load_destination(yaml.safe_dump(document), {}, origin=name, folder=folder)
    adapter_for(destination, {}, lambda: mappings).close()


def options(**changes: Any) -> dict[str, Any]:
    return {"options": changes}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # requests
    ("exchange", options(submit={"record": "HocBa"}), "GuiGoi has no element HocBa"),
    ("exchange", options(submit={"record": "NoiDung/Sach"}), "NoiDung has no element Sach"),
    ("exchange", options(submit={"fields": {"DauGoi/DonVi": None}}), "options not usable: submit.fields.DauGoi/DonVi"),
    ("exchange", options(submit={"fields": {"DauGoi/Khac": "1"}}), "DauGoi has no element Khac"),
    ("exchange", options(submit={"fields": {"DauGoi": "1"}}), "is given twice, or is within another"),
    ("exchange", options(submit={"fields": {"DauGoi/MaGoi": "{ma}"}}), r"there is no \{ma\} to fill in"),
    ("exchange", options(submit={"fields": {"NoiDung/HocBa": "1"}}), "is given twice"),
    ("exchange", options(result={"reference": "BienNhan/@khac"}), "BienNhan has no element @khac"),
    ("exchange", options(inventory={"ids": "Loc/Khac"}), "Loc has no element Khac"),
    ("registry", options(card={"fields": {"extra": "1"}}), "Find has no element extra"),
    # answers
    ("exchange", options(submit={"results": "BangKe/@so"}), "options not usable: submit.results"),
    ("exchange", options(card={"standing": "@so"}), "options not usable: card.standing"),
    ("exchange", options(submit={"reference": "BienNhan/@khac"}), "reply of GuiGoi has no element BienNhan/@khac"),
    ("exchange", options(submit={"results": "BangKe/Hang"}), "reply of GuiGoi has no element BangKe/Hang"),
    ("exchange", options(verdict={"verdict": "TrangThai/@khac"}), "no element TrangThai/@khac"),
    ("exchange", options(verdict={"code": "TrangThai/@khac"}), "no element TrangThai/@khac"),
    ("exchange", options(card={"reference": "So"}), "no element So"),
    ("exchange", options(inventory={"sha256": "@sha256"}), "no element @sha256"),
    ("exchange", options(submit={"sha256": "Sha256"}), "HocBa has no element Sha256"),
    (
        "exchange",
        options(verdict={"reference": "So"}) | {"acknowledgement": {"references": 5}},
        "no element So|stands once",
    ),
    ("exchange", options(card={"standing": "Hang"}), "reply of TraCuu has no element Hang"),
    ("exchange", options(inventory={"state": "@khac"}), "reply of KeKhai has no element @khac"),
    ("exchange", options(inventory={"next": "Trang/@khac"}), "reply of KeKhai has no element Trang/@khac"),
    (
        "registry",
        options(result={"unknown": "unknown"}) | {"acknowledgement": {"references": 5}},
        "not 5|5 times|stands once",
    ),
    ("registry", {"batch": {"records": 101}}, "card may stand 100 times at most"),
    # what a file may say only together with something else
    ("store", {"batch": {"records": 2}}, "batch.records is 1"),
    ("store", options(submit={"fields": {"loai": "1"}}), "the mapping makes all"),
    ("store", options(card={"fields": {"phienBan": "1"}}), "a look-up that is told no version asks for one"),
    ("store", options(submit={"results": None}), "neither a reference nor results"),
    ("store", options(card=None), "in_doubt is send-again or hold"),
    ("store", options(verdict={"verdict": None}), "neither a verdict nor a code"),
    ("registry", options(verdict={"record_id": None}), "record_id is null only where"),
    ("registry", {**options(result=None, card=None), "in_doubt": "hold"}, "no verdict is told"),
    ("exchange", options(inventory={"after": None}), "inventory.after and next go together"),
    ("exchange", options(inventory={"school_year": None}), "record_ids says no school year"),
    # keys
    ("exchange", {"record_ids": "{school_year}"}, r"record_ids: .*must have \{card_id\} once"),
    ("exchange", {"record_ids": "{card_id}{card_id}"}, r"must have \{card_id\} once"),
    ("exchange", {"record_ids": "{card_id} {school_year}"}, r"must have \{card_id\} once"),
    ("exchange", {"record_ids": 5}, "must be a text"),
    ("exchange", options(submit={"record_id": "HocSinh/MaHocSinh"}), "is not delivery/record_id"),
]


@pytest.mark.parametrize(("name", "changes", "said"), REFUSED)
def test_what_does_not_fit(name: str, changes: dict[str, Any], said: str):
    with pytest.raises(DestinationError, match=said):
        bind(name, changes)


MAPPINGS_THAT_DO_NOT_FIT = [
    (
        "Ma: { from: delivery/record_id,",
        "Ma: { from: [delivery/record_id, delivery/school], join: x,",
        "is not delivery/record_id",
    ),
    ("  HocSinh/HoTen: {", "  HocSinh/Ten: {", "HocBa/HocSinh has no elements Ten"),
    ("  HocSinh/HoTen: {", "  HocSinh/MaLop: class/name\n  HocSinh/HoTen: {", "HocBa/HocSinh has no elements MaLop"),
    ('  "@sukien": {', '  "@su_kien": {', "HocBa has no elements @su_kien"),
    ('  "@sukien": { from: delivery/event, required: true }\n', "", "HocBa needs elements @sukien"),
    ("  HocSinh/HoTen: { from: pupil/full_name, required: true }\n", "", "HocBa/HocSinh needs elements HoTen"),
    (
        "MaHocSinh: { from: pupil/pupil_code, required: true }",
        'MaHocSinh: { each: year/subjects, fields: { ".": code } }',
        "HocBa/HocSinh/MaHocSinh stands once, and the mapping makes a list",
    ),
    ('fields: { "@mon": code, "#text": name }', "fields: { mon: code }", "HocBa/Diem has no elements mon"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), MAPPINGS_THAT_DO_NOT_FIT)
def test_a_mapping_that_does_not_fit(tmp_path: Path, right: str, wrong: str, said: str):
    for name in ("contracts", "schemas"):
        (tmp_path / name).symlink_to(FOREIGN / name)
    (tmp_path / "mappings").mkdir()
    for path in (FOREIGN / "mappings").glob("exchange_*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == "exchange_card.yaml":
            assert right in text
            text = text.replace(right, wrong)
        (tmp_path / "mappings" / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(DestinationError, match=said):
        bind("exchange", {}, tmp_path)


CONTRACTS_THAT_ARE_NOT_WRITTEN = [
    ('use="literal" namespace="urn:registry"', 'use="encoded" namespace="urn:registry"', "of the use encoded"),
    ('<output message="r:submitted"/>', "", "answers nothing"),
    (
        '<input><soap:body use="literal" namespace="urn:registry"/></input>',
        '<input><soap:header message="r:key" part="key" use="literal"/><soap:body use="literal"/></input>',
        "needs a SOAP header of its own",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "said"), CONTRACTS_THAT_ARE_NOT_WRITTEN)
def test_a_contract_that_is_not_written(tmp_path: Path, right: str, wrong: str, said: str):
    (tmp_path / "contracts").mkdir()
    for name in ("mappings", "schemas"):
        (tmp_path / name).symlink_to(FOREIGN / name)
    text = (FOREIGN / "contracts" / "registry.wsdl").read_text(encoding="utf-8")
    assert right in text
    text = text.replace(right, wrong)
    key = '<xs:element name="Key" type="xs:string"/>'
    text = text.replace('<xs:complexType name="Card">', key + '<xs:complexType name="Card">', 1)
    text = text.replace(
        '<message name="submit">',
        '<message name="key"><part name="key" element="r:Key"/></message><message name="submit">',
    )
    (tmp_path / "contracts" / "registry.wsdl").write_text(text, encoding="utf-8")
    with pytest.raises(DestinationError, match=said):
        bind("registry", {}, tmp_path)


@pytest.mark.parametrize("name", ["store", "exchange", "registry"])
def test_they_fit_as_they_are(name: str):
    bind(name, {})
