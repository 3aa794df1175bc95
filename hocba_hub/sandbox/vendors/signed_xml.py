"""Cards signed at the school, of the profile `signed-card`: one XML document each, in a ZIP, with every field.

The digest in a signature is that of its card, so that a changed byte shows; the signature itself and the certificate
are made up.
"""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from lxml import etree

from hocba_hub.sandbox.vendors.notations import circular

CARD = "urn:example:hoc-ba-so:1"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same cards make the same ZIP."""

_QUALITIES = {
    "patriotism": "phamchatyeunuoc", "compassion": "phamchatnhanai", "diligence": "phamchatchamchi",
    "honesty": "phamchattrungthuc", "responsibility": "phamchattrachnhiem",
}  # fmt: skip
_CAPACITIES = {
    "autonomy": "nangluctuhoc", "communication": "nanglucgiaotiep", "problem_solving": "nanglucgiaiquyet",
    "language": "nanglucngonngu", "calculation": "nangluctinhtoan", "science": "nangluckhoahoc",
    "technology": "nangluccongnghe", "informatics": "nangluctinhoc", "aesthetics": "nanglucthammi",
    "physical": "nanglucthechat",
}  # fmt: skip
_PRIMARY = {
    "comment_on_qualities": "nxetphamchat", "comment_on_general_capacities": "nxetnanglucchung",
    "comment_on_specific_capacities": "nxetnanglucdacthu", "weight_kg": "cannang", "height_cm": "chieucao",
    "absences_excused": "nghicophep", "absences_unexcused": "nghikhongphep", "result": "xeploai",
    "promoted": "duoclenlop", "completed_grade": "dahthanhctrinhlophoc", "completed_primary": "dahthanhctrinhtieuhoc",
    "completion_text": "ndunghoanthanh", "reward_text": "ndungkhenthuong",
    "sudden_reward_text": "ndungkhenthuongdotxuat", "homeroom_comment": "nxetgvcn",
}  # fmt: skip
_SECONDARY = {
    "absences": "sobuoinghi", "promoted": "duoclenlop", "promotion_text": "ndungduoclenlop",
    "completion_text": "ndunghoanthanh", "title": "madanhhieu", "reward_text": "ndungkhenthuong",
    "contests_text": "kquathamgiacuocthi", "summer_training_text": "ndungkquarenluyen", "discipline_text": "kyluat",
    "overall_average": "diemtongket", "graduation_eligible": "coduxettotnghiep", "graduation_text": "totnghiepcap",
    "homeroom_comment": "nxetgvcn",
}  # fmt: skip
_LEARNING = {"term1": "hocky1", "term2": "hocky2", "year": "canam", "again": "kqhoctaplai"}
_TRAINING = {
    "term1": "renluyenhocky1", "term2": "renluyenhocky2", "year": "renluyencanam", "again": "renluyenlai",
}  # fmt: skip
_SUBJECT = {
    "code": "mamonhoc", "name": "tenmonhoc", "level": "mucdatduoc", "test": "diemkiemtradinhky",
    "term1": "diemhocky1", "term2": "diemhocky2", "year": "diemcanam", "retest": "diemkttralai",
    "comment": "nxetmonhoc",
}  # fmt: skip
_MARKS = {"regular": "thuongxuyen", "midterm": "giuaky", "final": "cuoiky"}
_SCHOOL = {
    "code": "matruong", "name": "tentruong", "level": "macaphoc", "commune_name": "tenxa", "commune_code": "maxa",
    "district_name": "tenhuyen", "province_name": "tentinh", "province_code": "matinh",
}  # fmt: skip
_PUPIL = {
    "full_name": "hovaten", "personal_number": "sodinhdanh", "passport_number": "sogiaytoxnc",
    "pupil_code": "mahocsinh", "gender": "gioitinh", "birth": "ngaythangnamsinh", "nationality": "quoctich",
    "policy_category": "doituongchinhsach", "not_assessed": "cokhuyettatkhongdanhgia",
}  # fmt: skip
_PLACES = {"birthplace": "noisinh", "hometown": "quequan", "residence": "noiohiennay"}
_FAMILY = {"father": "cha", "mother": "me", "guardian": "nguoigiamho"}
_MANAGER = {"full_name": "tengiamhieu", "personal_number": "soddcngiamhieu", "title": "chucvugiamhieu"}
_HOMEROOM = {"full_name": "tengvcn", "personal_number": "soddcngvcn"}
_ISSUE = {"place": "diadanhphathanh", "issued_on": "ngaykyphathanh", "created_on": "ngaytao"}
_EARLIER = {
    "school_year": "namhoc", "class_name": "tenlop", "school_name": "tentruong", "province_name": "tentinh",
    "arrived_on": "ngaytrangthaichuyenden",
}  # fmt: skip
"""Field of a part of the canonical card → its element, by the name of the data dictionary where it has one."""


def write_signed_cards(cards: Iterable[dict[str, Any]], out: BinaryIO) -> int:
    """Write a ZIP with a signed document for each card; returns how many there were."""
    number = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, card in enumerate(cards, start=1):
            entry = zipfile.ZipInfo(f"hoc-ba-{number:06d}.xml", _LONG_AGO)
            archive.writestr(entry, signed_document(card), zipfile.ZIP_DEFLATED)
    return number


def signed_document(card: dict[str, Any]) -> bytes:
    """One card as its school signed it."""
    root = etree.Element(f"{{{CARD}}}hocba", {"Id": f"HB-{card['card_id']}"}, nsmap={None: CARD})  # type: ignore[dict-item] # None: the default one
    _fill(root, card)
    digest = hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
    root.append(_signature(root.get("Id", ""), digest, card["school"]["name"]))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(root: etree._Element, card: dict[str, Any]) -> None:
    _add(root, "madinhdanhhocba", card["card_id"])
    _add(root, "namhoc", card["school_year"])
    _add(root, "trangthaithongtinhocba", "1" if card["status"] == "in_force" else "2")
    _add(root, "thongtu", circular(card["circular"]))
    _add(root, "trichluc", card["transcribed"])
    _add(root, "masogd", card["department"]["code"])
    _add(root, "tensogd", card["department"]["name"])
    _part(_add(root, "truong"), card["school"], _SCHOOL)
    _part(_add(root, "lop"), card["class"], {"grade": "makhoi", "name": "tenlop", "code": "malop"})
    if "register_number" in card:
        _add(root, "sosodangbo", card["register_number"])
    _pupil(_add(root, "hocsinh"), card["pupil"])
    family = _add(root, "giadinh")
    for who, person in card.get("family", {}).items():
        _part(_add(family, _FAMILY[who]), person, {"full_name": "hoten", "job": "nghenghiep"})
    signers = _add(root, "nguoiky")
    _part(signers, card["signers"]["manager"], _MANAGER)
    _part(signers, card["signers"]["homeroom"], _HOMEROOM)
    _part(_add(root, "phathanh"), card["issue"], _ISSUE)
    history = _add(root, "quatrinhhoctap")
    for year in card["study_history"]:
        _part(_add(history, "nam"), year, _EARLIER)
    results = _add(root, "ketqua")
    if card["kind"] == "primary":
        _primary(results, card["year"])
    else:
        _secondary(results, card["year"])


def _pupil(element: etree._Element, pupil: dict[str, Any]) -> None:
    _part(element, pupil, _PUPIL)
    for name, tag in _PLACES.items():
        place, known = _add(element, tag), pupil[name]
        _add(place, "diachichitiet", known["address"])
        if "commune_code" in known:
            _add(place, "maxa", known["commune_code"]).set("danhmuc", known["commune_list"])
        if "province_code" in known:
            _add(place, "matinh", known["province_code"])
    _add(element, "dantoc", pupil["ethnic_code"]).set("danhmuc", pupil["ethnic_list"])


def _primary(results: etree._Element, year: dict[str, Any]) -> None:
    subjects = _add(results, "dsbangdiem")
    for row in year["subjects"]:
        _part(_add(subjects, "mon"), row, _SUBJECT)
    _part(results, year["qualities"], _QUALITIES)
    _part(results, year["capacities"], _CAPACITIES)
    _part(results, year, _PRIMARY)


def _secondary(results: etree._Element, year: dict[str, Any]) -> None:
    subjects = _add(results, "bangdiem")
    for row in year["subjects"]:
        subject = _add(subjects, "mon")
        _part(subject, row, _SUBJECT)
        for term in "12":
            if f"term{term}_marks" in row:
                _part(_add(subject, f"cotdiemhocky{term}"), row[f"term{term}_marks"], _MARKS)
        _part(subject, row["teacher"], {"full_name": "gvbm", "personal_number": "soddcngvbm"})
    _part(results, year["learning"], _LEARNING)
    _part(results, year["training"], _TRAINING)
    _part(results, year, _SECONDARY)
    for certificate in year["certificates"]:
        _part(_add(results, "chungchi"), certificate, {"name": "tenchungchi", "kind": "loaichungchi"})


def _part(element: etree._Element, part: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """An element for each field that is there and has a name; several for a list."""
    for field, tag in names.items():
        if field in part:
            for value in part[field] if isinstance(part[field], list) else (part[field],):
                _add(element, tag, value)


def _add(parent: etree._Element, tag: str, value: object = None, *, namespace: str = CARD) -> etree._Element:
    element = etree.SubElement(parent, f"{{{namespace}}}{tag}")
    if value is not None:
        element.text = str(int(value) if isinstance(value, bool) else value)
    return element


def _signature(of: str, digest: bytes, signer: str) -> etree._Element:
    """An enveloped signature (XMLDSig, section 4) over the element of that Id, with a made-up value and certificate."""
    signature = etree.Element(f"{{{SIGNATURE}}}Signature", nsmap={"ds": SIGNATURE})

    def add(parent: etree._Element, tag: str, value: str | None = None, **attributes: str) -> etree._Element:
        element = _add(parent, tag, value, namespace=SIGNATURE)
        for name, text in attributes.items():
            element.set(name, text)
        return element

    info = add(signature, "SignedInfo")
    add(info, "CanonicalizationMethod", Algorithm=_C14N)
    add(info, "SignatureMethod", Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
    reference = add(info, "Reference", URI=f"#{of}")
    transforms = add(reference, "Transforms")
    add(transforms, "Transform", Algorithm=f"{SIGNATURE}enveloped-signature")
    add(transforms, "Transform", Algorithm=_C14N)
    add(reference, "DigestMethod", Algorithm="http://www.w3.org/2001/04/xmlenc#sha256")
    add(reference, "DigestValue", b64encode(digest).decode())
    add(signature, "SignatureValue", b64encode(hashlib.sha512(b"signature of " + digest).digest() * 4).decode())
    certificate = add(add(signature, "KeyInfo"), "X509Data")
    add(certificate, "X509SubjectName", f"CN={signer}")
    add(certificate, "X509Certificate", b64encode(hashlib.sha512(signer.encode()).digest() * 12).decode())
    return signature
