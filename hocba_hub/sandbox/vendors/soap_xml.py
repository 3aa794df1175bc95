"""The SOAP vendor of the profile `soap-vendor`: nested XML, communes as they were before 1/7/2025, results in words.

It holds every field of every kind of card; communes that are told by the list since 1/7/2025 only, and ethnic groups by
name, so not those of QCVN 109. Text is written as careless systems do: some composed, some decomposed (NFD), some with
the letter Ð (U+00D0) for Đ, some with blanks around; the same card always in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, BinaryIO
from unicodedata import normalize

from lxml import etree

from hocba_hub.model.subjects import SUBJECTS
from hocba_hub.sandbox.vendors.codes import commune_code, ethnic_names, former_commune
from hocba_hub.sandbox.vendors.notations import LEVELS, circular, comma, day

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CARDS = "urn:example:quan-ly-truong-hoc:hoc-ba:2"
PEOPLE = "urn:example:quan-ly-truong-hoc:nguoi:1"
_NAMES = {"soap": SOAP, "hb": CARDS, "nd": PEOPLE}

_OFFICIAL: dict[tuple[str, str], str] = {(subject.programme, subject.code): subject.name for subject in SUBJECTS}
_LEVELS = {"T": "Tốt", "K": "Khá", "Đ": "Đạt", "CĐ": "Chưa đạt"}
_DEGREES = {"T": "Tốt", "Đ": "Đạt", "C": "Cần cố gắng"}
_TIMES = {"term1": "hk1", "term2": "hk2", "year": "caNam", "again": "lai"}
_QUALITIES = {
    "patriotism": "yeuNuoc", "compassion": "nhanAi", "diligence": "chamChi", "honesty": "trungThuc",
    "responsibility": "trachNhiem",
}  # fmt: skip
_CAPACITIES = {
    "autonomy": "tuChu", "communication": "giaoTiep", "problem_solving": "giaiQuyetVanDe", "language": "ngonNgu",
    "calculation": "tinhToan", "science": "khoaHoc", "technology": "congNghe", "informatics": "tinHoc",
    "aesthetics": "thamMi", "physical": "theChat",
}  # fmt: skip


def write_soap_vendor(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write the cards as the body of one SOAP 1.1 call; returns how many there were."""
    written = 0
    with etree.xmlfile(out, encoding="UTF-8") as file:
        file.write_declaration()
        with (
            file.element(f"{{{SOAP}}}Envelope", nsmap=_NAMES),
            file.element(f"{{{SOAP}}}Body"),
            file.element(f"{{{CARDS}}}GuiHocBa"),
        ):
            for card in cards:
                file.write(_Hand(card).element)
                written += 1
    return written


class _Hand:
    """Writes one card, in the way that is this card's."""

    def __init__(self, card: dict[str, Any]) -> None:
        self._rng = Random(card["card_id"])  # noqa: S311 - how a made-up card is written
        school, year = card["school"], card["year"]
        self.element = etree.Element(
            f"{{{CARDS}}}HocBa",
            {
                "ma": card["card_id"],
                "namHoc": card["school_year"],
                "trangThai": "1" if card["status"] == "in_force" else "2",
                "thongTu": self._written(circular(card["circular"])),
                "trichLuc": str(int(card["transcribed"])),
            },
            nsmap=_NAMES,
        )
        self._add(self.element, "SoGDDT", card["department"]["name"], {"ma": card["department"]["code"]})
        self._school(school)
        class_ = card["class"]
        self._add(self.element, "Lop", class_["name"], {"khoi": class_["grade"], "ma": class_.get("code")})
        self._add_known(self.element, "SoDangBo", card.get("register_number"))
        self._pupil(card["pupil"])
        self._around(card)
        results = self._add(self.element, "KetQua")
        if card["kind"] == "primary":
            self._primary(results, year)
        else:
            self._secondary(results, year, LEVELS[school["level"]])

    def _written(self, text: str) -> str:
        """The text in one of the ways."""
        chance = self._rng.random()
        if chance < 0.3:  # noqa: PLR2004 - a third or so
            return normalize("NFD", text)
        if chance < 0.6:  # noqa: PLR2004 - another
            return text.replace("Đ", "Ð")
        return f" {text}\n" if chance > 0.95 else text  # noqa: PLR2004 - a few

    def _add(
        self,
        parent: etree._Element,
        name: str,
        text: str | None = None,
        attributes: Mapping[str, object] | None = None,
        *,
        ns: str = CARDS,
    ) -> etree._Element:
        """An element; attributes that are None are left out."""
        given = (attributes or {}).items()
        known = {key: self._written(str(value)) for key, value in given if value is not None}
        element = etree.SubElement(parent, f"{{{ns}}}{name}", known)
        if text is not None:
            element.text = self._written(text)
        return element

    def _add_known(self, parent: etree._Element, name: str, text: str | None, *, ns: str = CARDS) -> None:
        if text is not None:
            self._add(parent, name, text, ns=ns)

    def _school(self, school: dict[str, Any]) -> None:
        element = self._add(self.element, "Truong", None, {"ma": school["code"], "cap": LEVELS[school["level"]]})
        self._add(element, "Ten", school["name"])
        area = self._add(element, "DiaBan", None, self._area(school))
        self._add(area, "Xa", school["commune_name"])
        self._add_known(area, "Huyen", school.get("district_name"))
        self._add(area, "Tinh", school["province_name"])

    def _area(self, place: dict[str, Any]) -> dict[str, object]:
        """Codes of a place as they were before 1/7/2025."""
        code = commune_code(place)
        if code is None:
            return {"maTinh": place.get("province_code")}
        former = former_commune(self._rng, code)
        return {"maXa": former.code, "maTinh": former.province if "province_code" in place else None}

    def _pupil(self, pupil: dict[str, Any]) -> None:
        element = self._add(
            self.element,
            "HocSinh",
            None,
            {
                "ma": pupil["pupil_code"],
                "gioiTinh": {"0": "Không rõ", "1": "Nam", "2": "Nữ"}[pupil["gender"]],
                "danToc": ethnic_names(pupil["ethnic_list"])[pupil["ethnic_code"]],
                "quocTich": pupil["nationality"],
                "khongDanhGia": int(pupil["not_assessed"]),
            },
        )
        self._add(element, "HoTen", pupil["full_name"], ns=PEOPLE)
        self._add_known(element, "SoDinhDanh", pupil.get("personal_number"), ns=PEOPLE)
        self._add_known(element, "HoChieu", pupil.get("passport_number"), ns=PEOPLE)
        self._add(element, "NgaySinh", day(pupil["birth"]), ns=PEOPLE)
        for name, key in (("NoiSinh", "birthplace"), ("QueQuan", "hometown"), ("NoiO", "residence")):
            self._add(element, name, pupil[key]["address"], self._area(pupil[key]), ns=PEOPLE)
        self._add_known(element, "DoiTuong", pupil.get("policy_category"), ns=PEOPLE)

    def _around(self, card: dict[str, Any]) -> None:
        """Family, signers, issue and the earlier years."""
        family = self._add(self.element, "GiaDinh")
        for name, key in (("Cha", "father"), ("Me", "mother"), ("GiamHo", "guardian")):
            if key in card.get("family", {}):
                person = card["family"][key]
                self._add(family, name, person["full_name"], {"nghe": person.get("job")}, ns=PEOPLE)
        manager, homeroom = card["signers"]["manager"], card["signers"]["homeroom"]
        signers = self._add(self.element, "NguoiKy")
        facts = {"soDinhDanh": manager["personal_number"], "chucVu": manager["title"]}
        self._add(signers, "GiamHieu", manager["full_name"], facts, ns=PEOPLE)
        facts = {"soDinhDanh": homeroom.get("personal_number")}
        self._add(signers, "ChuNhiem", homeroom["full_name"], facts, ns=PEOPLE)
        issue = card["issue"]
        facts = {"noi": issue["place"], "ngayKy": day(issue["issued_on"]), "ngayTao": day(issue["created_on"])}
        self._add(self.element, "PhatHanh", None, facts)
        history = self._add(self.element, "QuaTrinh")
        for year in card["study_history"]:
            facts = {"namHoc": year["school_year"], "lop": year["class_name"]}
            if "arrived_on" in year:
                facts["ngayDen"] = day(year["arrived_on"])
            element = self._add(history, "Nam", None, facts)
            self._add(element, "Truong", year["school_name"])
            self._add(element, "Tinh", year["province_name"])

    def _primary(self, results: etree._Element, year: dict[str, Any]) -> None:
        for row in year["subjects"]:
            self._add(results, "Mon", None, {"ten": row["name"], "muc": row.get("level"), "kiemTra": row.get("test")})
        for name, key, names in (("PhamChat", "qualities", _QUALITIES), ("NangLuc", "capacities", _CAPACITIES)):
            self._add(results, name, None, {names[which]: _DEGREES[degree] for which, degree in year[key].items()})
        comments = self._add(results, "NhanXet")
        self._add_known(comments, "PhamChat", year.get("comment_on_qualities"))
        self._add(comments, "NangLucChung", year["comment_on_general_capacities"])
        self._add(comments, "NangLucDacThu", year["comment_on_specific_capacities"])
        self._add(comments, "ChuNhiem", year["homeroom_comment"])
        body = {"canNang": year.get("weight_kg"), "chieuCao": year.get("height_cm")}
        self._add(results, "TheLuc", None, {key: comma(value) for key, value in body.items() if value is not None})
        days = {"coPhep": year["absences_excused"], "khongPhep": year["absences_unexcused"]}
        self._add(results, "NghiHoc", None, days)
        self._add_known(results, "XepLoai", year.get("result"))
        self._add(results, "LenLop", None, {"duoc": int(year["promoted"])})
        done = {"lop": int(year["completed_grade"]), "tieuHoc": int(year["completed_primary"])}
        self._add(results, "HoanThanh", year.get("completion_text"), done)
        self._add_known(results, "KhenThuong", year.get("reward_text"))
        self._add_known(results, "KhenThuongDotXuat", year.get("sudden_reward_text"))

    def _secondary(self, results: etree._Element, year: dict[str, Any], programme: str) -> None:
        for row in year["subjects"]:
            self._subject(results, row, programme)
        for name, key in (("HocTap", "learning"), ("RenLuyen", "training")):
            self._add(results, name, None, {_TIMES[when]: _LEVELS[level] for when, level in year[key].items()})
        self._add(results, "NghiHoc", None, {"tong": year["absences"]})
        self._add(results, "LenLop", year["promotion_text"], {"duoc": int(year["promoted"])})
        for name, key in (
            ("HoanThanh", "completion_text"), ("DanhHieu", "title"), ("KhenThuong", "reward_text"),
            ("CuocThi", "contests_text"), ("RenLuyenHe", "summer_training_text"), ("KyLuat", "discipline_text"),
        ):  # fmt: skip
            self._add_known(results, name, year.get(key))
        if "overall_average" in year:
            self._add(results, "DiemTongKet", comma(year["overall_average"]))
        if "graduation_eligible" in year or "graduation_text" in year:
            eligible = year.get("graduation_eligible")
            allowed = {"duXet": None if eligible is None else int(eligible)}
            self._add(results, "TotNghiep", year.get("graduation_text"), allowed)
        for certificate in year["certificates"]:
            element = self._add(results, "ChungChi")
            self._add_known(element, "Ten", certificate.get("name"))
            self._add_known(element, "Loai", certificate.get("kind"))
        self._add(results, "NhanXet", year["homeroom_comment"])

    def _subject(self, results: etree._Element, row: dict[str, Any], programme: str) -> None:
        element = self._add(results, "Mon", None, {"ten": _OFFICIAL[programme, row["code"]]})
        for name, term in (("HK1", "term1"), ("HK2", "term2")):
            if term not in row:
                continue
            average = self._add(element, name, None, {"diem": comma(row[term])})
            if f"{term}_marks" in row:
                marks = row[f"{term}_marks"]
                columns = self._add(average, "CotDiem")
                for mark in marks["regular"]:
                    self._add(columns, "TX", comma(mark))
                for column, which in (("GK", "midterm"), ("CK", "final")):
                    if which in marks:
                        self._add(columns, column, comma(marks[which]))
        for name, key in (("CaNam", "year"), ("KiemTraLai", "retest")):
            if key in row:
                self._add(element, name, comma(row[key]))
        self._add_known(element, "NhanXet", row.get("comment"))
        teacher = row["teacher"]
        self._add(element, "GiaoVien", teacher["full_name"], {"soDinhDanh": teacher["personal_number"]}, ns=PEOPLE)
