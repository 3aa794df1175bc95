"""Six formats of vendors whom no profile knows: the same synthetic cards, written in each of them.

All of a document's pupils are of one school and one class list; what they share stands once, above them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from openpyxl import Workbook

from hocba_hub.mappings.start.sample import words_of
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors.codes import ethnic_names

LEVELS = {"T": "Tốt", "K": "Khá", "Đ": "Đạt", "CĐ": "Chưa đạt"}
_PUPIL = ("full_name", "personal_number", "pupil_code", "gender", "birth", "ethnic_code", "ethnic_list", "nationality")
_SCHOOL = ("code", "name", "level", "commune_name", "province_name", "province_code")


@cache
def cards(count: int) -> list[dict[str, Any]]:
    """Right cards of lower secondary pupils, with the fields that all six formats hold."""
    found: list[dict[str, Any]] = []
    for raw in generate(40 * count, 20261130, schools=60):
        card = orjson.loads(raw)
        if _is_held(card):
            found.append(_held(card))
            if len(found) == count:
                break
    return found


def _is_held(card: dict[str, Any]) -> bool:
    pupil, year = card["pupil"], card["year"]
    return (
        (card["kind"], card["school"]["level"], card["status"]) == ("secondary", "03", "in_force")
        and pupil["ethnic_list"] == "QD121"
        and "personal_number" in pupil
        and len(pupil["birth"]) == len("YYYY-MM-DD")
        and not pupil["not_assessed"]
        and not any(key in year for key in ("title", "retest"))
        and not any("retest" in subject for subject in year["subjects"])
        and "again" not in {**year["learning"], **year["training"]}
    )


def _held(card: dict[str, Any]) -> dict[str, Any]:
    pupil, year = card["pupil"], card["year"]
    subjects = [
        {key: subject[key] for key in ("code", "name", "term1", "term2", "year", "teacher") if key in subject}
        for subject in year["subjects"]
    ]
    places = {name: {"address": pupil[name]["address"]} for name in ("birthplace", "hometown", "residence")}
    kept = ("learning", "training", "absences", "promoted", "promotion_text", "homeroom_comment")
    return {
        **{key: card[key] for key in ("card_id", "school_year", "status", "circular", "transcribed", "department")},
        "school": {key: card["school"][key] for key in _SCHOOL},
        "class": {"grade": card["class"]["grade"], "name": card["class"]["name"]},
        "pupil": {**{key: pupil[key] for key in _PUPIL}, **places, "not_assessed": False},
        "signers": card["signers"],
        "issue": card["issue"],
        "study_history": [],
        "kind": "secondary",
        "year": {"subjects": subjects, **{key: year[key] for key in kept}},
    }


def _groups(of: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The cards of one school, class, signers and day each, with the first of them."""
    groups: dict[bytes, list[dict[str, Any]]] = {}
    for card in of:
        shared = {key: card[key] for key in ("school_year", "school", "class", "signers", "issue", "department")}
        groups.setdefault(orjson.dumps(shared), []).append(card)
    for group in groups.values():
        yield group[0], group


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}/{month}/{year}"


def _comma(mark: str | None) -> str:
    return (mark or "").replace(".", ",")


def _ethnic(pupil: dict[str, Any]) -> str:
    return ethnic_names("QD121")[pupil["ethnic_code"]]


def _tagged(name: str, facts: dict[str, str], content: str = "") -> str:
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in facts.items())
    return f"<{name}{attributes}>{content}</{name}>"


def xml_book(of: list[dict[str, Any]]) -> list[bytes]:
    """Attributes; names in capitals; the results of a subject as one text; the school year in the head."""
    made = []
    for first, group in _groups(of):
        school, issue = first["school"], first["issue"]
        manager, homeroom = first["signers"]["manager"], first["signers"]["homeroom"]
        head = _tagged(
            "HieuTruong",
            {"cccd": manager["personal_number"], "chucVu": manager["title"]},
            escape(manager["full_name"]),
        )
        facts = {"ma": school["code"], "cap": "THCS", "xa": school["commune_name"], "tinh": school["province_name"]}
        days = {"ngay": _day(issue["issued_on"]), "lap": _day(issue["created_on"])}
        room = {
            "ten": first["class"]["name"],
            "gvcn": homeroom["full_name"],
            "cccdGvcn": homeroom.get("personal_number", ""),
        }
        content = "\n".join(
            [
                _tagged("So", {"ma": first["department"]["code"]}, escape(first["department"]["name"])),
                _tagged("Truong", facts, f"<Ten>{escape(school['name'])}</Ten>{head}"),
                _tagged("Ky", {"noi": issue["place"], **days}),
                _tagged("Lop", room, "\n".join(map(_xml_pupil, group))),
            ]
        )
        year = {"nam": first["school_year"].replace("-", " - "), "thongTu": first["circular"]}
        made.append(_tagged("SoDiem", year, content).encode())
    return made


def _xml_pupil(card: dict[str, Any]) -> str:
    pupil, year = card["pupil"], card["year"]
    terms = ("term1", "term2", "year")
    facts = {
        "maHB": card["card_id"], "ma": pupil["pupil_code"], "hoTen": pupil["full_name"].upper(),
        "cccd": pupil["personal_number"].lstrip("0"), "ns": _day(pupil["birth"]),
        "gt": {"1": "NAM", "2": "NỮ", "0": "?"}[pupil["gender"]], "dt": _ethnic(pupil).upper(), "qt": "Việt Nam",
        "noiSinh": pupil["birthplace"]["address"], "que": pupil["hometown"]["address"],
        "choO": pupil["residence"]["address"], "hl": ";".join(year["learning"][term] for term in terms),
        "rl": ";".join(year["training"][term] for term in terms), "nghi": str(year["absences"]),
        "lenLop": "x" if year["promoted"] else "-", "ndLenLop": year["promotion_text"], "nx": year["homeroom_comment"],
    }  # fmt: skip
    marks = [
        _tagged(
            "M",
            {
                "mon": subject["name"],
                "d": ";".join(_comma(subject.get(term)) for term in terms),
                "gv": subject["teacher"]["full_name"],
                "cccdGv": subject["teacher"]["personal_number"],
            },
        )
        for subject in year["subjects"]
    ]
    return _tagged("HS", facts, "".join(marks))


def json_classes(of: list[dict[str, Any]]) -> list[bytes]:
    """A head, classes, and pupils within them; the list of classes stands before what is said of the school."""
    made = []
    for first, group in _groups(of):
        school, signers, issue = first["school"], first["signers"], first["issue"]
        room = {
            "tenLop": first["class"]["name"],
            "gvcn": signers["homeroom"],
            "danhSach": list(map(_json_pupil, group)),
        }
        document = {
            "namHoc": first["school_year"],
            "danhSachLop": [room],
            "so": first["department"],
            "truong": {
                "ma": school["code"], "ten": school["name"], "cap": "THCS", "xa": school["commune_name"],
                "tinh": school["province_name"], "hieuTruong": signers["manager"]["full_name"],
                "cccdHieuTruong": signers["manager"]["personal_number"], "chucVu": signers["manager"]["title"],
            },
            "thongTu": first["circular"],
            "phatHanh": {
                "noiKy": issue["place"], "ngayKy": _day(issue["issued_on"]), "ngayTao": _day(issue["created_on"]),
            },
        }  # fmt: skip
        made.append(orjson.dumps(document))
    return made


def _json_pupil(card: dict[str, Any]) -> dict[str, Any]:
    pupil, year = card["pupil"], card["year"]

    def words(of: str) -> dict[str, str]:
        return {name: LEVELS[year[of][term]] for name, term in (("hk1", "term1"), ("hk2", "term2"), ("caNam", "year"))}

    return {
        "maHocBa": card["card_id"],
        "hocSinh": {
            "ma": pupil["pupil_code"], "hoTen": pupil["full_name"], "soDinhDanh": int(pupil["personal_number"]),
            "ngaySinh": pupil["birth"], "gioiTinh": {"1": "Nam", "2": "Nữ", "0": None}[pupil["gender"]],
            "danToc": _ethnic(pupil), "quocTich": pupil["nationality"],
        },
        "noiSinh": pupil["birthplace"]["address"], "queQuan": pupil["hometown"]["address"],
        "noiO": pupil["residence"]["address"], "hocTap": words("learning"), "renLuyen": words("training"),
        "nghi": {"coPhep": year["absences"] // 2, "khongPhep": year["absences"] - year["absences"] // 2},
        "lenLop": year["promoted"], "noiDungLenLop": year["promotion_text"], "nhanXet": year["homeroom_comment"],
        "bangDiem": [
            {
                "monHoc": {"ten": s["name"]},
                "diem": {"hk1": s.get("term1"), "hk2": s.get("term2"), "cn": s.get("year")},
                "giaoVien": {"hoTen": s["teacher"]["full_name"], "cccd": s["teacher"]["personal_number"]},
            }
            for s in year["subjects"]
        ],
    }  # fmt: skip


def _wide(card: dict[str, Any]) -> dict[str, Any]:
    """A pupil's own facts as columns."""
    pupil, year = card["pupil"], card["year"]
    return {
        "Mã học bạ": card["card_id"], "Mã HS": pupil["pupil_code"], "Họ và tên": pupil["full_name"],
        "Số định danh": pupil["personal_number"], "Ngày sinh": _day(pupil["birth"]),
        "Giới tính": {"1": "Nam", "2": "Nữ", "0": ""}[pupil["gender"]], "Dân tộc": _ethnic(pupil),
        "Quốc tịch": pupil["nationality"], "Nơi sinh": pupil["birthplace"]["address"],
        "Quê quán": pupil["hometown"]["address"], "Nơi ở": pupil["residence"]["address"],
        "Học lực HK1": LEVELS[year["learning"]["term1"]], "Học lực HK2": LEVELS[year["learning"]["term2"]],
        "Học lực": LEVELS[year["learning"]["year"]], "Hạnh kiểm HK1": LEVELS[year["training"]["term1"]],
        "Hạnh kiểm HK2": LEVELS[year["training"]["term2"]], "Hạnh kiểm": LEVELS[year["training"]["year"]],
        "Vắng": year["absences"], "Lên lớp": "Có" if year["promoted"] else "Không",
        "Nội dung lên lớp": year["promotion_text"], "Nhận xét GVCN": year["homeroom_comment"],
    }  # fmt: skip


def _of_school(first: dict[str, Any]) -> dict[str, Any]:
    school, signers, issue = first["school"], first["signers"], first["issue"]
    return {
        "Năm học": first["school_year"], "Thông tư": first["circular"], "Mã sở": first["department"]["code"],
        "Tên sở": first["department"]["name"], "Mã trường": school["code"], "Tên trường": school["name"],
        "Cấp học": "THCS", "Xã/phường": school["commune_name"], "Tỉnh": school["province_name"],
        "Lớp": first["class"]["name"],
        "GVCN": signers["homeroom"]["full_name"], "CCCD GVCN": signers["homeroom"].get("personal_number", ""),
        "Hiệu trưởng": signers["manager"]["full_name"], "CCCD hiệu trưởng": signers["manager"]["personal_number"],
        "Chức vụ": signers["manager"]["title"], "Nơi ký": issue["place"], "Ngày ký": _day(issue["issued_on"]),
        "Ngày tạo": _day(issue["created_on"]),
    }  # fmt: skip


def csv_marks(of: list[dict[str, Any]]) -> list[bytes]:
    """One row for each mark, with all that is known of the pupil; semicolons."""
    out = io.StringIO()
    writer = None
    for first, group in _groups(of):
        for card in group:
            for subject in card["year"]["subjects"]:
                row = {
                    **_of_school(first), **_wide(card),
                    "Môn": subject["name"], "HK1": _comma(subject.get("term1")),
                    "HK2": _comma(subject.get("term2")), "CN": _comma(subject.get("year")),
                    "Giáo viên": subject["teacher"]["full_name"], "CCCD GV": subject["teacher"]["personal_number"],
                }  # fmt: skip
                if writer is None:
                    writer = csv.DictWriter(out, list(row), delimiter=";")
                    writer.writeheader()
                writer.writerow(row)
    return ["\ufeff".encode() + out.getvalue().encode()]


def workbook_head(of: list[dict[str, Any]]) -> list[bytes]:
    """What is said of school and class above the table, marks on a second sheet."""
    made = []
    for first, group in _groups(of):
        book = Workbook()
        sheet = book.active
        sheet.title = "Học sinh"
        sheet.append(["SỞ GIÁO DỤC VÀ ĐÀO TẠO"])
        sheet.append(["BẢNG TỔNG HỢP KẾT QUẢ"])
        for number, (label, value) in enumerate(_of_school(first).items()):
            sheet.append([f"{label}: {value}"] if number % 3 == 0 else [f"{label}:", None, value])
        sheet.append([])
        marks = book.create_sheet("Điểm")
        marks.append(["Mã HS", "Môn học", "Học kỳ 1", "Học kỳ 2", "Cả năm", "Giáo viên bộ môn", "CCCD GVBM"])
        for number, card in enumerate(group):
            row = _wide(card)
            if number == 0:
                sheet.append(["STT", *row])
            sheet.append([number + 1, *row.values()])
            for s in card["year"]["subjects"]:
                teacher = s["teacher"]
                results = [s.get("term1"), s.get("term2"), s.get("year")]
                marks.append([card["pupil"]["pupil_code"], s["name"], *results, *teacher.values()])
        made.append(_saved(book))
    return made


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def soap_body(of: list[dict[str, Any]]) -> list[bytes]:
    """A SOAP body with two namespaces, and a head of its own."""
    made = []
    for first, group in _groups(of):
        common = "".join(_tagged(f"c:{_tag(key)}", {}, escape(str(fact))) for key, fact in _of_school(first).items())
        pupils = "".join(map(_soap_pupil, group))
        made.append(
            (
                '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body>'
                '<p:NopHocBa xmlns:p="urn:vi-du:hoc-ba" xmlns:c="urn:vi-du:chung">'
                f"<c:Chung>{common}</c:Chung>{pupils}</p:NopHocBa></s:Body></s:Envelope>"
            ).encode()
        )
    return made


def _soap_pupil(card: dict[str, Any]) -> str:
    own = [_tagged(f"p:{_tag(key)}", {}, escape(str(fact))) for key, fact in _wide(card).items() if fact != ""]
    for s in card["year"]["subjects"]:
        results = {"HK1": "term1", "HK2": "term2", "CN": "year"}
        content = [_tagged(f"p:{tag}", {}, _comma(s.get(key))) for tag, key in results.items()]
        teacher = s["teacher"]
        content.append(_tagged("c:GV", {"cccd": teacher["personal_number"]}, escape(teacher["full_name"])))
        own.append(_tagged("p:Diem", {"mon": s["name"]}, "".join(content)))
    return _tagged("p:HocSinh", {}, "".join(own))


def _tag(name: str) -> str:
    return "".join(word.capitalize() for word in words_of(name))


def mark_book(of: list[dict[str, Any]]) -> list[bytes]:
    """A single sheet: pupils as rows, subjects as merged headers over their terms, year and teacher."""
    made = []
    for first, group in _groups(of):
        names = list(dict.fromkeys(s["name"] for card in group for s in card["year"]["subjects"]))
        book = Workbook()
        sheet = book.active
        sheet.title = first["class"]["name"]
        for label, value in _of_school(first).items():
            sheet.append([f"{label}:", value])
        sheet.append([])
        columns = list(_wide(first))
        top, below = [*columns], [None] * len(columns)
        for name in names:
            top += [name, None, None, None, None]
            below += ["HK1", "HK2", "CN", "GV", "CCCD GV"]
        sheet.append(top)
        row = sheet.max_row
        sheet.append(below)
        for number in range(len(names)):
            begin = len(columns) + 5 * number + 1
            sheet.merge_cells(start_row=row, start_column=begin, end_row=row, end_column=begin + 4)
        for card in group:
            line = list(_wide(card).values())
            subjects = {s["name"]: s for s in card["year"]["subjects"]}
            for name in names:
                s = subjects.get(name, {"teacher": {"full_name": None, "personal_number": None}})
                line += [s.get("term1"), s.get("term2"), s.get("year"), *s["teacher"].values()]
            sheet.append(line)
        made.append(_saved(book))
    return made


FORMATS = {
    "xml-book": (".xml", xml_book),
    "json-classes": (".json", json_classes),
    "csv-marks": (".csv", csv_marks),
    "workbook-head": (".xlsx", workbook_head),
    "soap-body": (".xml", soap_body),
    "mark-book": (".xlsx", mark_book),
}
"""Name → ending of its files, and its writer."""
