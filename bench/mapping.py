"""Vendor JSON (parsed) → canonical card of 14 subjects: the engine, a JSONata library alone, and hand-written Python.

All three make the same output from the same cards, in turns in the same run, on one core (processor time, so that
neighbours on the machine count less). The engine alone also cleans every text, keeps every problem with its place
and every code that no table knows.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Figure, at_least
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.tables.table_files import shipped_tables

CARDS = 500
ROUNDS = 15
LEAST = (0.45, 1.5)
"""Of the rate of hand-written Python, and of the JSONata library's, that the engine must reach."""
_SUBJECTS = (
    *("VAN", "TOAN", "ANH", "GDCD", "SUDIA", "KHTN", "CN"),
    *("TIN", "TD", "NT", "HDTN", "GDDP", "NN2", "DTTS"),
)
_COMMENT_ONLY = {"TD", "NT", "HDTN", "GDDP"}


def vendor_card(chance: random.Random) -> dict[str, Any]:
    """One card as the vendor of `vendor-flat-secondary` sends it; all people are made up."""

    def name() -> str:
        parts = (("Nguyễn", "Trần", "Lê", "Phạm"), ("Thị", "Văn", "Ngọc", "Đức"), ("Ánh", "Bình", "Hường", "Tuyết"))
        return " ".join(chance.choice(part) for part in parts)

    def number() -> str:
        return f"0332{chance.randrange(10**7, 10**8)}"

    def mark(code: str) -> str:
        return "Đ" if code in _COMMENT_ONLY else f"{chance.randrange(35, 101) / 10:g}".replace(".", ",")

    day = f"{chance.randrange(1, 29):02d}/{chance.randrange(1, 13):02d}/2013"
    subjects = [
        {
            "ma": code,
            "hk1": mark(code),
            "hk2": mark(code),
            "cn": mark(code),
            "nhanXet": "Nắm chắc kiến thức, vận dụng tốt, cần đọc thêm sách ở nhà và mạnh dạn phát biểu hơn.",
            "gv": name(),
            "cccdGv": number(),
        }
        for code in _SUBJECTS
    ]
    return {
        "maHocBa": f"HB-{chance.randrange(10**9)}",
        "namHoc": "2025-2026",
        "trangThai": "HIEULUC",
        "thongTu": "TT 22/2021/TT-BGDĐT",
        "trichLuc": "0",
        "maSo": "33",
        "tenSo": "Sở Giáo dục và Đào tạo Hưng Yên",
        "maTruong": "33000123",
        "tenTruong": "Trường THCS Mẫu",
        "capHoc": "THCS",
        "xaTruong": "Xã Mẫu",
        "tinhTruong": "Tỉnh Hưng Yên",
        "khoi": "7",
        "tenLop": "7A1",
        "maLop": "L07A1",
        "soDangBo": "12/2025",
        "hoTen": name(),
        "soDinhDanh": number(),
        "maHocSinh": str(chance.randrange(10**9, 10**10)),
        "gioiTinh": chance.choice(["Nam", "Nữ"]),
        "ngaySinh": day,
        "noiSinh": "Xã Mẫu, tỉnh Hưng Yên",
        "queQuan": "Xã Mẫu, tỉnh Hưng Yên",
        "noiO": "Xã Mẫu, tỉnh Hưng Yên",
        "danToc": "Kinh",
        "quocTich": "VN",
        "khuyetTat": "0",
        "hoTenCha": name(),
        "hoTenMe": name(),
        "hieuTruong": name(),
        "cccdHieuTruong": number(),
        "chucVu": "Hiệu trưởng",
        "gvcn": name(),
        "cccdGvcn": number(),
        "noiKy": "Hưng Yên",
        "ngayKy": "20/06/2026",
        "ngayTao": "01/06/2026",
        "diem": subjects,
        **dict.fromkeys(("hocTapHk1", "hocTapHk2", "hocTapCn", "renLuyenHk1", "renLuyenHk2", "renLuyenCn"), "T"),
        "soBuoiNghi": 3,
        "lenLop": "1",
        "ndLenLop": "Được lên lớp 8",
        "nxGvcn": "Ngoan, chăm học",
    }


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", value).replace("Ð", "Đ").strip()


def _day(value: str) -> str:
    return f"{value[6:]}-{value[3:5]}-{value[:2]}"


def hand_written(tables: dict[str, dict[str, str]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The translation as a programmer would write it for this one vendor, without findings."""
    codes, names = tables["codes"], tables["names"]

    def translate(card: dict[str, Any]) -> dict[str, Any]:
        def text(key: str) -> str:
            return _text(card[key])

        return {
            "kind": "secondary",
            "card_id": text("maHocBa"),
            "school_year": text("namHoc"),
            "status": {"HIEULUC": "in_force"}[card["trangThai"]],
            "circular": {"TT 22/2021/TT-BGDĐT": "TT22/2021"}[card["thongTu"]],
            "transcribed": card["trichLuc"] == "1",
            "department": {"code": text("maSo"), "name": text("tenSo")},
            "school": {
                "code": text("maTruong"),
                "name": text("tenTruong"),
                "level": {"THCS": "03", "THPT": "04"}[card["capHoc"]],
                "commune_name": text("xaTruong"),
                "province_name": text("tinhTruong"),
                "province_code": {"Tỉnh Hưng Yên": "33"}[text("tinhTruong")],
            },
            "class": {"grade": int(card["khoi"]), "name": text("tenLop"), "code": text("maLop")},
            "register_number": text("soDangBo"),
            "pupil": {
                "full_name": " ".join(text("hoTen").split()),
                "personal_number": text("soDinhDanh").rjust(12, "0"),
                "pupil_code": text("maHocSinh"),
                "gender": {"Nam": "1", "Nữ": "2"}[text("gioiTinh")],
                "birth": _day(card["ngaySinh"]),
                "birthplace": {"address": text("noiSinh")},
                "hometown": {"address": text("queQuan")},
                "residence": {"address": text("noiO")},
                "ethnic_code": {"Kinh": "01"}[text("danToc")],
                "ethnic_list": "QD121",
                "nationality": text("quocTich").upper(),
                "not_assessed": card["khuyetTat"] == "1",
            },
            "family": {"father": {"full_name": text("hoTenCha")}, "mother": {"full_name": text("hoTenMe")}},
            "signers": {
                "manager": {
                    "full_name": text("hieuTruong"),
                    "personal_number": text("cccdHieuTruong").rjust(12, "0"),
                    "title": text("chucVu"),
                },
                "homeroom": {"full_name": text("gvcn"), "personal_number": text("cccdGvcn").rjust(12, "0")},
            },
            "issue": {
                "place": text("noiKy"),
                "issued_on": _day(card["ngayKy"]),
                "created_on": _day(card["ngayTao"]),
            },
            "year": {
                "subjects": [
                    {
                        "code": codes[subject["ma"]],
                        "name": names[subject["ma"]],
                        "term1": _text(subject["hk1"]).replace(",", "."),
                        "term2": _text(subject["hk2"]).replace(",", "."),
                        "year": _text(subject["cn"]).replace(",", "."),
                        "comment": _text(subject["nhanXet"]),
                        "teacher": {
                            "full_name": _text(subject["gv"]),
                            "personal_number": _text(subject["cccdGv"]).rjust(12, "0"),
                        },
                    }
                    for subject in card["diem"]
                ],
                "learning": {"term1": text("hocTapHk1"), "term2": text("hocTapHk2"), "year": text("hocTapCn")},
                "training": {"term1": text("renLuyenHk1"), "term2": text("renLuyenHk2"), "year": text("renLuyenCn")},
                "absences": card["soBuoiNghi"],
                "promoted": card["lenLop"] == "1",
                "promotion_text": text("ndLenLop"),
                "homeroom_comment": text("nxGvcn"),
            },
        }

    return translate


def jsonata_text(tables: dict[str, dict[str, str]]) -> str:
    """The same translation as one JSONata expression: no cleaning of text, no findings."""
    codes, names = (orjson.dumps(tables[name]).decode() for name in ("codes", "names"))
    day = "$substring({0}, 6) & '-' & $substring({0}, 3, 2) & '-' & $substring({0}, 0, 2)"
    return f"""(
  $codes := {codes}; $names := {names};
  {{ "kind": "secondary", "card_id": maHocBa, "school_year": namHoc,
    "status": $lookup({{"HIEULUC": "in_force"}}, trangThai),
    "circular": $lookup({{"TT 22/2021/TT-BGDĐT": "TT22/2021"}}, thongTu), "transcribed": trichLuc = "1",
    "department": {{"code": maSo, "name": tenSo}},
    "school": {{"code": maTruong, "name": tenTruong, "level": $lookup({{"THCS": "03", "THPT": "04"}}, capHoc),
      "commune_name": xaTruong, "province_name": tinhTruong,
      "province_code": $lookup({{"Tỉnh Hưng Yên": "33"}}, tinhTruong)}},
    "class": {{"grade": $number(khoi), "name": tenLop, "code": maLop}}, "register_number": soDangBo,
    "pupil": {{"full_name": hoTen, "personal_number": soDinhDanh, "pupil_code": maHocSinh,
      "gender": $lookup({{"Nam": "1", "Nữ": "2"}}, gioiTinh), "birth": {day.format("ngaySinh")},
      "birthplace": {{"address": noiSinh}}, "hometown": {{"address": queQuan}}, "residence": {{"address": noiO}},
      "ethnic_code": $lookup({{"Kinh": "01"}}, danToc), "ethnic_list": "QD121", "nationality": quocTich,
      "not_assessed": khuyetTat = "1"}},
    "family": {{"father": {{"full_name": hoTenCha}}, "mother": {{"full_name": hoTenMe}}}},
    "signers": {{"manager": {{"full_name": hieuTruong, "personal_number": cccdHieuTruong, "title": chucVu}},
      "homeroom": {{"full_name": gvcn, "personal_number": cccdGvcn}}}},
    "issue": {{"place": noiKy, "issued_on": {day.format("ngayKy")}, "created_on": {day.format("ngayTao")}}},
    "year": {{
      "subjects": diem.{{"code": $lookup($codes, ma), "name": $lookup($names, ma),
        "term1": $replace(hk1, ",", "."), "term2": $replace(hk2, ",", "."), "year": $replace(cn, ",", "."),
        "comment": nhanXet, "teacher": {{"full_name": gv, "personal_number": cccdGv}}}},
      "learning": {{"term1": hocTapHk1, "term2": hocTapHk2, "year": hocTapCn}},
      "training": {{"term1": renLuyenHk1, "term2": renLuyenHk2, "year": renLuyenCn}},
      "absences": soBuoiNghi, "promoted": lenLop = "1", "promotion_text": ndLenLop, "homeroom_comment": nxGvcn }} }}
)"""


def measure(_: Path) -> list[Figure]:
    """The three ways, in cards a second."""
    document, tables = shipped_library().select("vendor-flat-secondary"), shipped_tables()
    chance = random.Random(2026)
    cards = [orjson.loads(orjson.dumps(vendor_card(chance))) for _ in range(CARDS)]
    own = document.tables["mon-hoc"].view()
    subjects = {
        column: tables["subjects"].view("name", system)
        for column, system in (("codes", "code"), ("names", "short_name"))
    }
    known = {
        column: {code: str(view.find(own.settled[code]).value) for code in _SUBJECTS}
        for column, view in subjects.items()
    }
    compiled = compile_mapping(document, tables)
    by_hand = hand_written(known)
    ways: dict[str, Callable[[dict[str, Any]], Any]] = {
        "the engine": lambda card: compiled.translate(JsonRecord(card)).output,
        "hand-written Python": by_hand,
    }
    try:
        ways["jsonatapy alone"] = import_module("jsonatapy").compile(jsonata_text(known)).evaluate
    except ImportError:
        print("jsonatapy is not installed: not measured")
    for card in cards[:50]:
        assert len({orjson.dumps(way(card), option=orjson.OPT_SORT_KEYS) for way in ways.values()}) == 1
    gc.collect()
    gc.freeze()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _turn in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            for card in cards:
                way(card)
            rates[name].append(CARDS / (time.process_time() - start))
    gc.unfreeze()
    size = sum(len(orjson.dumps(card)) for card in cards) // CARDS
    what = f"vendor JSON of {size:,} bytes, {len(_SUBJECTS)} subjects"
    engine, *others = (
        Figure(f"{what}: {name}", statistics.median(each), "/s", more=f"best {max(each):,.0f}")
        for name, each in rates.items()
    )
    targets = (at_least(multiple, other) for multiple, other in zip(LEAST, others, strict=False))
    return [*others, *(replace(engine, target=target) for target in targets)]
