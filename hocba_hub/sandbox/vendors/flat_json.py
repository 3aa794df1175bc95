"""The REST vendor of the profiles `vendor-flat-…`: flat Vietnamese keys, its own subject codes.

It holds every field; communes of the list since 1/7/2025 only, and ethnic groups by name, so not those of QCVN 109.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson

from hocba_hub.sandbox.vendors.codes import commune_code, ethnic_names
from hocba_hub.sandbox.vendors.notations import LEVELS, circular, comma, day

_PRIMARY = {
    "TVI": "TV", "TOA": "TOAN", "NN1": "ANH", "DDU": "DD", "TXH": "TNXH", "LDL": "SUDIA", "KHO": "KH",
    "THC": "TINCN", "GTC": "TD", "NTH": "NT", "HTN": "HDTN", "DTT": "DTTS",
}  # fmt: skip
_SECONDARY = {
    "NGV": "VAN", "TOA": "TOAN", "NN1": "ANH", "NNG": "NN", "NN2": "NN2", "GCD": "GDCD", "LDL": "SUDIA", "LSU": "SU",
    "DLI": "DIA", "KTN": "KHTN", "VLI": "LY", "HOA": "HOA", "SIN": "SINH", "CNG": "CN", "TIN": "TIN", "GTC": "TD",
    "NTH": "NT", "AMN": "NHAC", "MTH": "MT", "HTN": "HDTN", "GDP": "GDDP", "QPA": "GDQP", "KPL": "KTPL", "DTT": "DTTS",
}  # fmt: skip
"""Canonical subject code → the vendor's."""
_QUALITIES = {
    "patriotism": "pcYeuNuoc", "compassion": "pcNhanAi", "diligence": "pcChamChi", "honesty": "pcTrungThuc",
    "responsibility": "pcTrachNhiem",
}  # fmt: skip
_CAPACITIES = {
    "autonomy": "nlTuChu", "communication": "nlGiaoTiep", "problem_solving": "nlGiaiQuyetVanDe",
    "language": "nlNgonNgu", "calculation": "nlTinhToan", "science": "nlKhoaHoc", "technology": "nlCongNghe",
    "informatics": "nlTinHoc", "aesthetics": "nlThamMi", "physical": "nlTheChat",
}  # fmt: skip
_YEARS = {"year": "Cn", "term1": "Hk1", "term2": "Hk2", "again": "Lai"}


def write_flat_primary(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write the cards of primary school; returns how many there were."""
    return _write((flat(card) for card in cards if card["kind"] == "primary"), out)


def write_flat_secondary(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write the cards of secondary school and continuing education; returns how many there were."""
    return _write((flat(card) for card in cards if card["kind"] != "primary"), out)


def _write(records: Iterator[dict[str, Any]], out: BinaryIO) -> int:
    count = 0
    out.write(b'{"hocBa":[')
    for count, record in enumerate(records, start=1):
        out.write(b",\n" if count > 1 else b"\n")
        out.write(orjson.dumps(record))
    out.write(b"\n]}\n")
    return count


def flat(card: dict[str, Any]) -> dict[str, Any]:
    """One card as the vendor sends it; what the card lacks is left out."""
    school, pupil, signers, issue = card["school"], card["pupil"], card["signers"], card["issue"]
    homeroom, manager = signers["homeroom"], signers["manager"]
    record = {
        "maHocBa": card["card_id"],
        "namHoc": card["school_year"].replace("-", " - "),
        "trangThai": "HIEULUC" if card["status"] == "in_force" else "THUHOI",
        "thongTu": f"TT {circular(card['circular'])}",
        "trichLuc": int(card["transcribed"]),
        "maSo": card["department"]["code"],
        "tenSo": card["department"]["name"],
        "maTruong": school["code"],
        "tenTruong": school["name"],
        "capHoc": LEVELS[school["level"]],
        "xaTruong": school["commune_name"],
        "maXaTruong": commune_code(school),
        "huyenTruong": school.get("district_name"),
        "tinhTruong": school["province_name"],
        "khoi": card["class"]["grade"],
        "tenLop": card["class"]["name"],
        "maLop": card["class"].get("code"),
        "soDangBo": card.get("register_number"),
        **_pupil(pupil),
        **_family(card.get("family", {})),
        "hieuTruong": manager["full_name"],
        "cccdHieuTruong": manager["personal_number"],
        "chucVu": manager["title"],
        "gvcn": homeroom["full_name"],
        "cccdGvcn": homeroom.get("personal_number"),
        "noiKy": issue["place"],
        "ngayKy": day(issue["issued_on"]),
        "ngayTao": day(issue["created_on"]),
        "quaTrinh": [_earlier(year) for year in card["study_history"]],
        **(_primary(card["year"]) if card["kind"] == "primary" else _secondary(card["year"])),
    }
    return {key: value for key, value in record.items() if value is not None}


def _pupil(pupil: dict[str, Any]) -> dict[str, Any]:
    birthplace, hometown, residence = pupil["birthplace"], pupil["hometown"], pupil["residence"]
    return {
        "hoTen": pupil["full_name"],
        "soDinhDanh": pupil.get("personal_number"),
        "hoChieu": pupil.get("passport_number"),
        "maHocSinh": pupil["pupil_code"],
        "gioiTinh": ("Không rõ", "Nam", "Nữ")[int(pupil["gender"])],
        "ngaySinh": day(pupil["birth"]),
        "noiSinh": birthplace["address"],
        "maXaNoiSinh": commune_code(birthplace),
        "maTinhNoiSinh": birthplace.get("province_code"),
        "queQuan": hometown["address"],
        "maXaQueQuan": commune_code(hometown),
        "maTinhQueQuan": hometown.get("province_code"),
        "noiO": residence["address"],
        "maXaNoiO": commune_code(residence),
        "maTinhNoiO": residence.get("province_code"),
        "danToc": ethnic_names(pupil["ethnic_list"])[pupil["ethnic_code"]],
        "quocTich": pupil["nationality"],
        "doiTuong": pupil.get("policy_category"),
        "khuyetTat": pupil["not_assessed"],
    }


def _family(family: dict[str, Any]) -> dict[str, Any]:
    names = {
        "father": ("hoTenCha", "ngheCha"),
        "mother": ("hoTenMe", "ngheMe"),
        "guardian": ("nguoiGiamHo", "ngheGiamHo"),
    }
    found: dict[str, Any] = {}
    for who, (name, job) in names.items():
        person = family.get(who, {})
        found |= {name: person.get("full_name"), job: person.get("job")}
    return found


def _earlier(year: dict[str, Any]) -> dict[str, Any]:
    found = {
        "namHoc": year["school_year"],
        "lop": year["class_name"],
        "truong": year["school_name"],
        "tinh": year["province_name"],
    }
    return {**found, "ngayDen": day(year["arrived_on"])} if "arrived_on" in year else found


def _primary(year: dict[str, Any]) -> dict[str, Any]:
    return {
        "diem": [
            {"ma": _PRIMARY[row["code"]], "mucDat": row.get("level"), "kiemTra": row.get("test")}
            for row in year["subjects"]
        ],
        **{_QUALITIES[name]: degree for name, degree in year["qualities"].items()},
        **{_CAPACITIES[name]: degree for name, degree in year["capacities"].items()},
        "nxPhamChat": year.get("comment_on_qualities"),
        "nxNangLucChung": year["comment_on_general_capacities"],
        "nxNangLucDacThu": year["comment_on_specific_capacities"],
        "canNang": comma(year["weight_kg"]) if "weight_kg" in year else None,
        "chieuCao": comma(year["height_cm"]) if "height_cm" in year else None,
        "nghiCoPhep": year["absences_excused"],
        "nghiKhongPhep": year["absences_unexcused"],
        "ketQua": year.get("result"),
        "lenLop": int(year["promoted"]),
        "hoanThanhLop": int(year["completed_grade"]),
        "hoanThanhTieuHoc": int(year["completed_primary"]),
        "ndHoanThanh": year.get("completion_text"),
        "khenThuong": year.get("reward_text"),
        "khenThuongDotXuat": year.get("sudden_reward_text"),
        "nxGvcn": year["homeroom_comment"],
    }


def _secondary(year: dict[str, Any]) -> dict[str, Any]:
    eligible = year.get("graduation_eligible")
    return {
        "diem": [_subject(row) for row in year["subjects"]],
        **{f"hocTap{_YEARS[when]}": level for when, level in year["learning"].items()},
        **{f"renLuyen{_YEARS[when]}": level for when, level in year["training"].items()},
        "soBuoiNghi": year["absences"],
        "lenLop": "x" if year["promoted"] else "không",
        "ndLenLop": year["promotion_text"],
        "ndHoanThanh": year.get("completion_text"),
        "danhHieu": year.get("title"),
        "khenThuong": year.get("reward_text"),
        "cuocThi": year.get("contests_text"),
        "renLuyenHe": year.get("summer_training_text"),
        "kyLuat": year.get("discipline_text"),
        "diemTongKet": comma(year["overall_average"]) if "overall_average" in year else None,
        "duXetTotNghiep": None if eligible is None else int(eligible),
        "totNghiep": year.get("graduation_text"),
        "chungChi": [{"ten": one.get("name"), "loai": one.get("kind")} for one in year["certificates"]],
        "nxGvcn": year["homeroom_comment"],
    }


def _subject(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"ma": _SECONDARY[row["code"]]}
    for name, key in (("term1", "hk1"), ("term2", "hk2"), ("year", "cn"), ("retest", "thiLai")):
        if name in row:
            found[key] = comma(row[name])
    for name, key in (("term1_marks", "cotDiemHk1"), ("term2_marks", "cotDiemHk2")):
        if name in row:
            marks = row[name]
            ends = {"gk": marks.get("midterm"), "ck": marks.get("final")}
            found[key] = {
                "tx": [comma(mark) for mark in marks["regular"]],
                **{column: comma(mark) for column, mark in ends.items() if mark is not None},
            }
    teacher = row["teacher"]
    return {**found, "nhanXet": row.get("comment"), "gv": teacher["full_name"], "cccdGv": teacher["personal_number"]}
